"""Which units of a layer a figure shows, and in which order."""

from collections.abc import Sequence

import numpy as np

MANY = 40  # units that one panel shows legibly
FEW = 16  # units that are shown in the order of their numbers


def choose_units(
    values: np.ndarray,
    numbers: np.ndarray,
    units: int | Sequence[int] | None,
    order: str | None,
    highlight: Sequence[int] = (),
) -> tuple[np.ndarray, str]:
    """Choose and order units by what they do along one example.

    Args:
        values: The signal that decides, of shape `(time, unit)`, without masked steps.
        numbers: The units' numbers.
        units: How many units to choose, the most varying first; or the numbers of those to
            show; by default all, or 40 where there are more.
        order: `"number"`, `"variation"` (the most varying first), `"similarity"` (units that do
            alike side by side); by default by number if there are at most 16, else by similarity.
        highlight: Units that are among them in any case, unless `units` has their numbers.

    Returns:
        The positions of the chosen units, and a sentence that says which they are.

    Raises:
        ValueError: If a unit or an order is unknown.
    """
    orders = ("number", "variation", "similarity")
    if order is not None and order not in orders:
        raise ValueError(f"`order` must be one of {list(orders)}. Received: order={order!r}")
    total = len(numbers)
    if units is not None and not isinstance(units, int | np.integer):
        chosen = _places("units", units, numbers)
        which = f"{len(chosen)} units that were asked for"
        return (chosen, which) if order is None else (_ordered(values, chosen, order), which)
    if units is not None and units < 1:
        raise ValueError(f"`units` must be at least 1 unit. Received: units={units!r}")
    always = _places("highlight", highlight, numbers) if len(highlight) else np.array([], int)
    count = max(min(total, MANY if units is None else int(units)), len(always))
    varying = np.argsort(-values.std(axis=0), kind="stable")
    others = varying[~np.isin(varying, always)][: count - len(always)]
    chosen = np.sort(np.concatenate([always, others]))
    which = (
        f"all {total} units" if count == total else f"the {count} of {total} units that vary most"
    )
    if len(always) and count < total:
        listed = ", ".join(str(numbers[at]) for at in always)
        which = f"units {listed} (in bold) and the {len(others)} of {total} that vary most"
    if order is None:
        order = "number" if count <= FEW else "similarity"
    if order == "similarity" and count > 2:
        which += ", similar ones side by side"
    return _ordered(values, chosen, order), which


def _places(name: str, units: Sequence[int], numbers: np.ndarray) -> np.ndarray:
    """Return where in a trace units are, by their numbers."""
    places = {int(number): at for at, number in enumerate(numbers)}
    unknown = [unit for unit in units if int(unit) not in places]
    if unknown or not len(units):
        raise ValueError(
            f"`{name}` must be units of the trace, from {numbers.min()} to {numbers.max()}. "
            f"Received: {unknown or list(units)}"
        )
    return np.array([places[int(unit)] for unit in units])


def _ordered(values: np.ndarray, chosen: np.ndarray, order: str) -> np.ndarray:
    if order == "number":
        return np.sort(chosen)
    if order == "variation":
        return chosen[np.argsort(-values[:, chosen].std(axis=0), kind="stable")]
    return chosen[_by_similarity(values[:, chosen].T)]


def _by_similarity(rows: np.ndarray) -> np.ndarray:
    """Return an order of rows in which neighbours are close to one another."""
    from scipy.cluster import hierarchy
    from scipy.spatial import distance

    if len(rows) < 3:
        return np.arange(len(rows))
    between = distance.pdist(rows)
    linkage = hierarchy.linkage(between, method="average")
    order = hierarchy.leaves_list(hierarchy.optimal_leaf_ordering(linkage, between))
    # A row of leaves has two ends; begin with the one whose values are higher.
    half = len(order) // 2
    low_first = rows[order[:half]].mean() < rows[order[-half:]].mean()
    return order[::-1] if low_first else order
