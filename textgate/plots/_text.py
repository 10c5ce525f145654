"""Text coloured by one unit: what it does at each word, or at each of hundreds of characters.

    plots.text(trace, unit=76)

In a notebook the text is HTML, which wraps, can be copied and says each value under the pointer;
elsewhere the same figure is a picture (`figure.savefig("unit.png")`, or `.svg`, `.pdf`).

References:
    Karpathy, Johnson & Li 2015, Visualizing and understanding recurrent networks, who found units
    for quotes, brackets and the end of the line in this way.
"""

import html
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from textgate.plots import _frame as frame
from textgate.plots._nodes import check_example, node_of
from textgate.plots._scales import Scale, ink_on, scale_of
from textgate.recurrence import Cell, cell_of

_LINE = 88  # characters of a line in a picture
_WIDTH, _HEIGHT = 0.083, 0.24  # of a character and of a line, in inches
_SIZE = 10  # of the letters, in points: of a fixed width of 0.602 of this
_LONGEST = 40  # letters of a word that are written out

Tokens = list[tuple[str, float]]  # words, and the signal's values after them


def text(
    trace: xr.DataTree | xr.Dataset,
    unit: int,
    signal: str | None = None,
    example: int | Sequence[int] = 0,
    *,
    layer: str | None = None,
    title: str | None = None,
) -> "TextFigure":
    """Draw texts whose words have the colour of what one unit does at them.

    Gates are coloured from 0 to 1; the candidate and the states in two colours around zero, all
    examples to one scale, which stands below the text. Words of one character each stand without
    gaps, and end of line where the text does. Steps that are masked are left out.

    Args:
        trace: A trace, or one node of it.
        unit: The unit.
        signal: The signal, by default the memory of the cell: `"cell_state"` of an LSTM,
            `"hidden_state"` of a GRU.
        example: The example, or several, one below the other.
        layer: Name of the node, or its end where that is unique; by default the first.
        title: The title; by default it says what is coloured.

    Returns:
        The figure, which is HTML in a notebook; `to_html` gives that as text.

    Raises:
        ValueError: If the example, layer, signal or unit is unknown, or nothing of an example is
            unmasked.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(8, name="memory")])
    >>> trace = tg.trace(model, np.ones((1, 3, 3)), tokens=[["a", "dog", "barked"]])
    >>> figure = text(trace, unit=3)
    >>> "dog" in figure.to_html()
    True
    """
    node, name, _ = node_of(trace, layer)
    cell = cell_of(node.attrs["cell"])
    signal = cell.memory if signal is None else signal
    if signal not in node.data_vars:
        raise ValueError(
            f"`signal` must be a signal of the trace; it has {[*node.data_vars]}. "
            f"Received: signal={signal!r}"
        )
    numbers = node["unit"].values
    if unit not in numbers:
        raise ValueError(
            f"`unit` must be one of the trace, {numbers.min()} to {numbers.max()}. "
            f"Received: unit={unit!r}"
        )
    examples = [example] if isinstance(example, int | np.integer) else list(example)
    if not examples:
        raise ValueError("`example` must have at least one example. Received: example=[]")
    one = node[[signal]].sel(unit=unit)
    texts = [_tokens(one, signal, number, name) for number in examples]
    scale = scale_of(cell, signal, np.array([value for tokens in texts for _, value in tokens]))
    step = "character" if all(map(_is_characters, texts)) else "word"
    lines = _caption(cell, signal, unit, name, scale, step)
    return TextFigure(texts, scale, title or f"Unit {unit}: {frame.signal_of(cell, signal)}", lines)


def _tokens(node: xr.Dataset, signal: str, example: int, name: str) -> Tokens:
    """Return the words of one example and the unit's values, without masked steps."""
    check_example(node, example)
    one = node.isel(example=example)
    steps = np.flatnonzero(one["mask"].values)
    if not steps.size:
        raise ValueError(
            f"Every step of this example is masked in layer {name!r}. Received: example={example}"
        )
    words = one["token"].values if "token" in one.coords else one["time"].values
    values = one[signal].values
    return [(str(words[step]), float(values[step])) for step in steps]


def _caption(cell: Cell, signal: str, unit: int, name: str, scale: Scale, step: str) -> list[str]:
    what = frame.signal_of(cell, signal)
    meaning = cell.meanings.get(signal, "")
    colours = (
        "from 0 (closed, light) to 1 (open, dark)" if scale.is_gate else "red above 0, blue below"
    )
    return [
        f"Each {step} has the colour of the {what} of unit {unit} in the {cell.heading} layer "
        f"“{name}” at this {step}: {colours}." + (f" It is {meaning}." if meaning else "")
    ]


