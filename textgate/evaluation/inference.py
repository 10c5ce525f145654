"""Intervals and tests for the effects of interventions, when items come in clusters.

Items with the same template or the same lexeme are no independent observations. Both ways of
belonging together count at once, and are dealt with thus.

*Intervals*: the pigeonhole bootstrap (Owen 2007), as in `textgate.evaluation.interval`, also for a
ratio of sums, such as the share of the logit difference that an interchange moves.

*Tests*: sign flips. If an intervention has no effect on average, a cluster's summed effect is as
likely to be as it is as to be its opposite; so under the null the signs of clusters are
exchangeable. With two ways of clustering, flips of the templates' signs and flips of the lexemes'
signs are both drawn, and their sums added up: the variance of that is the sum of both clustered
variances, which is at least the two-way clustered variance (Cameron, Gelbach & Miller 2011, before
the part that both have in common is taken off). So the test errs towards finding nothing.

Over many units the largest statistic decides (max-T, Westfall & Young 1993): a draw of signs is
applied to all units at once, which keeps their dependence, and a unit's adjusted p-value is how
often the largest of all statistics under the null is as large as its own.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.evaluation._intervals import interval as _interval

CLAIM_LEVEL = 0.025  # of each of two claims about units, together 5 %
_AT_ONCE = 500  # draws of signs at a time
_MANY = 40  # clusters of a kind: more of them change the smallest p by little


def interval(
    values: np.ndarray, clusters: Sequence[np.ndarray], seed: int = 0, resamples: int = 1000
) -> tuple[float, float]:
    """Return a 95 % interval for a mean, or NaN where there is nothing to average."""
    if not len(values):
        return float("nan"), float("nan")
    return _interval(values, clusters, resamples=resamples, seed=seed)


def ratio_interval(
    above: np.ndarray,
    below: np.ndarray,
    clusters: Sequence[np.ndarray],
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[float, float]:
    """Return a 95 % interval for Σ above / Σ below.

    Args:
        above: Of shape `(n,)`.
        below: Of shape `(n,)`; resamples in which they don't add up to something positive are left
            out.
        clusters: For each way of belonging together the labels, of shape `(n,)`.
        seed: Seed.
        resamples: How many.
    """
    if not len(above) or below.sum() <= 0:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    weights = np.ones((resamples, len(above)))
    for labels in clusters:
        codes = pd.factorize(np.asarray(labels, dtype=object))[0]
        count = int(codes.max()) + 1
        weights *= random.multinomial(count, np.full(count, 1 / count), size=resamples)[:, codes]
    over = weights @ below
    kept = over > 0
    if not kept.any():
        return float("nan"), float("nan")
    low, high = np.quantile((weights @ above)[kept] / over[kept], [0.025, 0.975])
    return float(low), float(high)


def sign_flips(
    effects: np.ndarray, clusters: Sequence[np.ndarray], seed: int = 0, draws: int = 2000
) -> pd.DataFrame:
    """Test for each row whether its mean effect is greater than none, corrected for all rows.

    Args:
        effects: Of shape `(m, n)`: each unit's (or set's) effect on each item.
        clusters: For each way of belonging together the labels, of shape `(n,)`.
        seed: Seed.
        draws: How many draws of signs.

    Returns:
        A row for each row of `effects`: `mean`, `t` (mean over its clustered standard error), `p`
        (alone, one-sided) and `p_adjusted` (max-T over all rows).

    Raises:
        ValueError: If there are fewer than two clusters in some way.

    Example:

    >>> import numpy as np
    >>> random = np.random.default_rng(0)
    >>> effects = random.normal(size=(3, 200)) + np.array([[1.0], [0.0], [0.0]])
    >>> found = sign_flips(effects, [np.arange(200) % 40])
    >>> (found["p_adjusted"] < 0.05).tolist()
    [True, False, False]
    """
    effects = np.atleast_2d(np.asarray(effects, np.float64))
    sums = [_sums(effects, labels) for labels in clusters]
    if min(part.shape[1] for part in sums) < 2:
        raise ValueError(
            "a test needs items of at least two templates and two lexemes. "
            f"Received: {[part.shape[1] for part in sums]} clusters"
        )
    error = np.sqrt(sum((part**2).sum(axis=1) for part in sums))
    total = effects.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = np.where(error > 0, total / error, 0.0)
    random = np.random.default_rng(seed)
    alone = np.zeros(len(effects))
    largest = np.zeros(len(effects))
    scale = np.where(error > 0, error, np.inf)[:, None]
    for begin in range(0, draws, _AT_ONCE):
        count = min(_AT_ONCE, draws - begin)
        null: Any = 0.0
        for part in sums:
            null = null + part @ random.choice([-1.0, 1.0], size=(part.shape[1], count))
        null = null / scale
        alone += (null >= observed[:, None] - 1e-12).sum(axis=1)
        largest += (null.max(axis=0) >= observed[:, None] - 1e-12).sum(axis=1)
    return pd.DataFrame(
        {
            "mean": total / effects.shape[1],
            "t": observed,
            "p": (1 + alone) / (1 + draws),
            "p_adjusted": (1 + largest) / (1 + draws),
        }
    )


def smallest_p(counts: Sequence[int]) -> float:
    """Return the p that `sign_flips` gives an effect that is the same in every cluster.

    Nothing is clearer than that. With clusters of one kind it takes all signs to be positive, 2⁻ᵏ
    for k clusters, and no effect has a smaller p.

    Args:
        counts: For each way of belonging together, the number of clusters.

    Example:

    >>> smallest_p([4]), smallest_p([6])
    (0.0625, 0.015625)
    """
    from scipy.stats import binom

    means, chances = np.zeros(1), np.ones(1)
    for count in (min(count, _MANY) for count in counts):
        positive = np.arange(count + 1)
        means = np.add.outer(means, 2 * positive / count - 1).ravel()
        chances = np.multiply.outer(chances, binom.pmf(positive, count, 0.5)).ravel()
    return float(chances[means >= 1 - 1e-9].sum())


def clusters_needed(counts: Sequence[int], level: float = CLAIM_LEVEL) -> int:
    """Return how many clusters of each kind let `sign_flips` reach a level.

    Args:
        counts: How many there are of each kind; of a kind that has more, all are counted on.
        level: The level.

    Example:

    >>> clusters_needed([4]), clusters_needed([4, 100]), clusters_needed([4, 4])
    (6, 5, 9)
    """
    needed = _MANY
    while needed > 2 and smallest_p([max(count, needed - 1) for count in counts]) <= level:
        needed -= 1
    return needed


def _sums(effects: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the sum of each cluster's effects, `(m, clusters)`."""
    codes = pd.factorize(np.asarray(labels, dtype=object))[0]
    member = np.zeros((effects.shape[1], int(codes.max()) + 1))
    member[np.arange(len(codes)), codes] = 1
    return effects @ member


def at_least(control: np.ndarray, value: float) -> float:
    """Return the Monte Carlo p-value: how often the control is as large as the value."""
    return float((1 + (np.asarray(control) >= value - 1e-12).sum()) / (1 + len(control)))
