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

Many units. At 5 %, 32 of 650 units that know nothing come out "significant". Two corrections:

- **max-T** (Westfall & Young 1993), `p_max`: how often the *largest* |t| over all units, under
  permutation, reaches this unit's. Few false finds at all: the chance that even one unit below
  0.05 knows nothing is at most 5 %. It uses that units are correlated, and so costs less than
  Bonferroni's.
- **False discovery rate** (Benjamini & Hochberg 1995), `p_fdr`: among the units below 0.05, about
  5 % know nothing. For a single unit to pass it, 1 / (permutations + 1) must lie below 0.05 /
  units.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import gammaln

from textgate.probing._signals import PerExample, Trace
from textgate.probing._tasks import Sample, Task, task_of
from textgate.probing._threads import one_thread

_BLOCK = 2_000_000  # numbers computed at a time


def unit_scores(
    trace: Trace,
    labels: PerExample,
    groups: PerExample,
    signal: str | None,
    position: int = -1,
    *,
    layer: str | None = None,
    anchor: PerExample | None = None,
    permutations: int = 5000,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Score each unit of a layer by how well it tells two classes apart.

    Args:
        trace: As for `probe`.
        labels: As for `probe`; two classes. The effect is that of the second in alphabetical (or
            numerical) order over the first.
        groups: The cluster of each example (its lexeme), or the name of a label of the trace.
        signal: As for `probe`.
        position: The position.
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
        `permutations`, `seed`.

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
    """
    if isinstance(permutations, bool) or not isinstance(permutations, int) or permutations < 1:
        raise ValueError(
            f"`permutations` must be a whole number above 0. Received: {permutations!r}"
        )
    task = task_of(trace, labels, groups, signal, layer, anchor)
    sample = _of_two_classes(task, position)
    low_class, high_class = sample.targets.classes
    values, high, clusters = sample.values, sample.targets.y == 1, sample.targets.groups
    blocks = _blocks(values, high, clusters)
    for name, members in ((low_class, ~blocks.high), (high_class, blocks.high)):
        if members.sum() < 2:
            raise ValueError(
                "each class must come from two clusters (`groups`) at least. "
                f"Received: class {name!r} from {int(members.sum())}"
            )
    effects = effect_sizes(values, high)
    with one_thread():
        tests = max_t(*blocks, permutations, seed)
        d_low, d_high = interval_of_d(values, high, clusters, resamples, seed)
    return pd.DataFrame(
        {
            "unit": task.signal.units,
            "mean_low": values[~high].mean(axis=0),
            "mean_high": values[high].mean(axis=0),
            "cohens_d": effects.d,
            "d_low": d_low,
            "d_high": d_high,
            "hedges_g": effects.g,
            "auc": auc(values, high),
            "t": tests.t,
            "p": tests.p,
            "p_max": tests.p_max,
            "p_fdr": stats.false_discovery_control(tests.p, method="bh"),
        }
    ).assign(
        low_class=low_class,
        high_class=high_class,
        layer=task.signal.layer,
        signal=task.signal.name,
        position=int(position),
        examples=len(sample.rows),
        clusters=sample.targets.group_count,
        permutations=permutations,
        seed=seed,
    )


def _of_two_classes(task: Task, position: int) -> Sample:
    """Return the examples at a position.

    Raises:
        ValueError: If the labels, or those at the position, aren't of two classes.
    """
    if len(task.targets.classes) != 2:
        raise ValueError(
            "`labels` must have two classes; choose two and leave out the other examples. "
            f"Received: {list(task.targets.classes)}"
        )
    sample = task.at(position)
    classes = sample.targets.classes
    if len(classes) != 2:
        raise ValueError(
            "`position` must lie within examples of both classes. "
            f"Received: position={position}, with {len(sample.rows)} examples of {list(classes)}"
        )
    return sample


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
    d = _ratio(
        second.mean(axis=0) - first.mean(axis=0), np.sqrt(np.asarray(squares) / max(degrees, 1))
    )
    if degrees < 2:
        return EffectSizes(d, np.full_like(d, np.nan))
    exact = np.exp(gammaln(degrees / 2) - gammaln((degrees - 1) / 2)) / np.sqrt(degrees / 2)
    return EffectSizes(d, d * exact)


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
    random = np.random.default_rng([seed, 1])
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)
    numbers, means, squares = [], [], []
    for members in (~high, high):
        sums, powers = np.zeros((count, y.shape[1])), np.zeros((count, y.shape[1]))
        np.add.at(sums, codes[members], y[members])
        np.add.at(powers, codes[members], y[members] ** 2)
        total = (drawn @ np.bincount(codes[members], minlength=count))[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            means.append((drawn @ sums) / total)
        numbers.append(total)
        squares.append(drawn @ powers - total * means[-1] ** 2)
    usable = ((numbers[0] > 0) & (numbers[1] > 0))[:, 0]  # a resample may lack a class
    degrees = (numbers[0] + numbers[1] - 2)[usable]
    pooled = np.sqrt(np.maximum(squares[0] + squares[1], 0)[usable] / np.maximum(degrees, 1))
    resampled = _ratio((means[1] - means[0])[usable], pooled)
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


class _Blocks(NamedTuple):
    """What each cluster has of each class.

    Attributes:
        means: The mean of each block, of shape `(blocks, units)`.
        high: Whether the block is of the second class, of shape `(blocks,)`.
        cluster: The block's cluster, of shape `(blocks,)`.
    """

    means: np.ndarray
    high: np.ndarray
    cluster: np.ndarray


def _blocks(values: np.ndarray, high: np.ndarray, groups: np.ndarray) -> _Blocks:
    keys, codes, counts = np.unique(groups * 2 + high, return_inverse=True, return_counts=True)
    sums = np.zeros((len(keys), values.shape[1]))
    np.add.at(sums, codes, values)
    return _Blocks(sums / counts[:, None], keys % 2 == 1, keys // 2)


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


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Return a quotient that is 0 for 0 / 0 and infinite, with its sign, for x / 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        result = above / below
    return np.where((above == 0) & (below == 0), 0.0, result)
