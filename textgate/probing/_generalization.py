"""Temporal generalisation: does a probe trained at one position work at the others?

A feature that is readable at every step may be held in one place throughout, or passed from one set
of units to another. Accuracy over positions can't tell the two apart, since it trains a new probe
for each. So each probe is tested at all other positions as well (King & Dehaene 2014). A square of
high accuracy: one lasting code, as a memory cell's. High on the diagonal alone: a code that moves
from step to step. Below chance off the diagonal: a code that turns round.
"""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from textgate.evaluation import interval
from textgate.probing._signals import PerExample, PerStep, Trace
from textgate.probing._tasks import Sample, Task, task_of
from textgate.probing._threads import one_thread
from textgate.probing.classifiers import classifier
from textgate.probing.folds import Split, check_folds, obstacle


def temporal_generalization(
    trace: Trace,
    labels: PerStep,
    groups: PerStep | None,
    signal: str | None,
    positions: Sequence[int],
    *,
    layer: str | None = None,
    anchor: PerExample | None = None,
    folds: int = 5,
    strength: float = 1.0,
    resamples: int = 200,
    seed: int = 0,
) -> xr.Dataset:
    """Train a probe at each position and test it at every position.

    The groups are divided once, so that a probe is tested on groups it hasn't seen, at its own
    position and at others.

    Args:
        trace: As for `probe`.
        labels: As for `probe`, classes; labels of steps are read at each position.
        groups: As for `probe`.
        signal: As for `probe`.
        positions: The positions, relative to `anchor` if there is one.
        layer: Name of the layer, where the trace has several.
        anchor: A step of each example, or the name of a label.
        folds: Number of folds.
        strength: Inverse strength of the penalty, scikit-learn's `C`.
        resamples: Resamples of the bootstrap over groups, for each pair of positions.
        seed: Seed of folds and bootstrap.

    Returns:
        `accuracy`, `low`, `high` with dims `(trained_at, tested_at)`, and `examples` and `majority`
        with dims `(tested_at,)`.

    Raises:
        ValueError: As `probe`.

    Example:

    >>> random = np.random.default_rng(0)
    >>> names = np.repeat(np.arange(20), 5)
    >>> states = xr.DataArray(random.normal(size=(100, 2, 4)), dims=("example", "time", "unit"))
    >>> states[:, 0, 1] += 6.0 * (names % 2)  # first unit 1 knows, then unit 3
    >>> states[:, 1, 3] += 6.0 * (names % 2)
    >>> square = temporal_generalization(states, names % 2, names, None, [0, 1])
    >>> square.accuracy.values.round(1).diagonal().tolist()
    [1.0, 1.0]
    """
    check_folds(folds)
    task = task_of(trace, labels, groups, signal, layer, anchor)
    if task.every.are_numbers:
        raise ValueError(
            "`labels` must be classes; make classes of numbers, such as above or below their "
            "median. Received: numbers"
        )
    splits = task.splits(folds, seed)
    places = [int(position) for position in positions]
    samples = _samples(task, places, folds)
    square = (len(places), len(places))
    accuracy, low, high = np.empty(square), np.empty(square), np.empty(square)
    for i, sample in enumerate(samples):
        for j, correct in enumerate(_correct(sample, samples, task, splits, strength)):
            accuracy[i, j] = correct.mean()
            clusters = [task.every.groups[samples[j].entries]]
            low[i, j], high[i, j] = interval(correct, clusters, resamples=resamples, seed=seed)
    dims = ("trained_at", "tested_at")
    return xr.Dataset(
        {
            "accuracy": (dims, accuracy),
            "low": (dims, low),
            "high": (dims, high),
            "examples": ("tested_at", [len(sample.rows) for sample in samples]),
            "majority": ("tested_at", [sample.targets.majority for sample in samples]),
        },
        coords={"trained_at": places, "tested_at": places},
        attrs={
            "layer": task.signal.layer,
            "signal": task.signal.name,
            "classes": list(task.targets.classes),
            "folds": folds,
            "strength": float(strength),
            "seed": seed,
        },
    )


def _samples(task: Task, positions: Sequence[int], folds: int) -> list[Sample]:
    """Return the examples at each position.

    Raises:
        ValueError: If there is no position, or one where nothing can be probed.
    """
    if not positions:
        raise ValueError("`positions` must be one or more positions. Received: none")
    samples = [task.at(position) for position in positions]
    for position, sample in zip(positions, samples, strict=True):
        if reason := obstacle(sample.targets, folds):
            raise ValueError(
                f"at position {position}, which {len(sample.rows)} of {task.signal.examples} "
                f"examples have, {reason}"
            )
    return samples


def _correct(
    sample: Sample, others: Sequence[Sample], task: Task, splits: Sequence[Split], strength: float
) -> list[np.ndarray]:
    """Return where a probe that is trained on one sample is right on each of the others."""
    y = task.every.y
    correct = [np.empty(len(other.rows), bool) for other in others]
    for train, test in splits:
        chosen = np.isin(sample.entries, train)
        with one_thread():
            probe = classifier(sample.values[chosen], y[sample.entries[chosen]], strength)
            for other, right in zip(others, correct, strict=True):
                held_out = np.isin(other.entries, test)
                if held_out.any():
                    predicted = probe.predict(other.values[held_out])
                    right[held_out] = predicted == y[other.entries[held_out]]
    return correct
