"""What one recurrent cell computes, as data: its equations' options and its weights.

A `Spec` is all that the functions of this package need to know of a cell besides its weights. It
is made by a layer (`textgate.layers.spec_of`) or by hand.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from keras import activations

from textgate._backend import Tensor
from textgate.recurrence._cell import CELLS, Cell


class Weights(NamedTuple):
    """The weights of one stock cell, in Keras's layout.

    Those of a registered cell are a named tuple too, with a field for each of its variables.

    Attributes:
        kernel: Of shape `(features, columns * units)`.
        recurrent_kernel: Of shape `(units, columns * units)`.
        bias: Of shape `(columns * units,)`, or `(2, columns * units)` for a GRU with
            `reset_after=True` (the input's bias, then the recurrent one), or `None`.
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor | None = None


@dataclass(frozen=True)
class Spec:
    """The equations of one recurrent cell. It can be the key of a dictionary.

    Args:
        cell: A row of the table `CELLS`, or its key: `"lstm"`, `"gru"`, `"simple_rnn"`.
        units: Number of units.
        activation: Activation of the candidate, and of the cell state on its way out; a function
            on tensors or a name that Keras knows.
        recurrent_activation: Activation of the gates, likewise.
        reset_after: Whether a GRU's reset gate acts after the recurrent product (Keras's
            default) or before it (Cho et al. 2014).
        fixed_gates: Gates held at a value in [0, 1], by name.
        coupled: Whether an LSTM's input gate is tied to 1 − f.
        leak: Whether a GRU keeps z ⊙ h_{t-1}; without the leak h_t = (1 − z_t) ⊙ ĥ_t.
        settings: What else the equations of a registered cell depend on, by name.

    Raises:
        ValueError: If an option is not one of this cell's.

    Example:

    >>> Spec("lstm", units=3).cell.gates
    ('input_gate', 'forget_gate', 'output_gate')
    """

    cell: Cell
    units: int
    activation: Callable[[Tensor], Tensor] = activations.tanh
    recurrent_activation: Callable[[Tensor], Tensor] = activations.sigmoid
    reset_after: bool = True
    fixed_gates: Mapping[str, float] = field(default_factory=dict, hash=False)
    coupled: bool = False
    leak: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if isinstance(self.cell, str):
            if self.cell not in CELLS:
                raise ValueError(f"`cell` must be one of {sorted(CELLS)}. Received: {self.cell!r}")
            object.__setattr__(self, "cell", CELLS[self.cell])
        for name in ("activation", "recurrent_activation"):
            object.__setattr__(self, name, activations.get(getattr(self, name)))
        object.__setattr__(self, "fixed_gates", check_fixed_gates(self.cell, self.fixed_gates))
        if self.coupled:
            if "coupled" not in self.cell.options:
                raise ValueError(
                    "`coupled` ties the LSTM's input gate to its forget gate; this cell is a "
                    f"{self.cell.kind}. Received: coupled={self.coupled}"
                )
            if "input_gate" in self.fixed_gates:
                raise ValueError(
                    "With `coupled=True` the input gate is 1 − f and cannot be fixed as well; fix "
                    f"the forget gate. Received: fixed_gates={dict(self.fixed_gates)}"
                )
        if not self.leak and "leak" not in self.cell.options:
            raise ValueError(
                "`leak=False` is a form of the GRU; this cell is a "
                f"{self.cell.kind}. Received: leak={self.leak}"
            )

    @property
    def biases(self) -> int:
        """How many biases each column has: two with `reset_after`, the input's and h U's."""
        return 2 if self.reset_after and "reset_after" in self.cell.options else 1

    @property
    def is_stock(self) -> bool:
        """Whether a stock Keras cell computes the same: nothing fixed, coupled or left out."""
        return not self.fixed_gates and not self.coupled and self.leak

    @property
    def is_plain(self) -> bool:
        """Whether these are the stock equations with tanh and sigmoid, which have a fast path."""
        return (
            self.is_stock
            and self.activation is activations.tanh
            and self.recurrent_activation is activations.sigmoid
        )


def check_fixed_gates(cell: Cell, fixed_gates: Mapping[str, float] | None) -> dict[str, float]:
    """Return `fixed_gates` as a dictionary of floats, or say what is wrong with it.

    Raises:
        ValueError: If a name is not a gate of `cell`, or a value not a number in [0, 1].
        TypeError: If `fixed_gates` is not a mapping.
    """
    if fixed_gates is None:
        return {}
    if not isinstance(fixed_gates, Mapping):
        raise TypeError(
            "`fixed_gates` must map names of gates to values, such as {'forget_gate': 1.0}. "
            f"Received: {fixed_gates!r}"
        )
    checked = {}
    for name, value in fixed_gates.items():
        if name not in cell.gates:
            raise ValueError(
                f"`fixed_gates` names a gate that a {cell.kind} doesn't have; its gates are "
                f"{list(cell.gates)}. Received: {name!r}"
            )
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValueError(
                f"A gate is fixed at a number in [0, 1]. Received: fixed_gates[{name!r}]={value!r}"
            )
        checked[name] = float(value)
    return checked
