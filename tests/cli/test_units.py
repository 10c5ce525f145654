"""`textgate units` prints a verdict, writes what it rests on, and refuses what it should."""

import json
import sys

import pandas as pd
import pytest

from tests.unit_search.planted import pairs, planted
from textgate import cli

pytestmark = pytest.mark.tensorflow_only


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textgate", "units", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A planted model, and pairs as a user's file."""
    place = tmp_path_factory.mktemp("units")
    planted("gru", 12, {6: 1.0}).save(place / "model.keras")
    table = pairs()
    words = table["good"].str.split(), table["bad"].str.split()
    table = table.assign(
        prefix=[" ".join(good[:2]) for good in words[0]],
        good=[good[2] for good in words[0]],
        bad=[bad[2] for bad in words[1]],
    ).drop(columns=["target", "good_class", "bad_class"])
    table.to_csv(place / "pairs.csv", index=False)
    return place / "model.keras", place / "pairs.csv"


def test_a_run_in_units_out(monkeypatch, tmp_path, files, capsys):
    model, table = files
    out = tmp_path / "out"
    assert run(monkeypatch, model, "--pairs", table, "--seed", 3, "--to", out) == 0
    printed = capsys.readouterr().out
    assert "Unit 6 of gru's hidden state is sufficient and necessary for gender" in printed
    assert "interchange others" in printed
    assert {"units.html", "units.png", "units.csv", "finding.json"} <= {
        path.name for path in out.iterdir()
    }
    known = json.loads((out / "finding.json").read_text(encoding="utf-8"))
    assert known["sufficient"] == [6]
    assert known["seed"] == 3
    assert (pd.read_csv(out / "interventions.csv")["seed"] == 3).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give either one run or --runs"),
        (["a", "--runs", "b*"], "give either one run or --runs"),
        (["no/such/run"], "no model at the given path"),
        (["--runs", "no/such/*"], "no run matches the pattern"),
        (["a", "--signal", "x", "--signal", "y"], "one run takes one --signal"),
        (["MODEL", "--layer", "lstm"], "no such recurrent layer"),
        (["MODEL", "--signal", "cell_state", "--pairs", "PAIRS"], "signal='cell_state'"),
        (["MODEL", "--feature", "mood"], "gender, number and tense; give your own as `pairs`"),
        (["MODEL", "--feature", "tense"], "unknown are 'is', 'was'"),
        (["MODEL", "--pairs", "pronoun_agreement"], "for unknown words), of which"),
        (
            ["MODEL", "--feature", "number", "--pairs", "pronoun_agreement"],
            "number sets singular against plural, and no pair does; give such pairs, or the pairs' "
            "own feature: they are about gender. Received: feature='number'",
        ),
        (
            ["MODEL", "--feature", "mood", "--pairs", "number_agreement"],
            "no claim can be made about 'mood': the pairs are about number",
        ),
        (["MODEL", "--to", "PAIRS"], "takes a directory, and this is a file"),
    ],
)
def test_mistakes_take_one_line(monkeypatch, files, capsys, arguments, message):
    names = {"MODEL": files[0], "PAIRS": files[1]}
    if arguments[:1] == ["MODEL"] and "--pairs" not in arguments and "--feature" not in arguments:
        arguments = [*arguments, "--pairs", "PAIRS"]
    assert run(monkeypatch, *(names.get(a, a) for a in arguments)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Received: " in error
    assert error.count("\n") == 1
