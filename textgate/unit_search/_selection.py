"""Discovery: the smallest set of units that does the job, and the smallest one it can't lack.

Both are looked for by forward selection, on the discovery half alone. Each step adds to the set the
unit that helps most together with those already in it, then asks whether the set does the job:

- *sufficient*: interchanging it with the counterpart flips the answer, in both directions;
- *necessary*: without it agreement falls near chance, whichever way it is taken out (zero, mean,
  resampled from other sentences).

The two differ wherever a feature is stored more than once. A set that was reached is then made as
small as it goes: units that came in early and turned out superfluous are taken out again.

The bar is higher here than in confirmation (half way between its goal and perfection), because
what just clears a bar on the items it was chosen by falls short of it on others.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange.effects import ABLATIONS, INTERCHANGE, Half, one_hot

# What sets, booleans of shape (m, units), cost elsewhere, in points of 100: (m,).
Cost = Callable[[np.ndarray], np.ndarray]
_ASKED, _AT_ONCE = 32, 4  # sets whose cost is asked for, in one step and at a time


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
    (4, 16)
    """

    flipped: float = 0.9
    accuracy: float = 0.6
    sufficient_limit: int = 8
    necessary_limit: int = 16
    candidates: int = 64
    spared: float = 2.0

    def limits(self, units: int) -> tuple[int, int]:
        """Return both limits for a layer: a quarter of its units is small, half of them isn't."""
        most = max(1, units // 4)
        return min(self.sufficient_limit, most), min(self.necessary_limit, most)


@dataclass(frozen=True)
class Found:
    """What forward selection came to.

    Attributes:
        units: The set, in the order of selection; empty if none of the limit's size does it.
        tried: The set at the last step, if `units` is empty; else `units`.
        steps: A row for each step.
    """

    units: tuple[int, ...]
    tried: tuple[int, ...]
    steps: pd.DataFrame


def rank(half: Half, units: int) -> pd.DataFrame:
    """Return what each unit does alone: a row a unit.

    Columns: `unit`, `share` and `flipped` of its interchange in each direction, `lost` by its mean
    ablation (share of the right word's lead), and `rank` by the smaller share, 1 the best.
    """
    singles = np.eye(units, dtype=bool)
    readings = half.run(singles, INTERCHANGE)
    ablated = half.run(singles, "mean")
    share, flipped = half.share(readings), half.flipped(readings)
    table = pd.DataFrame({"unit": np.arange(units)})
    for side, name in enumerate(half.directions):
        table[f"share {name}"] = share[:, side]
        table[f"flipped {name}"] = flipped[:, side]
    table["share"] = share.min(axis=1)
    table["lost"] = half.lost(ablated)
    order = np.argsort(-np.nan_to_num(table["share"].to_numpy(), nan=-np.inf), kind="stable")
    table["rank"] = np.argsort(order) + 1
    return table


def sufficient(
    half: Half, ranking: pd.DataFrame, goals: Goals, without: Sequence[int] = ()
) -> Found:
    """Find the smallest set whose interchange flips the answer in both directions.

    Args:
        half: The discovery half.
        ranking: As `rank` returns it.
        goals: What is aimed at.
        without: Units that the set must not have.
    """
    units = len(ranking)
    limit, _ = goals.limits(units)
    bar = (1 + goals.flipped) / 2

    def score(sets: np.ndarray) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        readings = half.run(sets, INTERCHANGE)
        share, flipped = half.share(readings), half.flipped(readings)
        facts = _by_direction(half, {"share": share, "flipped": flipped})
        done = np.nan_to_num(flipped.min(axis=1)) >= bar
        return np.nan_to_num(share.min(axis=1), nan=-np.inf), done, facts

    order = ranking.sort_values("rank")["unit"]
    candidates = [int(u) for u in order if u not in set(without)][: goals.candidates]
    return _forward(score, candidates, units, limit)


def necessary(half: Half, ranking: pd.DataFrame, goals: Goals, cost: Cost | None = None) -> Found:
    """Find the smallest set without which agreement falls near chance, under every ablation.

    Selection goes by the lead that mean ablation takes; whether the set does the job is asked of
    all three ablations.

    Args:
        half: The discovery half.
        ranking: As `rank` returns it.
        goals: What is aimed at.
        cost: What a set costs elsewhere. If it is given, a unit is only taken if the set with it
            costs at most half of `goals.spared`.
    """
    units = len(ranking)
    _, limit = goals.limits(units)
    bar = (0.5 + goals.accuracy) / 2

    def score(sets: np.ndarray) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
        readings = half.run(sets, "mean")
        lost = np.nan_to_num(half.lost(readings), nan=-np.inf)
        if cost is not None:
            lost = _affordable(sets, lost, cost, goals.spared / 2)
        best = int(np.argmax(lost))
        left = {"mean": half.accuracy(readings)}
        # The other two ablations are only asked about where selection would stop.
        left |= {k: half.accuracy(half.run(sets[best][None], k)) for k in ABLATIONS if k != "mean"}
        worst = max(values[best if k == "mean" else 0].mean() for k, values in left.items())
        done = np.zeros(len(sets), bool)
        done[best] = worst <= bar
        facts = pd.DataFrame({"lost": lost})
        for kind, values in left.items():
            facts[f"accuracy {kind}"] = values.mean(axis=1) if kind == "mean" else np.nan
            facts.loc[best, f"accuracy {kind}"] = values[best if kind == "mean" else 0].mean()
        return lost, done, facts

    by_loss = ranking.sort_values(["lost", "unit"], ascending=[False, True])["unit"]
    by_share = ranking.sort_values("rank")["unit"]
    half_of = goals.candidates // 2
    first = [int(u) for u in by_loss[:half_of]]
    rest = [int(u) for u in [*by_share, *by_loss[half_of:]] if int(u) not in first]
    candidates = [*first, *dict.fromkeys(rest)][: goals.candidates]
    return _forward(score, candidates, units, limit)


def best_layer(
    runners: Mapping[str, tuple[Half, Half]], goals: Goals
) -> tuple[pd.DataFrame, str, pd.DataFrame, Found]:
    """Return the layer with the smallest sufficient set on the discovery half, and the set."""
    results = {}
    rows = []
    for name, (half, _) in runners.items():
        ranking = rank(half, len(half.norms))
        found = sufficient(half, ranking, goals)
        results[name] = ranking, found
        shares = [f"share {direction}" for direction in half.directions]
        share = float(found.steps[shares].iloc[-1].min()) if len(found.steps) else 0.0
        rows.append(
            {
                "layer": name,
                "sufficient": bool(found.units),
                "size": len(found.tried),
                "units": " ".join(map(str, found.tried)),
                "share": share,
                "best_unit_share": float(ranking["share"].max()),
            }
        )
    table = pd.DataFrame(rows)
    order = table.assign(missing=~table["sufficient"]).sort_values(
        ["missing", "size", "share"], ascending=[True, True, False], kind="stable"
    )
    best = str(order["layer"].iloc[0])
    return table, best, *results[best]


def _affordable(sets: np.ndarray, values: np.ndarray, cost: Cost, most: float) -> np.ndarray:
    """Return the values with all but the best that costs little enough at −∞."""
    order = np.argsort(-values, kind="stable")[:_ASKED]
    kept = np.full(len(values), -np.inf)
    for begin in range(0, len(order), _AT_ONCE):
        some = order[begin : begin + _AT_ONCE]
        fine = some[cost(sets[some]) <= most]
        if len(fine):
            kept[fine[0]] = values[fine[0]]
            break
    return kept


Score = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, pd.DataFrame]]


