"""Runs any Keras model with sets of units changed: the model as it is, with many edits in a batch.

The rows of a batch are pairs of a set and an item. Each row has its own units and its own new
values, and these are inputs of one compiled program (`textgate.tracing.program`), so that all sets
and all kinds of intervention share it.

A layer may be a container of several (`bidirectional`): then the units of all of them are numbered
through, in the order of the trace's nodes, and a set may have units of each.

What padding hides: an item's steps are counted where the layer isn't masked. So the donor of a
resampled step is the donor's step of the same number, on whichever side the padding is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import tree

from textgate.interchange._decisions import DecisionReader, place_of_output
from textgate.interchange._items import Contrasts
from textgate.interchange._passes import Passes, Rows
from textgate.interchange._replacements import KINDS, draw_donors
from textgate.interchange._set_plan import Place, SetPlan, places_of
from textgate.interchange._sets import checked_bases, checked_sets

_OUTPUTS = 2**14  # rows whose whole outputs are held at a time


class ModelRunner:
    """Runs a Keras model with sets of units changed.

    Args:
        model: Any built Keras model that `textgate.trace` takes.
        items: The items, as `textgate.contrasts` makes them.
        layer: The recurrent layer, as `textgate.trace` names it (`encoder/lstm`, `lstm/call_0`), or
            a container of several, whose units are then numbered through.
        signal: The signal to change: a state, a gate or the candidate.

    Attributes:
        items: The items.
        layer: The layer's name.
        signal: The signal's name.
        units: How many units the layer has.
        one_layer: Whether the name stands for one layer, not for a container of several.

    Raises:
        ValueError: If the model has no such layer, the layer no such signal, or it is called
            several times and the name doesn't say which call.
    """

    def __init__(
        self, model: keras.Model, items: Contrasts, layer: str, signal: str = "cell_state"
    ) -> None:
        self.model, self.items, self.layer, self.signal = model, items, layer, signal
        self._places = places_of(model, layer, signal)
        self.units = sum(place.units for place in self._places)
        self.one_layer = len(self._places) == 1
        self._passes = Passes(model, items.base, self._places)
        self._base, self._mask = self._traced(self._passes)
        self._counterparts: Passes | None = None
        self._source: np.ndarray | None = None
        if items.source is not None:
            self._counterparts = Passes(model, items.source, self._places)
            self._source = self._traced(self._counterparts)[0]
        self._reference: tuple[Contrasts, np.ndarray, np.ndarray] | None = None
        output = place_of_output(model, items.output)
        self._read: DecisionReader | None = None
        self._head: Any = True
        if items.readout is None:
            self._read = DecisionReader(model, items.good, items.bad, items.last, output)
            self._head = self._read.head
        self._clean: np.ndarray | None = None
        self._source_decision: np.ndarray | None = None

    # -- the signal --------------------------------------------------------------------------

    def _traced(self, passes: Passes, edits: Rows | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the signal on items, `(n, time, units)` with NaN at padding, and its mask."""
        wanted = {place.path: (self.signal,) for place in self._places}
        parts: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in self._places]
        for records, _ in passes.records(edits or Rows(np.arange(passes.count)), wanted):
            for place, each in zip(self._places, parts, strict=True):
                call = self._call_of(place, records.get(place.path, []))
                signal = np.asarray(call["signals"][self.signal], np.float32)
                whole = np.ones(signal.shape[:2], bool)
                each.append((signal, np.asarray(call.get("mask", whole), bool)))
        signals, masks = (
            [np.concatenate([part[which] for part in each]) for each in parts] for which in (0, 1)
        )
        if any(not np.array_equal(mask, masks[0]) for mask in masks):
            raise ValueError(
                "layers whose units are changed together must go through the same steps. "
                f"Received: layer={self.layer!r}, whose layers have different masks"
            )
        values = np.concatenate(signals, axis=2)
        values[~masks[0]] = np.nan
        return values, masks[0]

    def _call_of(self, place: Place, calls: Sequence[Any]) -> Any:
        """Return what a batch gave of the call of a layer that is meant."""
        if place.call is not None and place.call < len(calls):
            return calls[place.call]
        if place.call is None and len(calls) == 1:
            return calls[0]
        names = [f"{place.path}/call_{number}" for number in range(len(calls))]
        raise ValueError(
            f"the model calls layer {place.path!r} {len(calls)} times; name one of its calls, "
            f"{names}. Received: layer={self.layer!r}"
        )

    def base_values(self) -> np.ndarray:
        """Return the signal on the bases, `float64` of `(n, time, units)`, NaN at padding."""
        return self._base.astype(np.float64)

    def source_values(self) -> np.ndarray:
        """Return the signal on the sources, likewise."""
        return self._needed_source().astype(np.float64)

    def activity(self) -> np.ndarray:
        """Return each unit's root mean square over the steps of the bases, `(units,)`."""
        return np.asarray(np.sqrt((self._base[self._mask].astype(np.float64) ** 2).mean(axis=0)))

    def _needed_source(self) -> np.ndarray:
        if self._source is None:
            raise ValueError(
                "interchange needs the items' sources; give `contrasts` a `source`. "
                "Received: contrasts without"
            )
        return self._source

    # -- decisions ---------------------------------------------------------------------------

    def clean(self) -> np.ndarray:
        """Return the decisions on the bases without any intervention, `(n,)`."""
        if self._clean is None:
            self._clean = self._decided(self._passes)[0]
        return self._clean.copy()

    def source(self) -> np.ndarray:
        """Return the decisions on the sources, between the same two classes, `(n,)`."""
        self._needed_source()
        assert self._counterparts is not None
        if self._source_decision is None:
            self._source_decision = self._decided(self._counterparts)[0]
        return self._source_decision.copy()

    def run(
        self,
        sets: Any,
        kind: str = "interchange",
        reference: Contrasts | None = None,
        seed: int = 0,
        by_position: bool = False,
    ) -> np.ndarray:
        """Return the decisions `(m, n)` with the units of each of the sets `(m, units)` changed.

        Args:
            sets: Booleans of shape `(m, units)`: which units each set has.
            kind: `"interchange"`, `"zero"`, `"mean"` or `"resample"`; see `StackRunner`.
            reference: For `"mean"` and `"resample"`: whose bases the values come from; the items'
                own by default.
            seed: For `"resample"`: seed of the draw.
            by_position: For `"mean"`: whether each step has its own mean.

        Raises:
            ValueError: If the sets are not booleans of that shape, the kind is unknown, it needs
                sources and there are none, or there is nobody to resample from.
        """
        masks = checked_sets(sets, self.units, self.layer)
        values = self._values(kind, reference, seed, by_position)
        plan = SetPlan(self._places, self.signal)
        numbers = {"units": masks, "values": values}
        return self._decided(self._passes, plan, numbers, len(masks))

    def outputs(
        self, sets: Any, kind: str = "mean", seed: int = 0, head: Any = True
    ) -> Iterator[Any]:
        """Yield the model's outputs on all bases with the units of each set changed.

        Args:
            sets: As for `run`; `None` for the model as it is, once.
            kind: As for `run`.
            seed: As for `run`.
            head: What to return of the outputs, as for `textgate.tracing.program`.
        """
        if sets is None:
            yield from self._outputs(self._passes, None, {}, 1, head)
            return
        masks = checked_sets(sets, self.units, self.layer)
        numbers = {"units": masks, "values": self._values(kind, None, seed, False)}
        plan = SetPlan(self._places, self.signal)
        yield from self._outputs(self._passes, plan, numbers, len(masks), head)

    @property
    def mask(self) -> np.ndarray:
        """Which steps of the bases the layer doesn't mask, booleans `(n, time)`."""
        return self._mask

    def run_subspace(
        self,
        basis: Any,
        kind: str = "interchange",
        reference: Contrasts | None = None,
        seed: int = 0,
        by_position: bool = False,
    ) -> np.ndarray:
        """Return the decisions with the part of the signal in a subspace changed.

        With Q orthonormal columns, s becomes s + (value − s) Q Qᵀ.

        Args:
            basis: Of shape `(units, rank)`; or several, `(m, units, rank)`.
            kind: As for `run`.
            reference: As for `run`.
            seed: As for `run`.
            by_position: As for `run`.

        Raises:
            ValueError: If a basis is not orthonormal or has another shape, the layer is a
                container of several, or as `run` does.
        """
        bases = checked_bases(basis, self.units)
        if len(self._places) > 1:
            raise ValueError(
                "a subspace lies within one layer; name one. "
                f"Received: layer={self.layer!r}, which stands for "
                f"{[place.path for place in self._places]}"
            )
        values = self._values(kind, reference, seed, by_position)
        plan = SetPlan(self._places, self.signal, subspace=True)
        decisions = []
        for q in bases:
            onto = q @ q.T
            numbers = {
                "matrix": np.eye(self.units, dtype=np.float32) - onto,
                "values": values @ onto,
                "where": np.ones((1, values.shape[1]), bool),
            }
            decisions.append(self._decided(self._passes, plan, numbers)[0])
        return decisions[0] if np.ndim(basis) == 2 else np.stack(decisions)

    def run_mapped(
        self, matrix: np.ndarray, offset: np.ndarray, where: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the decisions with the signal s mapped to s A + b, and the signal there.

        Args:
            matrix: A, of shape `(units, units)`.
            offset: b, of shape `(units,)`.
            where: The steps at which it is mapped, booleans `(n, time)`.

        Returns:
            Decisions `(n,)`, and the signal `(n, time, units)`, NaN at padding.
        """
        plan = SetPlan(self._places, self.signal, subspace=True)
        values = np.broadcast_to(offset.astype(np.float32), (1, where.shape[1], self.units))
        numbers = {
            "matrix": matrix.astype(np.float32),
            "values": values,
            "where": where,
        }
        decisions = self._decided(self._passes, plan, numbers)[0]
        edits = Rows(np.arange(len(self.items)), plan, numbers)
        return decisions, self._traced(self._passes, edits)[0].astype(np.float64)

    # -- values ------------------------------------------------------------------------------

    def _values(
        self, kind: str, reference: Contrasts | None, seed: int, by_position: bool
    ) -> np.ndarray:
        """Return the signal's new values, `(n | 1, time, units)`; 0 where nobody is asked.

        There is always a value for every step: a program for any length reads them step by step.
        """
        if kind == "interchange":
            return np.asarray(np.nan_to_num(self._needed_source()))
        if kind == "zero":
            return np.zeros((1, self._mask.shape[1], self.units), np.float32)
        if kind not in KINDS:
            raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind!r}")
        signal, mask = self._of(reference)
        if kind == "mean":
            return self._mean(signal, mask, by_position)
        lengths, donors_mask = self._mask.sum(axis=1), mask
        same = reference is None or reference is self.items
        donors = draw_donors(lengths - 1, donors_mask.sum(axis=1) - 1, same, seed)
        order = np.argsort(~donors_mask, axis=1, kind="stable")  # unmasked steps first
        number = np.clip(_numbers(self._mask), 0, donors_mask.sum(axis=1)[donors][:, None] - 1)
        steps = np.take_along_axis(order[donors], np.maximum(number, 0), axis=1)
        return np.asarray(np.nan_to_num(signal[donors[:, None], steps]))

    def _mean(self, signal: np.ndarray, mask: np.ndarray, by_position: bool) -> np.ndarray:
        overall = signal[mask].mean(axis=0, dtype=np.float64)
        if not by_position:
            everywhere = np.broadcast_to(overall, (1, self._mask.shape[1], self.units))
            return everywhere.astype(np.float32)
        number = np.where(mask, _numbers(mask), -1)
        means = np.repeat(overall[None], max(self._mask.shape[1], 1), axis=0)
        for step in range(min(len(means), int(number.max(initial=-1)) + 1)):
            means[step] = signal[number == step].mean(axis=0, dtype=np.float64)
        return np.asarray(means[np.maximum(_numbers(self._mask), 0)].astype(np.float32))

    def _of(self, reference: Contrasts | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the signal over a reference's bases, and its mask."""
        if reference is None or reference is self.items:
            return self._base, self._mask
        if self._reference is None or self._reference[0] is not reference:
            signal, mask = self._traced(Passes(self.model, reference.base, self._places))
            self._reference = reference, signal, mask
        return self._reference[1], self._reference[2]

    # -- batches -----------------------------------------------------------------------------

    def _decided(
        self,
        passes: Passes,
        plan: SetPlan | None = None,
        numbers: Mapping[str, np.ndarray] | None = None,
        sets: int = 1,
    ) -> np.ndarray:
        """Return the decisions of each set, `(sets, n)`.

        Args:
            passes: Runs the model on the items.
            plan: What is edited; `None` for nothing.
            numbers: The edits' arrays; see `Rows`.
            sets: How many sets there are.
        """
        count = len(self.items)
        if self._read is None:
            outputs = self._outputs(passes, plan, numbers or {}, sets, self._head)
            decisions = [self._read_out(each) for each in outputs]
            return np.stack(decisions) if decisions else np.empty((0, count), np.float32)
        everyone = np.arange(sets * count)
        rows = Rows(everyone % count, plan, numbers or {}, everyone // count)
        parts = [np.empty(0, np.float32)]
        for outputs, chosen in passes.outputs(rows, self._head):
            parts.append(self._read(outputs, rows.items[chosen]))
        return np.concatenate(parts).reshape(sets, count)

    def _outputs(
        self,
        passes: Passes,
        plan: SetPlan | None,
        numbers: Mapping[str, np.ndarray],
        sets: int,
        head: Any,
    ) -> Iterator[Any]:
        """Yield what the head gives of the model on all items, set by set."""
        count = len(self.items)
        at_once = max(1, _OUTPUTS // count)
        for first in range(0, sets, at_once):
            some = np.arange(first * count, min(first + at_once, sets) * count)
            rows = Rows(some % count, plan, numbers, some // count)
            parts = [outputs for outputs, _ in passes.outputs(rows, head)]
            whole = tree.map_structure(lambda *arrays: np.concatenate(arrays), *parts)
            for begin in range(0, len(some), count):
                yield tree.map_structure(lambda x, at=begin: x[at : at + count], whole)

    def _read_out(self, outputs: Any) -> np.ndarray:
        """Return what the items' `readout` makes of the outputs on all items."""
        assert self.items.readout is not None
        decisions = np.asarray(self.items.readout(outputs))
        if decisions.shape != (len(self.items),):
            raise ValueError(
                "`readout` must return one number for each example. "
                f"Received: shape {decisions.shape} for {len(self.items)} examples"
            )
        sign = 1.0 if self.items.sign is None else self.items.sign
        return np.asarray(decisions * sign, np.float32)


def _numbers(mask: np.ndarray) -> np.ndarray:
    """Return each step's number among the unmasked ones; at a masked step, that of the last."""
    return np.cumsum(mask, axis=1) - 1
