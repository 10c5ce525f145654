"""The equations of LSTM, GRU and simple RNN, as pure functions on tensors.

`step` computes one step, `sequence` a whole sequence; both return every signal by its name. A
`Spec` says which equations, `Weights` with which numbers, and an `Edit` changes a signal inside
the step. The table `CELLS` holds the signals' names and the kernels' columns. Nothing here knows
of Keras layers or of text; `keras.ops` is the only language.
"""

from textgate import _registration
from textgate.recurrence._cell import CELLS, DERIVED, Cell, Signal, cell_of, known_signals
from textgate.recurrence._edits import Edit
from textgate.recurrence._sequence import sequence
from textgate.recurrence._spec import Spec, Weights
from textgate.recurrence.signals import GRU, LSTM, SIMPLE_RNN
from textgate.recurrence.steps import step

__all__ = [
    "CELLS",
    "DERIVED",
    "GRU",
    "LSTM",
    "SIMPLE_RNN",
    "Cell",
    "Edit",
    "Signal",
    "Spec",
    "Weights",
    "cell_of",
    "known_signals",
    "sequence",
    "step",
]

_registration.catch_up()
