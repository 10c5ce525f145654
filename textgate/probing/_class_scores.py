"""How far apart one unit keeps two classes: effect sizes, their intervals, and tests by cluster."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.special import gammaln

_BLOCK = 2_000_000  # numbers computed at a time


class EffectSizes(NamedTuple):
    """Cohen's d and Hedges' g of each unit, each of shape `(units,)`."""

    d: np.ndarray
    g: np.ndarray


def effect_sizes(values: np.ndarray, high: np.ndarray) -> EffectSizes:
    """Return Cohen's d and Hedges' g of each unit.

    Args:
        values: Of shape `(n, units)`.
        high: Which examples are of the class whose mean counts as positive, of shape `(n,)`.

    Returns:
        d and g, each of shape `(units,)`: 0 where a unit is constant, infinite where it is
        constant within the classes and differs between them.

    Example:

    >>> values = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> d, g = effect_sizes(values, np.array([False, False, False, True, True, True]))
    >>> round(float(d[0]), 3), round(float(g[0]), 3)
    (3.0, 2.394)
    """
    first, second = values[~high], values[high]
    degrees = len(values) - 2
    squares = sum(((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in (first, second))
    d = ratio(
        second.mean(axis=0) - first.mean(axis=0), np.sqrt(np.asarray(squares) / max(degrees, 1))
    )
    return EffectSizes(d, d * without_bias(degrees))


def without_bias(degrees: int) -> float:
    """Return what d is multiplied by to give g, with so many degrees of freedom."""
    if degrees < 2:
        return float("nan")
    exact = np.exp(gammaln(degrees / 2) - gammaln((degrees - 1) / 2)) / np.sqrt(degrees / 2)
    return float(exact)


def interval_of_d(
    values: np.ndarray, high: np.ndarray, groups: np.ndarray, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a 95 % interval for Cohen's d of each unit, by a bootstrap over clusters.

    Args:
        values: Of shape `(n, units)`.
        high: Which examples are of the class whose mean counts as positive, of shape `(n,)`.
        groups: The cluster of each example, of shape `(n,)`.
        resamples: How many resamples.
        seed: Seed.

    Returns:
        The lower and the upper end, each of shape `(units,)`: percentiles.
    """
    _, codes = np.unique(groups, return_inverse=True)
    count = codes.max() + 1
    spread = values.std(axis=0)
    y = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    classes = []
    for members in (~high, high):
        sums, powers = np.zeros((count, y.shape[1])), np.zeros((count, y.shape[1]))
        np.add.at(sums, codes[members], y[members])
        np.add.at(powers, codes[members], y[members] ** 2)
        classes.append((np.bincount(codes[members], minlength=count), sums, powers))
    return bootstrap_of_d(classes, resamples, seed)


