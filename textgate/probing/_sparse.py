"""Sparse probes: how many units does a classifier need?

A probe on all units may read a feature that is spread over hundreds of them. Restricted to the k
best ones (Gurnee et al. 2023), it says how widely the feature is *encoded*: if one unit gives what
all give, it is local; if accuracy keeps rising with k, it is spread. Units are ranked in each
training part anew and the probe is trained again on the chosen ones, so that the test part has no
say in the choice. `stability` tells whether the folds choose the same units: with redundant units,
which of them is chosen is an accident of the sample. What the model reads is again another matter.
"""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from textgate.evaluation import interval
from textgate.probing._r2 import measures_of_numbers
from textgate.probing._signals import PerExample, PerStep, Position, Trace, described
from textgate.probing._tasks import Sample, task_of
from textgate.probing._threads import one_thread
from textgate.probing.classifiers import classifier, held_out_numbers
from textgate.probing.folds import Split, Targets, by_group, check_folds

_MOST = 16  # units that a row names
Ranking = Callable[[np.ndarray, np.ndarray], np.ndarray]  # from features and classes


def sparse_probe(
    trace: Trace,
    labels: PerStep,
    groups: PerStep | None,
    signal: str | None,
    position: Position | None = None,
    sizes: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    ranking: str = "mean_difference",
    layer: str | None = None,
    anchor: PerExample | None = None,
    folds: int = 5,
    strength: float = 1.0,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Train probes on the k best units, for several k, and on all of them.

    Args:
        trace: As for `probe`.
        labels: As for `probe`.
        groups: As for `probe`.
        signal: As for `probe`.
        position: The position, or many steps at once, as for `probe`.
        sizes: The numbers k of units; those beyond the layer's are left out.
        ranking: `"mean_difference"`: by the difference of the classes' means in standard
            deviations, or for numbers by their correlation; or `"l1"`, for classes: by the
            coefficients of a logistic regression with an L1 penalty (with more than two classes,
            the largest of each class against the rest).
        layer: Name of the layer, where the trace has several.
        anchor: A step of each example, or the name of a label.
        folds: Number of folds.
        strength: Inverse strength of the penalty, scikit-learn's `C`.
        resamples: Resamples of the bootstrap over groups.
        seed: Seed of folds and bootstrap.

    Returns:
        One row a size, the last with all units: `units` (how many), `accuracy`, `low`, `high`,
        `majority`, `chosen` (the units that most folds choose, most often chosen first, separated
        by spaces; at most 16), `stability` (mean Jaccard overlap of two folds' choices), `ranking`,
        `layer`, `signal`, `position`, `examples`, `groups`, `folds`, `strength`, `seed`. Over steps
        also `steps`; for numbers `r2` in place of `accuracy` and `majority`.

    Raises:
        ValueError: As `probe`, and if a size or the ranking isn't one.

    Example:

    >>> import xarray as xr
    >>> random = np.random.default_rng(0)
    >>> names = np.repeat(np.arange(20), 5)
    >>> states = xr.DataArray(random.normal(size=(100, 1, 8)), dims=("example", "time", "unit"))
    >>> states[:, 0, 5] += 6.0 * (names % 2)
    >>> sparse_probe(states, names % 2, names, None, sizes=[1])[["units", "chosen"]]
       units           chosen
    0      1                5
    1      8  0 1 2 3 4 5 6 7
    """
    check_folds(folds)
    if ranking not in _RANKINGS:
        raise ValueError(f"`ranking` must be one of {[*_RANKINGS]}. Received: {ranking!r}")
    sizes = list(sizes)
    if not sizes or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 for k in sizes):
        raise ValueError(f"`sizes` must be whole numbers above 0. Received: sizes={sizes}")
    task = task_of(trace, labels, groups, signal, layer, anchor, position)
    place = task.position if position is None else position
    sample = task.at(place)
    if not len(sample.rows):
        raise ValueError(
            f"`position` must lie within the examples. Received: position={described(place)}"
        )
    if sample.targets.are_numbers and ranking == "l1":
        raise ValueError(
            "numbers are ranked by \"mean_difference\", their correlation. Received: ranking='l1'"
        )
    splits = by_group(sample.targets, folds, seed)
    rows = []
    for size, trial in _trials(sample, sizes, splits, _RANKINGS[ranking], strength).items():
        chosen = _most_chosen(trial.choices, min(size, _MOST))
        rows.append(
            {
                "units": size,
                **_measures(trial.predicted, sample.targets, resamples, seed),
                "chosen": " ".join(str(unit) for unit in task.signal.units[chosen]),
                "stability": _stability(trial.choices),
            }
        )
    return pd.DataFrame(rows).assign(
        ranking=ranking,
        layer=task.signal.layer,
        signal=task.signal.name,
        position=described(place),
        examples=len(np.unique(sample.rows)),
        **({"steps": len(sample.rows)} if task.over_steps else {}),
        groups=sample.targets.group_count,
        folds=folds,
        strength=float(strength),
        seed=seed,
    )


def _measures(
    predicted: np.ndarray, targets: Targets, resamples: int, seed: int
) -> dict[str, float]:
    """Return accuracy or R², with its interval."""
    y, groups = targets.y, targets.groups
    if targets.are_numbers:
        nothing = np.zeros(len(y), bool)
        return measures_of_numbers(y, predicted, [], nothing, groups, resamples, seed)
    correct = predicted == y
    low, high = interval(correct, [groups], resamples=resamples, seed=seed)
    accuracy = float(correct.mean())
    return {"accuracy": accuracy, "low": low, "high": high, "majority": targets.majority}


class _Trial(NamedTuple):
    """What came of probes on so many units: what they predict, and each fold's choice."""

    predicted: np.ndarray
    choices: list[frozenset[int]]


def _trials(
    sample: Sample,
    sizes: Iterable[int],
    splits: Sequence[Split],
    ranking: Ranking,
    strength: float,
) -> dict[int, _Trial]:
    """Train probes on the best units of each fold, for each number of units and for all."""
    x, y, are_numbers = sample.values, sample.targets.y, sample.targets.are_numbers
    if are_numbers:
        ranking = _by_correlation
    units = x.shape[1]
    sizes = sorted({size for size in sizes if size < units} | {units})
    trials = {size: _Trial(np.empty(len(y), y.dtype), []) for size in sizes}
    for train, test in splits:
        order = ranking(x[train], y[train])
        for size, trial in trials.items():
            best = np.sort(order[:size])
            with one_thread():
                if are_numbers:
                    fold = [(train, test)]
                    read = held_out_numbers(x[:, best], y[:, None], fold, strength)
                    trial.predicted[test] = read[test, 0]
                else:
                    probe = classifier(x[train][:, best], y[train], strength)
                    trial.predicted[test] = probe.predict(x[test][:, best])
            trial.choices.append(frozenset(best.tolist()))
    return trials


def _by_mean_difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the units by how far the classes' means lie apart, the farthest first."""
    means = np.stack([x[y == c].mean(axis=0) for c in np.unique(y)])
    deviation = x.std(axis=0)
    apart = np.divide(
        means.max(axis=0) - means.min(axis=0),
        deviation,
        out=np.zeros(x.shape[1]),
        where=deviation > 0,
    )
    return np.argsort(-apart, kind="stable")


def _by_correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the units by how closely they go with numbers, up or down, the closest first."""
    x, y = x - x.mean(axis=0), y - y.mean()
    deviation = np.sqrt((x**2).mean(axis=0))
    share = np.divide(np.abs(y @ x), deviation, out=np.zeros(x.shape[1]), where=deviation > 0)
    return np.argsort(-share, kind="stable")


def _by_l1(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the units by their weight in an L1-penalised regression, the heaviest first."""
    import sklearn
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    # From 1.8 on, scikit-learn takes the kind of penalty from `l1_ratio`.
    old = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) < (1, 8)
    penalty: dict[str, Any] = {"penalty": "l1"} if old else {"l1_ratio": 1.0}
    scaled = StandardScaler().fit_transform(x)
    classes = np.unique(y)
    weights = np.zeros(x.shape[1])
    for c in classes[1:] if len(classes) == 2 else classes:
        regression = LogisticRegression(
            **penalty, C=0.1, solver="liblinear", max_iter=1000, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a ranking needs no convergence to the last digit
            regression.fit(scaled, y == c)
        weights = np.maximum(weights, np.abs(regression.coef_[0]))
    # Units of no weight come last, in the order of their mean difference.
    rank = np.empty(x.shape[1])
    rank[_by_mean_difference(x, y)] = np.arange(x.shape[1])
    return np.lexsort((rank, -weights))


_RANKINGS: dict[str, Ranking] = {
    "mean_difference": _by_mean_difference,
    "l1": _by_l1,
}


def _most_chosen(choices: Iterable[frozenset[int]], count: int) -> list[int]:
    """Return the units that most folds choose, most often chosen first."""
    folds = Counter(unit for choice in choices for unit in choice)
    return sorted(folds, key=lambda unit: (-folds[unit], unit))[:count]


def _stability(choices: Iterable[frozenset[int]]) -> float:
    """Return the mean Jaccard overlap of two folds' choices."""
    return float(np.mean([len(a & b) / len(a | b) for a, b in combinations(choices, 2)]))
