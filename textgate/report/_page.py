"""From findings to the page, and to the tables beside it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from textgate._files import write_table, write_text
from textgate.models.runs import StudyLayout
from textgate.report import _html
from textgate.report._findings import Findings
from textgate.report.sections import SECTIONS

TITLE = "Which units remember that it was *she*?"
_DUST = 1e-12


def render(findings: Findings) -> str:
    """Return the page, a text that needs nothing else.

    Args:
        findings: What to show.
    """
    sections = {name: section(findings) for name, section in SECTIONS.items()}
    blocks = [block for section in sections.values() for block in section.blocks]
    return _html.render("page.html", blocks, title=TITLE, sections=sections, numbered=_Numbers())


def write(findings: Findings, directory: str | os.PathLike[str]) -> Path:
    """Write the page and its tables.

    Args:
        findings: What to show.
        directory: Where `report.html` and the folder `tables` go; it must be there.

    Returns:
        The path of the page.

    Raises:
        FileNotFoundError: If there is no such directory.
        CannotWriteError: If the disk is full.
    """
    layout = StudyLayout(directory)
    if not layout.directory.is_dir():
        raise FileNotFoundError(
            f"there is no such directory to write the report to. Received: {layout.directory}"
        )
    page = render(findings)
    for name, table in tables(findings):
        write_table(layout.tables / f"{name}.csv", _without_dust(table))
    write_text(layout.page, page)
    return layout.page


def tables(findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every table that the page rests on, with its name."""
    for model in findings.models:
        for group in ("agreement", "rule", "units", "probes", "mechanics"):
            for name, table in getattr(model, group).items():
                yield f"{model.name}/{group}-{name}", table
        for name in ("history", "default", "sentences"):
            if getattr(model, name) is not None:
                yield f"{model.name}/{name}", getattr(model, name)
    if findings.ladder is not None:
        yield "ladder", findings.ladder


class _Numbers:
    """Numbers figures and tables from 1 on."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __call__(self, kind: str) -> int:
        self._last[kind] = self._last.get(kind, 0) + 1
        return self._last[kind]


def _without_dust(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which differences that rounding left are 0."""
    clean = {
        name: column.mask(column.abs() < _DUST, 0.0)
        for name, column in table.items()
        if pd.api.types.is_float_dtype(column)
    }
    return table.assign(**{str(name): column for name, column in clean.items()})
