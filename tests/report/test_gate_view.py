"""The gate view alone: from traces to a page, to a part of another page, to a notebook."""

import html

import numpy as np
import pandas as pd
import plotly
import pytest

from textgate.report import gate_view, render

from . import made_up
from .opened_page import OpenedPage

pytestmark = [
    pytest.mark.tensorflow_only,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def traces():
    return made_up.traced("gru")[1]


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory, traces):
    """The view on a page of its own, and on one that has Plotly already."""
    place = tmp_path_factory.mktemp("view")
    alone, within = place / "alone.html", place / "within.html"
    view = gate_view(traces)
    alone.write_text(view.to_html(), encoding="utf-8")
    library = f"<script>{plotly.offline.get_plotlyjs()}</script>"
    part = view.to_html(full_html=False, include_plotlyjs=False)
    within.write_text(f"<!doctype html>{library}<h1>Mine</h1>{part}", encoding="utf-8")
    pages = [OpenedPage(browser, page, 1000) for page in (alone, within)]
    yield pages
    for page in pages:
        page.context.close()


def test_it_works_alone_and_within_another_page(opened, traces):
    node = next(iter(traces.leaves)).to_dataset()
    values = node["hidden_state"].values[0][node["mask"].values[0]]
    for page in opened:
        assert page.errors == []
        assert len(page.requests) == 1
        page.choose("signal", 3)
        order = page.page.evaluate("textgate.gateOrder")
        np.testing.assert_allclose(page.map(), values[:, order], atol=abs(values).max() / 32767)
        assert page.text("#gate-view figcaption").startswith("Gates run from 0")
    assert "Mine" in opened[1].text()


def test_traces_alone_say_which_sentences_are_twins(traces):
    rows = pd.DataFrame(gate_view(traces).data["models"][0]["sentences"])
    assert rows["text"][0] == "She came out and lost her way."
    assert rows["twin"][0] == "He came out and lost his way."
    # The word at which they part last is the one that is decided.
    assert rows[["good", "bad"]][:2].values.tolist() == [["her", "his"], ["herself", "himself"]]
    assert [row["words"][row["target"]] for _, row in rows.iterrows()] == rows["good"].tolist()


def test_it_is_the_view_of_the_report():
    model = made_up.model("lstm")
    view = gate_view(model.traces, model.sentences, finding=model.finding, name="lstm")
    page = render(made_up.findings(model))
    assert view.data["layers"][0]["marked"] == {"3": "sufficient", "5": "necessary"}
    part = view.to_html(full_html=False, include_plotlyjs=False)
    data = part[part.index('<script type="application/json"') : part.index("</script>")]
    assert data in page


def test_plotly_comes_once_or_not_at_all(traces):
    view, library = gate_view(traces), plotly.offline.get_plotlyjs()[:200]
    assert view.to_html().count(library) == view.to_html(full_html=False).count(library) == 1
    assert library not in view.to_html(include_plotlyjs=False)
    assert library not in view.to_html(full_html=False, include_plotlyjs=False)


def test_a_notebook_shows_it_in_a_frame(traces):
    view = gate_view(traces)
    frame = view._repr_html_()
    source = frame.partition('srcdoc="')[2].partition('"')[0]
    assert html.unescape(source) == view.to_html()


def test_what_it_cannot_show(traces):
    with pytest.raises(ValueError, match=r"each twin\. Received: 3 sentences, 5 examples"):
        gate_view(traces.isel(example=slice(5)), made_up.traced("gru")[0])
    with pytest.raises(ValueError, match="must have words"):
        gate_view(traces.map_over_datasets(lambda node: node.drop_vars("token", errors="ignore")))
