"""The report: one HTML page that reads like a short paper and needs nothing but itself.

    textgate report runs/she-her

`read` collects what the stages of a study left on disk as `Findings`, plain tables and traces;
`render` makes the page from them, and `write` puts it beside the tables that it shows. Nothing is
computed anew but sums and shares, so that a page is rebuilt in seconds. No result is written into
the templates: the sentences are chosen by what the tables say, also where there is nothing to
say.

The page holds Plotly's library once and the traces of the gate view as packed numbers. A content
security policy forbids it every request, and all text from data is escaped.

Names are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgate.report.findings import Findings, ModelFindings
    from textgate.report.page import render, write
    from textgate.report.reading import read

# Public name -> the module of this package that defines it.
_NAMES = {
    "Findings": "findings",
    "ModelFindings": "findings",
    "read": "reading",
    "render": "page",
    "write": "page",
}

__all__ = ["Findings", "ModelFindings", "read", "render", "write"]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"textgate.report.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'textgate.report' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
