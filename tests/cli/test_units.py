"""`textgate units` prints a verdict, writes what it rests on, and refuses what it should."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.running import command
from tests.unit_search import planted_models
from tests.unit_search.planted import pairs, planted

pytestmark = pytest.mark.tensorflow_only


run = command("units")


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


@pytest.fixture(scope="module")
def any_model(tmp_path_factory):
    """A planted classifier, and its contrasts as a file."""
    place = tmp_path_factory.mktemp("contrasts")
    planted_models.classifier("gru", [5], size=8).save(place / "model.keras")
    base, source, table = planted_models.texts()
    arrays = {"base": base, "source": source, "good": 1, "bad": 0}
    arrays |= {name: table[name].to_numpy() for name in table}
    np.savez(place / "items.npz", **arrays)
    np.savez(place / "short.npz", **{n: a for n, a in arrays.items() if n != "bad"})
    np.savez(place / "uneven.npz", **{**arrays, "frame": np.arange(3)})
    np.savez(place / "pickled.npz", **{**arrays, "frame": np.array([{}] * len(base))})
    (place / "text.npz").write_text("base")
    return place


def test_units_of_any_model_from_a_file_of_contrasts(monkeypatch, any_model, tmp_path, capsys):
    arguments = (any_model / "model.keras", "--contrasts", any_model / "items.npz")
    assert run(monkeypatch, *arguments, "--feature", "yes", "--to", tmp_path / "out") == 0
    assert "Unit 5 of rnn's hidden state" in capsys.readouterr().out
    known = json.loads((tmp_path / "out" / "finding.json").read_text(encoding="utf-8"))
    assert (known["both"], known["feature"]) == ([5], "yes")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--contrasts file.npz"),
        (["--contrasts", "none.npz"], "no such file"),
        (["--contrasts", "short.npz"], "without bad"),
        (["--contrasts", "uneven.npz"], "one value for each of the 240 items"),
        (["--contrasts", "pickled.npz"], "plain arrays"),
        (["--contrasts", "text.npz"], "plain arrays"),
        (["--contrasts", "items.npz", "--pairs", "x.csv"], "instead of --pairs"),
        (["--output", "dense"], "goes with --contrasts"),
    ],
)
def test_mistakes_with_contrasts(monkeypatch, any_model, capsys, arguments, message):
    named = [any_model / part if part.endswith(".npz") else part for part in arguments]
    assert run(monkeypatch, any_model / "model.keras", *named) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Received: " in error
    assert error.count("\n") == 1
