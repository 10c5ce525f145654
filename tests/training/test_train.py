"""Training ends with the same weights however it was interrupted, and overwrites nothing."""

import dataclasses
import errno
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import textgate as tg
from textgate import CannotWriteError
from textgate import _files as files
from textgate.training import Recipe, train
from textgate.training import _fitting as fitting

TINY = Recipe(
    cell="lstm",
    units=(5, 4),
    batch_size=4,
    window=5,
    epochs=3,
    validate=3,
    warmup=2,
    patience=100,
    dropout=0.3,
    unknown=1.0,
)


def write_corpus(path, lines=60):
    random = np.random.default_rng(0)
    words = ["she", "he", "her", "his", "dog", "cat", "fed", "saw", "the", "."]
    texts = [" ".join(random.choice(words, size=random.integers(3, 9))) for _ in range(lines)]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def recipe(tmp_path):
    corpus = write_corpus(tmp_path / "text.txt")
    return dataclasses.replace(TINY, data=corpus, validation=corpus)


def weights(lm):
    return np.concatenate([np.ravel(w) for w in lm.get_weights()])


class Killed(Exception):
    pass


@pytest.mark.law(7)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"running": True, "cell": "gru"},
        {"running": True, "restarts": 0.4},
        {"tied": True, "cell": "simple_rnn", "schedule": "constant", "sampled": 3, "frequent": 2},
    ],
)
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, recipe, monkeypatch, changes):
    recipe = dataclasses.replace(recipe, **changes)
    undisturbed = train(recipe, tmp_path / "undisturbed", progress=False)
    steps = 0
    once = fitting._Loop._step

    def killed(self, *arguments):
        nonlocal steps
        once(self, *arguments)
        steps += 1
        if steps in (2, 7, 19):
            raise Killed

    monkeypatch.setattr(fitting._Loop, "_step", killed)
    for _ in range(3):
        with pytest.raises(Killed):
            train(recipe, tmp_path / "disturbed", progress=False, seconds_between_checkpoints=0.0)
    disturbed = train(recipe, tmp_path / "disturbed", progress=False)
    np.testing.assert_array_equal(weights(disturbed), weights(undisturbed))
    history = [(tmp_path / d / "history.csv").read_text() for d in ("undisturbed", "disturbed")]
    assert history[0] == history[1]


def test_restarts_reach_the_training(tmp_path, recipe):
    running = dataclasses.replace(recipe, running=True)
    found = [
        weights(train(dataclasses.replace(running, restarts=share), tmp_path / f"{share}"))
        for share in (0.0, 0.4)
    ]
    assert np.abs(found[0] - found[1]).max() > 0


@pytest.mark.law(7)
def test_kill_nine_at_any_moment_changes_nothing(tmp_path, recipe):
    recipe = dataclasses.replace(recipe, epochs=6, running=True)
    script = tmp_path / "train.py"
    script.write_text(
        "import json, sys, textgate.training as t\n"
        "recipe = t.Recipe.from_dict(json.loads(sys.argv[1]))\n"
        "t.train(recipe, sys.argv[2], progress=False, seconds_between_checkpoints=0.0)\n"
    )
    run = tmp_path / "run"
    command = [sys.executable, str(script), json.dumps(recipe.to_dict()), str(run)]
    for _ in range(2):
        process = subprocess.Popen(command)
        before = (run / "checkpoint.npz").stat().st_mtime_ns if run.exists() else 0
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            checkpoint = run / "checkpoint.npz"
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns > before:
                break
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert not (run / "model.keras").exists()
    resumed = train(recipe, run, progress=False)
    undisturbed = train(recipe, tmp_path / "undisturbed", progress=False)
    np.testing.assert_array_equal(weights(resumed), weights(undisturbed))


def test_a_run_holds_what_it_should_and_the_best_weights(tmp_path, recipe):
    recipe = dataclasses.replace(recipe, validate=None)
    lm = train(recipe, tmp_path / "run", progress=False, tensorboard=True)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "config.json",
        "versions.json",
        "vocabulary.json",
        "history.csv",
        "model.keras",
        "tensorboard",
    }
    back = tg.load(tmp_path / "run")
    np.testing.assert_array_equal(weights(back), weights(lm))
    history = pd.read_csv(tmp_path / "run" / "history.csv")
    best = history["validation_loss"].min()
    assert history.loc[history["best"], "validation_loss"].iloc[-1] == best
    texts = [line for line in pathlib.Path(recipe.data).read_text().splitlines() if line]
    total = words = 0.0
    for text in texts:
        ids = np.array([[*lm.encode([text])[0], 3]])
        logits = np.asarray(lm(ids), np.float64)[0]
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        total -= logs[np.arange(ids.shape[1] - 1), ids[0, 1:]].sum()
        words += ids.shape[1] - 1
    assert total / words == pytest.approx(best, rel=1e-5)


