"""What one intervention does at one place of a model: the numbers behind an edit.

An intervention is bound to a model place by place. A place is a `Target`: a recurrent cell, one
call of it or all, and the units. What comes out is a `Contribution`: values to set, or an affine
map, which may be the same everywhere, differ by step, or differ by example and step; or a function
of the signal.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from textgate import recurrence
from textgate.interventions._arguments import Units
from textgate.tracing import Site

# Values for the examples from `start` on: (start, size) -> (size, time, units), NaN for none.
Rows = Callable[[int, int], np.ndarray]
# From the chosen units' signal at one step, (batch, chosen units), to what becomes of it.
Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Target:
    """A place that an intervention acts on.

    Attributes:
        site: The recurrent cell.
        call: The number of the call of its layer; `None` for all calls.
        signal: The signal as the intervention names it; perhaps a derived one.
        units: The intervention's units: a tuple, a slice or `None`.
        fingerprint: Returns the fingerprint of the model.
        name: How the intervention is called in errors.
    """

    site: Site
    call: int | None
    signal: str
    units: Units
    fingerprint: Callable[[], str]
    name: str

    @cached_property
    def derived(self) -> tuple[str, float, float]:
        """The cell's own signal, and scale and offset by which the named one comes from it.

        Raises:
            ValueError: If the cell has no such signal.
        """
        cell = self.site.spec.cell
        if self.signal in cell.signals:
            return self.signal, 1.0, 0.0
        derived = (
            cell.derived(self.signal) if self.signal in recurrence.DERIVED else (None, 0.0, 0.0)
        )
        source, scale, offset = derived
        if source is None or not scale:
            also = [n for n in recurrence.DERIVED if cell.derived(n)[1]]
            raise ValueError(
                f"{self.name}: layer {self.site.path!r} is a {cell.kind} and has the signals "
                f"{[*cell.signals, *also]}. Received: signal={self.signal!r}"
            )
        return source, scale, offset

    @cached_property
    def numbers(self) -> np.ndarray:
        """The numbers of the chosen units.

        Raises:
            ValueError: If the layer has fewer units.
        """
        count = self.site.spec.units
        if self.units is None or isinstance(self.units, slice):
            return np.arange(count)[self.units or slice(None)]
        if self.units and max(self.units) >= count:
            raise ValueError(
                f"{self.name}: `units` must be numbers from 0 to {count - 1}, the units of layer "
                f"{self.site.path!r}. Received: {[unit for unit in self.units if unit >= count]}"
            )
        return np.array(self.units, dtype=np.int64)

    def spread(self, values: Any) -> np.ndarray:
        """Return numbers of the chosen units as numbers of all units of the layer, 0 elsewhere.

        Args:
            values: One number, or of shape `(…, chosen units)`.

        Raises:
            ValueError: If there is neither one number nor one for each chosen unit.
        """
        values = np.asarray(values, dtype=np.float64)
        count = len(self.numbers)
        if values.ndim and values.shape[-1] != count:
            raise ValueError(
                f"{self.name}: there must be one number for each of the {count} chosen units "
                f"of layer {self.site.path!r}. Received: {values.shape[-1]} numbers"
            )
        full = np.zeros((*values.shape[:-1], self.site.spec.units))
        full[..., self.numbers] = values
        return full

    def block(self, matrix: Any) -> np.ndarray:
        """Return a matrix between the chosen units as one between all units of the layer.

        The other units stay as they are: the rest is the identity.

        Args:
            matrix: Of shape `(chosen units, chosen units)`.

        Raises:
            ValueError: If it has another shape.
        """
        count = len(self.numbers)
        if np.shape(matrix) != (count, count):
            raise ValueError(
                f"{self.name}: a matrix must have shape {(count, count)}, for the {count} chosen "
                f"units of layer {self.site.path!r}. Received: shape {np.shape(matrix)}"
            )
        full = np.eye(self.site.spec.units)
        full[np.ix_(self.numbers, self.numbers)] = matrix
        return full


@dataclass(frozen=True)
class Rescaled:
    """A function of a named signal, said of the signal from which the named one follows.

    Attributes:
        function: The function.
        scale: The named signal is the source times this …
        offset: … plus this.
    """

    function: Function
    scale: float
    offset: float

    def __call__(self, source: Any) -> Any:
        return (self.function(source * self.scale + self.offset) - self.offset) / self.scale


@dataclass(frozen=True)
class Contribution:
    """What is done at a target: a signal s becomes its values, s A plus its values, or f(s).

    Attributes:
        values: Where they are the same everywhere, `(units,)`; where they differ by step,
            `(time, units)`; NaN for no value. Zeros if there is but a matrix.
        rows: Where they differ by example.
        add: Whether the values are added instead of set; with a matrix they always are.
        matrix: A, of shape `(units, units)`, if the signal is multiplied by it before the values
            are added; see `Target.block`. With a function: P, where s becomes s + (f(s) − s) P.
        function: f, from the chosen units' signal at one step, `(batch, chosen units)`, to what
            becomes of it. It becomes part of a compiled program, so it is written with `keras.ops`.
        examples: For how many examples there are rows; `None` for any number.
        mask: Booleans `(example, time)`: where the rows have values, if that must be exactly where
            the inputs are not masked.
        call: The number of the call it is for; `None` for all of the target's.
        exhaustive: Whether calls that no contribution is for are an error.
    """

    values: np.ndarray | None = None
    rows: Rows | None = None
    add: bool = False
    matrix: np.ndarray | None = None
    function: Function | None = None
    examples: int | None = None
    mask: np.ndarray | None = None
    call: int | None = None
    exhaustive: bool = False

    def __post_init__(self) -> None:
        if self.matrix is not None and self.function is None:
            object.__setattr__(self, "add", True)
            if self.values is None and self.rows is None:
                object.__setattr__(self, "values", np.zeros(len(self.matrix)))
        if sum(part is not None for part in (self.values, self.rows, self.function)) != 1:
            raise ValueError(
                "a contribution has `values`, or `rows` where they differ by example, or a "
                f"`function`, or a `matrix`. Received: {self}"
            )

    @property
    def form(self) -> str:
        """`"constant"`, `"by step"` or `"by example"`."""
        if self.rows is not None:
            return "by example"
        return "by step" if self.values is not None and self.values.ndim == 2 else "constant"

    def within(self, target: Target, basis: np.ndarray) -> "Contribution":
        """Return the same for a subspace alone: with s' what becomes of s, s + (s' − s) Q Qᵀ.

        Args:
            target: The place.
            basis: Q, orthonormal columns of shape `(chosen units, rank)`.

        Raises:
            ValueError: If it has another number of rows.
        """
        chosen = target.numbers
        if len(basis) != len(chosen):
            raise ValueError(
                f"{target.name}: `subspace` must have a row for each of the {len(chosen)} chosen "
                f"units of layer {target.site.path!r}. Received: shape {basis.shape}"
            )
        inside = basis @ basis.T
        if self.function is not None:
            return replace(self, matrix=target.block(inside))
        if self.matrix is not None:
            own = self.matrix[np.ix_(chosen, chosen)]
        else:
            own = np.eye(len(chosen)) if self.add else np.zeros_like(inside)
        matrix = target.block(np.eye(len(chosen)) + (own - np.eye(len(chosen))) @ inside)

        def part(values: np.ndarray) -> np.ndarray:
            return target.spread(values[..., chosen] @ inside)

        return replace(self._mapped(part), matrix=matrix)

    def of_source(self, scale: float, offset: float) -> "Contribution":
        """Return the same, said of the signal from which the named one follows.

        Args:
            scale: The named signal is the source times this …
            offset: … plus this.
        """
        if (scale, offset) == (1.0, 0.0):
            return self
        if self.function is not None:
            return replace(self, function=Rescaled(self.function, scale, offset))
        shift: Any = offset
        if self.add:
            shift = 0.0 if self.matrix is None else offset * (1 - self.matrix.sum(axis=0))
        return self._mapped(lambda values: (values - shift) / scale)

    def _mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> "Contribution":
        """Return the same with what a function makes of the values, `(…, units)`."""
        if self.rows is not None:
            rows = self.rows
            return replace(self, rows=lambda start, size: function(rows(start, size)))
        assert self.values is not None
        return replace(self, values=function(self.values))
