"""From findings to the page, and to the tables beside it."""

import json
import os
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup, escape

import textgate
from textgate.report import _blocks as blocks
from textgate.report._findings import Findings
from textgate.report._gate_data import gate_data
from textgate.report.sections import _answers as answers
from textgate.report.sections import _evidence as evidence
from textgate.report.sections import _gateview as gateview
from textgate.report.sections import _learned as learned
from textgate.report.sections import _mechanisms as mechanisms
from textgate.report.sections import _methods as methods
from textgate.report.sections import _opening as opening

PAGE, TABLES = "report.html", "tables"
_DUST = 1e-12
_MARKS = ((r"\*\*(.+?)\*\*", "strong"), (r"\*(.+?)\*", "em"), (r"`(.+?)`", "code"))


def render(findings: Findings) -> str:
    """Return the page, a text that needs nothing else.

    Args:
        findings: What to show.
    """
    data = gate_data(findings.models)
    sections = [
        opening.opening(findings),
        opening.in_short(findings),
        learned.section(findings),
        gateview.section(findings, data),
        evidence.section(findings),
        mechanisms.section(findings),
        answers.section(findings),
        methods.section(findings),
    ]
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["marked"] = marked
    return environment.get_template("page.html").render(
        title=opening.title(findings),
        title_text=re.sub(r"[*`]", "", opening.title(findings)),
        sections=sections,
        kind=lambda block: type(block).__name__,
        gates=None if data is None else _json(data),
        figure_json=_json,
        numbered=_Numbers(),
        library=Markup(_library()),
        styles=Markup(_part("style.css") + _part("print.css")),
        scripts=Markup(_part("figures.js") + _part("gates.js")),
        version=textgate.__version__,
        has_figures=data is not None or any(_has_figure(s.blocks) for s in sections),
    )


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
    from textgate._files import write_text

    place = Path(directory)
    if not place.is_dir():
        raise FileNotFoundError(
            f"there is no such directory to write the report to. Received: {place}"
        )
    text = render(findings)
    for name, table in tables(findings):
        path = place / TABLES / f"{name}.csv"
        write_text(path, _without_dust(table).to_csv(index=False))
    write_text(place / PAGE, text)
    return place / PAGE


def tables(findings: Findings) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield every table that the page rests on, with its name."""
    for model in findings.models:
        groups: dict[str, dict[str, pd.DataFrame]] = {
            "agreement": dict(model.agreement),
            "rule": dict(model.rule),
            "units": dict(model.units),
            "probes": dict(model.probes),
            "mechanics": dict(model.mechanics),
        }
        for group, named in groups.items():
            for name, table in named.items():
                yield f"{model.name}/{group}-{name}", table
        for name, single in (
            ("history", model.history),
            ("default", model.default),
            ("sentences", model.sentences),
        ):
            if single is not None:
                yield f"{model.name}/{name}", single
    if findings.ladder is not None:
        yield "ladder", findings.ladder


def _without_dust(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which differences that rounding left are 0."""
    clean = {
        name: column.mask(column.abs() < _DUST, 0.0)
        for name, column in table.items()
        if pd.api.types.is_float_dtype(column)
    }
    return table.assign(**{str(name): column for name, column in clean.items()})


def marked(text: str) -> Markup:
    """Return text with *emphasis*, **strong** and `code` as HTML, everything else escaped.

    Example:

    >>> marked("**Two** of *<b>*")
    Markup('<strong>Two</strong> of <em>&lt;b&gt;</em>')
    """
    found = str(escape(text))
    for pattern, tag in _MARKS:
        found = re.sub(pattern, rf"<{tag}>\1</{tag}>", found)
    return Markup(found)


class _Numbers:
    """Numbers figures and tables from 1 on."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def __call__(self, kind: str) -> int:
        self._last[kind] = self._last.get(kind, 0) + 1
        return self._last[kind]


def _part(name: str) -> str:
    return (resources.files("textgate.report") / "templates" / name).read_text(encoding="utf-8")


def _library() -> str:
    """Return Plotly's library, which comes with its Python package."""
    file = resources.files("plotly") / "package_data" / "plotly.min.js"
    return file.read_text(encoding="utf-8").replace("</script", "<\\/script")


def _json(value: Any) -> Markup:
    """Return JSON that is safe within a script element."""
    text = json.dumps(
        value,
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
        default=lambda number: number.item(),  # NumPy's
    )
    for character, code in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
        text = text.replace(character, code)
    return Markup(text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


def _has_figure(parts: tuple[Any, ...]) -> bool:
    return any(isinstance(part, blocks.Figure | blocks.Row | blocks.GateView) for part in parts)
