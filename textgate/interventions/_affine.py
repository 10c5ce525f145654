"""Mapping a signal: by a matrix, an offset, or both."""

from dataclasses import dataclass, field
from typing import Any

from textgate.interventions._arguments import (
    checked_matrix,
    checked_number,
    checked_numbers,
    dimensions_of,
)
from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target


@dataclass(frozen=True, eq=False, repr=False)
class Affine(Intervention):
    """Maps a signal s to s A + b, over the chosen units.

    Linear erasure is of this form: with the A and b of `textgate.probing.leace` no linear probe
    reads from the signal any more what was erased.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        matrix: A, of shape `(chosen units, chosen units)`, applied from the right; the identity by
            default.
        offset: b, a number or one for each chosen unit; 0 by default.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Raises:
        ValueError: If there is neither a matrix nor an offset, or a matrix that isn't square.

    Example: what a probe reads gender from is taken out of the state at each step.

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> inputs = np.random.default_rng(0).normal(size=(40, 5, 3))
    >>> states = tg.trace(model, inputs)["gru"]["hidden_state"].values
    >>> labels = np.repeat(inputs[:, :1, 0] > 0, 5)
    >>> eraser = tg.probing.leace(states.reshape(-1, 4), labels)
    >>> erased = Affine("gru", "hidden_state", matrix=eraser.matrix, offset=eraser.offset)
    >>> tg.intervene(model, [erased]).predict(inputs).shape
    (40, 4)
    """

    matrix: Any = field(default=None, kw_only=True)
    offset: Any = field(default=None, kw_only=True)

    idempotent = False  # a projection is, other maps are not

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.matrix is None and self.offset is None:
            raise ValueError(
                "an affine map has a `matrix`, an `offset` or both. Received: matrix=None, "
                "offset=None"
            )
        if self.matrix is not None:
            self._set(matrix=checked_matrix(self.matrix, "matrix"))
        if self.offset is not None:
            check = checked_numbers if dimensions_of(self.offset) else checked_number
            self._set(offset=check(self.offset, "offset"))

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        values = target.spread(0.0 if self.offset is None else self.offset)
        if self.matrix is None:
            return [Contribution(values=values, add=True)]
        return [Contribution(values=values, matrix=target.block(self.matrix))]
