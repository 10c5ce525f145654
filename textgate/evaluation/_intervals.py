"""Confidence intervals for means of observations that belong together in two ways.

The unit of resampling. Items that share a construction (template) succeed and fail together, and so
do items that share a name or noun (lexeme): 2,000 items from 60 constructions are not 2,000
independent observations. Resampling items would pretend that they are, and give intervals far too
narrow. The pigeonhole bootstrap (Owen 2007) resamples both factors: it draws templates with
replacement, and lexemes with replacement, independently, and weighs an item by how often its
template was drawn times how often its lexeme was. Its variance is that of the two-way random
effects model or somewhat more, so that intervals err on the wide side.

At the edge. Where every item is right, or every one wrong, all resamples are alike, and a bootstrap
would be certain. There the exact binomial interval (Clopper & Pearson 1934) is given, for as many
observations as there are clusters, of the kind of which there are fewer.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

_BLOCK = 4_000_000  # weights computed at a time


def interval(
    values: Any,
    clusters: Sequence[Any] = (),
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Return a bootstrap interval for the mean of `values`.

    Args:
        values: Numbers or booleans, of shape `(n,)`.
        clusters: For each way in which observations belong together (template, lexeme), the label
            of each observation, of shape `(n,)`. None: the observations are independent.
        level: The coverage aimed at.
        resamples: How many resamples.
        seed: Seed.

    Returns:
        The lower and the upper end: percentiles of the resampled means. Of a single cluster there
        is nothing to resample, and they are the smallest and the largest value.

    Raises:
        ValueError: If there are no values, or the labels aren't as many.

    Example:

    >>> interval([1, 1, 1, 0], [["a", "a", "b", "b"]], seed=1)
    (0.5, 1.0)
    """
    data = np.asarray(values, np.float64)
    if data.ndim != 1 or not len(data):
        raise ValueError(
            f"an interval needs a list of one or more numbers. Received: shape {data.shape}"
        )
    if not 0 < level < 1:
        raise ValueError(f"`level` must lie between 0 and 1. Received: level={level}")
    codes = [pd.factorize(np.asarray(labels, dtype=object))[0] for labels in clusters]
    if any(len(labels) != len(data) for labels in codes):
        raise ValueError(
            "each clustering must label every value. "
            f"Received: {len(data)} values, labels {[len(labels) for labels in codes]}"
        )
    codes = codes or [np.arange(len(data))]
    counts = [int(labels.max()) + 1 for labels in codes]
    if clusters and max(counts) == 1 and data.min() != data.max():
        return float(data.min()), float(data.max())  # one cluster says nothing of others
    if data.min() == data.max():
        return _at_the_edge(data[0], min(counts), level)
    random = np.random.default_rng(seed)
    block = max(1, _BLOCK // len(data))
    means: list[np.ndarray] = []
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        weights = np.ones((size, len(data)))
        for labels, count in zip(codes, counts, strict=True):
            drawn = random.multinomial(count, np.full(count, 1 / count), size=size)
            weights *= drawn[:, labels]
        total = weights.sum(axis=1)
        kept = total > 0  # a resample may draw no template together with its lexemes
        means.append((weights[kept] @ data) / total[kept])
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(means), [tail, 1 - tail])
    return float(low), float(high)


def _at_the_edge(value: float, count: int, level: float) -> tuple[float, float]:
    tail = (1 - level) / 2
    if value == 1.0:
        return float(stats.beta.ppf(tail, count, 1)), 1.0
    if value == 0.0:
        return 0.0, float(stats.beta.ppf(1 - tail, 1, count))
    return float(value), float(value)
