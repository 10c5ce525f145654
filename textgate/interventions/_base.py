"""What all interventions have in common: where they act, how they read, when they are equal.

An intervention is a dataclass that says *where* it acts (`layer`, `signal`, `units`, `steps`,
`subspace`) and, in fields of its own, what it needs besides. Its one method, `contributions`, says
what it does at a place of a model. All else follows from that: binding to a model, `repr`,
equality, JSON. So a kind of intervention is one file, or one class of a user's:

    class Halve(Intervention):
        def contributions(self, target):
            return [Contribution(matrix=target.block(np.eye(len(target.numbers)) / 2))]
"""

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import xarray as xr

from textgate import recurrence
from textgate.interventions._arguments import (
    checked_steps,
    checked_subspace,
    checked_units,
    shown_slice,
)
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._serialisation import described
from textgate.interventions._sources import TRACE, checked_source

# The kinds of intervention by name, in the order in which they were defined.
KINDS: dict[str, type["Intervention"]] = {}


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
        subspace: Orthonormal columns Q of shape `(chosen units, rank)`: of what the intervention
            would make of the signal, s', only the part along these directions is taken over, so
            that s becomes s + (s' − s) Q Qᵀ. All directions by default.

    Raises:
        ValueError: For an unknown signal, units or steps that no layer can have, or a subspace
            whose columns are not orthonormal.
        TypeError: For an argument of the wrong kind.
    """

    layer: str
    signal: str
    units: Any = None
    steps: Any = field(default=None, kw_only=True)
    subspace: Any = field(default=None, kw_only=True)

    # Whether doing it twice is doing it once, as for whatever sets values.
    idempotent: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__name__.startswith("_"):
            return
        other = KINDS.get(cls.__name__)
        if other is not None and other.__module__ != cls.__module__:
            raise ValueError(
                f"there is an intervention {cls.__name__} in {other.__module__} already, and JSON "
                f"tells them apart by their names; name this one otherwise. Received: "
                f"{cls.__module__}.{cls.__qualname__}"
            )
        KINDS[cls.__name__] = cls

    def __post_init__(self) -> None:
        if not isinstance(self.layer, str):
            raise TypeError(f"`layer` must be a layer's name. Received: layer={self.layer!r}")
        known = recurrence.known_signals()
        if not isinstance(self.signal, str) or self.signal not in known:
            raise ValueError(
                f"`signal` must be one of {list(known)}. Received: signal={self.signal!r}"
            )
        self._set(
            units=checked_units(self.units),
            steps=checked_steps(self.steps),
            subspace=checked_subspace(self.subspace),
        )
        for part in dataclasses.fields(self):
            if part.metadata == TRACE:
                self._set(**{part.name: checked_source(getattr(self, part.name), part.name)})

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def contributions(self, target: Target) -> list[Contribution]:
        """Return what the intervention does at one place, checked against it.

        Args:
            target: The place. The contribution is about the signal that the intervention names, in
                the layer's full width; only `target.numbers`, the chosen units, count.

        Returns:
            One contribution for all calls of the layer, or one for each.
        """
        raise NotImplementedError(f"{type(self).__name__} must say what it does: `contributions`")

    def to_json(self, traces: Any = None) -> str:
        """Return the intervention as JSON; see `textgate.interventions.to_json`."""
        return json.dumps(described(self, traces))

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
        return shown_slice(value)
    if isinstance(value, xr.DataTree):
        place = value.encoding.get("source")
        return f"<trace {place!r}>" if place else f"<trace of model {value.attrs.get('model')!r}>"
    if isinstance(value, np.ndarray):
        sizes = " × ".join(map(str, value.shape))
        if value.dtype == bool:
            return f"<{int(value.sum())} of {sizes} steps>"
        if value.ndim > 1 or value.size > 8:
            return f"<{sizes} numbers of norm {np.linalg.norm(value):.3g}>"
        return f"[{', '.join(f'{number:g}' for number in value)}]"
    if callable(value):
        return f"<function {getattr(value, '__qualname__', type(value).__qualname__)}>"
    return repr(value)


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, xr.DataTree) and isinstance(b, xr.DataTree):
        return bool(a.identical(b))
    return type(a) is type(b) and not isinstance(a, np.ndarray | xr.DataTree) and bool(a == b)
