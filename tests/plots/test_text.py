"""Text coloured by a unit: the right colours, words and lines, as a picture and as HTML."""

import re
from html.parser import HTMLParser

import keras
import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

import textgate as tg
from textgate.plots._scales import ink_on

WORDS = ["<bos>", "$x$", "<script>alert(1)</script>", "\"&'", "\u202eabc", "dog", ""]


@pytest.fixture(scope="module")
def traced():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.Masking(name="masking"),
            keras.layers.LSTM(5, name="memory"),
        ]
    )
    x = np.random.default_rng(0).normal(size=(2, 7, 3))
    x[:, 6] = x[1, :2] = 0  # padding on the right, and on the left
    return tg.trace(model, x, tokens=[WORDS, WORDS])


class Spans(HTMLParser):
    """The words of a piece of HTML, each with its colour and its title."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tags, self._open = [], [], None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        attributes = dict(attributes)
        colour = re.search(r"background:(#\w+)", attributes.get("style", ""))
        self._open = (colour[1], attributes.get("title")) if tag == "span" and colour else None

    def handle_data(self, data):
        if self._open:
            self.words.append((data, *self._open))
            self._open = None


def boxes(figure):
    """The words of a picture, each with the colour behind it."""
    axes = figure.axes[0]
    colours = [to_hex(p.get_facecolor()) for p in axes.patches if isinstance(p, Rectangle)]
    return list(zip([text.get_text() for text in axes.texts], colours, strict=True))


def test_colours_are_the_signals(traced):
    figure = tg.plots.text(traced, unit=3)
    values = traced["memory"]["cell_state"].values[0, :6, 3]
    high = np.abs(values).max()
    wanted = [to_hex(colormaps["RdBu_r"]((v + high) / (2 * high))) for v in values]
    spans = Spans(figure.to_html()).words
    assert [colour for _, colour, _ in spans] == wanted
    assert [colour for _, colour in boxes(figure)] == wanted
    assert [word for word, _, _ in spans] == WORDS[:6]
    for (_, _, said), value in zip(spans, values, strict=True):
        assert float(said.rpartition(": ")[2]) == pytest.approx(value, rel=5e-3)
    gate = tg.plots.text(traced, unit=3, signal="forget_gate")
    values = traced["memory"]["forget_gate"].values[0, :6, 3]
    assert [c for _, c in boxes(gate)] == [to_hex(colormaps["YlGnBu"](v)) for v in values]
    assert "½" in gate.to_html()


def test_several_examples_have_one_scale(traced):
    figure = tg.plots.text(traced, unit=3, example=[0, 1])
    values = traced["memory"]["cell_state"].values[:, :6, 3]
    high = np.nanmax(np.abs(values))
    kept = [*values[0], *values[1, 2:]]
    wanted = [to_hex(colormaps["RdBu_r"]((v + high) / (2 * high))) for v in kept]
    assert [colour for _, colour in boxes(figure)] == wanted
    assert [word for word, _ in boxes(figure)][6:] == WORDS[2:6]
    rows = sorted({round(t.get_position()[1], 3) for t in figure.axes[0].texts})
    assert len(rows) == 2


def test_nothing_of_a_text_is_markup(traced, tmp_path):
    figure = tg.plots.text(traced, unit=0, title="<img src=x onerror=alert(1)> $")
    page = Spans(figure._repr_html_())
    assert not {"script", "img"} & set(page.tags)
    figure.savefig(tmp_path / "text.svg")  # "$x$" would be a formula
    assert (tmp_path / "text.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_hundreds_of_characters():
    text = "She said:\n" + "some words that go on and on, " * 20
    model = keras.Sequential([keras.Input((None, 1)), keras.layers.GRU(2, name="gru")])
    x = np.random.default_rng(1).normal(size=(1, len(text), 1))
    figure = tg.plots.text(tg.trace(model, x, tokens=[list(text)]), unit=1)
    lines = {}
    for label in figure.axes[0].texts:
        lines.setdefault(round(label.get_position()[1], 3), []).append(label.get_text())
    lines = ["".join(line) for line in lines.values()]
    assert lines[0] == "She said:↵"
    assert "".join(lines[1:]) == text[10:]
    assert max(map(len, lines)) <= 88
    assert all(line.endswith(" ") for line in lines[1:])  # no word is cut
    page = Spans(figure.to_html())
    assert "".join(word for word, _, _ in page.words) == text.replace("\n", "↵")
    assert page.tags.count("br") == 1
    assert "character" in figure.to_html()


@pytest.mark.parametrize("colour", ["#000000", "#ffffff", "#777777", "#67001f", "#f4a582"])
def test_letters_are_legible(colour):
    def luminance(colour):
        c = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        c = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        return c @ (0.2126, 0.7152, 0.0722)

    light, dark = sorted((luminance(colour), luminance(ink_on(colour))), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"unit": 5}, "0 to 4"),
        ({"unit": 0, "signal": "update_gate"}, "cell_state"),
        ({"unit": 0, "example": 2}, "example=2"),
        ({"unit": 0, "example": []}, "example=\\[\\]"),
        ({"unit": 0, "layer": "gru"}, "'gru'"),
    ],
)
def test_mistakes(traced, arguments, said):
    with pytest.raises(ValueError, match=rf"{said}.*|Received: .*{said}"):
        tg.plots.text(traced, **arguments)


def test_figures_show_without_pyplot(traced):
    # IPython asks for these where it hasn't been told of Matplotlib's figures.
    assert tg.plots.heatmap(traced)._repr_png_().startswith(b"\x89PNG")


def test_dollars_are_no_formulas(traced):
    node = traced["memory"].to_dataset()
    node = node.assign_coords(token=(node["token"].dims, np.full(node["token"].shape, "$\\x$")))
    assert tg.plots.heatmap(node)._repr_png_().startswith(b"\x89PNG")
