"""Units of a layer as one thing: numbers to read, a mask to compute with, words in a table."""

from collections.abc import Iterable
from typing import Any, Self

import numpy as np


class Units(tuple[int, ...]):
    """Units of a layer, each once, in the order in which they were given or chosen.

    As a tuple, it compares equal to one with the same numbers in the same order.

    Args:
        numbers: The units' numbers, from 0; repetitions are left out.

    Example:

    >>> units = Units([17, 3])
    >>> print(units, units.sorted())
    17 3 3 17
    >>> units.mask(20).sum(), units == (17, 3), units - [3] | [5]
    (np.int64(2), True, Units(17, 5))
    """

    __slots__ = ()

    def __new__(cls, numbers: Iterable[int] = ()) -> Self:
        return super().__new__(cls, dict.fromkeys(map(int, numbers)))

    @classmethod
    def parse(cls, text: Any) -> Self:
        """Return the units that a cell of a table names, such as `"17 3"`.

        A column with one unit in each row is read as numbers, so that 17.0 is unit 17 as well; an
        empty cell (or NaN) has none.
        """
        return cls(int(float(word)) for word in str(text).split() if word != "nan")

    @classmethod
    def from_mask(cls, mask: np.ndarray) -> Self:
        """Return the units where booleans of shape `(units,)` are true."""
        return cls(np.flatnonzero(mask).tolist())

    def mask(self, total: int) -> np.ndarray:
        """Return booleans of shape `(total,)`, true for these units."""
        mask = np.zeros(total, bool)
        mask[list(self)] = True
        return mask

    def sorted(self) -> Self:
        """Return the units in rising order."""
        return type(self)(sorted(self))

    def __or__(self, others: Iterable[int]) -> Self:
        return type(self)((*self, *others))

    def __sub__(self, others: Iterable[int]) -> Self:
        without = set(others)
        return type(self)(unit for unit in self if unit not in without)

    def __str__(self) -> str:
        return " ".join(map(str, tuple(self)))

    def __repr__(self) -> str:
        return f"Units({', '.join(map(str, tuple(self)))})"
