"""The page of a finding, in a browser: nothing in it is wider than the screen."""

import types

import pandas as pd
import pytest

from textgate.unit_search import UnitFinding


def test_a_word_without_end_is_wrapped(tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    word = "x" * 3000
    finding = types.SimpleNamespace(
        feature=word,
        layer="lstm",
        signal="cell_state",
        verdict=word,
        tables={"split": pd.DataFrame({"lexeme": [word], "items": [3]})},
        to_json=lambda: f'{{"word": "{word}"}}',
    )
    page = UnitFinding.to_html(finding, tmp_path / "page.html")
    with playwright.sync_playwright() as started:
        try:
            browser = started.chromium.launch()
        except playwright.Error as error:
            pytest.skip(f"no browser: {error}"[:80])
        opened = browser.new_page(viewport={"width": 1000, "height": 800})
        opened.goto(page.as_uri())
        widest = opened.evaluate(
            "Math.max(...[...document.querySelectorAll('*')].map(e => e.scrollWidth))"
        )
        browser.close()
    assert widest <= 1000
