"""How far apart two rungs of the ladder are, and whether the seeds say that they are.

Models of two rungs with the same seed have read the same texts in the same order, so they are
compared seed by seed, and what counts is how the difference varies. With five seeds that is little
to go by, which Student's t takes into account: the interval of a mean difference is its standard
error times 2.8, not times 2. And who compares at six distances finds something at one of them by
luck; the intervals of a table are widened for that (Bonferroni), so that with 95 % all of them hold
together.

The items are the same for all models and taken as given: the intervals say what other *seeds* would
have done on them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from textgate.study.ladder._runs import COUNTED

BITS = ("bits", "a word")
_GRAIN = 0.5  # of an item: two accuracies that are said to be alike may differ by that


def groups_of(by_seed: pd.DataFrame, by: str) -> list[tuple[str, str]]:
    """Return the groups of a grouping in their order, as columns of `differences`.

    Args:
        by_seed: The table of `textgate.study.ladder._tables.by_seed`.
        by: The grouping.
    """
    return [(by, str(group)) for group in by_seed.loc[by_seed["by"] == by, "group"].unique()]


def differences(
    by_seed: pd.DataFrame, runs: pd.DataFrame, rung: str, against: str
) -> tuple[pd.DataFrame, pd.Series]:
    """Subtract the models of one rung from those of another, seed by seed.

    Args:
        by_seed: The accuracies of each model: `textgate.study.ladder._tables.by_seed`.
        runs: A row a run, with `final`, `rung`, `seed` and `bits`.
        rung: Whose numbers are wanted.
        against: What is subtracted.

    Returns:
        A row for each seed that both have and a column for each grouping and group, and for bits a
        word (`BITS`); and for each column the least deviation that can be told from none. A rung in
        which nothing is left to chance (`COUNTED`) goes with all seeds of the other.
    """
    first, second = (_values(by_seed, runs, name) for name in (rung, against))
    if rung in COUNTED and against not in COUNTED:
        gaps = first.iloc[0] - second
    elif against in COUNTED and rung not in COUNTED:
        gaps = first - second.iloc[0]
    else:
        gaps = first.sub(second).dropna(how="all")  # by seed
    items = by_seed[by_seed["rung"] == rung].groupby(["by", "group"])["items"].first()
    grain = (_GRAIN / items).reindex(gaps.columns).fillna(0.0)
    return gaps[list(first.columns)], grain


def growth(
    gaps: pd.DataFrame, grain: pd.Series, first: tuple[str, str], last: tuple[str, str]
) -> tuple[pd.DataFrame, pd.Series]:
    """Return how much a difference changes from one group to another, as `differences` does.

    Args:
        gaps: Differences.
        grain: Theirs.
        first: The group from which.
        last: The group to which.
    """
    name = pd.MultiIndex.from_tuples([("growth", first[0])])
    change = (gaps[last] - gaps[first]).to_numpy()[:, None]
    return (
        pd.DataFrame(change, gaps.index, name),
        pd.Series([np.hypot(grain[first], grain[last])], name),
    )


def intervals(
    gaps: pd.DataFrame, grain: pd.Series | Mapping, columns: Sequence[tuple[str, str]]
) -> pd.DataFrame:
    """Return mean differences with intervals over seeds that hold together.

    Args:
        gaps: Differences, a row a seed.
        grain: The least deviation of each column that can be told from none.
        columns: Which columns are looked at; the more, the wider each interval.

    Returns:
        A row for each column: `difference`, `low` and `high` (95 % for all rows together; NaN with
        less than two seeds), `seeds`, and `verdict`: "higher" or "lower" if the interval lies on
        one side of 0, else "".
    """
    seeds = len(gaps)
    rows = []
    for column in columns:
        values = gaps[column].to_numpy()
        mean, low, high = float(values.mean()) if seeds else np.nan, np.nan, np.nan
        if seeds > 1:
            wide = float(stats.t.ppf(1 - 0.025 / len(columns), seeds - 1))
            error = max(float(values.std(ddof=1)), grain[column]) / np.sqrt(seeds)
            low, high = mean - wide * error, mean + wide * error
        verdict = "higher" if low > 0 else "lower" if high < 0 else ""
        rows.append((mean, low, high, seeds, verdict))
    index = pd.MultiIndex.from_tuples(list(columns), names=["by", "group"])
    return pd.DataFrame(rows, index, ["difference", "low", "high", "seeds", "verdict"])


def _values(by_seed: pd.DataFrame, runs: pd.DataFrame, rung: str) -> pd.DataFrame:
    """Return a row a seed and a column for each grouping and group, and for bits a word."""
    mine = by_seed[by_seed["rung"] == rung]
    table = mine.pivot(index="seed", columns=["by", "group"], values="accuracy")
    final = runs[(runs["rung"] == rung) & runs["final"]].set_index("seed")
    table[BITS] = final["bits"].reindex(table.index)
    return table.dropna()
