"""Killed at any file operation, the same command goes on, and nothing half-written is left.

What computes is replaced by what writes the same files; the files are written as always.
"""

import json
import shutil
import types

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg
from tests import file_operations
from textgate import CannotWriteError
from textgate import _files as files
from textgate._files import beside, write_arrays, write_json, write_text
from textgate.training import Recipe, _runs, train
from textgate.unit_search import UnitFinding


@pytest.fixture(autouse=True)
def fast_disk(monkeypatch):
    """What is on the disk when the machine stops is asked in `tests/test_files.py`."""
    monkeypatch.setattr(files.os, "fsync", lambda descriptor: None)


def contents(directory):
    """Everything in a directory, by its path."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def killed(directory, operations, work):
    """Kill `work` after so many operations, and with it what the process had in mind."""
    was_killed = file_operations.killed_after(directory, operations, work)
    files._in_progress.clear()
    return was_killed


def survives(directory, work, step=1, same=contents):
    """Kill `work` at every `step`-th operation; given again, it must lead to the same."""
    place = directory / "killed"
    place.mkdir()
    operations = file_operations.count(place, lambda: work(place))
    wanted = same(place)
    assert operations > 2
    for operation in range(0, operations, step):
        shutil.rmtree(place)
        place.mkdir()
        assert killed(place, operation, lambda: work(place)), operation
        work(place)
        assert same(place) == wanted, operation
    return wanted


@pytest.fixture(params=[True, False], ids=["exchange", "two steps"])
def exchange(request, monkeypatch):
    """Whether the system can exchange two names in one step."""
    if not request.param:
        monkeypatch.setattr(files, "_rename", lambda source, target, flag: False)
    return request.param


@pytest.fixture
def no_model(monkeypatch):
    """Training with nothing to train: it writes what a training writes."""

    class Model:
        def save(self, path):
            path.write_text("model")

    def fit(lm, train, validation, recipe, directory, *rest):
        run = tg.models.runs.RunLayout(directory)
        write_arrays(run.best, {"0": np.ones(2)}, {"step": 1})
        write_arrays(run.checkpoint, {"0": np.ones(2)}, {"step": 2})
        return pd.DataFrame({"step": [1], "loss": [2.0]})

    monkeypatch.setattr(_runs, "new_model", lambda recipe, data: Model())
    monkeypatch.setattr(_runs, "fit", fit)
    monkeypatch.setattr(_runs, "load", lambda directory: "loaded")


def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_text("She lost her way .\nHe lost his way .\n" * 60)
    return str(path)


def test_training_goes_on(tmp_path, no_model):
    recipe = Recipe(data=corpus(tmp_path), units=(2,), vocabulary=None)
    wanted = survives(tmp_path, lambda place: train(recipe, place / "run", progress=False))
    names = ["config.json", "history.csv", "model.keras", "versions.json", "vocabulary.json"]
    assert sorted(wanted) == [f"run/{name}" for name in names]


def test_training_that_could_not_begin_can_begin_otherwise(tmp_path, no_model):
    """Killed while it takes its claim back, too."""
    bad = Recipe(data=corpus(tmp_path), units=(2,), vocabulary=10_000)
    good = Recipe(data=corpus(tmp_path), units=(2,), vocabulary=None)

    def work(place):
        with pytest.raises((ValueError, FileExistsError), match=r"vocabulary"):
            train(bad, place / "run", progress=False)
        train(good, place / "run", progress=False)

    survives(tmp_path, work, step=3)


def test_what_earlier_versions_left_is_gone_on_with(tmp_path, no_model):
    recipe = Recipe(data=corpus(tmp_path), units=(2,), vocabulary=None)
    run = tmp_path / "run"
    run.mkdir()
    (run / "versions.json").write_text("{}")
    train(recipe, run, progress=False)
    assert json.loads((run / "versions.json").read_text())["keras"] == keras.__version__
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds 'notes.txt'.*Received: "):
        train(recipe, tmp_path / "mine", progress=False)


def test_a_run_is_trained_by_one_process(tmp_path, no_model):
    recipe = Recipe(data=corpus(tmp_path), units=(2,), vocabulary=None)
    with (
        files.alone_in(tmp_path / "run", "training"),
        pytest.raises(FileExistsError, match="another process is training here"),
    ):
        train(recipe, tmp_path / "run", progress=False)
    assert not [*(tmp_path / "run").iterdir()]


@pytest.fixture(scope="module")
def model():
    return keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(2, name="gru")])


X = np.ones((4, 5, 3), "float32")


def traced(model):
    def work(place):
        if not (place / "gates.zarr").exists():
            tg.trace(model, X, to=place / "gates.zarr", batch_size=2, signals=["update_gate"])

    return work


def test_tracing_goes_on(tmp_path, model):
    def same(place):
        assert [path.name for path in place.iterdir()] == ["gates.zarr"]
        return tg.tracing.open(place / "gates.zarr")["gru"]["update_gate"].values.tolist()

    survives(tmp_path, traced(model), step=9, same=same)


def test_what_a_killed_trace_leaves_is_taken_away_by_any_other(tmp_path, model):
    assert killed(tmp_path, 30, lambda: traced(model)(tmp_path))
    assert [files.is_partial(path) for path in tmp_path.iterdir()] == [True]
    tg.trace(model, X, to=tmp_path / "other.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["other.zarr"]


def test_a_full_disk_is_named_by_traces_whenever_it_comes(tmp_path, model):
    work = traced(model)
    operations = file_operations.count(tmp_path, lambda: work(tmp_path))
    for operation in range(0, operations - 2, 7):
        shutil.rmtree(tmp_path / "gates.zarr", ignore_errors=True)
        with (
            pytest.raises(CannotWriteError, match=r"the trace \(No space.*Received: "),
            file_operations.full_after(tmp_path, operation),
        ):
            work(tmp_path)
        assert not [*tmp_path.iterdir()], operation


def test_exporting_goes_on(tmp_path, monkeypatch, model, exchange):
    import tensorflow as tf

    contents_now = []

    def save(root, path, signatures, options):
        write_text(files.Path(path) / "saved_model.pb", contents_now[-1])
        write_text(files.Path(path) / "variables" / "variables", contents_now[-1])

    monkeypatch.setattr(tf.saved_model, "save", save)
    from textgate.export import _saved_model

    monkeypatch.setattr(_saved_model, "_root_of", lambda model, inputs, half: keras.Sequential())
    monkeypatch.setattr(_saved_model.tf.Module, "endpoints", None, raising=False)
    root = type("Root", (), {"endpoints": {}})()
    monkeypatch.setattr(_saved_model, "_root_of", lambda model, inputs, half: root)

    def work(place):
        for text in ("first", "second"):
            contents_now.append(text)
            tg.export.saved_model(model, place / "sm", overwrite=True)

    wanted = survives(tmp_path, work, step=3)
    assert wanted["sm/saved_model.pb"] == b"second"
    # Between the two, one of them is there, at once or when an export begins.
    place = tmp_path / "killed"
    operations = file_operations.count(place, lambda: work(place))
    for operation in range(0, operations, 3):
        shutil.rmtree(place)
        work(place)
        assert killed(place, operation, lambda: work(place))
        if not exchange:
            files.remove_partials(place)
        assert (place / "sm" / "saved_model.pb").read_text() in ("first", "second")


def test_two_exports_to_one_path_do_not_both_succeed(tmp_path, monkeypatch, model):
    from textgate.export import _saved_model

    wrote = []

    def save(root, path, signatures, options):
        write_text(files.Path(path) / "saved_model.pb", "mine")
        if not wrote:  # meanwhile another process does the same
            wrote.append(True)
            tg.export.saved_model(model, tmp_path / "sm")

    monkeypatch.setattr(_saved_model.tf.saved_model, "save", save)
    root = type("Root", (), {"endpoints": {}})()
    monkeypatch.setattr(_saved_model, "_root_of", lambda model, inputs, half: root)
    with pytest.raises(FileExistsError, match=r"Received: .*sm"):
        tg.export.saved_model(model, tmp_path / "sm")
    assert [path.name for path in tmp_path.iterdir()] == ["sm"]


def test_tables_of_units_are_written_again(tmp_path):
    finding = types.SimpleNamespace(
        seed=0, tables={"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame()}, to_json=lambda: "{}"
    )
    wanted = survives(tmp_path, lambda place: UnitFinding.to_csv(finding, place / "units"))
    assert sorted(wanted) == ["units/a.csv", "units/b.csv", "units/finding.json"]


def test_a_study_goes_on(tmp_path, monkeypatch):
    from textgate.study import _study

    class Model:
        """Writes what the stages of a model write."""

        def __init__(self, settings, directory, cell, progress):
            self.run = tg.models.runs.RunLayout(directory / cell)

        def do(self, stage, stages):
            def work():
                if stage == "train":
                    write_json(self.run.config, {})
                    write_text(self.run.model, "model")
                    return
                place = self.run.directory / stage
                with beside(place) as partial:
                    write_text(partial / "table.csv", stage)

            writes = [self.run.model if stage == "train" else self.run.directory / stage]
            stages.do(f"{stage} lstm", work, [self.run.model], writes)

    def write(findings, directory):
        write_text(directory / "tables" / "a.csv", "a")
        write_text(directory / "report.html", "page")

    pairs = pd.DataFrame({"item": [0], "direction": ["she→her"], "form": ["her"]})
    monkeypatch.setattr(_study, "ModelStages", Model)
    monkeypatch.setattr(_study, "write", write)
    monkeypatch.setattr(_study, "read", lambda directory: directory)
    monkeypatch.setattr(tg.datasets, "minimal_pairs", lambda *arguments, **options: pairs)

    def same(place):
        found = contents(place)
        study = json.loads(found.pop("study/study.json"))
        notes = [name for name in found if ".stages" in name]
        for name in notes:
            assert json.loads(found.pop(name))["inputs"]
        return found, sorted(notes), study["settings"]

    settings = tg.study.Settings(cells=("lstm",))
    stages = ["data", "train", "evaluate", "export", "report"]
    survives(
        tmp_path,
        lambda place: tg.study.study(place / "study", settings, stages, progress=False),
        step=5,
        same=same,
    )


def test_a_study_is_carried_out_by_one_process(tmp_path):
    with (
        files.alone_in(tmp_path / "study", "carrying out a study"),
        pytest.raises(FileExistsError, match="another process is carrying out a study here"),
    ):
        tg.study.study(tmp_path / "study", stages=["data"], progress=False)
