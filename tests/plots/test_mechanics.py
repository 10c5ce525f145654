"""The figures of mechanics draw the numbers that the functions return, and explain themselves."""

import keras
import numpy as np
import pytest

import textgate as tg
from textgate import mechanics, plots

pytestmark = pytest.mark.tensorflow_only
WORDS = [["<bos>", "She", "saw", "", "her", "dog"], ["<bos>", "A", "dog", "saw", "her", ""]]


@pytest.fixture(scope="module")
def nodes():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Masking(),
            keras.layers.LSTM(5, return_sequences=True, name="lstm"),
            keras.layers.GRU(4, return_sequences=True, name="gru"),
            keras.layers.SimpleRNN(2, name="rnn"),
        ]
    )
    x = np.random.default_rng(0).normal(size=(2, 6, 3))
    x[0, 3] = x[1, 5] = 0
    trace = tg.trace(model, x, tokens=WORDS)
    drivers = mechanics.gate_drivers(model, x, layer="lstm", tokens=WORDS)
    return {name: trace[name].to_dataset() for name in ("lstm", "gru", "rnn")} | {
        "drivers": drivers
    }


@pytest.fixture(scope="module")
def paths():
    tokenizer = tg.tokenizers.WordTokenizer.train(["She fed her dog .", "He ran ."])
    return {
        cell: mechanics.gradient_paths(
            tg.models.LanguageModel(tokenizer, cell=cell, units=(5,), seed=0), ["She fed her"]
        )
        for cell in ("lstm", "simple_rnn")
    }


