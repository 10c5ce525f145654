"""What one intervention does at one place of a model: the numbers behind an edit.

An intervention is bound to a model place by place. A place is a `Target`: a recurrent cell, one
call of it or all, and the units. What comes out is a `Contribution`: values to set, or offsets to
add, which may be the same everywhere, differ by step, or differ by example and step.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from textgate import recurrence
from textgate.tracing import Site

# Values for the examples from `start` on: (start, size) -> (size, time, units), NaN for none.
Rows = Callable[[int, int], np.ndarray]


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
    units: tuple[int, ...] | slice | None
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
        """The numbers of the units.

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
        """Return one number, or one for each chosen unit, as one for each unit of the layer.

        Raises:
            ValueError: If there is neither one number nor one for each chosen unit.
        """
        values = np.asarray(values, dtype=np.float64)
        chosen = self.numbers
        if values.ndim and values.shape != chosen.shape:
            raise ValueError(
                f"{self.name}: there must be one number for each of the {len(chosen)} chosen units "
                f"of layer {self.site.path!r}. Received: {len(values)} numbers"
            )
        full = np.zeros(self.site.spec.units)
        full[chosen] = values
        return full


@dataclass(frozen=True)
class Contribution:
    """What is done at a target.

    Attributes:
        values: Where it is the same everywhere, `(units,)`; where it differs by step,
            `(time, units)`; NaN for no value.
        rows: Where it differs by example.
        add: Whether the values are added instead of set.
        examples: For how many examples there are rows; `None` for any number.
        known: Booleans `(example, time)`: where the rows have values, if that must be exactly where
            the inputs are not masked.
        call: The number of the call it is for; `None` for all of the target's.
        exhaustive: Whether calls that no contribution is for are an error.
    """

    values: np.ndarray | None = None
    rows: Rows | None = None
    add: bool = False
    examples: int | None = None
    known: np.ndarray | None = None
    call: int | None = None
    exhaustive: bool = False

    @property
    def form(self) -> str:
        """`"constant"`, `"by step"` or `"by example"`."""
        if self.rows is not None:
            return "by example"
        assert self.values is not None
        return "constant" if self.values.ndim == 1 else "by step"

    def of_source(self, scale: float, offset: float) -> "Contribution":
        """Return the same, said of the signal from which the named one follows."""
        if (scale, offset) == (1.0, 0.0):
            return self
        shift = 0.0 if self.add else offset
        if self.rows is not None:
            rows = self.rows
            return replace(self, rows=lambda start, size: (rows(start, size) - shift) / scale)
        assert self.values is not None
        return replace(self, values=(self.values - shift) / scale)
