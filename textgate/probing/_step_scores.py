"""Scores of units over many steps: the sums of each cluster, from which all else follows.

50,000 steps of 650 units are 130 megabytes. They are gone through once, a few units at a time, each
unit's values side by side and ordered by cluster. What is kept of them are sums over clusters: of
the values, of their squares, and of their products with a label. A resample of clusters, or a
permutation of their labels, weighs sums and never sees the steps again. Only AUC needs the values
themselves: they are sorted once a unit.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from textgate.probing._class_scores import MaxT, bootstrap_of_d, max_t, ratio, without_bias

_UNITS = 32  # at a time
_DRAWS = 1000  # draws of signs at a time


class Steps(NamedTuple):
    """Steps in the order of their blocks; a block is what one cluster has of one class.

    Attributes:
        values: Of shape `(n, units)`.
        order: The steps' numbers, block by block, of shape `(n,)`.
        starts: Where each block begins, of shape `(blocks,)`.
        keys: The number of each block, of shape `(blocks,)`.
        n: How many steps each block has, of shape `(blocks,)`.
    """

    values: np.ndarray
    order: np.ndarray
    starts: np.ndarray
    keys: np.ndarray
    n: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, blocks: np.ndarray) -> "Steps":
        """Return steps by the number of the block that each belongs to."""
        order = np.argsort(blocks, kind="stable")
        keys, starts, n = np.unique(blocks[order], return_index=True, return_counts=True)
        return cls(values, order, starts, keys, n)

    def units(self) -> Iterator[slice]:
        """Yield the units, a few at a time."""
        for start in range(0, self.values.shape[1], _UNITS):
            yield slice(start, start + _UNITS)

    def through(self, function: Callable[[slice], tuple[np.ndarray, ...]]) -> list[np.ndarray]:
        """Return what a function of a few units returns, put together for all of them."""
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(function, self.units()))
        return [np.concatenate(part, axis=-1) for part in zip(*found, strict=True)]

    def centred(self, units: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the values of some units, block by block, `(units, n)`; centred; their means."""
        raw = np.ascontiguousarray(self.values[:, units].T)[:, self.order]
        x = raw.astype(np.float64)
        constant = raw.min(axis=1) == raw.max(axis=1)  # whose mean rounding may miss
        mean = np.where(constant, x[:, 0], x.mean(axis=1))
        return raw, x - mean[:, None], mean

    def sums(self, x: np.ndarray) -> np.ndarray:
        """Return the sum of each block, of shape `(blocks, units)`."""
        return np.add.reduceat(x, self.starts, axis=1).T


