"""A probing task: a signal, what to predict for each example or each step, and where to read it.

Labels of steps and groups of steps are of shape `(example, time)`, and then everything is counted
by steps, which are numbered example by example. A step takes part if it is unmasked and has a label
and a group; masked steps never do, whatever their labels are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from textgate.probing._signals import (
    ALL,
    PerExample,
    PerStep,
    Position,
    Signal,
    Trace,
    anchor_of,
    is_pooled,
    per_example,
    signal_of,
)
from textgate.probing.folds import Split, Targets, by_group, targets_of

_STEPS = ("example", "time")
# The kind of a label, as `textgate.trace` notes it. Missing ones have made floats of some classes.
NUMBERS = "float"
_AS_GIVEN = {"bool": bool, "int": int}


class Sample(NamedTuple):
    """What a probe is trained and tested on: the examples, or steps, that a position stands for.

    Attributes:
        values: The signal there, `float64` of shape `(rows, units)`.
        rows: The examples' numbers, of shape `(rows,)`.
        steps: Their steps, of shape `(rows,)`.
        entries: The rows' numbers in what the task has for each example, or for each step.
        targets: Their classes and groups, numbered anew.
    """

    values: np.ndarray
    rows: np.ndarray
    steps: np.ndarray
    entries: np.ndarray
    targets: Targets


@dataclass(frozen=True)
class Task:
    """A probing task.

    Attributes:
        signal: What is read.
        every: What is to be predicted for each example (or step), and its group.
        anchor: The step of each example that positions are relative to, if there is one.
        usable: Which steps take part, for a task over steps; `None` for one over examples.
        position: Where labels are read if nothing else is said.
    """

    signal: Signal
    every: Targets
    anchor: np.ndarray | None
    usable: np.ndarray | None = None
    position: Position = -1

    @property
    def over_steps(self) -> bool:
        """Whether it is counted by steps."""
        return self.usable is not None

    @property
    def taking_part(self) -> np.ndarray:
        """The numbers of the examples (or steps) that take part."""
        return np.arange(len(self.every.y)) if self.usable is None else np.flatnonzero(self.usable)

    @property
    def targets(self) -> Targets:
        """What is to be predicted for all that take part."""
        return self.every if self.usable is None else self.every.of(self.taking_part)

    def places(self, position: Position) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the examples, the steps and the entries of what a position stands for."""
        rows, steps = self.signal.places(position, self.anchor)
        if self.usable is None:
            return rows, steps, rows
        entries = rows * self.signal.mask.shape[1] + steps
        used = self.usable[entries]
        return rows[used], steps[used], entries[used]

    def at(self, position: Position) -> Sample:
        """Return the examples that have a step at a position, or the steps that it stands for."""
        rows, steps, entries = self.places(position)
        values = self.signal.read(rows, steps)
        return Sample(values, rows, steps, entries, self.every.of(entries))

    def splits(self, folds: int, seed: int) -> list[Split]:
        """Return folds of all that take part, by their numbers."""
        numbers = self.taking_part
        parts = by_group(self.targets, folds, seed)
        return [(numbers[train], numbers[test]) for train, test in parts]

    def each(self, values: PerStep, argument: str) -> np.ndarray:
        """Return values of examples or steps, such that a sample's `entries` pick out its own."""
        if self.usable is None:
            return per_example(self.signal, values, argument)
        return codes_of(_by_steps(self.signal, values, argument)[0])[0].ravel()


def task_of(
    trace: Trace,
    labels: PerStep,
    groups: PerStep | None,
    signal: str | None,
    layer: str | None = None,
    anchor: PerExample | None = None,
    position: Position | Iterable[int] | None = None,
) -> Task:
    """Return the task that the arguments of a probe describe.

    Raises:
        TypeError: If `trace` isn't a trace.
        ValueError: If a name is unknown, there is only one class, or there isn't one value for
            each example or step.
    """
    source = signal_of(trace, signal, layer)
    if groups is None:
        groups = np.arange(source.examples)
    of_steps = _is_of_steps(source, labels)
    pooled = position is not None and is_pooled(position)
    if not (pooled or of_steps or _is_of_steps(source, groups)):
        targets = targets_of(
            per_example(source, labels, "labels"), per_example(source, groups, "groups")
        )
        return Task(source, targets, anchor_of(source, anchor))
    of_groups = codes_of(_by_steps(source, groups, "groups")[0])[0]
    y, kind = _by_steps(source, labels, "labels")
    classes: tuple[str, ...] = ()
    if kind == NUMBERS:
        there = ~np.isnan(y)
    else:
        y, names = codes_of(y)
        there = y >= 0
        classes = tuple(str(_AS_GIVEN.get(kind, lambda name: name)(name)) for name in names)
    usable = source.mask & there & (of_groups >= 0)
    if not usable.any():
        raise ValueError(
            "`labels` must have a value, and `groups` one, at some unmasked step. Received: none "
            f"in {source.examples} examples"
        )
    every = Targets(y.ravel(), of_groups.ravel(), classes)
    default: Position = ALL if of_steps else -1
    return Task(source, every, anchor_of(source, anchor), usable.ravel(), default)


def _is_of_steps(signal: Signal, values: PerStep) -> bool:
    coords = signal.values.coords
    if isinstance(values, str):
        return values in coords and coords[values].ndim == 2
    return np.ndim(values) == 2


def _by_steps(signal: Signal, values: PerStep, argument: str) -> tuple[np.ndarray, str]:
    """Return a value for each step, `(example, time)`, and the kind of label that they are.

    Raises:
        ValueError: If there is no such label, or it has another shape.
    """
    if not _is_of_steps(signal, values):
        each = per_example(signal, values, argument)
        return np.broadcast_to(each[:, None], signal.mask.shape), "class"
    given = signal.values.coords[values] if isinstance(values, str) else values
    kind = None
    if isinstance(given, xr.DataArray):
        kind = given.attrs.get("label")
        if set(given.dims) == set(_STEPS):
            given = given.transpose(*_STEPS)
    array = np.asarray(given)
    if array.shape != signal.mask.shape:
        raise ValueError(
            f"`{argument}` must have a value for each step, shape {signal.mask.shape}. "
            f"Received: shape {array.shape}"
        )
    if kind is None:
        if array.dtype == object and _are_floats(array[~pd.isna(array)]):
            array = array.astype(np.float64)
        kind = NUMBERS if array.dtype.kind == "f" else "class"
        lost = kind == NUMBERS and set(array[~np.isnan(array)].tolist()) in ({0}, {1}, {0, 1})
        if lost and argument == "labels":
            raise ValueError(
                f"`{argument}` could be true and false, which joining traces makes numbers of; "
                "give bools, and `None` for those that are missing. Received: floats, 0 and 1"
            )
    return (array.astype(np.float64) if kind == NUMBERS else array), kind


def _are_floats(values: np.ndarray) -> bool:
    return bool(len(values)) and all(isinstance(v, float | np.floating) for v in values)


def codes_of(values: np.ndarray) -> tuple[np.ndarray, list[Any]]:
    """Return values as numbers, −1 where there is none (NaN, `None` or `""`), and what they are."""
    if values.dtype.kind in "OU":
        values = values.astype(object)
        values[values == ""] = None
    codes, names = pd.factorize(values.ravel(), sort=True)
    return codes.reshape(values.shape), list(names)
