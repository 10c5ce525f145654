"""The ladder: the same for all, chosen on validation, resumed, with intervals that are right."""

import dataclasses
import os
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import textgate as tg
from tests.study.ladder.made_up_ladder import made_up
from textgate import cli
from textgate.evaluation import agreement
from textgate.study.ladder import Conditions, _task, compare
from textgate.study.ladder import _runs as ladder_runs
from textgate.study.ladder import _tables as ladder_tables

TINY = Conditions(parameters=3000, embedding=4, texts=100, epochs=1, batch_size=25, items=24)
RUNGS = ("constant", "kneser_ney", "smoothing")
RATES = (1e-3, 3e-2)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ladder") / "tiny"
    reports = []
    found = compare(directory, RUNGS, 2, RATES, TINY, reports.append)
    return directory, found, reports


def test_each_rung_is_tuned_and_trained_with_every_seed(finished):
    directory, found, reports = finished
    assert found.table["rung"].tolist() == list(RUNGS)
    assert found.table["seeds"].tolist() == [1, 1, 2]
    smoothing = found.runs[found.runs["rung"] == "smoothing"]
    tried = smoothing[smoothing["seed"] == 0].set_index("learning_rate")["validation_loss"]
    chosen = smoothing[smoothing["final"]]
    assert set(chosen["learning_rate"]) == {tried.idxmin()}
    assert chosen["seed"].tolist() == [0, 1]
    assert len(smoothing) == 3
    assert reports[-1]["done"] == reports[-1]["of"] == 1 + 1 + 3
    # As many parameters as the others, or what there is to count.
    assert chosen["parameters"].iloc[0] == pytest.approx(3000, rel=0.1)
    assert {path.name for path in (directory / "smoothing").iterdir()} == {
        "rate-0.001-seed-0",
        "rate-0.03-seed-0",
        "rate-0.03-seed-1",
    }


def test_the_numbers_are_those_of_the_models(finished):
    directory, found, _ = finished
    data = ladder_runs.Data(TINY)
    for rung, place in (("kneser_ney", "counted"), ("smoothing", "rate-0.03-seed-1")):
        lm = tg.load(directory / rung / place)
        items = agreement(lm, data.pairs[data.pairs["split"] == "test"])
        row = found.runs[(found.runs["rung"] == rung) & found.runs["final"]].iloc[-1]
        assert row["accuracy"] == pytest.approx(items["correct"].mean())
        loss = tg.evaluation.perplexity(lm, data.texts)["loss"]
        assert row["bits"] == pytest.approx(loss / np.log(2), rel=1e-5)


def test_the_constant_is_right_in_half_of_the_items(finished):
    _, found, _ = finished
    constant = found.accuracy[found.accuracy["rung"] == "constant"].set_index(["by", "group"])
    for split in ("test", "far"):
        assert constant.loc[("split", split), "accuracy"] == 0.5
    directions = constant.loc["direction", "accuracy"]
    assert set(directions) == {0.0, 1.0}


def test_the_same_again_trains_nothing(finished, monkeypatch):
    directory, found, _ = finished

    def fail(*arguments):
        raise AssertionError("trained again")

    monkeypatch.setattr(ladder_runs, "train", fail)
    monkeypatch.setattr(ladder_runs, "measure", fail)
    reports = []
    again = compare(directory, RUNGS, 2, RATES, TINY, reports.append)
    assert all(row["was_there"] for row in reports)
    pd.testing.assert_frame_equal(again.table, found.table)
    pd.testing.assert_frame_equal(again.accuracy, found.accuracy)
    pd.testing.assert_frame_equal(again.by_seed, found.by_seed)


