"""Accuracy by what a pair is about: direction, form, distance, attractors, antecedent.

An item counts as right if the right form beats *every* wrong one. Directions stand apart, because a
model that always says "her" must not score well.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from textgate.evaluation._agreement import worst
from textgate.evaluation._intervals import interval

_DISTANCES = (0, 2, 5, 10, 20, 40, 80)


def numbers(column: pd.Series) -> pd.Series:
    """Return a column as numbers, and what is none (an empty cell of a table) as NaN."""
    return pd.to_numeric(column, errors="coerce")


def _few(column: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Return the number in a column as "0", "1" or "2+"."""

    def binned(items: pd.DataFrame) -> pd.Series:
        counts = numbers(items[column])
        return counts.clip(upper=2).map({0: "0", 1: "1", 2: "2+"})

    return binned


def _distance(items: pd.DataFrame) -> pd.Series:
    names = [f"{low + 1}-{high}" for low, high in itertools.pairwise(_DISTANCES)]
    edges = [*_DISTANCES, np.inf]
    return pd.cut(numbers(items["distance"]), edges, labels=[*names, f"{_DISTANCES[-1] + 1}+"])


def _congruent(items: pd.DataFrame) -> pd.Series:
    left = numbers(items["attractors"]) - numbers(items["incongruent_attractors"])
    return _few("n")(pd.DataFrame({"n": left}))


# Each grouping: the columns it needs, and the group of each item.
GROUPINGS: dict[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], pd.Series]]] = {
    "direction": (("direction",), lambda items: items["direction"]),
    "class": (("good_class",), lambda items: items["good_class"]),
    "form": (("form",), lambda items: items["form"]),
    "distance": (("distance",), _distance),
    "attractors": (("attractors",), _few("attractors")),
    "incongruent attractors": (("incongruent_attractors",), _few("incongruent_attractors")),
    "congruent attractors": (("attractors", "incongruent_attractors"), _congruent),
    "attractor kind": (("attractor_kind",), lambda items: items["attractor_kind"]),
    "antecedent kind": (("antecedent_kind",), lambda items: items["antecedent_kind"]),
}
_CLUSTERS = ("template", "lexeme", "doc")


def summary(
    items: pd.DataFrame,
    by: Sequence[str] | None = None,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the accuracy on all items and on each group of them, with intervals.

    Args:
        items: As `agreement` or `pronouns` returns them.
        by: Groupings, of `GROUPINGS`; `None` for those whose columns are there.
        resamples: For the bootstrap, which is clustered on the columns `template` and `lexeme`
            (or `doc`), as far as they are there.
        seed: Seed of the bootstrap.

    Returns:
        A row for each group, with `by` (the grouping, "all" in the first row), `group`, `items`,
        `accuracy` (against the worst of the wrong classes), `low` and `high` (95 %), `margin` (the
        median of log p(right) − log p(likeliest wrong), in nats) and `unknown` (items with an
        unknown target, which count as wrong). With more than one wrong class an item,
        `against` says the accuracy against each of them alone (grouping "against").

    Raises:
        ValueError: If a grouping is unknown, or lacks its columns.
    """
    single = worst(items)
    if by is None:
        by = [name for name, (columns, _) in GROUPINGS.items() if set(columns) <= set(items)]
    for name in by:
        if name not in GROUPINGS:
            raise ValueError(f"groupings are {', '.join(GROUPINGS)}. Received: {name!r}")
        missing = set(GROUPINGS[name][0]) - set(items)
        if missing:
            raise ValueError(
                f"the grouping needs the column {min(missing)!r}. Received: by={name!r}"
            )
    rows = [_row("all", "all", single, resamples, seed)]
    for name in by:
        groups = groups_of(single, name)
        for group, members in single.groupby(groups, sort=True, observed=True):
            rows.append(_row(name, str(group), members, resamples, seed))
    if {"good_class", "bad_class", "item"} <= set(items) and len(single) < len(items):
        pairs = items.assign(margin=items["logprob_good"] - items["logprob_bad"])
        names = pairs["good_class"] + " against " + pairs["bad_class"]
        for group, members in pairs.groupby(names, sort=True):
            rows.append(_row("against", str(group), members, resamples, seed))
    return pd.DataFrame(rows)


def groups_of(items: pd.DataFrame, by: str) -> pd.Series:
    """Return the group of each item in one of `GROUPINGS`."""
    return GROUPINGS[by][1](items)


def clusters_of(items: pd.DataFrame) -> list[np.ndarray]:
    """Return the labels of what belongs together: templates and lexemes, or documents."""
    return [items[name].to_numpy() for name in _CLUSTERS if name in items]


def _row(by: str, group: str, items: pd.DataFrame, resamples: int, seed: int) -> dict[str, object]:
    clusters = clusters_of(items)
    low, high = interval(items["correct"].to_numpy(), clusters, resamples=resamples, seed=seed)
    return {
        "by": by,
        "group": group,
        "items": len(items),
        "accuracy": float(items["correct"].mean()),
        "low": low,
        "high": high,
        "margin": float(items["margin"].median()),
        "unknown": int(items["target_unknown"].sum()),
    }
