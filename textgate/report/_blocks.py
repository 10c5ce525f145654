"""What a section of the page is made of: text, figures, tables, commands.

Text is plain, with *emphasis*, **strong** and `code` marked as here; everything else in it is
escaped when the page is made. Words from data go through `plain` first, so that they can't mark
anything.
"""

from dataclasses import dataclass, field
from typing import Any

import pandas as pd


def plain(text: Any) -> str:
    """Return text from data so that nothing in it counts as a mark."""
    return str(text).replace("*", "∗").replace("`", "ˋ")


@dataclass(frozen=True)
class Text:
    """A paragraph; `kind` is `"plain"`, `"lead"`, `"key"` (a result) or `"note"`."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Points:
    """A list of short texts."""

    points: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table to read, and its name among the CSV files.

    Attributes:
        rows: The cells as they are shown.
        caption: What it shows.
        folded: Whether it is opened by a click.
        heading: What to click on.
    """

    rows: pd.DataFrame
    caption: str
    folded: bool = False
    heading: str = "The numbers"


@dataclass(frozen=True)
class Figure:
    """A figure that Plotly draws.

    Attributes:
        name: Its id on the page.
        figure: Data and layout, as Plotly takes them.
        caption: What it shows, in plain language.
        height: In pixels.
        table: The numbers behind it, folded away.
    """

    name: str
    figure: dict[str, Any]
    caption: str
    height: int = 340
    table: Table | None = None


@dataclass(frozen=True)
class Row:
    """Figures beside one another where there is room."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Code:
    """Commands."""

    text: str


@dataclass(frozen=True)
class GateView:
    """The gate view; its data are the page's."""

    caption: str


@dataclass(frozen=True)
class Section:
    """A section with its heading."""

    name: str
    title: str
    blocks: tuple[Any, ...] = field(default_factory=tuple)
