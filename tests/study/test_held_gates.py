"""Held gates: planted gender breaks where its gate is held, and holding is what it says."""

import numpy as np
import pytest

import textgate as tg
from tests.unit_search.planted import pairs, planted
from textgate.interventions import Clamp, intervene
from textgate.plots import held_gates
from textgate.recurrence import GRU, LSTM, SIMPLE_RNN
from textgate.study import _gender_units, flip_rate, gender_units, hold_gates, holding_units

pytestmark = pytest.mark.tensorflow_only


@pytest.fixture(scope="module")
def items():
    return pairs(copies=1).head(24).assign(distance=[1, 1, 7, 7] * 6)


@pytest.fixture(scope="module")
def models():
    return {cell: planted(cell, 5, {3: 1.0}) for cell in ("lstm", "gru")}


@pytest.fixture(scope="module")
def tables(models, items):
    sets = {"gender": [3], "others": [0, 1, 2, 4]}
    holds = {
        "lstm": [("forget_gate", 0.0), ("forget_gate", "mean"), ("output_gate", 1.0)],
        "gru": [("update_gate", 0.0), ("reset_gate", 0.5)],
    }
    return {
        cell: hold_gates(lm, items, holds[cell], units=sets, controls=1, seed=2, resamples=10)
        for cell, lm in models.items()
    }


def accuracy(table, units, gate, held):
    rows = table.query("units == @units and gate == @gate and held == @held and by == 'all'")
    (value,) = rows["accuracy"]
    return value


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_planted_unit_is_the_one_that_holds(models, items, cell):
    assert holding_units(models[cell], items) == [3]
    assert flip_rate(models[cell], items, [3]) == 1
    assert flip_rate(models[cell], items, [0, 1, 2, 4]) == 0


def test_only_the_gate_that_keeps_the_planted_unit_matters(tables):
    lstm, gru = tables["lstm"], tables["gru"]
    assert accuracy(lstm, "none", "none", "as trained") == 1
    assert accuracy(lstm, "gender", "forget_gate", "0") == 0.5  # the same for both
    assert accuracy(lstm, "others", "forget_gate", "0") == 1
    assert accuracy(lstm, "gender", "output_gate", "1") == 1  # it stands open anyway
    assert accuracy(gru, "gender", "update_gate", "0") == 0.5
    assert accuracy(gru, "others", "update_gate", "0") == 1
    assert accuracy(gru, "gender", "reset_gate", "½") == 1  # it has no past to reset
    # The others live on what the words say, so that holding their gates costs other words.
    change = lstm.query("units == 'others' and gate == 'forget_gate' and held == '0'")
    assert (change["other_bits_change"].abs() > 1e-3).all()


def test_the_table_has_a_row_for_each_hold_set_and_group(tables, items):
    table = tables["lstm"]
    assert table.iloc[0][["units", "n_units", "gate", "held"]].tolist() == [
        *("none", 0, "none", "as trained")
    ]
    sets = ["none", "all", "gender", "random 1 (gender)", "others"]
    assert list(table["units"].unique()) == sets  # no control where not as many others are left
    assert set(table["group"]) == {"all", "1-2", "6-10"}
    assert table.query("group == '1-2'")["items"].eq(12).all()
    assert (table["seed"] == 2).all()
    assert list(table.query("units == 'random 1 (gender)'")["n_units"].unique()) == [1]


def test_a_held_gate_is_a_model_without_it(items):
    """Against a model whose layer has the gate fixed, with the same weights."""
    free = tg.models.LanguageModel(
        planted("gru", 2, {}).tokenizer, cell="gru", units=(4,), dropout=0.0, seed=3
    )
    fixed = tg.models.LanguageModel(
        free.tokenizer, cell="gru_reset_1", units=(4,), dropout=0.0, seed=4
    )
    for layer in free.layers:
        if layer.weights:
            fixed.get_layer(layer.name).set_weights(layer.get_weights())
    held = hold_gates(free, items, [("reset_gate", 1.0)], by=[], resamples=10)
    alone = hold_gates(fixed, items, [], by=[], resamples=10)
    for column in ("accuracy", "margin", "other_bits"):
        np.testing.assert_allclose(held[column].iloc[1], alone[column].iloc[0], rtol=1e-5)
    assert held["other_bits"].iloc[0] != held["other_bits"].iloc[1]


