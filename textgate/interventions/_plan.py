"""The part of interventions that is compiled: which signals are edited, and how.

A plan has no numbers in it. Units, steps and values are inputs of the compiled function, so that a
sweep over units, or over batches, compiles once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keras import ops

from textgate.recurrence import Edit
from textgate.tracing import Call

# What `EditPlan.edits` notes of each step of each example, in its codes.
FINE, NO_VALUE, NO_STEP = 0, 1, 2


@dataclass(frozen=True)
class Entry:
    """One edit of one signal.

    Attributes:
        path: The site's path.
        call: The number of the layer's call; `None` for all.
        signal: The cell's signal.
        add: Whether values are added instead of set.
        matrix: Whether the signal is multiplied by a matrix before.
        form: `"constant"`, `"by step"` or `"by example"`: where the values differ.
        steps: `"all"`, `"slice"` or `"array"`.
        alike: Whether there must be values exactly where the inputs are not masked.
        exhaustive: Whether a call of the layer for which there is no entry of this intervention is
            an error.
        intervention: The number of the intervention in its list.
        function: What makes the new signal of the chosen units' signal, if neither values nor a
            matrix do; with `matrix`, what it makes of it counts along some directions alone.
        chosen: How many units are chosen; 0 where there is no function.
    """

    path: str
    call: int | None
    signal: str
    add: bool
    matrix: bool
    form: str
    steps: str
    alike: bool
    exhaustive: bool
    intervention: int
    function: Callable[[Any], Any] | None = None
    chosen: int = 0


@dataclass(frozen=True)
class EditPlan:
    """The edits of a list of interventions, in their order; see `textgate.tracing._edited.Plan`."""

    entries: tuple[Entry, ...]

    @property
    def paths(self) -> frozenset[str]:
        """Paths of the sites with edits."""
        return frozenset(entry.path for entry in self.entries)

    def edits(
        self, call: Call, arrays: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Edit], dict[str, dict[str, Any]]]:
        """Return the edits of one call of a layer, and notes on how their numbers fit.

        Args:
            call: The call.
            arrays: For each entry `units (units,)`, `values` (`(units,)`, `(time, units)`
                or `(batch, time, units)`), and, as the entry says, `matrix (units, units)`,
                `bounds (3,)` of a slice or `steps (batch, time)`, and `numbers (chosen,)` of the
                units that a function is of.
        """
        edits, notes, acting = [], {}, set()
        for number, (entry, own) in enumerate(zip(self.entries, arrays, strict=True)):
            if entry.path == call.site.path and entry.call in (None, call.index):
                edit, note = _edit(entry, call, own)
                edits.append(edit)
                acting.add(entry.intervention)
                notes[f"{number} {call.index}"] = note
        for entry in self.entries:
            here = entry.path == call.site.path and entry.exhaustive
            if here and entry.intervention not in acting:
                raise ValueError(
                    f"Intervention {entry.intervention} takes values from a trace in which layer "
                    f"{entry.path!r} is called less often; choose calls by their names, as in "
                    f"{entry.path + '/call_0'!r}. Received: call_{call.index}"
                )
        return edits, notes


def _edit(entry: Entry, call: Call, arrays: Mapping[str, Any]) -> tuple[Edit, dict[str, Any]]:
    units, length = call.site.spec.units, _length(call)
    where = ops.reshape(ops.cast(arrays["units"], "bool"), (1, 1, units))
    notes = {"length": ops.convert_to_tensor(length, dtype="int32")}
    if entry.steps == "slice":
        first, last, step = (arrays["bounds"][n] for n in range(3))
        t = ops.arange(length, dtype="int32")
        inside = (t >= first) & (t < last) & ((t - first) % step == 0)
        where = where & ops.reshape(inside, (1, length, 1))
    elif entry.steps == "array":
        steps = _fitted(ops.expand_dims(ops.cast(arrays["steps"], "int32"), -1), length, 0)
        where = where & (steps > 0)  # (batch, time, units)
    if entry.function is not None:
        return Edit(entry.signal, mask=where, function=_function(entry, units, arrays)), notes
    values = arrays["values"]
    if entry.form == "constant":
        values = ops.reshape(values, (1, 1, units))
    elif entry.form == "by step":
        values = ops.reshape(values, (1, -1, units))
    if entry.form != "constant":
        values = _fitted(values, length, float("nan"))
        notes["code"] = _code(entry, where, values, call.mask)
    if entry.add:
        matrix = ops.reshape(arrays["matrix"], (units, units)) if entry.matrix else None
        return Edit(entry.signal, mask=where, matrix=matrix, offset=values), notes
    return Edit(entry.signal, mask=where, value=values), notes


def _function(entry: Entry, units: int, arrays: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return an entry's function as one of the signal of all units, `(batch, units)`."""
    assert entry.function is not None
    function, chosen = entry.function, entry.chosen
    numbers = ops.reshape(ops.cast(arrays["numbers"], "int32"), (chosen,))
    # The place of each unit among the chosen ones; that of the others says nothing.
    places = ops.argmax(ops.arange(units, dtype="int32")[:, None] == numbers[None, :], axis=1)

    def of_all(signal: Any) -> Any:
        result = ops.take(function(ops.take(signal, numbers, axis=1)), places, axis=1)
        if entry.matrix:
            onto = ops.cast(ops.reshape(arrays["matrix"], (units, units)), signal.dtype)
            result = signal + ops.matmul(result - signal, onto)
        return result

    return of_all


def _code(entry: Entry, where: Any, values: Any, mask: Any) -> Any:
    """Return `(batch | 1, time)`: what is wrong at a step, if anything."""
    lacking = ops.any(where & ops.isnan(values), axis=-1)
    if mask is None:
        return ops.where(lacking, NO_VALUE, FINE)
    code = ops.where(lacking & mask, NO_VALUE, FINE)
    if entry.alike:
        present = ops.any(where & ~ops.isnan(values), axis=-1)
        code = ops.where(present & ~mask, NO_STEP, code)
    return code


def _length(call: Call) -> Any:
    static = call.inputs.shape[1]
    return static if static is not None else ops.shape(call.inputs)[1]


def _fitted(x: Any, length: Any, fill: float) -> Any:
    """Return `(batch | 1, any time, ·)` cut or filled up to `length` steps."""
    if isinstance(length, int) and x.shape[1] == length:
        return x
    rows, _, width = ops.shape(x)
    return ops.concatenate([x, ops.full((rows, length, width), fill, dtype=x.dtype)], 1)[:, :length]