def explains_itself(figure):
    """Whether a figure has a title, a caption and named axes, and can be drawn."""
    figure.canvas.draw()
    labelled = all(axes.get_xlabel() or axes.get_title(loc="left") for axes in figure.axes[:2])
    return figure.get_suptitle() and len(figure.get_supxlabel()) > 80 and labelled


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_the_bars_of_the_ledger_sum_to_the_state(nodes, name):
    figure = plots.ledger(nodes[name], unit=2)
    (axes,) = figure.axes
    words = [label.get_text() for label in axes.get_xticklabels()]
    assert words == ["<bos>", "She", "saw", "her", "dog"]  # the masked step is left out
    heights = np.array([[bar.get_height() for bar in group] for group in axes.containers])
    state = nodes[name][{"lstm": "cell_state", "gru": "hidden_state"}[name]].values[0, :, 2]
    np.testing.assert_allclose(heights.sum(axis=0), state[[0, 1, 2, 4, 5]], atol=1e-5)
    tops = np.array(
        [[bar.get_y() + bar.get_height() for bar in group] for group in axes.containers]
    )
    np.testing.assert_allclose(tops.max(axis=0).clip(0), heights.clip(0).sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(tops.min(axis=0).clip(None, 0), heights.clip(None, 0).sum(axis=0))
    np.testing.assert_allclose(axes.lines[0].get_ydata(), state[[0, 1, 2, 4, 5]], atol=1e-6)
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    size = np.abs(mechanics.running_ledger(nodes[name], unit=2)["entry"].values).max(axis=0)
    notable = [f"from “{w}”" for w, s in zip(words, size, strict=True) if s >= 0.05 * size.max()]
    assert [text for text in legend if text.startswith("from “")] == notable
    assert explains_itself(figure)
    assert "“She saw her dog”" in figure.get_suptitle()


def test_saturation_draws_a_point_for_each_unit(nodes):
    figure = plots.saturation(nodes["lstm"])
    table = mechanics.saturation(nodes["lstm"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "input gate i",
        "forget gate f",
        "output gate o",
    ]
    points = np.asarray(figure.axes[1].collections[0].get_offsets())
    expected = table[table.gate == "forget_gate"][["right", "left"]]
    np.testing.assert_allclose(points, expected)
    assert explains_itself(figure)


def test_half_lives_are_drawn_by_rank(nodes):
    figure = plots.half_lives(nodes["gru"], highlight=[3])
    table = mechanics.half_life(nodes["gru"])
    drawn = figure.axes[0].lines[0].get_ydata()
    np.testing.assert_allclose(drawn, np.sort(table.half_life)[::-1])
    np.testing.assert_allclose(figure.axes[0].lines[2].get_ydata(), table.half_life[3])
    assert sum(bar.get_width() for bar in figure.axes[1].patches) == 4
    assert explains_itself(figure)
    always = nodes["gru"].assign(update_gate=nodes["gru"].update_gate * 0 + 1)
    always = always.drop_vars("retention")
    assert explains_itself(plots.half_lives(always))  # nothing is ever lost


def test_drivers_draw_words_and_parts(nodes):
    drivers = nodes["drivers"]
    figure = plots.gate_drivers(drivers, unit=1)
    table = mechanics.driving_words(drivers.sel(unit=[1]), 8).sort_values("from_input")
    bars = figure.axes[0].containers
    np.testing.assert_allclose([bar.get_width() for bar in bars[0]], table.from_input)
    np.testing.assert_allclose([bar.get_width() for bar in bars[1]], table.from_state)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == [f"{w} ({n})" for w, n in zip(table.word, table.steps, strict=True)]
    assert explains_itself(figure)
    assert "forget gate f of unit 1" in figure.get_suptitle()


def test_gradient_paths_stand_side_by_side(paths):
    figure = plots.gradient_paths({"LSTM": paths["lstm"], "Simple RNN": paths["simple_rnn"]})
    table = mechanics.gradient_norms(paths["lstm"])
    left, right, passed, none = figure.axes[:4]
    np.testing.assert_allclose(left.lines[0].get_ydata(), table.full)
    np.testing.assert_allclose(left.lines[1].get_ydata(), table.cell)
    assert len(right.lines) == 1  # a simple RNN has no path along the cell
    assert none.get_title(loc="left") == "no path along the cell"
    image = passed.images[0].get_array()
    rows = {tuple(row) for row in np.round(image, 5)}
    expected = paths["lstm"].passed.values[0, :3].T
    assert rows == {tuple(row) for row in np.round(expected, 5)}
    assert "“her”" in figure.get_suptitle()
    assert explains_itself(figure)
    assert explains_itself(plots.gradient_paths(paths["lstm"]))


def test_mistakes(nodes, paths):
    with pytest.raises(ValueError, match=r"0 to 4. Received: \[5\]"):
        plots.ledger(nodes["lstm"], 5)
    with pytest.raises(ValueError, match=r"0 to 1. Received: example=2"):
        plots.ledger(nodes["lstm"], 0, 2)
    with pytest.raises(ValueError, match="none"):
        plots.saturation(nodes["rnn"])
    with pytest.raises(ValueError, match=r"Received: \[9\]"):
        plots.half_lives(nodes["lstm"], highlight=[9])
    with pytest.raises(ValueError, match="unit=9"):
        plots.gate_drivers(nodes["drivers"], 9)
    with pytest.raises(ValueError, match="none"):
        plots.gradient_paths({})
    with pytest.raises(ValueError, match="example=1"):
        plots.gradient_paths(paths["lstm"], 1)


def test_twins_draws_the_memory_and_what_the_gate_keeps(nodes):
    node = nodes["lstm"]
    figure = plots.twins(node, unit=2)
    above, below = figure.axes
    shown = [[0, 1, 2, 4, 5], [0, 1, 2, 3, 4]]  # masked steps are left out
    for example, places in enumerate(shown):
        curve = above.lines[example].get_ydata()
        np.testing.assert_array_equal(curve, node["cell_state"].values[example, places, 2])
        bars = [bar.get_height() for bar in below.containers[example]]
        np.testing.assert_array_equal(bars, node["forget_gate"].values[example, places, 2])
    words = [label.get_text() for label in below.get_xticklabels()]
    assert words == ["<bos>", "She / A", "saw / dog", "her / saw", "dog / her"]
    assert above.get_ylabel() == "memory of unit 2"
    assert below.get_ylabel().endswith("forget gate")
    figure.canvas.draw()


def test_twins_says_where_the_memories_part():
    model = keras.Sequential([keras.Input((None, 1)), keras.layers.GRU(1, name="gru")])
    tokens = [["the", "girl", "ran", "."], ["the", "boy", "ran", "."]]
    trace = tg.trace(model, np.zeros((2, 4, 1)), tokens=tokens)
    state = np.array([[0.1, -0.5, -0.4, -0.4], [0.1, 0.5, 0.3, 0.4]])
    kept = np.array([[0.5, 0.2, 0.8, 1.0], [0.5, 0.1, 0.6, 0.8]])
    dims = ("example", "time", "unit")
    node = trace["gru"].to_dataset()
    node = node.assign(hidden_state=(dims, state[..., None]), retention=(dims, kept[..., None]))
    caption = plots.twins(node, unit=0).get_supxlabel().replace("\n", " ")
    assert "or more, after “girl / boy”: −0.50 and 0.50, and 0.70 apart or more after" in caption
    assert "keeps 80 % there on average" in caption
    # A layer that reads backwards hears of the girl later than of what follows her.
    backward = plots.twins(node.assign_attrs(go_backwards=1), unit=0).get_supxlabel()
    backward = backward.replace("\n", " ")
    assert "reads from the last word to the first, remembers" in backward
    assert "or more, after “.”: −0.40 and 0.40, and 0.00 apart or more after" in backward
    same = plots.twins(node, unit=0, examples=(1, 1)).get_supxlabel()
    assert same.endswith("The two never part.")


def test_twins_says_what_it_cannot_draw(nodes):
    node = nodes["lstm"]
    with pytest.raises(ValueError, match="`unit` must be one of the trace, 0 to 4"):
        plots.twins(node, unit=9)
    with pytest.raises(ValueError, match="`examples` must be examples of the trace, 0 to 1"):
        plots.twins(node, unit=0, examples=(0, 2))
    for other in (node.drop_vars("retention"), node.drop_vars("cell_state"), nodes["rnn"]):
        with pytest.raises(ValueError, match="`node` must be one layer of a trace"):
            plots.twins(other, unit=0)
    longer = node.isel(time=[0, 1, 2, 3, 4])
    with pytest.raises(ValueError, match="Received: 4 and 5 words"):
        plots.twins(longer, unit=0)
