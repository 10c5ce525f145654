"""What counts as doing the job."""

from dataclasses import dataclass
from typing import NamedTuple


class Limits(NamedTuple):
    """The most units that a small set may have, by the claim that is made of it."""

    sufficient: int
    necessary: int


@dataclass(frozen=True)
class Goals:
    """What counts as doing the job, on the confirmation half.

    Attributes:
        flipped: Share of items that an interchange has to flip, in each direction.
        accuracy: Balanced accuracy down to which each ablation has to bring the model.
        sufficient_limit: The most units that a small sufficient set may have.
        necessary_limit: The same for a necessary set.
        candidates: How many of the best single units forward selection tries.
        spared: Points of 100 that an ablation may cost at other tasks.

    Example:

    >>> Goals(sufficient_limit=4).limits(128)
    Limits(sufficient=4, necessary=16)
    """

    flipped: float = 0.9
    accuracy: float = 0.6
    sufficient_limit: int = 8
    necessary_limit: int = 16
    candidates: int = 64
    spared: float = 2.0

    def limits(self, units: int) -> Limits:
        """Return both limits for a layer: a quarter of its units is small, half of them isn't."""
        most = max(1, units // 4)
        return Limits(min(self.sufficient_limit, most), min(self.necessary_limit, most))
