"""Sweeps: the effect of every unit, by hand; interrupted and resumed; refused where they differ."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.interchange.test_stack_runner import WORDS, contrasts_of
from textgate.interchange import Contrasts, StackRunner, sweep
from textgate.interchange import _sweeps as sweeps
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer


@pytest.fixture(scope="module")
def lm():
    made = LanguageModel(WordTokenizer(WORDS), units=(5, 4), seed=0)
    rng = np.random.default_rng(0)
    for variable in made.weights:
        if "seed" not in variable.path:
            variable.assign(rng.normal(size=variable.shape) * 0.7)
    return made


def items_of(seed=0):
    found = contrasts_of([3, 2, 5, 4, 3, 2, 6], seed)
    directions = ["she→her", "he→his", "he→his", "she→her", "he→his", "he→his", "she→her"]
    return Contrasts(
        pd.DataFrame({"direction": directions}),
        found.base,
        found.source,
        found.good,
        found.bad,
        found.last,
    )


@pytest.fixture(scope="module")
def small_blocks():
    before, sweeps._UNITS = sweeps._UNITS, 2
    yield
    sweeps._UNITS = before


def test_a_row_a_unit_says_what_its_intervention_does(lm, small_blocks):
    items = items_of()
    for kind in ("interchange", "zero"):
        table = sweep(lm, items, kind=kind)
        assert table["layer"].tolist() == ["lstm"] * 5 + ["lstm_1"] * 4
        assert table["unit"].tolist() == [*range(5), *range(4)]
        for name, rows in table.groupby("layer"):
            runner = StackRunner(lm, items, name)
            clean = runner.clean()
            for _, row in rows.iterrows():
                one = np.arange(runner.units) == row["unit"]
                edited = runner.run(one[None], kind)[0]
                assert row["effect"] == pytest.approx(np.mean(clean - edited), abs=1e-5)
                whole = np.sum(clean - runner.source())
                assert row["share"] == pytest.approx(np.sum(clean - edited) / whole, abs=1e-4)
                assert row["n"] == 7
                assert row["n_right"] == (clean > 0).sum()
                flips = [e <= 0 for e, c in zip(edited, clean, strict=True) if c > 0]
                assert row["flip_rate"] == pytest.approx(np.mean(flips))
                for direction, n in (("she→her", 3), ("he→his", 4)):
                    chosen = items.table["direction"] == direction
                    assert row[f"n_{direction}"] == n
                    effect = np.mean((clean - edited)[chosen])
                    assert row[f"effect_{direction}"] == pytest.approx(effect, abs=1e-5)
                    flips = (edited <= 0)[chosen & (clean > 0)]
                    expected = flips.mean() if len(flips) else np.nan
                    got = row[f"flip_rate_{direction}"]
                    assert got == pytest.approx(expected, nan_ok=True)


def test_an_interrupted_sweep_goes_on(lm, small_blocks, tmp_path, monkeypatch):
    items, directory = items_of(), tmp_path / "sweep"
    expected = sweep(lm, items)
    calls = []
    run = StackRunner.run

    def interrupted(self, *arguments):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(self.layer)
        return run(self, *arguments)

    monkeypatch.setattr(StackRunner, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sweep(lm, items, directory=directory)
    done = sorted(path.name for path in directory.iterdir())
    assert [name for name in done if name.endswith(".npy")] == [
        "lstm.cell_state.000000.npy",
        "lstm.cell_state.000002.npy",
        "lstm.cell_state.000004.npy",
    ]
    # A block that was cut short on the disk counts as none.
    (directory / done[0]).write_bytes((directory / done[0]).read_bytes()[:-5])
    calls.clear()
    pd.testing.assert_frame_equal(sweep(lm, items, directory=directory), expected)
    assert calls == ["lstm", "lstm_1", "lstm_1"]
    calls.clear()
    pd.testing.assert_frame_equal(sweep(lm, items, directory=directory), expected)
    assert calls == []
    # Layers may be taken one by one, and another signal goes into the same directory.
    monkeypatch.setattr(StackRunner, "run", run)
    upper = sweep(lm, items, ["lstm_1"], directory=directory)
    pd.testing.assert_frame_equal(upper, expected[5:].reset_index(drop=True))
    gates = sweep(lm, items, ["lstm_1"], "forget_gate", directory=directory)
    assert set(gates["signal"]) == {"forget_gate"}


def test_anothers_directory_is_refused(lm, tmp_path):
    items, directory = items_of(), tmp_path / "sweep"
    sweep(lm, items, ["lstm_1"], directory=directory)
    with pytest.raises(ValueError, match=r"its pairs is not the same.*Received: directory="):
        sweep(lm, items_of(seed=1), ["lstm_1"], directory=directory)
    with pytest.raises(ValueError, match="its kind is not the same"):
        sweep(lm, items, ["lstm_1"], kind="zero", directory=directory)
    variable = lm.get_layer("lstm_1").cell.recurrent_kernel
    before = np.array(variable)
    try:
        variable.assign(before * 1.001)
        with pytest.raises(ValueError, match="its model is not the same"):
            sweep(lm, items, ["lstm_1"], directory=directory)
    finally:
        variable.assign(before)
    other = tmp_path / "notes"
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="a directory of its own"):
        sweep(lm, items, directory=other)
    assert [path.name for path in other.iterdir()] == ["notes.txt"]
    assert json.loads((directory / "sweep.json").read_text())["kind"] == "interchange"


def test_errors_and_pairs_without_sources(lm):
    with pytest.raises(ValueError, match=r"\['lstm', 'lstm_1'\]. Received: 'gru'"):
        sweep(lm, items_of(), ["gru"])
    with pytest.raises(TypeError, match="Received: str"):
        sweep("runs/lstm", items_of())
    with pytest.raises(ValueError, match="Received: signal='update_gate'"):
        sweep(lm, items_of(), signal="update_gate")
    table = sweep(lm, contrasts_of([3, 2], with_source=False), ["lstm"], kind="mean")
    assert table["share"].isna().all()
    assert not any(name.startswith("effect_") for name in table)


def test_progress_says_what_is_done_and_how_long_it_takes(lm, capsys):
    sweep(lm, items_of(), ["lstm_1"], progress=True)
    shown = capsys.readouterr().err
    assert "interchange of cell_state" in shown
    assert "100%" in shown
