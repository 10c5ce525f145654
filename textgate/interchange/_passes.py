"""Passes of a model over rows: each row is an item, with a set of units changed in it.

Many sets of many items are many rows, and two things make them quick. What the edited layers cannot
influence is computed once for each item (`textgate.interchange._graph_cut`). And where there are
thousands of rows, batches all have one size, for which XLA compiles the program: it takes seconds,
and what it makes is about twice as fast.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from textgate._backend import backend
from textgate.interchange._graph_cut import Cut, cut_before
from textgate.interchange._set_plan import Place, SetPlan
from textgate.tracing.program import NOTES, OUTPUTS, Program, Records, called, program_for
from textgate.tracing.structure import state_variables

_NUMBERS = 2**21  # of a signal's values in a batch
_ROWS = 1024  # in a batch, at most
_MANY, _MANY_ROWS = 8192, 512  # from so many rows on XLA is worth it; with so many in a batch
_ITEMS = 64  # XLA then sees their number as a multiple of this one, to compile for few shapes


@dataclass(frozen=True)
class Rows:
    """What is run.

    Attributes:
        items: The item of each row, `(rows,)`.
        plan: What is edited; `None` for nothing.
        numbers: `values`, `(items | 1, time, units)`, and, as the plan has it, `units (sets,
            units)`, or `matrix (units, units)` and `where (items | 1, time)`.
        sets: The set of each row.
    """

    items: np.ndarray
    plan: SetPlan | None = None
    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)
    sets: np.ndarray | None = None


class Passes:
    """Runs a model on rows of items.

    Args:
        model: The model.
        inputs: Its inputs, one example an item.
        places: The layers that are edited.

    Attributes:
        count: The number of items.
    """

    def __init__(self, model: keras.Model, inputs: Any, places: Sequence[Place]) -> None:
        self.model, self._inputs, self._places = model, inputs, tuple(places)
        self.count = len(tree.flatten(inputs)[0])
        self._size, self._fixed = _rows_in_batch(model, inputs, sum(p.units for p in places))
        self._for_shape = _is_for_xla(model, inputs)  # until XLA has refused
        self._between: tuple[Cut, list[np.ndarray]] | None = None
        self._is_cut = False

    def outputs(self, rows: Rows, head: Any) -> Iterator[tuple[Any, np.ndarray]]:
        """Yield what the head gives of each batch, and the numbers of its rows."""
        for records, numbers in self.records(rows, head=head):
            yield records[OUTPUTS], numbers

    def records(
        self, rows: Rows, wanted: Mapping[str, tuple[str, ...]] | None = None, head: Any = False
    ) -> Iterator[tuple[Records, np.ndarray]]:
        """Yield what each batch gave, as arrays, and the numbers of its rows.

        Each item is an example on its own: stateful layers begin every batch from zeros.
        """
        many = rows.plan is not None and len(rows.items) >= _MANY and not self._fixed
        for_shape = many and self._for_shape
        cut = self._cut() if many else None
        program = program_for(
            self.model, wanted or {}, rows.plan, head, called if cut is None else cut[0], for_shape
        )
        size = _MANY_ROWS if for_shape else self._size
        whole = for_shape or self._fixed or (backend().compiles_each_length and many)
        batches = _Batches(self._inputs, cut and cut[1], rows, self._places, for_shape)
        state = self._fresh_state(program)
        for begin in range(0, len(rows.items), size):
            numbers = np.arange(begin, min(begin + size, len(rows.items)))
            padded = numbers
            if whole and len(numbers) < size:
                padded = np.concatenate([numbers, np.repeat(numbers[:1], size - len(numbers))])
            try:
                found = program(state, *batches.of(padded))[0]
            except ValueError:
                if not for_shape or begin:
                    raise
                # Something in the model is nothing for XLA, or its graph isn't all there is to it.
                self._for_shape, self._between, self._is_cut = False, None, True
                yield from self.records(rows, wanted, head)
                return
            yield _first(found, len(numbers)), numbers

    def _cut(self) -> tuple[Cut, list[np.ndarray]] | None:
        """Return the model in two, and the tensors in between, for all items."""
        if not self._is_cut:
            self._is_cut = True
            cut = cut_before(self.model, self._places, self._inputs)
            if cut is not None:
                program = program_for(self.model, {}, None, True, cut.trunk)
                parts = []
                for begin in range(0, self.count, self._size):
                    rows = slice(begin, begin + self._size)
                    batch = tree.map_structure(lambda x, r=rows: np.asarray(x)[r], self._inputs)
                    tensors = program(self._fresh_state(program), batch)[0][OUTPUTS]
                    parts.append([np.asarray(x) for x in tensors])
                between = [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]
                self._between = cut, between
        return self._between

    def _fresh_state(self, program: Program) -> list[Any]:
        """Return the values that the model's state starts from, zeros for recurrent states."""
        recurrent = {
            id(variable)
            for layer in self.model._flatten_layers()
            for variable in tree.flatten(getattr(layer, "states", None) or [])
        }
        return [
            ops.zeros_like(value) if id(variable) in recurrent else value
            for variable, value in zip(state_variables(self.model), program.state(), strict=True)
        ]