def test_what_was_interrupted_is_done_again(tmp_path, monkeypatch):
    whole = compare(tmp_path / "whole", ("kneser_ney",), 1, RATES, TINY)
    real = ladder_runs.measure

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(ladder_runs, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        compare(tmp_path / "parts", ("kneser_ney",), 1, RATES, TINY)
    monkeypatch.setattr(ladder_runs, "measure", real)
    # What a killed run left of a model that it was writing.
    left = tmp_path / "parts" / "kneser_ney" / f".counted.{os.getpid()}-123456.partial"
    left.mkdir()
    parts = compare(tmp_path / "parts", ("kneser_ney",), 1, RATES, TINY)
    pd.testing.assert_frame_equal(
        parts.table.drop(columns="seconds"), whole.table.drop(columns="seconds")
    )


def test_the_budget_stops_a_training_and_says_so():
    conditions = dataclasses.replace(TINY, budget=1e-6)
    data = ladder_runs.Data(conditions)
    _, facts = ladder_runs.train("average", 1e-2, 0, conditions, data)
    assert facts["stopped"]
    assert facts["words"] > 0
    assert np.isfinite(facts["validation_loss"])


def test_intervals_are_over_items_and_over_seeds():
    data = _task.pairs("test", 60)
    random = np.random.default_rng(0)
    runs = [data.assign(correct=random.random(60) < 0.8) for _ in range(4)]
    table = ladder_tables.accuracy("gru", runs).set_index(["by", "group"])
    means = np.array([run["correct"].mean() for run in runs])
    row = table.loc[("split", "test")]
    assert row["accuracy"] == pytest.approx(means.mean())
    low, high = stats.t.interval(0.95, 3, means.mean(), stats.sem(means))
    assert row["seed_low"] == pytest.approx(max(low, 0))
    assert row["seed_high"] == pytest.approx(min(high, 1))
    assert row["low"] < row["accuracy"] < row["high"]
    near = data["distance"] <= 2
    of_near = np.mean([run.loc[near, "correct"].mean() for run in runs])
    assert table.loc[("distance", "1-2"), "accuracy"] == pytest.approx(of_near)
    assert table.loc[("distance", "1-2"), "items"] == near.sum()
    parts = table.loc["incongruent attractors"]
    assert (parts["accuracy"] * parts["items"]).sum() / 60 == pytest.approx(means.mean())
    each = ladder_tables.by_seed("gru", [3, 5, 7, 9], runs)
    whole = each[(each["by"] == "split") & (each["group"] == "test")]
    assert whole["seed"].tolist() == [3, 5, 7, 9]
    np.testing.assert_allclose(whole["accuracy"], means)
    assert set(whole["items"]) == {60}
    one = ladder_tables.accuracy("gru", runs[:1])
    assert one["seed_sd"].isna().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rungs": ("lstm", "transformer")}, "Received: 'transformer'"),
        ({"rungs": ()}, "each once"),
        ({"rungs": ("gru", "gru")}, "each once"),
        ({"seeds": 0}, "Received: seeds=0"),
        ({"learning_rates": ()}, "learning rates above 0"),
    ],
)
def test_mistakes_are_named(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(tmp_path / "ladder", **{"conditions": TINY, **arguments})
    assert not (tmp_path / "ladder").exists()


def test_another_setting_and_other_directories_are_left_alone(finished, tmp_path):
    directory, _, _ = finished
    with pytest.raises(FileExistsError, match="its texts is 100, not 50"):
        compare(directory, RUNGS, conditions=dataclasses.replace(TINY, texts=50))
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not a comparison's"):
        compare(tmp_path, RUNGS, conditions=TINY)


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textgate", "compare", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0


def test_the_command_writes_dated_tables(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tg.study.ladder, "QUICK", TINY)
    given = [tmp_path / "out", "--quick", "--rungs", "constant,kneser_ney", "--epochs", 1]
    assert command(monkeypatch, *given) == 0
    captured = capsys.readouterr()
    assert "kneser_ney" in captured.out
    assert "[2/2" in captured.err
    (dated,) = (tmp_path / "out").glob("ladder-*.csv")
    table = pd.read_csv(dated)
    assert table["rung"].tolist() == ["constant", "kneser_ney"]
    assert table["command"].str.startswith(f"textgate compare {tmp_path / 'out'} --quick").all()
    assert (table["date"] == dated.stem.removeprefix("ladder-")).all()
    for name in ("accuracy", "runs", "by_seed"):
        assert {"date", "command"} <= set(pd.read_csv(tmp_path / "out" / f"{name}.csv"))
    # Neither rung has units to remove.
    assert {path.name for path in (tmp_path / "out").glob("*.png")} == {"accuracy.png"}
    assert captured.out.strip().endswith("by_seed.csv, accuracy.png")


def test_the_command_draws_and_says_what_follows(tmp_path, monkeypatch, capsys):
    rungs = {"simple_rnn": lambda *_: 0.6, "lstm_forget_1": lambda *_: 0.7, "lstm": lambda *_: 0.9}
    made = made_up(rungs, seeds=3)
    monkeypatch.setattr(tg.study.ladder, "compare", lambda *arguments, **options: made)
    assert command(monkeypatch, tmp_path, "--quick") == 0
    lines = capsys.readouterr().out.splitlines()
    said = tg.study.conclusions(made)
    assert len(said) == 5
    assert [line for line in lines if line in said] == said
    assert lines[-1].startswith(f"wrote {tmp_path}")
    for name in ("accuracy.png", "redundancy.png"):
        assert name in lines[-1]
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob(".*"))
    assert command(monkeypatch, tmp_path, "--quick", "--quiet") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rungs", "rnn"], "Received: 'rnn'"),
        (["--learning-rates", "fast"], "Received: 'fast'"),
        (["--budget", 0], "--budget must be more than 0"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(
    tmp_path, monkeypatch, capsys, arguments, message
):
    assert command(monkeypatch, tmp_path / "out", *arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
