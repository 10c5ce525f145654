"""What the figures have in common: a title, a caption in plain language, axes without clutter."""

import io
import re
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, ScalarFormatter

from textgate.recurrence import Cell, cell_of

GREY = "0.72"
_LONGEST = 14  # letters of a word that are written out


class ShownFigure(Figure):
    """A figure that notebooks show as it is, whether or not pyplot is there.

    A plain `Figure` is shown by what pyplot tells IPython, so without pyplot one sees its `repr`.
    """

    def _repr_png_(self) -> bytes:
        stream = io.BytesIO()
        self.savefig(stream, format="png")
        return stream.getvalue()

    def draw(self, renderer: Any) -> None:
        """Draw the figure; words of a text are words, also between two signs of the dollar."""
        numbers = {
            id(label)
            for axes in self.axes
            for axis in (axes.xaxis, axes.yaxis)
            if isinstance(axis.get_major_formatter(), LogFormatter | ScalarFormatter)
            for label in axis.get_ticklabels(which="both")
        }
        for text in self.findobj(Text):
            if id(text) not in numbers:  # powers of ten are set by Matplotlib, as formulas
                text.set_parse_math(False)
        super().draw(renderer)


def new_figure(width: float, height: float) -> ShownFigure:
    """Return an empty figure, in inches."""
    return ShownFigure(figsize=(width, height), layout="constrained", dpi=130)


def explain(figure: Figure, title: str, lines: Sequence[str]) -> Figure:
    """Set a figure's title and, below it, its caption; return the figure."""
    width = figure.get_figwidth()
    figure.suptitle(textwrap.fill(title, int(9 * width)), fontsize=12, fontweight="bold")
    caption = "\n".join(textwrap.fill(line, int(14 * width)) for line in lines)
    figure.supxlabel(caption, fontsize=8, color="0.25")
    return figure


def plain(axes: Axes, x: str = "", y: str = "", title: str = "") -> None:
    """Give axes their labels and take away what says nothing."""
    axes.set_xlabel(x, fontsize=8.5)
    axes.set_ylabel(y, fontsize=8.5)
    axes.set_title(title, loc="left", fontsize=10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def word_ticks(axes: Axes, words: Sequence[str]) -> None:
    """Write words below the x axis, turned where there are many."""
    short = [shortened(word) for word in words]
    steep = sum(map(len, short)) + len(short) > 11 * axes.figure.get_figwidth()  # type: ignore[union-attr]
    axes.set_xticks(
        np.arange(len(short)),
        short,
        fontsize=8,
        rotation=55 if steep else 0,
        ha="right" if steep else "center",
        rotation_mode="anchor" if steep else "default",
    )


def shortened(word: str, longest: int = _LONGEST) -> str:
    """Return a word, cut if it is very long."""
    return word if len(word) <= longest else f"{word[: longest - 1]}…"


def sentence_of(words: Sequence[str]) -> str:
    """Return words as a sentence in quotation marks, markers such as <bos> left out."""
    text = " ".join(word for word in words if not re.fullmatch(r"<.*>", word))
    tight = re.sub(r" +(?=[.,;:!?)’]|'\w|n't\b)", "", text)
    return f"“{tight}”" if text.strip() else ""


def layer_of(node: xr.Dataset) -> str:
    """Return the layer of a node or of what was made from one, such as "LSTM layer “lstm”"."""
    return f"{cell_of(node.attrs['cell']).heading} layer “{node.attrs.get('layer', '')}”"


def signal_of(cell: Cell, name: str) -> str:
    """Return a signal in words and with its letter, such as "forget gate f"."""
    letter = cell.letters[name] if name in cell.signals else ""
    return f"{name.replace('_', ' ')} {letter}".strip()


def tidy_bar(bar: Colorbar, ticks: Sequence[float], labels: Sequence[str]) -> None:
    """Label a bar of colours, and take away what says nothing."""
    bar.set_ticks(list(ticks), labels=list(labels))
    bar.ax.tick_params(labelsize=7, length=0)
    bar.outline.set_visible(False)
