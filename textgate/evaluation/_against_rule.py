"""A model beside the rule "the gender of the last gendered word", on the same contexts.

Both answer the same contexts, so that the difference is taken context by context and its interval
is that of a mean of differences (a *paired* bootstrap), clustered as all intervals are; two
intervals side by side would be wider, and may overlap where the difference is certain.
"""

from typing import Any

import pandas as pd

from textgate.datasets.lexicon import GENDERS
from textgate.evaluation._intervals import interval
from textgate.evaluation._last_gendered_word import last_gendered_word
from textgate.evaluation._summary import clusters_of, groups_of, numbers

NEAR = 20  # words, within which an antecedent is near
ALL, NEARBY, BETWEEN = "all", f"within {NEAR} words, no attractors", "with attractors"
_REQUIRED = ("correct", "prefix", "good_class")


def against_rule(items: pd.DataFrame, resamples: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Compare a model with the rule `last_gendered_word`, by distance, attractors and direction.

    Args:
        items: Contexts that a model was scored on, as `textgate.evaluation.pronouns` returns them.
        resamples: For the bootstrap, clustered as in `textgate.evaluation.summary`.
        seed: Seed of the bootstrap.

    Returns:
        A row for each group of contexts: `by` and `group`, `items`, `accuracy` of the model with
        `low` and `high`, `rule` (the rule's accuracy) with `rule_low` and `rule_high`, and
        `difference` (model minus rule) with `difference_low` and `difference_high`; all between 0
        and 1, intervals of 95 %. `by` is "all", "within 20 words, no attractors" or "with
        attractors" (where the columns `distance` and `attractors` are there), each with the groups
        "all", "feminine" and "masculine"; then "distance" and "attractors" with their groups.

    Raises:
        ValueError: If a column is missing, or there are no contexts.

    Example:

    >>> items = pd.DataFrame({
    ...     "prefix": ["The actress saw the king and lost", "He lost"],
    ...     "good_class": ["feminine", "masculine"], "correct": [True, True],
    ...     "attractors": [1, 0],
    ... })
    >>> against_rule(items)[["by", "group", "items", "difference"]].values.tolist()[:2]
    [['all', 'all', 2, 0.5], ['all', 'feminine', 1, 1.0]]
    """
    missing = [name for name in _REQUIRED if name not in items]
    if missing:
        raise ValueError(
            f"contexts need the columns {', '.join(_REQUIRED)}; {missing[0]!r} is missing. "
            f"Received: columns {list(items.columns)}"
        )
    if not len(items):
        raise ValueError("there are no contexts to compare on. Received: an empty table")
    told = items if "rule_correct" in items else last_gendered_word(items)
    rows = []
    for by, part in _parts(told).items():
        for group in (ALL, *GENDERS):
            members = part if group == ALL else part[part["good_class"] == group]
            if len(members):
                rows.append(_row(by, group, members, resamples, seed))
    for by in ("distance", "attractors"):
        if by in told:
            known = told[numbers(told[by]).notna()]
            for group, members in known.groupby(groups_of(known, by), sort=True, observed=True):
                rows.append(_row(by, str(group), members, resamples, seed))
    return pd.DataFrame(rows)


def _parts(items: pd.DataFrame) -> dict[str, pd.DataFrame]:
    parts = {ALL: items}
    if "attractors" in items:
        between = numbers(items["attractors"])
        if "distance" in items:
            near = numbers(items["distance"]).between(1, NEAR)
            parts[NEARBY] = items[(between == 0) & near]
        parts[BETWEEN] = items[between > 0]
    return parts


def _row(by: str, group: str, items: pd.DataFrame, resamples: int, seed: int) -> dict[str, Any]:
    model, rule = (items[name].astype(float) for name in ("correct", "rule_correct"))
    row: dict[str, Any] = {"by": by, "group": group, "items": len(items)}
    for name, values in (("accuracy", model), ("rule", rule), ("difference", model - rule)):
        ends = ("low", "high") if name == "accuracy" else (f"{name}_low", f"{name}_high")
        clusters = clusters_of(items)
        if name == "difference" and values.nunique() == 1:
            found = _same(float(values.iloc[0]), clusters, len(items))
        else:
            found = interval(values, clusters, resamples=resamples, seed=seed)
        row |= {name: float(values.mean()), **dict(zip(ends, found, strict=True))}
    return row


def _same(difference: float, clusters: list[Any], count: int) -> tuple[float, float]:
    """Return the interval of differences that are all alike, where a bootstrap would be certain."""
    # As sure as one can be of "always"; what is left may lie at either end.
    rest = 1 - interval([1.0] * count, clusters)[0]
    return difference - (1 + difference) * rest, difference + (1 - difference) * rest