class _Batches:
    """Lays out the arrays of batches; what is the same for all of them is a tensor, made once."""

    def __init__(
        self,
        inputs: Any,
        between: list[np.ndarray] | None,
        rows: Rows,
        places: Sequence[Place],
        for_shape: bool,
    ) -> None:
        self._inputs, self._rows, self._places = inputs, rows, places

        def tensor(of_items: np.ndarray) -> Any:
            count = len(of_items)
            if for_shape and count > 1:
                filling = np.repeat(of_items[:1], -count % _ITEMS, axis=0)
                of_items = np.concatenate([of_items, filling])
            return backend().tensor(np.ascontiguousarray(of_items))

        self._between = between and [tensor(x) for x in between]
        self._fixed: list[dict[str, Any]] = []
        if rows.plan is not None:
            for place in places:
                fixed = {"values": tensor(rows.numbers["values"][..., place.columns])}
                if rows.plan.subspace:
                    fixed["where"] = tensor(rows.numbers["where"])
                    fixed["matrix"] = backend().tensor(rows.numbers["matrix"])
                self._fixed.append(fixed)

    def of(self, numbers: np.ndarray) -> tuple[Any, list[dict[str, Any]]]:
        """Return the inputs and the edits' arrays for some of the rows."""
        items = self._rows.items[numbers].astype(np.int32)
        given = [dict(fixed) for fixed in self._fixed]
        for arrays in given:
            for name, place in (("values", "value"), ("where", "place")):
                if name in arrays:  # one for all, or one for each item
                    arrays[place] = items if len(self._rows.numbers[name]) > 1 else 0 * items
        if "units" in self._rows.numbers:
            assert self._rows.sets is not None
            units = self._rows.numbers["units"][self._rows.sets[numbers]]
            for layer, arrays in zip(self._places, given, strict=True):
                arrays["units"] = np.ascontiguousarray(units[:, layer.columns])
        if self._between is not None:
            return (self._between, items), given
        return tree.map_structure(lambda x: np.asarray(x)[items], self._inputs), given


def _first(records: Records, count: int) -> Records:
    """Return the first so many rows of what a batch gave, as arrays."""
    return {
        name: tree.map_structure(lambda x: np.asarray(x)[:count], part)
        for name, part in records.items()
        if name != NOTES  # these edits have nothing to say
    }


def _is_for_xla(model: keras.Model, inputs: Any) -> bool:
    """Whether XLA may be tried; of words it makes the whole process fail."""
    numeric = all(np.asarray(x).dtype.kind not in "OSUT" for x in tree.flatten(inputs))
    return numeric and all(layer.supports_jit for layer in model._flatten_layers())


def _rows_in_batch(model: keras.Model, inputs: Any, units: int) -> tuple[int, bool]:
    """Return how many rows a batch has, and whether the model insists on it."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN) and layer.stateful and layer.states:
            return int(tree.flatten(layer.states)[0].shape[0]), True
    for tensor in tree.flatten(getattr(model, "inputs", None) or []):
        if tensor.shape and tensor.shape[0] is not None:
            return int(tensor.shape[0]), True
    steps = [x.shape[1] for x in tree.flatten(inputs) if np.ndim(x) > 1]
    rows = _NUMBERS // max(1, max(steps, default=1) * units)
    return max(32, min(_ROWS, rows)), False
