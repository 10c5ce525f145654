"""Confirmation: what the sets that discovery chose do on items that it never saw.

No choice is made here. Each set is fixed, and is put to every question there is about it:

- its interchange, in both directions: is the set sufficient?
- its ablation (zero, mean, resampled): is it necessary?
- the interchange of *all other* units: do these carry the feature as well (redundancy)?
- the ablation of all other units ("keep only"): does the set bring it to the output by itself?
- the same with many sets of other units, as many, drawn at random or matched in activation norm.

A claim needs three things: the goal is reached, the effect isn't chance (sign flips by cluster,
over two claims corrected), and sets of other units don't do the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from textgate.evaluation.inference import (
    at_least,
    interval,
    ratio_interval,
    sign_flips,
)
from textgate.interchange.effects import ABLATIONS, INTERCHANGE, Half, one_hot
from textgate.unit_search._control_sets import matched_sets, random_sets
from textgate.unit_search._selection import Goals

LEVEL = 0.025  # of each of two claims, together 5 %
_CONTROL_LEVEL = 0.05
BOTH = "both"


@dataclass(frozen=True)
class Confirmed:
    """What the confirmation half says about one set.

    Attributes:
        interventions: A row for each intervention and direction.
        tests: A row for each tested effect, from `inference.sign_flips`.
        controls: A row for each intervention and kind of control sets.
        sufficient: Whether the set is sufficient.
        necessary: Whether it is necessary.
    """

    interventions: pd.DataFrame
    tests: pd.DataFrame
    controls: pd.DataFrame
    sufficient: bool
    necessary: bool

    def renamed(self, name: str) -> "Confirmed":
        """Return the same with another name of the set."""
        tables = {
            table: getattr(self, table).assign(set=name)
            for table in ("interventions", "tests", "controls")
        }
        return replace(self, **tables)


def describe(
    half: Half,
    label: dict[str, Any],
    readings: np.ndarray,
    seed: int = 0,
    resamples: int = 1000,
) -> list[dict[str, Any]]:
    """Return what readings `(n,)` say: a row for each direction, and one for both together.

    In the row of both, `accuracy` is balanced, the mean of the two directions; so is `flipped`.
    There, `lost` is the share of the lead lost, which a mere shift towards one word leaves at 0.
    """
    rows: list[dict[str, Any]] = []
    lost = float(half.lost(readings))
    accuracy, flipped, share = (f(readings) for f in (half.accuracy, half.flipped, half.share))
    below = half.clean - half.source
    for side, name in enumerate((*half.directions, BOTH)):
        chosen = (half.sides == side) if side < 2 else np.ones(len(half), bool)
        able = chosen & half.eligible
        row: dict[str, Any] = {**label, "direction": name, "items": int(chosen.sum())}

        def mean(values: np.ndarray, side: int = side) -> float:
            return float(values[side] if side < 2 else values.mean())

        clusters = [labels[chosen] for labels in half.clusters]
        row["accuracy"] = mean(accuracy)
        row["accuracy_low"], row["accuracy_high"] = interval(
            readings[chosen] > 0, clusters, seed, resamples
        )
        row["eligible"] = int(able.sum())
        row["flipped"] = mean(flipped)
        row["flipped_low"], row["flipped_high"] = interval(
            readings[able] < 0, [labels[able] for labels in half.clusters], seed, resamples
        )
        row["flipped_of_all"] = float(((readings < 0) & (half.clean > 0))[chosen].mean())
        row["share"] = mean(share)
        row["share_low"], row["share_high"] = ratio_interval(
            (half.clean - readings)[chosen], below[chosen], clusters, seed, resamples
        )
        row["logit_difference"] = float(readings[chosen].mean())
        row["logit_change"] = float((readings - half.clean)[chosen].mean())
        row["lost"] = lost if side == 2 else np.nan
        rows.append(row)
    return rows


def confirm(
    half: Half,
    name: str,
    chosen: Sequence[int],
    norms: np.ndarray,
    goals: Goals,
    controls: int = 100,
    seed: int = 0,
    draws: int = 2000,
    resamples: int = 1000,
) -> Confirmed:
    """Put a set of units to the questions above.

    Args:
        half: The confirmation half.
        name: What to call the set in the tables.
        chosen: Its units.
        norms: Each unit's activation norm, `(units,)`.
        goals: What is aimed at.
        controls: How many random sets, and half as many matched in norm.
        seed: Seed of control sets, intervals and tests.
        draws: How many draws of signs the tests make.
        resamples: How many resamples the intervals take.
    """
    own = one_hot(chosen, len(norms))
    label = {"set": name, "size": len(chosen), "units": " ".join(map(str, chosen))}
    kinds = (INTERCHANGE, *ABLATIONS)
    # The set and its complement in one run each.
    pairs = {kind: half.run(np.stack([own, ~own]), kind) for kind in kinds}
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        rows += describe(half, {**label, "intervention": kind}, pairs[kind][0], seed)
    rows += describe(
        half, {**label, "intervention": "interchange others"}, pairs[kinds[0]][1], seed
    )
    for kind in ABLATIONS:
        rows += describe(
            half, {**label, "intervention": f"{kind} others"}, pairs[kind][1], seed, resamples
        )

    tests = sign_flips(
        half.effects(np.stack([pairs[kind][0] for kind in kinds])), half.clusters, seed, draws
    )
    tests = pd.concat([pd.DataFrame([{**label, "intervention": k} for k in kinds]), tests], axis=1)
    table = _controls(half, label, chosen, norms, pairs, controls, seed)

    def beyond_chance(kind: str) -> bool:
        p = tests.loc[tests["intervention"] == kind, "p"].item()
        of = table[(table["intervention"] == kind) & (table["control"] == "random")]
        return p <= LEVEL and of["p"].item() <= _CONTROL_LEVEL

    flips = half.flipped(pairs[INTERCHANGE][0]).min()
    left = [half.accuracy(pairs[kind][0]).mean() for kind in ABLATIONS]
    return Confirmed(
        interventions=pd.DataFrame(rows),
        tests=tests,
        controls=table,
        sufficient=bool(flips >= goals.flipped) and beyond_chance(INTERCHANGE),
        necessary=max(left) <= goals.accuracy and all(map(beyond_chance, ABLATIONS)),
    )


def _controls(
    half: Half,
    label: dict[str, Any],
    chosen: Sequence[int],
    norms: np.ndarray,
    pairs: dict[str, np.ndarray],
    count: int,
    seed: int,
) -> pd.DataFrame:
    """Return for each intervention what sets of other units do, against what the set does."""
    drawn = {
        "random": random_sets(len(chosen), len(norms), count, chosen, seed),
        "norm-matched": matched_sets(chosen, norms, (count + 1) // 2, seed),
    }
    clean = half.accuracy(half.clean).mean()
    rows = []
    for kind, readings in pairs.items():
        everything = half.run(np.concatenate(list(drawn.values())), kind)
        begin = 0
        for control, sets in drawn.items():
            of = everything[begin : begin + len(sets)]
            begin += len(sets)
            if kind == INTERCHANGE:
                measure = "flipped, smaller of both directions"
                value = float(np.nan_to_num(half.flipped(readings[0]).min()))
                others = np.nan_to_num(half.flipped(of).min(axis=1))
            else:
                measure = "accuracy lost"
                value = float(clean - half.accuracy(readings[0]).mean())
                others = clean - half.accuracy(of).mean(axis=1)
            rows.append(
                {
                    **label,
                    "intervention": kind,
                    "control": control,
                    "sets": len(sets),
                    "mean_norm_of_set": float(norms[list(chosen)].mean()),
                    "mean_norm_of_controls": float((sets * norms).sum() / max(1, sets.sum())),
                    "measure": measure,
                    "value": value,
                    "control_mean": float(others.mean()),
                    "control_95": float(np.quantile(others, 0.95)),
                    "control_largest": float(others.max()),
                    "p": at_least(others, value),
                }
            )
    return pd.DataFrame(rows)


def each_unit(half: Half, ranking: pd.DataFrame, norms: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Return what each unit does alone, on both halves.

    Args:
        half: The confirmation half.
        ranking: What `selection.rank` found on the discovery half.
        norms: Each unit's activation norm, `(units,)`.
        seed: Seed of the test.

    Returns:
        A row a unit: `unit`, `rank` and `discovery …` (the discovery half's figures), `norm`; and
        on the confirmation half, in each direction, `share` and `flipped` of the interchange and
        `accuracy` under zero, mean and resample ablation; the mean `effect` of the interchange in
        units of the lead, with its `t` and its `p_adjusted` over all units (max-T).
    """
    singles = np.eye(len(norms), dtype=bool)
    readings = half.run(singles, INTERCHANGE)
    table = ranking.rename(
        columns={c: f"discovery {c}" for c in ranking.columns if c not in ("unit", "rank")}
    )
    table = table[
        ["unit", "rank", *table.columns[table.columns.str.startswith("discovery")]]
    ].copy()
    table["norm"] = norms
    share, flipped = half.share(readings), half.flipped(readings)
    for side, name in enumerate(half.directions):
        table[f"share {name}"] = share[:, side]
        table[f"flipped {name}"] = flipped[:, side]
    for kind in ABLATIONS:
        ablated = half.run(singles, kind)
        accuracy = half.accuracy(ablated)
        for side, name in enumerate(half.directions):
            table[f"accuracy {kind} {name}"] = accuracy[:, side]
        table[f"lost {kind}"] = half.lost(ablated)
    tests = sign_flips(half.effects(readings), half.clusters, seed)
    table["effect"], table["t"] = tests["mean"], tests["t"]
    table["p_adjusted"] = tests["p_adjusted"]
    return table
