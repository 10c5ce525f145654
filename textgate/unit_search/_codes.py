"""What the chosen units say of each class: their values after the prefix, class by class.

Interventions between two classes can't tell a unit of gender from one that sets *he* and *they*
apart from *she* and *it*. Where the pairs have other classes besides, their values do.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textgate.interchange import Contrasts, Runner
from textgate.unit_search._subject import Place, Subject

_MOST = 200  # items of a class


def codes(
    subject: Subject,
    place: Place,
    pairs: pd.DataFrame | Contrasts,
    units: Sequence[int],
    seed: int = 0,
) -> pd.DataFrame:
    """Return each unit's values where the model decides, by class of the base.

    Args:
        subject: The model.
        place: Where the units are.
        pairs: The pairs, of all classes, of which rows of one `item` count once; or items.
        units: The units.
        seed: Seed of the choice of items, where a class has very many.

    Returns:
        A row for each unit and class: `unit`, `good_class`, `items`, `mean`, `deviation` and the
        quartiles `low` and `high`.
    """
    if isinstance(pairs, Contrasts):
        return _by_class(pairs, at_decision(subject.runner(pairs, place)), units)
    once = pairs.drop_duplicates("item") if "item" in pairs else pairs
    chosen = once.groupby("good_class", sort=True).sample(frac=1, random_state=seed)
    chosen = chosen.groupby("good_class", sort=True).head(_MOST)
    items = subject.contrasts(chosen, "class", with_source=False)
    return _by_class(items, at_decision(subject.runner(items, place)), units)


def at_decision(runner: Runner) -> np.ndarray:
    """Return the signal at the step that decides, else at the last unmasked one, `(n, units)`."""
    values, last = runner.base_values(), runner.items.last
    if last is None or last.max(initial=0) >= values.shape[1]:
        there = ~np.isnan(values).all(axis=2)
        last = there.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)
    return np.asarray(values[np.arange(len(values)), last])


def _by_class(items: Contrasts, values: np.ndarray, units: Sequence[int]) -> pd.DataFrame:
    rows = []
    for unit in units:
        for name, members in items.table.groupby("good_class", sort=True):
            own = values[members.index.to_numpy(), unit]
            low, high = np.quantile(own, [0.25, 0.75])
            rows.append(
                {
                    "unit": int(unit),
                    "good_class": str(name),
                    "items": len(own),
                    "mean": float(own.mean()),
                    "deviation": float(own.std()),
                    "low": float(low),
                    "high": float(high),
                }
            )
    return pd.DataFrame(rows)