def test_training_learns(tmp_path, recipe):
    recipe = dataclasses.replace(recipe, epochs=8, learning_rate=0.02, dropout=0.0, validate=None)
    train(recipe, tmp_path / "run", progress=False)
    loss = pd.read_csv(tmp_path / "run" / "history.csv")["validation_loss"]
    assert loss.iloc[-1] < loss.iloc[0] - 0.02


def test_a_finished_run_is_not_trained_again(tmp_path, recipe, monkeypatch):
    lm = train(recipe, tmp_path / "run", progress=False)
    monkeypatch.setattr("textgate.training._runs.fit", None)
    again = train(recipe, tmp_path / "run", progress=False)
    np.testing.assert_array_equal(weights(again), weights(lm))


def test_a_run_of_another_recipe_stays(tmp_path, recipe):
    train(recipe, tmp_path / "run", progress=False)
    before = {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()}
    with pytest.raises(FileExistsError, match=r"its epochs is 3, not 4.*Received: "):
        train(dataclasses.replace(recipe, epochs=4), tmp_path / "run", progress=False)
    assert {p.name: p.read_bytes() for p in (tmp_path / "run").iterdir()} == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("mine")
    with pytest.raises(FileExistsError, match=r"thesis.tex"):
        train(recipe, tmp_path / "other", progress=False)
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["thesis.tex"]


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path, recipe, monkeypatch):
    class Stop(Exception):
        pass

    def stop(self, *arguments):
        raise Stop

    run = tmp_path / "run"
    undisturbed = train(recipe, tmp_path / "undisturbed", progress=False)
    with monkeypatch.context() as patch:
        saves = 0
        plain = os.fsync

        def full(descriptor):
            nonlocal saves
            saves += (run / "checkpoint.npz").exists()
            if saves > 3:
                raise OSError(errno.ENOSPC, "No space left on device")
            plain(descriptor)

        patch.setattr(files.os, "fsync", full)
        with pytest.raises(CannotWriteError, match=r"No space left on device.*Received: "):
            train(recipe, run, progress=False, seconds_between_checkpoints=0.0)
    assert (run / "checkpoint.npz").exists()
    assert not list(run.glob(".*"))
    resumed = train(recipe, run, progress=False)
    np.testing.assert_array_equal(weights(resumed), weights(undisturbed))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no text"), (b"one one one\n", "one"), (b"\xff\xfe\x00", "UTF-8|binary")],
)
def test_text_that_cannot_be_learned_from_is_refused(tmp_path, content, message):
    (tmp_path / "text.txt").write_bytes(content)
    path = str(tmp_path / "text.txt")
    recipe = dataclasses.replace(TINY, data=path, validation=path)
    with pytest.raises(ValueError, match=message):
        train(recipe, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()  # the command can be given again with other data


def test_a_refused_text_leaves_what_was_there_before(tmp_path, recipe, monkeypatch):
    run = tmp_path / "run"

    class Stop(Exception):
        pass

    def stop(*arguments):
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr("textgate.training._runs.fit", stop)
        with pytest.raises(Stop):
            train(recipe, run, progress=False)
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    assert (run / "vocabulary.json") in before
    with monkeypatch.context() as patch:
        patch.setattr("textgate.training._runs.TrainingData", stop)
        with pytest.raises(Stop):
            train(recipe, run, progress=False)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("schedule", "zigzag"),
        ("learning_rate", 0),
        ("batch_size", 2.5),
        ("clip", -1),
        ("forget_bias", 99.0),
    ],
)
def test_settings_out_of_range_are_named(setting, value):
    with pytest.raises(ValueError, match=f"Received: {setting}="):
        Recipe(**{setting: value})
    with pytest.raises(ValueError, match="Received: speed"):
        Recipe.from_dict({"speed": 9})


def test_recipes_survive_json():
    recipe = dataclasses.replace(TINY, data=("a.txt", "b.txt"), units=(3, 2))
    config = json.loads(json.dumps(recipe.to_dict()))
    assert Recipe.from_dict(config) == recipe
    del config["forget_bias"]  # of before there was this setting, when it began as in Keras
    assert Recipe.from_dict(config) == dataclasses.replace(recipe, forget_bias=None)


def test_generated_data_are_trained_on_by_name_one_or_several(tmp_path, monkeypatch):
    made = {
        "tense_agreement": ["Yesterday she fed the cat.", "Nowadays she feeds the dog."],
        "number_agreement": ["The cats are here.", "The cat is here."],
    }
    monkeypatch.setattr(tg.datasets, "sentences", lambda source, split: made[source])
    recipe = dataclasses.replace(TINY, epochs=1)
    one = train(dataclasses.replace(recipe, data="tense_agreement"), tmp_path / "one", False)
    assert {"Yesterday", "feeds"} <= set(one.tokenizer.vocabulary)
    assert "cats" not in one.tokenizer.vocabulary
    data = ("tense_agreement", "number_agreement")
    both = train(dataclasses.replace(recipe, data=data), tmp_path / "both", False)
    assert {"Yesterday", "feeds", "cats", "is"} <= set(both.tokenizer.vocabulary)
    assert not (tmp_path / "both" / "data").exists()
