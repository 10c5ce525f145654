"""The ladder's tables: accuracy by distance and attractors with intervals, and a line a rung."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from textgate.evaluation import interval

_EDGES = [0, 2, 5, 10, 20, 40, 80]


def _distance(items: pd.DataFrame) -> pd.Series:
    labels = [f"{low + 1}-{high}" for low, high in itertools.pairwise(_EDGES)]
    return pd.cut(items["distance"], _EDGES, labels=labels).astype(str)


def _count(column: pd.Series) -> pd.Series:
    return column.clip(upper=2).map({0: "0", 1: "1", 2: "2+"})


def _groups(items: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the groupings, each with the group of every item, "" where it has none."""
    near = items["split"] == "test"
    return {
        "split": items["split"],
        "distance": _distance(items),
        "attractors": _count(items["attractors"]).where(near, ""),
        "incongruent attractors": _count(items["incongruent_attractors"]).where(near, ""),
        "referents to remember": items["held"].astype(str).where(near, ""),
        "sentences before": items["earlier"].astype(str).where(near, ""),
        "nested": items["nested"].map({True: "nested", False: "not nested"}).where(near, ""),
        "form": items["form"].where(near, ""),
        "direction": items["direction"].where(near, ""),
    }


def _members(items: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield each grouping's name, each of its groups, and which items are in it."""
    for by, groups in _groups(items).items():
        for group in sorted(set(groups) - {""}, key=lambda name: (len(name), name)):
            yield by, group, (groups == group).to_numpy()


def by_seed(rung: str, seeds: Sequence[int], runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the accuracy of each of a rung's models on the groups of items of `accuracy`.

    Args:
        rung: Its name.
        seeds: The models' seeds.
        runs: For each seed the items, alike but for `correct`.

    Returns:
        A row for each group and seed: `rung`, `seed`, `by`, `group`, `items`, `accuracy`.
    """
    rows = [
        (rung, seed, by, group, int(chosen.sum()), float(run["correct"].to_numpy()[chosen].mean()))
        for by, group, chosen in _members(runs[0])
        for seed, run in zip(seeds, runs, strict=True)
    ]
    return pd.DataFrame(rows, columns=["rung", "seed", "by", "group", "items", "accuracy"])


def accuracy(rung: str, runs: Sequence[pd.DataFrame], resamples: int = 1000) -> pd.DataFrame:
    """Return a rung's accuracy on groups of items, with intervals over items and over seeds.

    Args:
        rung: Its name.
        runs: For each seed the items, alike but for `correct`.
        resamples: For the bootstrap.

    Returns:
        A row for each group of each grouping (`by`; all but split and distance are of the split
        `test`), with `items`, `seeds`, `accuracy` (the mean over seeds), `low` and `high` (95 %
        over items: a bootstrap clustered on template and lexeme of each item's mean over seeds),
        `seed_sd`, `seed_low` and `seed_high` (95 % over seeds: Student's t; NaN with one seed).
    """
    items = runs[0]
    correct = np.stack([run["correct"].to_numpy(float) for run in runs])  # (seeds, items)
    rows = []
    for by, group, chosen in _members(items):
        some = correct[:, chosen]
        clusters = [items[name].to_numpy()[chosen] for name in ("template", "lexeme")]
        low, high = interval(some.mean(axis=0), clusters, resamples=resamples)
        rows.append(
            {
                "rung": rung,
                "by": by,
                "group": group,
                "items": int(chosen.sum()),
                "seeds": len(runs),
                "accuracy": float(some.mean()),
                "low": low,
                "high": high,
                **over_seeds(some.mean(axis=1)),
            }
        )
    return pd.DataFrame(rows)


def over_seeds(values: np.ndarray) -> dict[str, float]:
    """Return the standard deviation over seeds, and a 95 % interval of the mean, within [0, 1]."""
    if len(values) < 2:
        return {"seed_sd": np.nan, "seed_low": np.nan, "seed_high": np.nan}
    sd = float(values.std(ddof=1))
    half = float(stats.t.ppf(0.975, len(values) - 1)) * sd / np.sqrt(len(values))
    mean = float(values.mean())
    return {
        "seed_sd": sd,
        "seed_low": max(mean - half, 0.0),
        "seed_high": min(mean + half, 1.0),
    }


def one_line_a_rung(runs: pd.DataFrame, accuracies: pd.DataFrame) -> pd.DataFrame:
    """Return the ladder as it is printed.

    Args:
        runs: A row a run, as `textgate.study.compare` gathers them; of the final ones the mean is
            taken.
        accuracies: As from `accuracy`, of all rungs.

    Returns:
        A row a rung: `rung`, `seeds`, `learning_rate`, `units`, `parameters`, `seconds` (of a
        training), `stopped` (how many the budget stopped), `bits` (a word), `accuracy` on the
        split `test`, `low`, `high`, `seed_low`, `seed_high`, and accuracies by distance (`1-2`, …),
        by incongruent attractors (`against 0`, …), referents to remember (`of 1`, …) and sentences
        before (`before 0`, …).
    """
    final = runs[runs["final"]]
    rows = []
    for rung, of_rung in final.groupby("rung", sort=False):
        table = accuracies[accuracies["rung"] == rung].set_index(["by", "group"])
        near: Any = table.loc[("split", "test")]
        row = {
            "rung": rung,
            "seeds": len(of_rung),
            "learning_rate": of_rung["learning_rate"].iloc[0],
            "units": of_rung["units"].iloc[0],
            "parameters": of_rung["parameters"].iloc[0],
            "seconds": of_rung["seconds"].mean(),
            "stopped": int(of_rung["stopped"].sum()),
            "bits": of_rung["bits"].mean(),
            **{name: near[name] for name in ("accuracy", "low", "high", "seed_low", "seed_high")},
        }
        names = {
            "distance": "",
            "incongruent attractors": "against ",
            "referents to remember": "of ",
            "sentences before": "before ",
        }
        for by, name in names.items():
            of_group: Any = table.loc[by]
            for group, value in of_group["accuracy"].items():
                row[f"{name}{group}"] = value
        rows.append(row)
    return pd.DataFrame(rows)
