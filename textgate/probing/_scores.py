"""Scores of single units: how far apart does each unit keep two classes, and is it chance?

For each unit three effect sizes, which don't depend on each other's choices:

- **Cohen's d**: the difference of the classes' means, in pooled standard deviations; **Hedges' g**
  is d without its bias in small samples (Hedges 1981);
- **AUC**: how often a random example of one class lies above a random one of the other, ties
  counted half (Mann & Whitney 1947). 0.5 is no difference; it doesn't care about outliers.

The unit of resampling. Sentences with the same name aren't independent: a unit that knows names
differs between any two sets of names. So tests treat clusters (lexemes), not sentences, as the
observations: the test statistic is Welch's t between the clusters' means, and its null distribution
comes from permutations. Exchangeable under the null are the labels of whole clusters; where a
cluster has sentences of both classes, the two labels within it.

Labels of steps. Every unmasked step is an observation, and the clusters are examples or what is
larger, such as lines. A label that is a number has Pearson's correlation in place of d and AUC; its
test flips the signs of the clusters' shares of the covariance.

Many units. At 5 %, 32 of 650 units that know nothing come out "significant". Two corrections:

- **max-T** (Westfall & Young 1993), `p_max`: how often the *largest* |t| over all units, under
  permutation, reaches this unit's. Few false finds at all: the chance that even one unit below
  0.05 knows nothing is at most 5 %. It uses that units are correlated, and so costs less than
  Bonferroni's.
- **False discovery rate** (Benjamini & Hochberg 1995), `p_fdr`: among the units below 0.05, about
  5 % know nothing. For a single unit to pass it, 1 / (permutations + 1) must lie below 0.05 /
  units.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from textgate._received import few
from textgate.probing._class_scores import (
    MaxT,
    auc,
    blocks_of,
    effect_sizes,
    interval_of_d,
    max_t,
)
from textgate.probing._signals import PerExample, PerStep, Position, Trace, described
from textgate.probing._step_scores import Steps, class_scores, correlations
from textgate.probing._tasks import Sample, Task, task_of
from textgate.probing._threads import one_thread
from textgate.probing.folds import Targets


def unit_scores(
    trace: Trace,
    labels: PerStep,
    groups: PerStep | None,
    signal: str | None,
    position: Position | None = None,
    *,
    layer: str | None = None,
    anchor: PerExample | None = None,
    permutations: int = 5000,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score each unit of a layer by how well it tells two classes apart, or goes with a number.

    Args:
        trace: As for `probe`.
        labels: As for `probe`; two classes, or numbers of steps. The effect is that of the second
            class in alphabetical (or numerical) order over the first.
        groups: The cluster of each example (its lexeme) or of each step, or the name of a label of
            the trace; `None`: each example is on its own.
        signal: As for `probe`.
        position: The position, or many steps at once, as for `probe`; by default −1, and `"all"`
            for labels of steps.
        layer: Name of the layer, where the trace has several.
        anchor: A step of each example, or the name of a label.
        permutations: How many permutations.
        resamples: Resamples of the bootstrap over clusters that gives the interval of d.
        seed: Seed of permutations and bootstrap.

    Returns:
        One row a unit, in their order: `unit`, `mean_low` and `mean_high` (means of the first and
        the second class), `cohens_d` with its 95 % interval `d_low` and `d_high`, `hedges_g`,
        `auc`, `t` (between clusters), `p` (of this unit alone), `p_max` and `p_fdr` (corrected),
        `low_class`, `high_class`, `layer`, `signal`, `position`, `examples`, `clusters`,
        `permutations`, `seed`; over steps also `steps`, how many there were. For numbers
        `correlation` with `low` and `high` takes the place of means, d, g and AUC.

    Raises:
        ValueError: If there aren't two classes, a class has fewer than two clusters, a name is
            unknown, or the position lies outside all examples.

    Example:

    >>> import xarray as xr
    >>> random = np.random.default_rng(0)
    >>> names = np.repeat(np.arange(20), 5)
    >>> states = xr.DataArray(random.normal(size=(100, 1, 8)), dims=("example", "time", "unit"))
    >>> states[:, 0, 5] += 3.0 * (names % 2)
    >>> scores = unit_scores(states, names % 2, names, None)
    >>> scores.unit[scores.p_max < 0.05].tolist()
    [5]

    Which unit says which step it is? Each example is a cluster.

    >>> steps = np.broadcast_to(np.arange(6.0), (20, 6))
    >>> states = xr.DataArray(random.normal(size=(20, 6, 4)), dims=("example", "time", "unit"))
    >>> states[..., 3] += steps
    >>> scores = unit_scores(states, steps, None, None)
    >>> scores.unit[scores.p_max < 0.05].tolist(), scores.steps[0].item()
    ([3], 120)
    """
    if isinstance(permutations, bool) or not isinstance(permutations, int) or permutations < 1:
        raise ValueError(
            f"`permutations` must be a whole number above 0. Received: {permutations!r}"
        )
    task = task_of(trace, labels, groups, signal, layer, anchor, position)
    place = task.position if position is None else position
    scores = _over_steps if task.over_steps else _over_examples
    return scores(task, place, permutations, resamples, seed)