def bootstrap_of_d(
    classes: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return an interval for d from what each cluster has of either class.

    Args:
        classes: For either class the number of observations of each cluster, of shape
            `(clusters,)`, their sums and the sums of their squares, `(clusters, units)`.
        resamples: How many resamples.
        seed: Seed.
    """
    count = len(classes[0][0])
    random = np.random.default_rng([seed, 1])
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)
    numbers, means, squares = [], [], []
    for n, sums, powers in classes:
        total = (drawn @ n)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            means.append((drawn @ sums) / total)
        numbers.append(total)
        squares.append(drawn @ powers - total * means[-1] ** 2)
    usable = ((numbers[0] > 0) & (numbers[1] > 0))[:, 0]  # a resample may lack a class
    degrees = (numbers[0] + numbers[1] - 2)[usable]
    pooled = np.sqrt(np.maximum(squares[0] + squares[1], 0)[usable] / np.maximum(degrees, 1))
    resampled = ratio((means[1] - means[0])[usable], pooled)
    low, upper = np.quantile(resampled, [0.025, 0.975], axis=0, method="nearest")
    return low, upper


def auc(values: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the area under the ROC curve of each unit, ties counted half.

    Args:
        values: Of shape `(n, units)`.
        high: Which examples are of the class that counts as positive, of shape `(n,)`.

    Example:

    >>> auc(np.array([[1.0], [2.0], [2.0], [3.0]]), np.array([False, False, True, True])).tolist()
    [0.875]
    """
    ranks = stats.rankdata(values, axis=0)
    count = int(high.sum())
    above = ranks[high].sum(axis=0) - count * (count + 1) / 2
    share: np.ndarray = above / (count * (len(values) - count))
    return share


class MaxT(NamedTuple):
    """Welch's t, p of each unit alone, and p corrected by max-T, each of shape `(units,)`."""

    t: np.ndarray
    p: np.ndarray
    p_max: np.ndarray


def max_t(
    means: np.ndarray, high: np.ndarray, cluster: np.ndarray, permutations: int, seed: int
) -> MaxT:
    """Test each unit by permuting the labels of clusters, with the max-T correction.

    Args:
        means: The mean of each block, of shape `(blocks, units)`. A block is what one cluster has
            of one class.
        high: Whether the block is of the second class, of shape `(blocks,)`.
        cluster: The block's cluster, of shape `(blocks,)`.
        permutations: How many permutations.
        seed: Seed.

    Returns:
        Welch's t, p of each unit alone, and p corrected; each of shape `(units,)`. As the order
        observed is one of the possible ones, no p is below 1 / (permutations + 1).

    Example:

    >>> random = np.random.default_rng(0)
    >>> means = random.normal(size=(20, 3))
    >>> high = np.arange(20) < 10
    >>> means[high, 1] += 5
    >>> t, p, p_max = max_t(means, high, np.arange(20), 999, seed=1)
    >>> p_max.round(3).tolist()[1]
    0.001
    """
    random = np.random.default_rng(seed)
    spread = means.std(axis=0)
    y = np.divide(
        means - means.mean(axis=0), spread, out=np.zeros_like(means), where=spread > 1e-12
    )
    observed = _welch(high[None].astype(float), y)[0]
    size = np.abs(observed) * (1 - 1e-9)  # what equals it but for rounding, equals it
    alone, overall = np.ones(len(size)), np.ones(len(size))
    block = max(1, _BLOCK // max(means.shape))
    for start in range(0, permutations, block):
        labels = _permuted(high, cluster, min(block, permutations - start), random)
        permuted = np.abs(_welch(labels.astype(float), y))
        alone += (permuted >= size).sum(axis=0)
        overall += (permuted.max(axis=1)[:, None] >= size).sum(axis=0)
    return MaxT(observed, alone / (permutations + 1), overall / (permutations + 1))


class Blocks(NamedTuple):
    """What each cluster has of each class.

    Attributes:
        means: The mean of each block, of shape `(blocks, units)`.
        high: Whether the block is of the second class, of shape `(blocks,)`.
        cluster: The block's cluster, of shape `(blocks,)`.
    """

    means: np.ndarray
    high: np.ndarray
    cluster: np.ndarray


def blocks_of(values: np.ndarray, high: np.ndarray, groups: np.ndarray) -> Blocks:
    keys, codes, counts = np.unique(groups * 2 + high, return_inverse=True, return_counts=True)
    sums = np.zeros((len(keys), values.shape[1]))
    np.add.at(sums, codes, values)
    return Blocks(sums / counts[:, None], keys % 2 == 1, keys // 2)


def _permuted(
    high: np.ndarray, cluster: np.ndarray, count: int, random: np.random.Generator
) -> np.ndarray:
    """Return `count` relabellings of the blocks, `(count, blocks)`, all equally likely."""
    _, codes, sizes = np.unique(cluster, return_inverse=True, return_counts=True)
    mixed = sizes[codes] == 2
    labels = np.repeat(high[None], count, axis=0)
    alone = np.flatnonzero(~mixed)
    labels[:, alone] = random.permuted(labels[:, alone], axis=1)
    swapped = random.integers(0, 2, (count, len(sizes))).astype(bool)
    labels[:, mixed] ^= swapped[:, codes[mixed]]
    return labels


def _welch(labels: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return Welch's t for each labelling `(k, blocks)` and each column of y `(blocks, units)`."""
    n1 = labels.sum(axis=1, keepdims=True)
    n0 = labels.shape[1] - n1
    squares = y**2
    sum1, square1 = labels @ y, labels @ squares
    mean1, mean0 = sum1 / n1, (y.sum(axis=0) - sum1) / n0
    var1 = np.maximum(square1 / n1 - mean1**2, 0) / (n1 - 1)
    var0 = np.maximum((squares.sum(axis=0) - square1) / n0 - mean0**2, 0) / (n0 - 1)
    # A floor, far below the columns' variance of 1, keeps rounding from deciding between the
    # relabellings of a unit that is constant within the classes.
    t: np.ndarray = (mean1 - mean0) / np.sqrt(var1 + var0 + 1e-12)
    return t


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return a quotient that is 0 for 0 / 0 and infinite, with its sign, for x / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result = above / below
    return np.where((above == 0) & (below == 0), 0.0, result)
