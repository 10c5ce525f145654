"""Temporal generalisation: does a probe trained at one position work at the others?

A feature that is readable at every step may be held in one place throughout, or passed from one set
of units to another. Accuracy over positions can't tell the two apart, since it trains a new probe
for each. So each probe is tested at all other positions as well (King & Dehaene 2014). A square of
high accuracy: one lasting code, as a memory cell's. High on the diagonal alone: a code that moves
from step to step. Below chance off the diagonal: a code that turns round.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from textgate.evaluation import interval
from textgate.probing._signals import anchors, per_example, signal_of
from textgate.probing._threads import one_thread
from textgate.probing.folds import by_group, check_folds, targets_of, why_not
from textgate.probing.probes import classifier


def temporal_generalization(
    trace: Any,
    labels: Any,
    groups: Any,
    signal: str | None,
    positions: Sequence[int],
    *,
    layer: str | None = None,
    anchor: Any = None,
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
        labels: As for `probe`.
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
    >>> found = temporal_generalization(states, names % 2, names, None, [0, 1])
    >>> found.accuracy.values.round(1).diagonal().tolist()
    [1.0, 1.0]
    """
    check_folds(folds)
    found = signal_of(trace, signal, layer)
    targets = targets_of(
        per_example(trace, found, labels, "labels"), per_example(trace, found, groups, "groups")
    )
    splits = by_group(targets, folds, seed)
    fold = np.empty(found.examples, np.int64)
    for number, (_, test) in enumerate(splits):
        fold[test] = number
    steps = anchors(trace, found, anchor)
    places = [int(p) for p in positions]
    if not places:
        raise ValueError("`positions` must be one or more positions. Received: none")
    data = [found.at(p, steps) for p in places]
    for place, (_, rows) in zip(places, data, strict=True):
        reason = why_not(targets.of(rows), folds)
        if reason:
            raise ValueError(
                f"at position {place}, which {len(rows)} of {found.examples} examples have, "
                f"{reason}"
            )
    y, groups_of = targets.y, targets.groups
    shape = (len(places), len(places))
    accuracy, low, high = np.empty(shape), np.empty(shape), np.empty(shape)
    for i, (values, rows) in enumerate(data):
        right = [np.empty(len(there), bool) for _, there in data]
        for number in range(folds):
            train = fold[rows] != number
            with one_thread():
                trained = classifier(values[train], y[rows[train]], strength)
                for j, (others, there) in enumerate(data):
                    test = fold[there] == number
                    if test.any():
                        right[j][test] = trained.predict(others[test]) == y[there[test]]
        for j, (_, there) in enumerate(data):
            accuracy[i, j] = right[j].mean()
            low[i, j], high[i, j] = interval(
                right[j], [groups_of[there]], resamples=resamples, seed=seed
            )
    dims = ("trained_at", "tested_at")
    majority = [np.bincount(y[rows]).max() / len(rows) for _, rows in data]
    return xr.Dataset(
        {
            "accuracy": (dims, accuracy),
            "low": (dims, low),
            "high": (dims, high),
            "examples": ("tested_at", [len(rows) for _, rows in data]),
            "majority": ("tested_at", majority),
        },
        coords={"trained_at": places, "tested_at": places},
        attrs={
            "layer": found.layer,
            "signal": found.name,
            "classes": list(targets.classes),
            "folds": folds,
            "strength": float(strength),
            "seed": seed,
        },
    )
