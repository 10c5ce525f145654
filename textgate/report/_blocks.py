"""What a section of the page is made of: text, figures, tables, commands.

Text is plain, with *emphasis*, **strong** and `code` marked as here; everything else in it is
escaped when the page is made. Words from data go through `plain` first, so that they can't mark
anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd


def plain(text: Any) -> str:
    """Return text from data so that nothing in it counts as a mark."""
    return str(text).replace("*", "∗").replace("`", "ˋ")


class Block:
    """A part of a section; `templates/blocks.html` has a macro with the name of each kind.

    Attributes:
        scripts: The templates whose code it needs on the page, in their order.
    """

    scripts: ClassVar[tuple[str, ...]] = ()

    @property
    def embedded(self) -> Mapping[str, Any]:
        """What that code reads: JSON, by the id of the element that holds it."""
        return {}


@dataclass(frozen=True)
class Text(Block):
    """A paragraph; `kind` is `"plain"`, `"lead"`, `"key"` (a result) or `"note"`."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True)
class Points(Block):
    """A list of short texts."""

    points: tuple[str, ...]


@dataclass(frozen=True)
class Heading(Block):
    """A heading within a section."""

    text: str


@dataclass(frozen=True)
class Table(Block):
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
class Figure(Block):
    """A figure that Plotly draws.

    Attributes:
        name: Its id on the page.
        figure: Data and layout, as Plotly takes them.
        caption: What it shows, in plain language.
        height: In pixels.
        table: The numbers behind it, folded away.
    """

    scripts = ("figures.js",)

    name: str
    figure: dict[str, Any]
    caption: str
    height: int = 340
    table: Table | None = None


@dataclass(frozen=True)
class Row(Block):
    """Figures beside one another where there is room."""

    scripts = Figure.scripts

    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Code(Block):
    """Commands."""

    text: str


@dataclass(frozen=True)
class Section:
    """A section: its heading, and what stands below."""

    title: str
    blocks: tuple[Block, ...]
