"""What interventions on sets of units do to a language model's choice between two words.

The measure is the *logit difference* of an item: the logit of the word that is right after its
prefix (`good`) minus that of the wrong one (`bad`). It is positive where the model chooses right,
and an intervention's effect is what it takes away. Four kinds of intervention, each at every step
of the prefix, inside the step, so that all that follows does so from the changed value:

- `"interchange"`: the units take the values that they have, step by step, in the item's source, the
  same prefix with the other feature. If the choice follows the source, the units carry the feature.
- `"zero"`: the units are 0. Zero is not neutral: a unit that is always 0.9 says something by it.
- `"mean"`: the units take their mean over a reference, over all steps or at the same step: what
  they say of this item in particular is gone, what they say of all remains.
- `"resample"`: the units take the values that they have in another item, drawn at random. Unlike
  the mean, these values are ones that occur, and occur together.

Interchange of all *but* a set is the interchange of its complement, `~set`.

Instead of single units, the part of the signal in a subspace can be exchanged (`run_subspace`):
with Q its orthonormal basis, s becomes s + (value − s) Q Qᵀ. This says whether a *direction*
carries what no small set of units does.

All sets and items are run side by side, in blocks that bound the memory, and what an intervention
cannot change is computed once: see `textgate.interchange._edited_runs`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from keras import ops

from textgate.interchange._clean_runs import readout_difference, run_clean, stack_of, tensors_of
from textgate.interchange._edited_runs import edited_run
from textgate.interchange._items import Contrasts
from textgate.interchange._replacements import (
    INTERCHANGE,
    KINDS,
    draw_donors,
    first_difference,
    mean_at_steps,
)
from textgate.interchange._sets import checked_bases, checked_sets
from textgate.recurrence.steps import project
from textgate.tracing import find_sites, resolve

_ITEMS = 32  # items in a block, at most; fewer means fewer steps gone for the longest of them
_NUMBERS = 2**20  # pre-activations in a block, at most: 4 MB, which stay in the processor's cache

# (items (b,), steps (b, time)) -> the signal's new values, (b, time, units)
_Values = Callable[[np.ndarray, np.ndarray], np.ndarray]


class StackRunner:
    """Runs a language model with sets of units changed.

    The model's weights are read when the runner is made; what is trained after that is not seen.

    Args:
        lm: A `textgate.models.LanguageModel`.
        items: The items, as `textgate.interchange.contrasts` makes them.
        layer: Name of the recurrent layer (`"lstm"`, `"lstm_1"`, …).
        signal: The signal to change: a state, a gate or the candidate.

    Attributes:
        items: The items.
        layer: The layer's name.
        signal: The signal's name.
        units: How many units the layer has.
        one_layer: Whether the name stands for one layer, which here it does.

    Raises:
        ValueError: If the model has no such layer, or the layer no such signal.
        TypeError: If `lm` is not a language model of textgate.

    Example:

    >>> import pandas as pd
    >>> from textgate.models import LanguageModel
    >>> from textgate.interchange import contrasts
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer("the actress actor lost her his way".split())
    >>> lm = LanguageModel(tokenizer, units=4, seed=0)
    >>> pairs = pd.DataFrame({
    ...     "good": ["the actress lost her way", "the actor lost his way"],
    ...     "bad": ["the actress lost his way", "the actor lost her way"],
    ...     "target": 3,
    ...     "counterpart_prefix": ["the actor lost", "the actress lost"],
    ... })
    >>> runner = StackRunner(lm, contrasts(lm, pairs), "lstm")
    >>> each_unit = np.eye(runner.units, dtype=bool)
    >>> runner.run(each_unit, "interchange").shape
    (4, 2)
    >>> all_units = np.ones((1, runner.units), dtype=bool)
    >>> bool(np.allclose(runner.run(all_units, "interchange"), runner.source(), atol=1e-6))
    True
    """

    one_layer = True

    def __init__(self, lm: Any, items: Contrasts, layer: str, signal: str = "cell_state") -> None:
        self._stack = stack_of(lm)
        name = resolve(layer, find_sites(lm)[0])[0][0].layer.name
        self._index = self._stack.names.index(name)
        self._spec = self._stack.specs[self._index]
        if signal not in self._spec.cell.signals:
            raise ValueError(
                f"`signal` must be one that {name!r} computes, {list(self._spec.cell.signals)}. "
                f"Received: signal={signal!r}"
            )
        self.layer, self.signal, self.units = name, signal, self._spec.units
        self.items = items
        self._reference: tuple[np.ndarray, Contrasts] | None = None  # the last one used
        self._last = np.asarray(items.last, np.int64)
        self._read_clean(lm)

    def _read_clean(self, lm: Any) -> None:
        """Run base and source as they are, and keep what edited runs start from."""
        specs, top = self._stack.specs, len(self._stack.specs) - 1
        states = {i: specs[i].cell.states for i in range(self._index, top + 1)}
        wanted = dict(states)
        wanted[self._index] = ("inputs", *dict.fromkeys((*states[self._index], self.signal)))
        base = run_clean(self._stack, self.items.base, wanted)
        self._inputs = base[self._index]["inputs"]
        self._states = [[base[i][name] for name in names] for i, names in states.items()]
        self._base = base[self._index][self.signal]
        self._readout = readout_difference(lm, self.items.good, self.items.bad)
        self._clean = self._decisions(base[top]["hidden_state"])
        self._source: np.ndarray | None = None
        self._source_decisions: np.ndarray | None = None
        if self.items.source is not None:
            both: dict[int, tuple[str, ...]] = {top: ("hidden_state",)}
            both[self._index] = (*both.get(self._index, ()), self.signal)
            source = run_clean(self._stack, self.items.source, both)
            self._source = source[self._index][self.signal]
            self._source_decisions = self._decisions(source[top]["hidden_state"])

    def _decisions(self, hidden: np.ndarray) -> np.ndarray:
        vectors, offsets = self._readout
        chosen = hidden[np.arange(len(hidden)), self._last]
        return np.asarray(np.sum(chosen * vectors, axis=-1) + offsets)

    # -- without interventions ---------------------------------------------------------------

    def clean(self) -> np.ndarray:
        """Return the logit differences without any intervention, of shape `(n,)`."""
        return self._clean.copy()

    def source(self) -> np.ndarray:
        """Return the logit differences after the sources: of the same two words, `(n,)`.

        Raises:
            ValueError: If the contrasts have no sources.
        """
        return self._from_source(self._source_decisions).copy()

    def base_values(self) -> np.ndarray:
        """Return the signal on the bases, `float64` of `(n, time, units)`, NaN at padding."""
        return self._unpadded(self._base)

    def source_values(self) -> np.ndarray:
        """Return the signal on the sources, likewise.

        Raises:
            ValueError: If the contrasts have no sources.
        """
        return self._unpadded(self._from_source(self._source))

    def _unpadded(self, signal: np.ndarray) -> np.ndarray:
        return np.where(self.items.mask[..., None], signal.astype(np.float64), np.nan)

    def activity(self) -> np.ndarray:
        """Return each unit's root mean square over the steps of the base, of shape `(units,)`."""
        inside = self._base[self.items.mask].astype(np.float64)
        return np.asarray(np.sqrt((inside**2).mean(axis=0)))

    # -- with interventions ------------------------------------------------------------------

    def run(
        self,
        sets: Any,
        kind: str = "interchange",
        reference: Contrasts | None = None,
        seed: int = 0,
        by_position: bool = False,
    ) -> np.ndarray:
        """Return the logit difference of each item with the units of each set changed.

        Args:
            sets: Booleans of shape `(m, units)`: which units each set has.
            kind: `"interchange"`, `"zero"`, `"mean"` or `"resample"`.
            reference: For `"mean"` and `"resample"`: whose bases the values come from; the items'
                own by default.
            seed: For `"resample"`: seed of the draw. All sets get the same draw. Where no other
                item is as long, a shorter one's last value goes on.
            by_position: For `"mean"`: whether each step has its own mean, over the items that are
                long enough. Where none is, it is the mean over all steps.

        Returns:
            `float32` of shape `(m, n)`.

        Raises:
            ValueError: If the sets are not booleans of that shape, the kind is unknown, it needs
                sources and there are none, or there is nobody to resample from.
        """
        masks = checked_sets(sets, self.units, self.layer)
        values, start = self._values(kind, reference, seed, by_position)
        if len(masks) and (masks.sum(axis=1) == 1).all():
            return self._run("unit", masks.argmax(axis=1).astype(np.int32), values, start)
        return self._run("units", masks, values, start)

    def run_subspace(
        self,
        basis: Any,
        kind: str = "interchange",
        reference: Contrasts | None = None,
        seed: int = 0,
        by_position: bool = False,
    ) -> np.ndarray:
        """Return the logit differences with the part of the signal in a subspace changed.

        Args:
            basis: Orthonormal columns, of shape `(units, rank)`; or several such bases,
                `(m, units, rank)`.
            kind: As for `run`; `"zero"` takes the subspace's part out.
            reference: As for `run`.
            seed: As for `run`.
            by_position: As for `run`.

        Returns:
            `float32` of shape `(n,)`, or `(m, n)` for several bases.

        Raises:
            ValueError: If a basis is not orthonormal or has another shape, or as `run` does.
        """
        bases = checked_bases(basis, self.units)
        values, start = self._values(kind, reference, seed, by_position)
        result = self._run("subspace", bases, values, start)
        return result[0] if np.ndim(basis) == 2 else result

    # -- values ------------------------------------------------------------------------------

    def _values(
        self, kind: str, reference: Contrasts | None, seed: int, by_position: bool
    ) -> tuple[_Values, np.ndarray]:
        """Return the signal's new values, and for each item the first step with a new value."""
        n = len(self._last)
        if kind == INTERCHANGE:
            source = self._from_source(self._source)
            start = first_difference(self.items.base, self.items.source, self._last)
            return (lambda items, steps: source[items[:, None], steps]), start
        if kind == "zero":
            zero = np.zeros((1, 1, self.units), np.float32)
            return (lambda items, steps: zero), np.zeros(n, np.int64)
        if kind == "mean":
            signal, of = self._of(reference)
            time = self.items.base.shape[1]
            mean = mean_at_steps(signal, of.mask, time, by_position)
            return (lambda items, steps: mean[steps]), np.zeros(n, np.int64)
        if kind == "resample":
            signal, of = self._of(reference)
            ends = np.asarray(of.last, np.int64)
            donors = draw_donors(self._last, ends, of is self.items, seed)

            def drawn(items: np.ndarray, steps: np.ndarray) -> np.ndarray:
                donor = donors[items][:, None]
                return np.asarray(signal[donor, np.minimum(steps, ends[donor])])

            return drawn, np.zeros(n, np.int64)
        raise ValueError(f"`kind` must be one of {KINDS}. Received: kind={kind!r}")

    def _of(self, reference: Contrasts | None) -> tuple[np.ndarray, Contrasts]:
        """Return the signal over a reference's bases, and the reference."""
        if reference is None or reference is self.items:
            return self._base, self.items
        if self._reference is None or self._reference[1] is not reference:
            wanted: dict[int, tuple[str, ...]] = {self._index: (self.signal,)}
            signal = run_clean(self._stack, reference.base, wanted)[self._index][self.signal]
            self._reference = signal, reference
        return self._reference

    @staticmethod
    def _from_source(values: np.ndarray | None) -> np.ndarray:
        """Return what was read off the sources, if there are any."""
        if values is None:
            raise ValueError(
                "interchange needs the items' sources; make the contrasts from pairs with "
                "`counterpart_prefix`. Received: contrasts without"
            )
        return values

    # -- blocks ------------------------------------------------------------------------------

    def _run(self, edit: str, where: np.ndarray, values: _Values, start: np.ndarray) -> np.ndarray:
        result = np.empty((len(where), len(self._last)), np.float32)
        if not result.size:
            return result
        specs = self._stack.specs[self._index :]
        weights = tensors_of(self._stack.weights[self._index :])
        widest = max(spec.units * 4 for spec in specs)
        # With few sets, more items at a time, or the blocks would be too small to be worth it.
        b = min(_ITEMS * (1 if len(where) > 4 else 8), _power_of(2, len(self._last)))
        pieces = list(_pieces(len(where), max(1, _NUMBERS // (widest * b))))
        time = -(-self.items.base.shape[1] // 4) * 4  # few shapes to compile for
        for items, block in self._blocks(start, values, b, time):
            arguments = tensors_of(block)
            arguments[0] = project(self._spec, arguments[0], weights[0])
            x, value, states, readout, last, steps = arguments
            for begin, m in pieces:
                part = where[begin : begin + m]
                padded = np.concatenate([part, np.repeat(part[:1], m - len(part), axis=0)])
                run = edited_run(specs, self.signal, edit, (m, b, time))
                decisions = run(
                    x, value, ops.convert_to_tensor(padded), states, weights, readout, last, steps
                )
                decisions = np.asarray(ops.convert_to_numpy(decisions))
                result[begin : begin + m, items] = decisions[: len(part), : len(items)]
        return result

    def _blocks(
        self, start: np.ndarray, values: _Values, b: int, time: int
    ) -> Iterator[tuple[np.ndarray, list[Any]]]:
        """Yield blocks of items that are about equally many steps from their last."""
        go = self._last - start
        order = np.argsort(go, kind="stable")
        for begin in range(0, len(order), b):
            items = order[begin : begin + b]
            rows = np.concatenate([items, np.repeat(items[:1], b - len(items))])
            steps = np.minimum(start[rows][:, None] + np.arange(time), self._last[rows][:, None])
            value = np.broadcast_to(values(rows, steps), (b, time, self.units))
            first = start[rows]
            states = [
                [
                    np.where(first[:, None] > 0, state[rows, np.maximum(first - 1, 0)], 0)
                    for state in layer
                ]
                for layer in self._states
            ]
            vectors, offsets = self._readout
            yield (
                items,
                [
                    np.swapaxes(self._inputs[rows[:, None], steps], 0, 1),
                    np.swapaxes(value, 0, 1),
                    states,
                    (vectors[rows], offsets[rows]),
                    go[rows].astype(np.int32),
                    np.int32(go[items].max() + 1),
                ],
            )


def _pieces(count: int, most: int) -> Iterator[tuple[int, int]]:
    """Cut `count` sets into pieces of few sizes; yield `(begin, size)`, the last one padded."""
    begin = 0
    while begin < count:
        size = min(most, _power_of(4, count - begin))
        if size > 2 * (count - begin):
            size //= 4
        yield begin, size
        begin += size


def _power_of(base: int, least: int) -> int:
    """Return the smallest power of `base` that is at least `least`."""
    power = 1
    while power < least:
        power *= base
    return power