def _over_examples(
    task: Task, position: Position, permutations: int, resamples: int, seed: int
) -> pd.DataFrame:
    sample = _of_two_classes(task, position)
    values, high, clusters = sample.values, sample.targets.y == 1, sample.targets.groups
    blocks = blocks_of(values, high, clusters)
    _check_clusters(sample.targets, blocks.high)
    effects = effect_sizes(values, high)
    with one_thread():
        tests = max_t(*blocks, permutations, seed)
        d_low, d_high = interval_of_d(values, high, clusters, resamples, seed)
    return _table(
        task,
        {
            "mean_low": values[~high].mean(axis=0),
            "mean_high": values[high].mean(axis=0),
            "cohens_d": effects.d,
            "d_low": d_low,
            "d_high": d_high,
            "hedges_g": effects.g,
            "auc": auc(values, high),
        },
        tests,
        low_class=sample.targets.classes[0],
        high_class=sample.targets.classes[1],
        layer=task.signal.layer,
        signal=task.signal.name,
        position=described(position),
        examples=len(sample.rows),
        clusters=sample.targets.group_count,
        permutations=permutations,
        seed=seed,
    )


def _over_steps(
    task: Task, position: Position, permutations: int, resamples: int, seed: int
) -> pd.DataFrame:
    rows, steps, entries = task.places(position)
    targets = task.every.of(entries)
    _check_steps(targets, position)
    values = task.signal.read_many(rows, steps)
    about: dict[str, Any] = {
        "layer": task.signal.layer,
        "signal": task.signal.name,
        "position": described(position),
        "examples": len(np.unique(rows)),
        "steps": len(rows),
        "clusters": targets.group_count,
        "permutations": permutations,
        "seed": seed,
    }
    if targets.are_numbers:
        with one_thread():
            effects, tests = correlations(
                values, targets.y, targets.groups, permutations, resamples, seed
            )
        return _table(task, effects, tests, **about)
    low_class, high_class = targets.classes
    ordered = Steps.of(values, targets.groups * 2 + targets.y)
    _check_clusters(targets, ordered.keys % 2 == 1)
    with one_thread():
        effects, tests = class_scores(ordered, targets.y == 1, permutations, resamples, seed)
    return _table(task, effects, tests, low_class=low_class, high_class=high_class, **about)


def _table(
    task: Task, effects: Mapping[str, np.ndarray], tests: MaxT, **about: Any
) -> pd.DataFrame:
    """Return a row for each unit: effects, tests, and what is the same for all."""
    corrected = stats.false_discovery_control(tests.p, method="bh")
    table = {"unit": task.signal.units, **effects, **tests._asdict(), "p_fdr": corrected}
    return pd.DataFrame(table).assign(**about)


def _check_clusters(targets: Targets, high: np.ndarray) -> None:
    """Raise a `ValueError` unless each class comes from two blocks at least."""
    for name, members in zip(targets.classes, (~high, high), strict=True):
        if members.sum() < 2:
            raise ValueError(
                "each class must come from two clusters (`groups`) at least. "
                f"Received: class {name!r} from {int(members.sum())}"
            )


def _check_steps(targets: Targets, position: Position) -> None:
    """Raise a `ValueError` if steps can't be scored."""
    if not len(targets.y):
        raise ValueError(
            "`position` must stand for unmasked steps with a label. "
            f"Received: position={described(position)}, with none"
        )
    if targets.are_numbers:
        if len(np.unique(targets.y)) < 2 or targets.group_count < 2:
            raise ValueError(
                "numbers must have two values, from two clusters (`groups`) at least. Received: "
                f"{len(np.unique(targets.y))} values from {targets.group_count} clusters"
            )
    elif len(targets.classes) != 2:
        raise ValueError(
            "`labels` must have two classes, or be numbers (floats); choose the steps of two "
            f"classes by `position`. Received: {few(targets.classes)}"
        )


def _of_two_classes(task: Task, position: Position) -> Sample:
    """Return the examples at a position.

    Raises:
        ValueError: If the labels, or those at the position, aren't of two classes.
    """
    if len(task.targets.classes) != 2:
        raise ValueError(
            "`labels` must have two classes; choose two and leave out the other examples. "
            f"Received: {few(task.targets.classes)}"
        )
    sample = task.at(position)
    classes = sample.targets.classes
    if len(classes) != 2:
        raise ValueError(
            "`position` must lie within examples of both classes. "
            f"Received: position={position}, with {len(sample.rows)} examples of {few(classes)}"
        )
    return sample
