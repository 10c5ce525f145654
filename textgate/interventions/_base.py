"""What all interventions have in common: where they act, how they read, when they are equal."""

import dataclasses
import numbers
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from textgate import recurrence
from textgate.interventions._contribution import Contribution, Target

_SIGNALS = tuple(
    dict.fromkeys(
        (*(n for cell in recurrence.CELLS.values() for n in cell.signals), *recurrence.DERIVED)
    )
)


@dataclass(frozen=True, eq=False, repr=False)
class Intervention:
    """One change to one signal of a recurrent layer, made inside the step.

    Args:
        layer: The layer's name, as `textgate.trace` knows it: a node's name (`encoder/lstm`,
            `lstm/call_0`), its end where that is unique (`lstm`), or a container of layers
            (`bidirectional`), which stands for all in it.
        signal: One of the layer's signals: a gate, the candidate, a state; or `retention` or
            `writing`, for the gate they follow from.
        units: Numbers of the units, one number, or a slice. All by default.
        steps: A slice, counted from the first step, or booleans of shape `(example, time)`, for
            all examples in order. All steps by default. Time is always in the order of the input.

    Raises:
        ValueError: For an unknown signal, or units or steps that no layer can have.
        TypeError: For an argument of the wrong kind.
    """

    layer: str
    signal: str
    units: Any = None
    steps: Any = field(default=None, kw_only=True)

    # Whether doing it twice is doing it once, as for whatever sets values.
    idempotent: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.layer, str):
            raise TypeError(f"`layer` must be a layer's name. Received: layer={self.layer!r}")
        if self.signal not in _SIGNALS:
            raise ValueError(
                f"`signal` must be one of {list(_SIGNALS)}. Received: signal={self.signal!r}"
            )
        self._set(units=checked_units(self.units), steps=checked_steps(self.steps))

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def contributions(self, target: Target) -> list[Contribution]:
        """Return what the intervention does at one place, checked against it."""
        raise NotImplementedError

    def to_json(self, traces: Any = None) -> str:
        """Return the intervention as JSON; see `textgate.interventions.to_json`."""
        from textgate.interventions._serialisation import to_json

        return to_json(self, traces)

    def __repr__(self) -> str:
        shown = [repr(self.layer), repr(self.signal)]
        for part in dataclasses.fields(self)[2:]:
            value = getattr(self, part.name)
            if part.default is not dataclasses.MISSING and _same(value, part.default):
                continue
            shown.append(f"{part.name}={_shown(value)}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(
            _same(getattr(self, part.name), getattr(other, part.name))
            for part in dataclasses.fields(self)
        )

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.layer, self.signal))


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(repr, value))}]"
    if isinstance(value, slice):
        step = () if value.step is None else (value.step,)
        return f"slice({', '.join(map(repr, (value.start, value.stop, *step)))})"
    if isinstance(value, xr.DataTree):
        place = value.encoding.get("source")
        return f"<trace {place!r}>" if place else f"<trace of model {value.attrs.get('model')!r}>"
    if isinstance(value, np.ndarray):
        if value.dtype == bool:
            return f"<{int(value.sum())} of {value.shape[0]} × {value.shape[1]} steps>"
        if value.size > 8:
            return f"<{value.size} numbers of norm {np.linalg.norm(value):.3g}>"
        return f"[{', '.join(f'{number:g}' for number in value)}]"
    return repr(value)


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, xr.DataTree) and isinstance(b, xr.DataTree):
        return bool(a.identical(b))
    return type(a) is type(b) and not isinstance(a, np.ndarray | xr.DataTree) and a == b


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number and not a boolean."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def checked_units(units: Any) -> tuple[int, ...] | slice | None:
    """Return units as a tuple of numbers, a slice, or `None` for all."""
    if units is None or isinstance(units, slice):
        return units
    if is_whole(units):
        units = [units]
    array = np.asarray(units)
    if array.size == 0:
        return ()
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(
            f"`units` must be a list of whole numbers or a slice. Received: units={units!r}"
        )
    chosen = tuple(int(unit) for unit in array)
    if min(chosen) < 0 or len(set(chosen)) < len(chosen):
        raise ValueError(
            "`units` must be different numbers from 0 on. Received: units="
            f"{list(chosen) if len(chosen) < 20 else f'{len(chosen)} of them'}"
        )
    return chosen


def checked_steps(steps: Any) -> slice | np.ndarray | None:
    """Return steps as a slice, as booleans `(example, time)`, or `None` for all."""
    if steps is None:
        return None
    if isinstance(steps, slice):
        parts = (steps.start, steps.stop, steps.step)
        if not all(part is None or is_whole(part) for part in parts):
            raise TypeError(
                f"`steps` must be a slice of whole numbers. Received: steps={_shown(steps)}"
            )
        if any(part is not None and part < 0 for part in parts) or steps.step == 0:
            raise ValueError(
                "`steps` must count from the first step and go forward, since sequences can have "
                "different lengths; give booleans (example, time) to count from the end. "
                f"Received: steps={_shown(steps)}"
            )
        return slice(*(None if part is None else int(part) for part in parts))
    array = np.array(steps)  # a copy: what is frozen must not change from outside
    if array.dtype != bool or array.ndim != 2:
        hint = f"; one step is slice({steps}, {int(steps) + 1})" if is_whole(steps) else ""
        raise TypeError(
            f"`steps` must be a slice or booleans of shape (example, time){hint}. "
            f"Received: steps of type {type(steps).__name__}, shape {array.shape}"
        )
    array.flags.writeable = False
    return array


def checked_number(value: Any, name: str) -> float:
    """Return a finite number, or say that it isn't one."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        if getattr(value, "shape", None) == ():
            return checked_number(np.asarray(value).item(), name)
        raise TypeError(f"`{name}` must be a number. Received: {name}={value!r}")
    if not np.isfinite(float(value)):
        raise ValueError(f"`{name}` must be finite. Received: {name}={value!r}")
    return float(value)


def checked_numbers(values: Any, name: str) -> np.ndarray:
    """Return finite numbers, one a unit, as a frozen array."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"`{name}` must be numbers, one for each unit. Received: {type(values).__name__}"
        ) from None
    if array.ndim != 1 or not np.all(np.isfinite(array)):
        raise ValueError(
            f"`{name}` must be finite numbers, one for each unit. "
            f"Received: shape {array.shape}, {int((~np.isfinite(array)).sum())} of them not finite"
        )
    array.flags.writeable = False
    return array