def test_other_bits_and_the_mean(models, items):
    lm = models["lstm"]
    texts = items["good"].unique().tolist()
    scores = lm.token_logprobs(texts).astype("float64")
    scores[:, 3] = np.nan  # the pronoun, behind <bos>
    table = hold_gates(lm, items, [("input_gate", "mean")], by=[], resamples=10)
    np.testing.assert_allclose(table["other_bits"][0], -np.nanmean(scores) / np.log(2), rtol=1e-6)
    gate = tg.trace(lm, texts)["lstm"]["input_gate"]
    mean = gate.mean(["example", "time"]).values.tolist()
    edited = intervene(lm, [Clamp("lstm", "input_gate", value=mean)])
    expected = edited.token_logprobs(texts).astype("float64")
    expected[:, 3] = np.nan
    np.testing.assert_allclose(table["other_bits"][1], -np.nanmean(expected) / np.log(2), rtol=1e-5)
    np.testing.assert_allclose(
        table["other_bits_change"], table["other_bits"] - table["other_bits"][0]
    )


def test_the_figure_draws_the_table(tables):
    table = tables["gru"]
    figure = held_gates(table)
    figure.canvas.draw()
    titles = [axes.get_title(loc="left") for axes in figure.axes[::2]]
    assert titles == ["all units", "gender units: 1", "others units: 4", "as many random units: 1"]
    gender = figure.axes[2]
    lines = {line.get_label(): line.get_ydata() for line in gender.lines}
    np.testing.assert_array_equal(lines["as trained"], [1, 1])
    np.testing.assert_array_equal(lines["update gate at 0"], [0.5, 0.5])
    bars = figure.axes[5].containers[0]
    costs = table.query("units == 'others' and by == 'all'")["other_bits_change"]
    np.testing.assert_allclose([bar.get_width() for bar in bars], costs)
    with pytest.raises(ValueError, match="by distance"):
        held_gates(table[table["by"] == "all"])


def test_mistakes(models, items):
    lm = models["gru"]
    with pytest.raises(ValueError, match=r"update_gate.*Received: 'forget_gate'"):
        hold_gates(lm, items, [("forget_gate", 1.0)])
    with pytest.raises(ValueError, match=r"0 to 4.*Received: 'few': \[5\]"):
        hold_gates(lm, items, units={"few": [5]})
    with pytest.raises(ValueError, match="'median'"):
        hold_gates(lm, items, [("reset_gate", "median")], by=[])
    simple = tg.models.LanguageModel(lm.tokenizer, cell="simple_rnn", units=(2,), seed=0)
    with pytest.raises(ValueError, match="Only LSTM and GRU"):
        hold_gates(simple, items)
    with pytest.raises(ValueError, match="none right"):
        holding_units(planted("gru", 5, {}), items)  # it says the same of both words
    assert [cell.kind for cell in (LSTM, GRU, SIMPLE_RNN) if cell.holds] == ["lstm", "gru"]


def test_units_are_chosen_on_other_pairs_than_those_they_are_tested_on(models, monkeypatch):
    drawn = {split: pairs(copies=1).assign(prefix=split) for split in ("validation", "test")}
    for table in drawn.values():  # somebody who isn't she or he, and has no counterpart
        table.loc[[0, 1], ["good_class", "counterpart_prefix"]] = ["plural", ""]
        table["item"] = np.arange(len(table))
    seen = []
    monkeypatch.setattr(_gender_units, "minimal_pairs", lambda task, split, size: drawn[split])
    monkeypatch.setattr(_gender_units, "load_language_model", lambda run: models[run])
    monkeypatch.setattr(
        _gender_units, "holding_units", lambda lm, items, layer: seen.append(items) or [3]
    )
    monkeypatch.setattr(
        _gender_units, "flip_rate", lambda lm, items, units, layer: seen.append(items) or 0.5
    )
    found = gender_units("gru", "gru", size=20)
    assert (found.lm, found.layer, found.units) == (models["gru"], "gru", [3])
    assert found.flip_rate == 0.5
    assert [set(items["prefix"]) for items in seen] == [{"validation"}, {"test"}]
    assert found.test is seen[1]
    assert set(found.test["good_class"]) == {"feminine", "masculine"}
    assert len(found.test) == 20
    with pytest.raises(ValueError, match="whose layer 'gru' is of the kind 'gru'"):
        gender_units("gru", "lstm")
    with pytest.raises(ValueError, match="'memory'"):
        gender_units("lstm", "lstm", layer="memory")
