"""Holding a signal at a value."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textgate.interventions._arguments import (
    checked_array,
    checked_number,
    checked_numbers,
    dimensions_of,
)
from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target

# What gates can be, by their activation.
_BOUNDS = {"sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}
_STOCK = ("lstm", "gru")
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class Clamp(Intervention):
    """Holds a signal at a value: a forget gate open, an input gate shut.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        value: The value, or one for each chosen unit; or one for each example, step and chosen
            unit, of shape `(example, time, chosen units)`, for all examples in order.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Raises:
        ValueError: If the value is missing or not finite; and when it meets a model, if it is of a
            gate and none that the gate can have.

    Example: a forget gate held open after the word "she".

    >>> import numpy as np
    >>> words = np.array([["then", "she", "came", "out"]])
    >>> after = np.cumsum(words == "she", axis=1) > 0
    >>> Clamp("lstm", "forget_gate", units=[3], value=1.0, steps=after)
    Clamp('lstm', 'forget_gate', units=[3], steps=<3 of 1 × 4 steps>, value=1.0)
    """

    value: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        dimensions = dimensions_of(self.value)
        if dimensions == 3:
            what = "numbers of shape (example, time, units)"
            self._set(value=checked_array(self.value, "value", 3, what))
        elif dimensions:
            self._set(value=checked_numbers(self.value, "value"))
        else:
            self._set(value=checked_number(self.value, "value"))

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        self._check_possible(target)
        if np.ndim(self.value) != 3:
            return [Contribution(values=target.spread(self.value))]

        def rows(start: int, size: int) -> np.ndarray:
            return target.spread(self.value[start : start + size])

        return [Contribution(rows=rows, examples=len(self.value))]

    def _check_possible(self, target: Target) -> None:
        """Raise a `ValueError` for a value that a gate can't have."""
        spec, (source, scale, offset) = target.site.spec, target.derived
        activation = getattr(spec.recurrent_activation, "__name__", "")
        bounds = _BOUNDS.get(activation) if target.site.spec.cell.kind in _STOCK else None
        if source not in spec.cell.gates or bounds is None:
            return
        low, high = sorted(scale * bound + offset for bound in bounds)
        values = np.asarray(self.value)
        beyond = values[(values < low - _ROUNDING) | (values > high + _ROUNDING)]
        if beyond.size:
            raise ValueError(
                f"{target.name} of {target.site.path!r}: `value` of {self.signal!r} must lie from "
                f"{low:g} to {high:g}, as what its activation {activation!r} gives. "
                f"Received: {beyond.ravel()[0]:g}"
            )
