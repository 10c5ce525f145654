"""R² of what was predicted for numbers, with intervals by a bootstrap over groups.

R² is 1 − Σ (y − ŷ)² / Σ (y − ȳ)², over all rows when each was held out. It is 0 for a reader that
always answers with the mean, 1 for one that is always right, and below 0 for one that is worse than
the mean. As it follows from sums over groups, a resample of groups weighs sums, not rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np


@dataclass(frozen=True)
class Errors:
    """Sums over the rows of each group, of shape `(groups,)`.

    Attributes:
        n: How many rows.
        y: Sum of the numbers.
        squares: Sum of their squares.
        errors: Sum of the squared errors.
    """

    n: np.ndarray
    y: np.ndarray
    squares: np.ndarray
    errors: np.ndarray

    @classmethod
    def of(cls, y: np.ndarray, predicted: np.ndarray, groups: np.ndarray, count: int) -> Self:
        """Return the sums of rows with numbers, of shape `(n,)`, over `count` groups."""
        y, predicted = y - y.mean(), predicted - y.mean()
        parts = (np.ones_like(y), y, y**2, (y - predicted) ** 2)
        return cls(*(np.bincount(groups, part, minlength=count) for part in parts))

    def r2(self, weights: np.ndarray | None = None) -> Any:
        """Return R² with each group counted as often as its weight says, `(…, groups)`."""
        weights = np.ones(len(self.n)) if weights is None else weights
        with np.errstate(divide="ignore", invalid="ignore"):
            total = weights @ self.squares - (weights @ self.y) ** 2 / (weights @ self.n)
            return np.where(total > 0, 1 - (weights @ self.errors) / total, np.nan)


def measures_of_numbers(
    y: np.ndarray,
    predicted: np.ndarray,
    controls: Sequence[tuple[np.ndarray, np.ndarray]],
    counted: np.ndarray,
    groups: np.ndarray,
    resamples: int,
    seed: int,
) -> dict[str, float]:
    """Return R², and how much of it is more than remembering word types.

    Args:
        y: The numbers, of shape `(n,)`.
        predicted: What was predicted for each when it was held out.
        controls: The same two for each control task.
        counted: Which rows tell of the control task: those whose type was seen in training.
        groups: The group of each row as a number.
        resamples: Resamples of the bootstrap over groups.
        seed: Seed.
    """
    count = int(groups.max()) + 1
    random = np.random.default_rng(seed)
    weights = random.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)
    real = Errors.of(y, predicted, groups, count)
    low, high = _ends(real.r2(weights))
    measures = {"r2": float(real.r2()), "low": low, "high": high}
    if not controls or not counted.any():
        return measures
    rows, groups = np.flatnonzero(counted), groups[counted]
    seen = Errors.of(y[rows], predicted[rows], groups, count)
    others = [Errors.of(of[rows], guess[rows], groups, count) for of, guess in controls]
    control = np.mean([other.r2() for other in others])
    low, high = _ends(seen.r2(weights) - np.mean([each.r2(weights) for each in others], axis=0))
    return {
        **measures,
        "seen": float(seen.r2()),
        "control": float(control),
        "selectivity": float(seen.r2() - control),
        "selectivity_low": low,
        "selectivity_high": high,
    }


def _ends(resampled: np.ndarray) -> tuple[float, float]:
    """Return the ends of a 95 % interval; resamples without any variance don't count."""
    usable = resampled[np.isfinite(resampled)]
    if not len(usable):
        return float("nan"), float("nan")
    low, high = np.quantile(usable, [0.025, 0.975])
    return float(low), float(high)
