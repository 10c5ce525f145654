"""The public names of `textgate.report`, and the module that each comes from."""

from ._findings import Findings as Findings
from ._findings import ModelFindings as ModelFindings
from ._gate_view import GateView as GateView
from ._gate_view import gate_view as gate_view
from ._page import render as render
from ._page import write as write
from ._reading import read as read
from ._reading import read_model as read_model
from ._status import Learned as Learned
from ._status import learned as learned
from ._three_lines import three_lines as three_lines

__all__ = [
    "Findings",
    "GateView",
    "Learned",
    "ModelFindings",
    "gate_view",
    "learned",
    "read",
    "read_model",
    "render",
    "three_lines",
    "write",
]
