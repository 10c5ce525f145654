"""Sparse probes: how many units does a classifier need?

A probe on all units may read a feature that is spread over hundreds of them. Restricted to the k
best ones (Gurnee et al. 2023), it says how widely the feature is *encoded*: if one unit gives what
all give, it is local; if accuracy keeps rising with k, it is spread. Units are ranked in each
training part anew and the probe is trained again on the chosen ones, so that the test part has no
say in the choice. `stability` tells whether the folds choose the same units: with redundant units,
which of them is chosen is an accident of the sample. What the model reads is again another matter.
"""

import warnings
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from textgate.evaluation import interval
from textgate.probing._signals import anchors, per_example, signal_of
from textgate.probing._threads import one_thread
from textgate.probing.folds import by_group, check_folds, targets_of
from textgate.probing.probes import classifier

_MOST = 16  # units that a row names


def sparse_probe(
    trace: Any,
    labels: Any,
    groups: Any,
    signal: str | None,
    position: int = -1,
    sizes: Sequence[int] = (1, 2, 4, 8, 16, 32),
    *,
    ranking: str = "mean_difference",
    layer: str | None = None,
    anchor: Any = None,
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
        position: The position.
        sizes: The numbers k of units; those beyond the layer's are left out.
        ranking: `"mean_difference"`: by the difference of the classes' means in standard
            deviations; or `"l1"`: by the coefficients of a logistic regression with an L1 penalty
            (with more than two classes, the largest of each class against the rest).
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
        `layer`, `signal`, `position`, `examples`, `groups`, `folds`, `strength`, `seed`.

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
    wanted = list(sizes)
    if not wanted or any(isinstance(k, bool) or not isinstance(k, int) or k < 1 for k in wanted):
        raise ValueError(f"`sizes` must be whole numbers above 0. Received: sizes={wanted}")
    found = signal_of(trace, signal, layer)
    targets = targets_of(
        per_example(trace, found, labels, "labels"), per_example(trace, found, groups, "groups")
    )
    values, rows = found.at(position, anchors(trace, found, anchor))
    if not len(rows):
        raise ValueError(f"`position` must lie within the examples. Received: position={position}")
    targets = targets.of(rows)
    splits = by_group(targets, folds, seed)
    units = values.shape[1]
    numbers = found.values["unit"].values if "unit" in found.values.coords else np.arange(units)
    tried = sorted({k for k in wanted if k < units} | {units})
    right = {k: np.empty(len(rows), bool) for k in tried}
    chosen: dict[int, list[frozenset[int]]] = {k: [] for k in tried}
    y = targets.y
    for train, test in splits:
        order = _RANKINGS[ranking](values[train], y[train])
        for k in tried:
            best = np.sort(order[:k])
            with one_thread():
                trained = classifier(values[train][:, best], y[train], strength)
                right[k][test] = trained.predict(values[test][:, best]) == y[test]
            chosen[k].append(frozenset(best.tolist()))
    table = []
    for k in tried:
        low, high = interval(right[k], [targets.groups], resamples=resamples, seed=seed)
        table.append(
            {
                "units": k,
                "accuracy": float(right[k].mean()),
                "low": low,
                "high": high,
                "majority": float(np.bincount(y).max() / len(y)),
                "chosen": " ".join(str(numbers[u]) for u in _often(chosen[k], k)),
                "stability": _overlap(chosen[k]),
            }
        )
    return pd.DataFrame(table).assign(
        ranking=ranking,
        layer=found.layer,
        signal=found.name,
        position=int(position),
        examples=len(rows),
        groups=targets.group_count,
        folds=folds,
        strength=float(strength),
        seed=seed,
    )


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


_RANKINGS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mean_difference": _by_mean_difference,
    "l1": _by_l1,
}


def _often(choices: list[frozenset[int]], size: int) -> list[int]:
    counts: dict[int, int] = {}
    for choice in choices:
        for unit in choice:
            counts[unit] = counts.get(unit, 0) + 1
    return sorted(counts, key=lambda unit: (-counts[unit], unit))[: min(size, _MOST)]


def _overlap(choices: list[frozenset[int]]) -> float:
    pairs = [len(a & b) / len(a | b) for a, b in combinations(choices, 2)]
    return float(np.mean(pairs))
