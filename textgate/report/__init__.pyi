"""The public names of `textgate.report`, and the module that each comes from."""

from ._findings import Findings as Findings
from ._findings import ModelFindings as ModelFindings
from ._page import render as render
from ._page import write as write
from .reading import read as read

__all__ = [
    "Findings",
    "ModelFindings",
    "read",
    "render",
    "write",
]
