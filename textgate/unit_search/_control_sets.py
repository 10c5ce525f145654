"""Control sets: as many other units, drawn at random or matched in activation norm."""

from collections.abc import Sequence

import numpy as np


def random_sets(size: int, total: int, count: int, without: Sequence[int], seed: int) -> np.ndarray:
    """Return `count` sets of `size` units drawn at random, none of them of `without`.

    Returns:
        Booleans of shape `(count, total)`. Where too few other units are left, the sets are as
        large as these allow.
    """
    random = np.random.default_rng(seed)
    others = np.setdiff1d(np.arange(total), np.asarray(without, np.int64))
    sets = np.zeros((count, total), bool)
    for row in sets:
        row[random.permutation(others)[:size]] = True
    return sets


def matched_sets(
    units: Sequence[int], norms: np.ndarray, count: int, seed: int, nearest: int = 8
) -> np.ndarray:
    """Return sets like `units` in how active they are, and disjoint from it.

    For each unit of the set, one of the `nearest` others in activation norm is drawn.

    Args:
        units: The units.
        norms: Each unit's activation norm, of all `total` units of the layer, `(total,)`.
        count: How many sets.
        seed: Seed.
        nearest: Among how many of the nearest is drawn.

    Returns:
        Booleans of shape `(count, total)`.
    """
    random = np.random.default_rng(seed)
    others = np.setdiff1d(np.arange(len(norms)), np.asarray(units, np.int64))
    sets = np.zeros((count, len(norms)), bool)
    for row in sets:
        for unit in units:
            left = others[~row[others]]
            if len(left):
                near = left[np.argsort(np.abs(norms[left] - norms[unit]), kind="stable")[:nearest]]
                row[random.choice(near)] = True
    return sets
