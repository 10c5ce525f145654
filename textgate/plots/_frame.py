"""What the figures have in common: a title, a caption in plain language, colours all can tell.

The colours are Okabe & Ito's (2008), which people with any kind of colour vision can tell apart.
"""

import re
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#F0E442",
)
COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, RED, YELLOW)
GREY = "0.72"
_LONGEST = 14  # letters of a word that are written out


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches."""
    return Figure(figsize=(width, height), layout="constrained", dpi=130)


def explain(figure: Figure, title: str, lines: Sequence[str]) -> Figure:
    """Set a figure's title and, below it, its caption; return the figure."""
    width = figure.get_figwidth()
    figure.suptitle(textwrap.fill(title, int(9 * width)), fontsize=12, fontweight="bold")
    caption = "\n".join(textwrap.fill(line, int(14 * width)) for line in lines)
    figure.supxlabel(caption, fontsize=8, color="0.25")
    return figure


def plain(axes, x: str = "", y: str = "", title: str = "") -> None:
    """Give axes their labels and take away what says nothing."""
    axes.set_xlabel(x, fontsize=8.5)
    axes.set_ylabel(y, fontsize=8.5)
    axes.set_title(title, loc="left", fontsize=10)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def word_ticks(axes, words: Sequence[str]) -> None:
    """Write words below the x axis, turned where there are many."""
    short = [shortened(word) for word in words]
    turned = sum(map(len, short)) + len(short) > 11 * axes.figure.get_figwidth()
    axes.set_xticks(
        np.arange(len(short)),
        short,
        fontsize=8,
        rotation=55 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor" if turned else "default",
    )


def shortened(word: str) -> str:
    """Return a word, cut if it is very long."""
    return word if len(word) <= _LONGEST else f"{word[: _LONGEST - 1]}…"


def sentence_of(words: Sequence[str]) -> str:
    """Return words as a sentence in quotation marks, markers such as <bos> left out."""
    said = " ".join(word for word in words if word and not re.fullmatch(r"<.*>", word))
    tight = re.sub(r" +(?=[.,;:!?)’]|'\w|n't\b)", "", said)
    return f"“{tight}”" if said else ""