def class_scores(
    steps: Steps, is_high: np.ndarray, permutations: int, resamples: int, seed: int
) -> tuple[dict[str, np.ndarray], MaxT]:
    """Score units by two classes of steps.

    Args:
        steps: The steps, in blocks of 2 × cluster + class.
        is_high: Whether each is of the second class, of shape `(n,)`.
        permutations: How many permutations of the clusters' labels.
        resamples: Resamples of the bootstrap over clusters.
        seed: Seed.

    Returns:
        By name what each unit has, of shape `(units,)`, and the tests.
    """
    high = is_high[steps.order]

    def of_units(units: slice) -> tuple[np.ndarray, ...]:
        raw, x, mean = steps.centred(units)
        within = np.zeros(len(x))
        for part in (x[:, ~high], x[:, high]):
            within += ((part - part.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
        area = np.array([_auc(row[~high], row[high]) for row in raw])
        return mean, within, area, steps.sums(x), steps.sums(x * x)

    mean, within, area, sums, squares = steps.through(of_units)
    of_class = steps.keys % 2
    cluster = steps.keys // 2
    spread = np.sqrt(squares.sum(axis=0) / len(high))
    scale = np.where(spread > 0, spread, 1.0)
    means, classes = [], []
    for code in (0, 1):
        members = of_class == code
        n = np.bincount(cluster[members], steps.n[members], minlength=cluster.max() + 1)
        of_cluster = np.zeros((2, len(n), len(mean)))
        of_cluster[0, cluster[members]] = sums[members] / scale
        of_cluster[1, cluster[members]] = squares[members] / scale**2
        classes.append((n, *of_cluster))
        means.append(mean + sums[members].sum(axis=0) / n.sum())
    degrees = len(high) - 2
    d = ratio(means[1] - means[0], np.sqrt(within / max(degrees, 1)))
    d_low, d_high = bootstrap_of_d(classes, resamples, seed)
    tests = max_t(sums / steps.n[:, None], of_class == 1, cluster, permutations, seed)
    return {
        "mean_low": means[0],
        "mean_high": means[1],
        "cohens_d": d,
        "d_low": d_low,
        "d_high": d_high,
        "hedges_g": d * without_bias(degrees),
        "auc": area,
    }, tests


def _auc(low: np.ndarray, high: np.ndarray) -> float:
    """Return how often a value of `high` lies above one of `low`, ties counted half."""
    low, high = np.sort(low), np.sort(high)
    if len(low) < len(high):
        return 1.0 - _auc(high, low)
    below = np.searchsorted(low, high, "left")
    tied = high[np.append(low, np.nan)[below] == high]  # few, as a rule
    ties = np.searchsorted(low, tied, "right") - np.searchsorted(low, tied, "left")
    return float((below.sum() + ties.sum() / 2) / (len(low) * len(high)))


def correlations(
    values: np.ndarray,
    numbers: np.ndarray,
    clusters: np.ndarray,
    permutations: int,
    resamples: int,
    seed: int,
) -> tuple[dict[str, np.ndarray], MaxT]:
    """Correlate each unit with a number, steps of a cluster counted as hanging together.

    Where a unit has nothing to do with the number, a cluster's share of their covariance is as
    likely to be what it is as to be its opposite: the test flips the signs of clusters.

    Args:
        values: Of shape `(n, units)`.
        numbers: Of shape `(n,)`.
        clusters: The cluster of each step as a number, of shape `(n,)`.
        permutations: How many draws of signs.
        resamples: Resamples of the bootstrap over clusters.
        seed: Seed.

    Returns:
        Pearson's correlation, 0 for a unit that is constant, with its interval, each of shape
        `(units,)`; and the tests.
    """
    steps = Steps.of(values, clusters)
    y = (numbers - numbers.mean())[steps.order]

    def of_units(units: slice) -> tuple[np.ndarray, ...]:
        _, x, _ = steps.centred(units)
        return steps.sums(x), steps.sums(x * x), steps.sums(x * y)

    x, xx, xy = steps.through(of_units)
    columns = y[None], (y * y)[None]
    moments = [steps.sums(column) for column in columns] + [x, xx, xy]
    r = _correlation(np.ones((1, len(steps.n))), steps.n, moments)[0]
    random = np.random.default_rng([seed, 1])
    count = len(steps.n)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)
    low, high = np.quantile(_correlation(drawn, steps.n, moments), [0.025, 0.975], axis=0)
    return {"correlation": r, "low": low, "high": high}, _sign_flips(xy, permutations, seed)


def _correlation(weights: np.ndarray, n: np.ndarray, moments: Sequence[np.ndarray]) -> np.ndarray:
    """Return correlations with each cluster counted as often as its weight says.

    Args:
        weights: Of shape `(k, clusters)`.
        n: How many steps each cluster has.
        moments: Its sums of y, y², x, x² and xy; of y `(clusters, 1)`, else `(clusters, units)`.

    Returns:
        Of shape `(k, units)`.
    """
    total = (weights @ n)[:, None]
    y, yy, x, xx, xy = (weights @ moment / total for moment in moments)
    variance = (xx - x**2) * (yy - y**2)
    usual = np.outer(moments[1].sum(axis=0), moments[3].sum(axis=0))[0] / n.sum() ** 2
    some = variance > 1e-12 * usual  # less than that is what rounding leaves of a constant
    scale = np.sqrt(np.maximum(variance, 0))
    correlation = np.divide(xy - x * y, scale, out=np.zeros_like(xy), where=some)
    return np.asarray(np.clip(correlation, -1, 1))


def _sign_flips(shares: np.ndarray, draws: int, seed: int) -> MaxT:
    """Test whether shares of shape `(clusters, units)` add up to something, two-sided."""
    error = np.sqrt((shares**2).sum(axis=0))
    scaled = np.divide(shares, error, out=np.zeros_like(shares), where=error > 0)
    t = scaled.sum(axis=0)
    size = np.abs(t) * (1 - 1e-9)  # what equals it but for rounding, equals it
    random = np.random.default_rng(seed)
    alone, overall = np.ones(len(t)), np.ones(len(t))
    for start in range(0, draws, _DRAWS):
        signs = random.integers(0, 2, (min(_DRAWS, draws - start), len(shares))) * 2.0 - 1.0
        flipped = np.abs(signs @ scaled)
        alone += (flipped >= size).sum(axis=0)
        overall += (flipped.max(axis=1)[:, None] >= size).sum(axis=0)
    return MaxT(t, alone / (draws + 1), overall / (draws + 1))
