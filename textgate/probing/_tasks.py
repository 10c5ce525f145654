"""A probing task: a signal, a class to predict for each example, and where to read it."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from textgate.probing._signals import (
    PerExample,
    Signal,
    Trace,
    anchor_of,
    per_example,
    signal_of,
)
from textgate.probing.folds import Targets, targets_of


class Sample(NamedTuple):
    """What a probe is trained and tested on: the examples that have a step at a position.

    Attributes:
        values: The signal there, `float64` of shape `(rows, units)`.
        rows: The examples' numbers, of shape `(rows,)`.
        targets: Their classes and groups, numbered anew.
    """

    values: np.ndarray
    rows: np.ndarray
    targets: Targets


@dataclass(frozen=True)
class Task:
    """A probing task.

    Attributes:
        signal: What is read.
        targets: What is to be predicted for each example, and its group.
        anchor: The step of each example that positions are relative to, if there is one.
    """

    signal: Signal
    targets: Targets
    anchor: np.ndarray | None

    def at(self, position: int) -> Sample:
        """Return the examples that have a step at a position."""
        values, rows = self.signal.at(position, self.anchor)
        return Sample(values, rows, self.targets.of(rows))


def task_of(
    trace: Trace,
    labels: PerExample,
    groups: PerExample,
    signal: str | None,
    layer: str | None = None,
    anchor: PerExample | None = None,
) -> Task:
    """Return the task that the arguments of a probe describe.

    Raises:
        TypeError: If `trace` isn't a trace.
        ValueError: If a name is unknown, there is only one class, or there isn't one value for
            each example.
    """
    source = signal_of(trace, signal, layer)
    targets = targets_of(
        per_example(source, labels, "labels"), per_example(source, groups, "groups")
    )
    return Task(source, targets, anchor_of(source, anchor))
