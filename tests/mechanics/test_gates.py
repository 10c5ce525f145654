"""Saturation, binariness and half-lives of gates that are set by hand."""

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg
from textgate import mechanics

pytestmark = pytest.mark.tensorflow_only


def node_with(retention, mask=None, cell="lstm", initial=0.0):
    """A node whose gate that keeps has these values, `(example, time, unit)`."""
    retention = np.asarray(retention, "float32")
    model = keras.Sequential(
        [
            keras.Input((None, 2)),
            {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[cell](
                retention.shape[-1], name=cell
            ),
        ]
    )
    node = tg.trace(model, np.zeros((*retention.shape[:2], 2)))[cell].to_dataset()
    name = "forget_gate" if cell == "lstm" else "update_gate"
    node = node.drop_vars("retention").assign({name: (node[name].dims, retention)})
    memory = "initial_cell_state" if cell == "lstm" else "initial_hidden_state"
    node = node.assign_coords({memory: node[memory] + initial})
    if mask is not None:
        node = node.assign_coords(mask=(("example", "time"), np.asarray(mask, bool)))
        node = node.where(node["mask"])
    return node


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_half_life_of_a_constant_gate(cell):
    constant = np.array([0.5, 0.5**0.1, 1.0, 0.0])
    node = node_with(np.tile(constant, (2, 6, 1)), cell=cell)
    table = mechanics.half_life(node)
    np.testing.assert_allclose(table.half_life, [1.0, 10.0, np.inf, 0.0], rtol=1e-5)
    assert (table.steps == 10).all()  # the first word has nothing to keep


def test_the_median_life_follows_entries():
    """Against a walk along every entry, and Kaplan and Meier's estimate from its definition."""
    rng = np.random.default_rng(3)
    gate = rng.choice([0.999, 0.97, 0.05], size=(4, 12, 3), p=[0.6, 0.25, 0.15])
    gate[..., 2] = 0.8  # 0.8^3 > ½ > 0.8^4
    mask = rng.random((4, 12)) < 0.8
    found = mechanics.half_life(node_with(gate, mask)).median_life
    for unit in range(3):
        lives, lost = [], []
        for example in range(4):
            kept = gate[example, mask[example], unit]
            for start in range(len(kept)):
                products = np.cumprod(kept[start + 1 :])
                low = np.flatnonzero(products <= 0.5)
                lives.append(low[0] + 1 if low.size else len(products))
                lost.append(bool(low.size))
        lives, lost = np.array(lives), np.array(lost)
        surviving, expected = 1.0, np.inf
        for words in range(1, 12):
            at_risk = (lives >= words).sum()
            surviving *= 1 - ((lives == words) & lost).sum() / max(at_risk, 1)
            if surviving <= 0.5:
                expected = words
                break
        assert found[unit] == expected
    assert found[2] == 4


def test_a_reset_shortens_the_half_life_more_than_the_median_life():
    gate = np.ones((20, 12, 2))
    gate[:, 11, 0] = 0.0  # flushed to zero at the last word only
    gate[..., 1] = 0.25
    table = mechanics.half_life(node_with(gate))
    np.testing.assert_allclose(table.half_life, [11 / 24, 0.5], rtol=1e-6)
    # Entries written 1 to 11 words before the end live so long: half of them 6 words or less.
    assert table.median_life.tolist() == [6.0, 1.0]


def test_a_half_life_is_that_of_the_product():
    rng = np.random.default_rng(1)
    gate = rng.uniform(0.2, 1.0, (3, 8, 2))
    mask = rng.random((3, 8)) < 0.7
    node = node_with(gate, mask, initial=1.0)  # with an initial state the first word counts
    table = mechanics.half_life(node)
    for unit in range(2):
        left = gate.astype("float32")[mask][:, unit].prod(dtype="float64")
        words = mask.sum()
        np.testing.assert_allclose(0.5 ** (words / table.half_life[unit]), left, rtol=1e-5)
    assert (table.steps == mask.sum()).all()
    without = mechanics.half_life(node_with(gate, mask))
    assert (without.steps == mask.sum() - mask.any(axis=1).sum()).all()


def test_backwards_the_last_word_has_nothing_to_keep():
    gate = np.full((1, 4, 1), 0.5)
    gate[0, 3] = 0.001
    node = node_with(gate)
    node.attrs["go_backwards"] = 1
    assert mechanics.half_life(node).half_life[0] == pytest.approx(1.0)


def test_saturation_counts_shares_of_unmasked_steps():
    gate = np.array([[[0.05], [0.1], [0.5], [0.95]], [[0.91], [0.9], [0.02], [0.3]]])
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 1]])
    table = mechanics.saturation(node_with(gate, mask), "forget_gate")
    row = table.iloc[0]
    assert (row.gate, row.unit, row.steps) == ("forget_gate", 0, 7)
    assert row.left == pytest.approx(1 / 7)
    assert row.right == pytest.approx(2 / 7)
    assert row.middle == pytest.approx(4 / 7)
    assert row["mean"] == pytest.approx(np.delete(gate.ravel(), 6).mean())
    # All gates by default, and the thresholds as they are given.
    both = mechanics.saturation(node_with(gate, mask), low=0.3, high=0.3)
    assert sorted(both.gate.unique()) == ["forget_gate", "input_gate", "output_gate"]


def test_binariness_tells_switches_from_constants():
    switch = np.array([0.0, 1.0, 0.0, 1.0])
    gate = np.stack([switch, np.ones(4), np.full(4, 0.5), 0.5 + 0.25 * (2 * switch - 1)], -1)
    table = mechanics.binariness(node_with(gate[None]), "forget_gate")
    np.testing.assert_allclose(table.binariness, [1, 1, 0, 0.25])
    np.testing.assert_allclose(table.switching, [1, np.nan, 0, 0.25])


def test_a_few_units_at_a_time_give_the_same(monkeypatch):
    rng = np.random.default_rng(5)
    node = node_with(rng.uniform(0, 1, (3, 6, 5)), rng.random((3, 6)) < 0.8)
    tables = [mechanics.half_life, mechanics.saturation, mechanics.binariness]
    whole = [table(node) for table in tables]
    monkeypatch.setattr("textgate.mechanics._gates._NUMBERS", 2 * 18)
    for table, expected in zip(tables, whole, strict=True):
        pd.testing.assert_frame_equal(table(node), expected)


def test_nothing_read_gives_nan_and_no_warning():
    node = node_with(np.full((1, 3, 2), 0.5), np.zeros((1, 3)))
    assert mechanics.saturation(node).left.isna().all()
    assert mechanics.half_life(node).half_life.isna().all()
    assert mechanics.binariness(node).binariness.isna().all()


def test_mistakes():
    node = node_with(np.full((1, 3, 2), 0.5))
    with pytest.raises(ValueError, match=r"forget_gate.*Received: \['update_gate'\]"):
        mechanics.saturation(node, "update_gate")
    with pytest.raises(ValueError, match=r"low=0\.9, high=0\.1"):
        mechanics.saturation(node, low=0.9, high=0.1)
    simple = keras.Sequential([keras.Input((None, 2)), keras.layers.SimpleRNN(2, name="rnn")])
    trace = tg.trace(simple, np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match="anew"):
        mechanics.half_life(trace)
    with pytest.raises(ValueError, match="none"):
        mechanics.saturation(trace)