def _forward(score: Score, candidates: Sequence[int], units: int, limit: int) -> Found:
    """Add the best unit until the set does the job; then take out what it doesn't need."""
    chosen: list[int] = []
    steps: list[dict[str, Any]] = []
    reached = False
    while len(chosen) < min(limit, len(candidates)) and not reached:
        left = [u for u in candidates if u not in chosen]
        sets = np.stack([one_hot([*chosen, u], units) for u in left])
        values, done, facts = score(sets)
        best = int(np.argmax(np.where(done, values, -np.inf) if done.any() else values))
        if not np.isfinite(values[best]):
            break
        chosen.append(left[best])
        reached = bool(done[best])
        steps.append({"size": len(chosen), "step": "add", "unit": left[best], **_row(facts, best)})
    if not reached:
        return Found((), tuple(chosen), pd.DataFrame(steps))
    for unit in list(chosen[:-1]):  # the last one was needed
        if len(chosen) == 1:
            break
        fewer = [u for u in chosen if u != unit]
        values, done, facts = score(one_hot(fewer, units)[None])
        if done[0]:
            chosen = fewer
            steps.append({"size": len(chosen), "step": "drop", "unit": unit, **_row(facts, 0)})
    return Found(tuple(chosen), tuple(chosen), pd.DataFrame(steps))


def _row(facts: pd.DataFrame, place: int) -> dict[str, Any]:
    return {str(name): facts[name].iloc[place] for name in facts}


def _by_direction(half: Half, values: dict[str, np.ndarray]) -> pd.DataFrame:
    columns = {}
    for name, both in values.items():
        for side, direction in enumerate(half.directions):
            columns[f"{name} {direction}"] = both[:, side]
    return pd.DataFrame(columns)