class TextFigure(frame.ShownFigure):
    """Texts with a colour for each word, and the scale of the colours; see `text`.

    Args:
        texts: The words of each text with their values.
        scale: Which colours stand for which values.
        title: The title.
        lines: The caption.
    """

    def __init__(self, texts: Sequence[Tokens], scale: Scale, title: str, lines: list[str]) -> None:
        placed = [_placed(tokens) for tokens in texts]
        rows = sum(places[-1][1] + 1.6 for places in placed)
        longest = max(x + len(word) for places in placed for x, _, word, _ in places)
        columns = max(longest + 1, 48)
        super().__init__(
            figsize=(columns * _WIDTH + 0.3, rows * _HEIGHT + 1.5), layout="constrained", dpi=130
        )
        self._texts, self._scale, self._title, self._lines = texts, scale, title, lines
        axes = self.add_subplot()
        axes.set_axis_off()
        axes.set_xlim(-0.5, columns - 0.5)
        axes.set_ylim(rows, -0.3)
        top = 0.0
        for places in placed:
            for x, y, word, value in places:
                _draw_word(axes, x, top + y, word, scale.hex(value))
            top += places[-1][1] + 1.6
        colours = ScalarMappable(Normalize(scale.low, scale.high), scale.colours)
        bar = self.colorbar(
            colours, ax=axes, location="bottom", fraction=0.04, shrink=0.4, aspect=30, pad=0.02
        )
        frame.tidy_bar(bar, *scale.ticks)
        frame.explain(self, title, lines)

    def to_html(self) -> str:
        """Return the figure as a piece of HTML that needs nothing else."""
        texts = "".join(
            '<p style="line-height:1.9;margin:.4em 0;white-space:pre-wrap;'
            f'font-family:{"monospace" if _is_characters(tokens) else "inherit"}">'
            f"{self._spans(tokens)}</p>"
            for tokens in self._texts
        )
        stops = ",".join(
            self._scale.hex(self._scale.low + share * (self._scale.high - self._scale.low))
            for share in np.linspace(0, 1, 9)
        )
        low, middle, high = self._scale.ticks[1]
        bar = (
            '<div style="max-width:16em;font-size:85%">'
            f'<div style="height:.8em;background:linear-gradient(to right,{stops})"></div>'
            '<div style="display:flex;justify-content:space-between">'
            f"<span>{low}</span><span>{middle}</span><span>{high}</span></div></div>"
        )
        caption = html.escape(" ".join(self._lines))
        return (
            f'<figure style="margin:1em 0"><b>{html.escape(self._title)}</b>{texts}{bar}'
            f'<figcaption style="font-size:85%">{caption}</figcaption></figure>'
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def _spans(self, tokens: Tokens) -> str:
        """Return a text's words as HTML; each has its value as a title."""
        spans = []
        for word, value in tokens:
            colour = self._scale.hex(value)
            shown = html.escape(_visible(word))
            spans.append(
                f'<span title="{shown}: {value:.3g}" style="background:{colour};'
                f'color:{ink_on(colour)};unicode-bidi:isolate">{shown}</span>'
                + ("<br>" if "\n" in word else "")
            )
        return ("<wbr>" if _is_characters(tokens) else " ").join(spans)


def _is_characters(tokens: Tokens) -> bool:
    """Whether the text is one of characters, which stand without gaps; markers don't count."""
    words = [word for word, _ in tokens if not (word.startswith("<") and word.endswith(">"))]
    return bool(words) and all(len(word) == 1 for word in words)


def _visible(word: str) -> str:
    """Return a word with signs for what would not be seen."""
    return word.translate({10: "↵", 13: "↵", 9: "⇥", 8232: "↵", 8233: "↵"})


def _placed(tokens: Tokens) -> list[tuple[int, int, str, float]]:
    """Return `(column, line, word, value)` of each word, in lines of a page."""
    gap = 0 if _is_characters(tokens) else 1
    places = []
    column = line = 0
    for at, (word, value) in enumerate(tokens):
        shown = frame.shortened(_visible(word), _LONGEST)
        needed = len(shown)
        if not gap and at and tokens[at - 1][0] == " ":  # characters of a word stay together
            following = (n for n, (one, _) in enumerate(tokens[at:]) if one.isspace())
            needed = min(next(following, 1), _LINE // 4)
        if column and column + needed > _LINE:
            column, line = 0, line + 1
        places.append((column, line, shown, value))
        column += len(shown) + gap
        if "\n" in word:
            column, line = 0, line + 1
    return places


def _draw_word(axes: Axes, x: float, y: float, word: str, colour: str) -> None:
    axes.add_patch(Rectangle((x - 0.04, y), len(word) + 0.08, 0.86, facecolor=colour, lw=0))
    axes.text(
        x + len(word) / 2,
        y + 0.45,
        word,
        ha="center",
        va="center",
        size=_SIZE,
        family="monospace",
        color=ink_on(colour),
    )
