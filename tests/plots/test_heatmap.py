"""The heatmap shows the right numbers, words and units, at 8 units and at 650."""

import keras
import numpy as np
import pytest

import textgate as tg
from textgate.plots._units import choose_units

WORDS = ["<bos>", "She", "came", "out", "", "with", "her", "dog", ""]


@pytest.fixture(scope="module")
def traced():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Masking(),
            keras.layers.LSTM(8, return_sequences=True, name="small"),
            keras.layers.GRU(650, name="large"),
        ]
    )
    x = np.random.default_rng(0).normal(size=(2, 9, 3))
    x[0, [4, 8]] = x[1] = 0  # a gap and padding; an example of nothing but padding
    return tg.trace(model, x, tokens=[WORDS, WORDS])


def panels(figure):
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_title(loc="left")}


def test_shows_the_numbers_of_the_trace(traced):
    found = panels(tg.plots.heatmap(traced, layer="small"))
    assert list(found) == [
        "forget gate f",
        "input gate i",
        "output gate o",
        "candidate g",
        "cell state c",
        "hidden state h",
    ]
    for title, name in (("forget gate f", "forget_gate"), ("cell state c", "cell_state")):
        (image,) = found[title].images
        expected = traced["small"][name].values[0, :8]  # without the padding at the end
        np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), expected)
        assert image.get_array().mask[4].all()
    low, high = found["forget gate f"].images[0].get_clim()
    assert (low, high) == (0, 1)
    low, high = found["cell state c"].images[0].get_clim()
    assert low == -high < 0


def test_words_are_readable(traced):
    figure = tg.plots.heatmap(traced, layer="small")
    labels = [label.get_text() for label in panels(figure)["forget gate f"].get_yticklabels()]
    assert labels == WORDS[:8]
    assert figure.get_suptitle() == "“She came out  with her dog”"
    figure.canvas.draw()
    heights = [label.get_window_extent().height for label in figure.axes[0].get_yticklabels()]
    room = figure.axes[0].get_window_extent().height / 8
    assert max(heights) < room


def test_many_units_are_selected_and_ordered(traced):
    figure = tg.plots.heatmap(traced, layer="large")
    hidden = panels(figure)["hidden state h"]
    values = traced["large"]["hidden_state"].values[0, :8]
    numbers = [int(label.get_text()) for label in hidden.get_xticklabels()]
    assert len(set(numbers)) == 40
    np.testing.assert_array_equal(
        np.ma.filled(hidden.images[0].get_array(), np.nan), values[:, numbers]
    )
    seen = np.delete(values, 4, axis=0)
    variation = seen.std(axis=0)
    assert variation[numbers].min() >= np.delete(variation, numbers).max()
    # Neighbours are more alike than they would be in the order of their numbers.
    distance = lambda order: np.abs(np.diff(seen[:, order], axis=1)).sum()  # noqa: E731
    assert distance(numbers) < 0.8 * distance(sorted(numbers))


def test_chosen_units_keep_their_order(traced):
    figure = tg.plots.heatmap(traced, layer="large", units=[600, 3, 12], signals="writing")
    (axes,) = panels(figure).values()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["600", "3", "12"]
    expected = 1 - traced["large"]["update_gate"].values[0, :8][:, [600, 3, 12]]
    np.testing.assert_allclose(np.ma.filled(axes.images[0].get_array(), np.nan), expected)


def test_the_caption_says_which_convention_and_which_units(traced):
    caption = " ".join(tg.plots.heatmap(traced, layer="large").get_supxlabel().split())
    assert "the 40 of 650 units that vary most" in caption
    assert "Chung et al. 2014 have it the other way round" in caption
    assert "grey steps are masked" in caption


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"example": 2}, "0 to 1"),
        ({"example": 1}, "masked"),
        ({"layer": "medium"}, "small"),
        ({"signals": ["forget"]}, "forget_gate"),
        ({"units": [8]}, "0 to 7"),
        ({"units": 0}, "at least 1"),
        ({"order": "random"}, "similarity"),
    ],
)
def test_mistakes(traced, options, said):
    with pytest.raises(ValueError, match=r"Received: ") as raised:
        tg.plots.heatmap(traced, **options)
    assert said in str(raised.value)


def test_similar_units_stand_side_by_side():
    base = np.random.default_rng(3).normal(size=(6, 5))
    values = np.repeat(base, 4, axis=1) + 1e-3 * np.arange(20)
    shuffled = np.random.default_rng(4).permutation(20)
    chosen, _ = choose_units(values[:, shuffled], np.arange(20), None, "similarity")
    groups = (shuffled[chosen] // 4).reshape(5, 4)
    assert (groups == groups[:, :1]).all()


def test_highlighted_units_are_drawn_in_any_case(traced):
    node = traced["large"]
    calmest = int(np.argmin(node["hidden_state"].values[0, :4].std(axis=0)))
    figure = tg.plots.heatmap(traced, layer="large", highlight=[calmest])
    labels = [label for axes in figure.axes for label in axes.get_xticklabels()]
    bold = {label.get_text() for label in labels if label.get_fontweight() == "bold"}
    assert bold == {str(calmest)}
    assert len({label.get_text() for label in labels}) == 40
    with pytest.raises(ValueError, match="`highlight` must be units of the trace"):
        tg.plots.heatmap(traced, layer="large", highlight=[650])
