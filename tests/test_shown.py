"""Notebooks show results as HTML, in which nothing of the data is markup."""

import dataclasses

import pandas as pd
import pytest

import textgate as tg
from tests.plots.test_text import Spans
from textgate._shown import as_html

HOSTILE = "<script>alert(1)</script>"


def test_tables_are_folded_cut_and_escaped():
    long = pd.DataFrame({"word": [HOSTILE] * 41, "share": [1 / 3] * 41})
    page = as_html(
        HOSTILE, [HOSTILE], {"long": long, "short": long.head(2), "none": long.head(0)}, "short"
    )
    tags = Spans(page).tags
    assert "script" not in tags
    assert (tags.count("details"), tags.count("tr")) == (2, 40 + 1 + 2 + 1)
    assert "the first 40 of 41 rows" in page
    assert "<details open><summary>short" in page
    assert "0.3333" in page


def test_an_edited_model_shows_its_interventions():
    lm = tg.models.LanguageModel(tg.tokenizers.WordTokenizer.train(["She ran ."]), units=(3,))
    page = tg.intervene(lm, [tg.Clamp("lstm", "forget_gate", units=[1], value=0.5)])._repr_html_()
    assert "language_model with interventions" in page
    assert "forget_gate" in page
    assert "no interventions" in tg.intervene(lm, [])._repr_html_()


def test_a_finding_shows_its_verdict_and_tables():
    columns = {"half": ["discovery", "confirmation"], "items": [3, 4], "templates": [1, 1]}
    finding = tg.unit_search.UnitFinding(
        **{
            field.name: ()
            for field in dataclasses.fields(tg.unit_search.UnitFinding)
            if field.name not in ("verdict", "tables", "feature", "layer")
        },
        feature=HOSTILE,
        layer="lstm",
        verdict="Unit 3 & no other.",
        tables={"split": pd.DataFrame(columns), "units": pd.DataFrame({"unit": [HOSTILE]})},
    )
    page = finding._repr_html_()
    assert "Unit 3 &amp; no other." in page
    assert "script" not in Spans(page).tags
    assert Spans(page).tags.count("table") == 2


def test_an_evaluation_shows_its_summary():
    lm = tg.models.LanguageModel(tg.tokenizers.WordTokenizer.train(["She fed her dog ."]), units=3)
    pairs = pd.DataFrame({"good": ["She fed her"], "bad": ["She fed dog"], "target": [2]})
    page = tg.evaluation.evaluate(lm, pairs)._repr_html_()
    assert "accuracy" in page
    assert "<details open><summary>Accuracy" in page


@pytest.mark.parametrize("name", ["units", "train"])
def test_ctrl_c_is_said_in_one_line(monkeypatch, capsys, name):
    import sys

    import typer

    from textgate import cli

    def interrupted():
        raise KeyboardInterrupt

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command(name)(interrupted)
    app.command("other")(interrupted)
    monkeypatch.setattr(cli, "app", app)
    monkeypatch.setattr(sys, "argv", ["textgate", name])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 130
    said = {"units": "nothing was left half-written", "train": "the same command goes on"}
    assert capsys.readouterr().err.split("\n")[-2] == f"textgate: stopped; {said[name]}"
