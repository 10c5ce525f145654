"""Which members of a confirmed set carry the feature, on the confirmation half.

A set is a claim about its units together. A unit may have come into it by chance, on the last bit
of the way to the goal, and do nothing. It carries the feature if it does something by itself, or if
the set can't do the job without it: of two units that only work together, neither does anything by
itself.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from textgate.interchange import Units
from textgate.interchange.effects import ABLATIONS, INTERCHANGE, Sample
from textgate.unit_search._goals import Goals

_LEVEL = 0.05  # over all units
_COLUMNS = ["set", "unit", "effect", "p_adjusted", "needed", "carries"]


def members(
    sample: Sample, sets: Mapping[str, Units], units: pd.DataFrame, goals: Goals
) -> pd.DataFrame:
    """Return for each member of the confirmed sets whether it carries the feature.

    Args:
        sample: The confirmation half.
        sets: The confirmed sets, by the claim that is made of them: `"sufficient"`, `"necessary"`.
        units: What each unit does alone, as `confirm_each_unit` returns it.
        goals: What was aimed at.

    Returns:
        A row for each set and member: `set`, `unit`, its `effect` by itself (of its interchange, in
        units of the lead) with its `p_adjusted` over all units, whether it is `needed`, because the
        set doesn't reach its goal without it, and whether it `carries` the feature.
    """
    alone = units.set_index("unit")[["effect", "p_adjusted"]]
    rows = []
    for name, members in sets.items():
        for unit, needed in zip(members, _needed(sample, name, members, goals), strict=True):
            effect, p = map(float, alone.loc[unit].to_numpy())
            rows.append((name, int(unit), effect, p, bool(needed), bool(needed or p <= _LEVEL)))
    return pd.DataFrame(rows, columns=_COLUMNS)


def carriers(table: pd.DataFrame) -> Units:
    """Return the units that carry the feature by a table of members, in the table's order.

    Example:

    >>> carriers(pd.DataFrame({"unit": [35, 8, 8, 4], "carries": [True, True, True, False]}))
    Units(35, 8)
    """
    return Units(table.loc[table["carries"], "unit"])


def _needed(sample: Sample, claim: str, members: Units, goals: Goals) -> np.ndarray:
    """Return for each member whether the set fails of its goal without it."""
    if len(members) == 1:
        return np.ones(1, bool)
    without = np.stack([(members - [unit]).mask(sample.units) for unit in members])
    if claim == "sufficient":
        flips = np.nan_to_num(sample.flipped(sample.run(without, INTERCHANGE)).min(axis=1))
        return np.asarray(flips < goals.flipped)
    left = [sample.accuracy(sample.run(without, kind)).mean(axis=1) for kind in ABLATIONS]
    return np.asarray(np.max(left, axis=0) > goals.accuracy)
