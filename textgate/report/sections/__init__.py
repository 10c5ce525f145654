"""The sections of the page, one module each, in the order in which they stand there.

A section is a function of the findings, called `section`, in a module of its own; to add one, write
it and give it a line in `SECTIONS`. What it is made of stands in `textgate.report._blocks`; a new
kind of block needs a macro in `templates/blocks.html`. A section that has nothing to show says so.
"""

from collections.abc import Callable

from textgate.report._blocks import Section
from textgate.report._findings import Findings
from textgate.report.sections import (
    _answers,
    _evidence,
    _gates,
    _learned,
    _mechanisms,
    _methods,
    _question,
    _short,
)

SECTIONS: dict[str, Callable[[Findings], Section]] = {
    "question": _question.section,
    "short": _short.section,
    "learned": _learned.section,
    "gates": _gates.section,
    "evidence": _evidence.section,
    "mechanics": _mechanisms.section,
    "answers": _answers.section,
    "methods": _methods.section,
}
