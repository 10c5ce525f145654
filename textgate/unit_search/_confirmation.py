"""Confirmation: what the sets that discovery chose do on items that it never saw.

No choice is made here. Each set is fixed, and is tested for sufficiency and for necessity:

- its interchange, in both directions: is the set sufficient?
- its ablation (zero, mean, resampled): is it necessary?
- the interchange of *all other* units: do these carry the feature as well (redundancy)?
- the ablation of all other units ("keep only"): does the set bring it to the output by itself?
- the same with many sets of other units, as many, drawn at random or matched in activation norm.

A claim needs three things: the goal is reached, the effect isn't chance (sign flips by cluster,
over two claims corrected), and sets of other units don't do the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from textgate.evaluation.inference import (
    CLAIM_LEVEL,
    at_least,
    interval,
    ratio_interval,
    sign_flips,
)
from textgate.interchange import Units
from textgate.interchange.effects import ABLATIONS, INTERCHANGE, Sample
from textgate.unit_search._control_sets import matched_sets, random_sets
from textgate.unit_search._goals import Goals
from textgate.unit_search._selection import Selections
from textgate.unit_search._tables import stacked

_CONTROL_LEVEL = 0.05
BOTH = "both"


class Judgement(NamedTuple):
    """How a set does in the three things that a claim about it needs, on the confirmation half.

    Attributes:
        reached: Whether the goal is reached.
        p: The p of the test by sign flips; of several tests the largest.
        random: How often random sets do as well; of several comparisons the largest share.
    """

    reached: bool
    p: float
    random: float

    @property
    def tested(self) -> bool:
        """Whether the effect is more than chance."""
        return self.p <= CLAIM_LEVEL

    @property
    def beyond_random(self) -> bool:
        """Whether other sets don't do the same."""
        return self.random <= _CONTROL_LEVEL

    @property
    def holds(self) -> bool:
        """Whether the claim may be made."""
        return self.reached and self.tested and self.beyond_random


@dataclass(frozen=True)
class Confirmation:
    """What the confirmation half says about one set.

    Attributes:
        interventions: A row for each intervention and direction.
        tests: A row for each tested effect, from `inference.sign_flips`.
        controls: A row for each intervention and kind of control sets.
        judgements: How it does as a sufficient and as a necessary set.
    """

    interventions: pd.DataFrame
    tests: pd.DataFrame
    controls: pd.DataFrame
    judgements: Mapping[str, Judgement]

    @property
    def sufficient(self) -> bool:
        """Whether the set is sufficient."""
        return self.judgements["sufficient"].holds

    @property
    def necessary(self) -> bool:
        """Whether the set is necessary."""
        return self.judgements["necessary"].holds

    def renamed(self, name: str) -> "Confirmation":
        """Return the same with another name of the set."""
        return replace(
            self,
            interventions=self.interventions.assign(set=name),
            tests=self.tests.assign(set=name),
            controls=self.controls.assign(set=name),
        )


def effect_rows(
    sample: Sample,
    label: Mapping[str, Any],
    decisions: np.ndarray,
    seed: int = 0,
    resamples: int = 1000,
) -> list[dict[str, Any]]:
    """Return what decisions `(n,)` show: a row for each direction, and one for both together.

    In the row of both, `accuracy` is balanced, the mean of the two directions; so is `flipped`.
    There, `lost` is the share of the lead lost, which a mere shift towards one word leaves at 0.
    """
    means = {
        "accuracy": sample.accuracy(decisions),
        "flipped": sample.flipped(decisions),
        "share": sample.share(decisions),
    }
    everyone = np.ones(len(sample), bool)
    groups = [
        (str(direction), sample.sides == side, {name: both[side] for name, both in means.items()})
        for side, direction in enumerate(sample.directions)
    ]
    groups.append((BOTH, everyone, {name: both.mean() for name, both in means.items()}))
    rows: list[dict[str, Any]] = []
    for direction, chosen, mean in groups:
        eligible = chosen & sample.eligible
        clusters = [labels[chosen] for labels in sample.clusters]
        eligible_clusters = [labels[eligible] for labels in sample.clusters]
        moved, way = sample.clean - decisions, sample.clean - sample.source
        right = interval(decisions[chosen] > 0, clusters, seed, resamples)
        flipped = interval(decisions[eligible] < 0, eligible_clusters, seed, resamples)
        share = ratio_interval(moved[chosen], way[chosen], clusters, seed, resamples)
        rows.append(
            {
                **label,
                "direction": direction,
                "items": int(chosen.sum()),
                "accuracy": float(mean["accuracy"]),
                "accuracy_low": right[0],
                "accuracy_high": right[1],
                "eligible": int(eligible.sum()),
                "flipped": float(mean["flipped"]),
                "flipped_low": flipped[0],
                "flipped_high": flipped[1],
                "flipped_of_all": float(((decisions < 0) & (sample.clean > 0))[chosen].mean()),
                "share": float(mean["share"]),
                "share_low": share[0],
                "share_high": share[1],
                "logit_difference": float(decisions[chosen].mean()),
                "logit_change": float((decisions - sample.clean)[chosen].mean()),
                "lost": float(sample.lost(decisions)) if direction == BOTH else np.nan,
            }
        )
    return rows


def clean_table(sample: Sample, seed: int) -> pd.DataFrame:
    """Return the rows of the model without any intervention."""
    label = {"set": "none", "size": 0, "units": "", "intervention": "none"}
    return pd.DataFrame(effect_rows(sample, label, sample.clean, seed))


def confirm_set(
    sample: Sample,
    name: str,
    units: Units,
    norms: np.ndarray,
    goals: Goals,
    controls: int = 100,
    seed: int = 0,
    draws: int = 2000,
    resamples: int = 1000,
) -> Confirmation:
    """Test a set of units for sufficiency and for necessity.

    Args:
        sample: The confirmation half.
        name: What to call the set in the tables.
        units: The set.
        norms: Each unit's activation norm, `(units,)`.
        goals: What is aimed at.
        controls: How many random sets, and half as many matched in norm.
        seed: Seed of control sets, intervals and tests.
        draws: How many draws of signs the tests make.
        resamples: How many resamples the intervals take.
    """
    mask = units.mask(sample.units)
    label = {"set": name, "size": len(units), "units": str(units)}
    kinds = (INTERCHANGE, *ABLATIONS)
    # The set and its complement in one run each.
    runs = {kind: sample.run(np.stack([mask, ~mask]), kind) for kind in kinds}
    own = {kind: decisions for kind, (decisions, _) in runs.items()}
    others = {f"{kind} others": decisions for kind, (_, decisions) in runs.items()}
    rows: list[dict[str, Any]] = []
    for kind, decisions in (own | others).items():
        rows += effect_rows(sample, label | {"intervention": kind}, decisions, seed, resamples)

    tests = sign_flips(sample.effects(np.stack(list(own.values()))), sample.clusters, seed, draws)
    tests = pd.concat([pd.DataFrame([label | {"intervention": k} for k in kinds]), tests], axis=1)
    table = _control_table(sample, label, units, norms, own, controls, seed)

    def judgement(reached: bool, *kinds: str) -> Judgement:
        p = tests.loc[tests["intervention"].isin(kinds), "p"].max()
        random = table[table["intervention"].isin(kinds) & (table["control"] == "random")]
        return Judgement(reached, float(p), float(random["p"].max()))

    flips = sample.flipped(own[INTERCHANGE]).min()
    remaining = [sample.accuracy(own[kind]).mean() for kind in ABLATIONS]
    return Confirmation(
        interventions=pd.DataFrame(rows),
        tests=tests,
        controls=table,
        judgements={
            "sufficient": judgement(bool(flips >= goals.flipped), INTERCHANGE),
            "necessary": judgement(bool(max(remaining) <= goals.accuracy), *ABLATIONS),
        },
    )


class Confirmations(NamedTuple):
    """What the confirmation half says about all that discovery chose.

    Attributes:
        sets: About each set, by its name.
        alternatives: Those of the further sets whose interchange flips the answer here as well.
        further: What each further set does, a row for each direction.
        clean: What the model does without any intervention.
    """

    sets: dict[str, Confirmation]
    alternatives: tuple[Units, ...]
    further: pd.DataFrame
    clean: pd.DataFrame

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables of all sets, below one another."""
        each = self.sets.values()
        return {
            "interventions": stacked([self.clean, *(one.interventions for one in each)]),
            "tests": stacked(one.tests for one in each),
            "controls": stacked(one.controls for one in each),
            "further": self.further,
        }


def confirm(
    sample: Sample,
    selections: Selections,
    norms: np.ndarray,
    goals: Goals,
    controls: int,
    seed: int,
) -> Confirmations:
    """Test all that discovery chose; sets of the same units share the answers."""
    confirmed: dict[Units, Confirmation] = {}
    sets = {}
    for name, units in selections.sets().items():
        if units.sorted() not in confirmed:
            confirmed[units.sorted()] = confirm_set(
                sample, name, units, norms, goals, controls, seed
            )
        sets[name] = confirmed[units.sorted()].renamed(name)
    alternatives: list[Units] = []
    rows: list[dict[str, Any]] = []
    for number, units in enumerate(selections.further, 1):
        decisions = sample.run(units.mask(sample.units)[None], INTERCHANGE)[0]
        flips = bool(sample.flipped(decisions).min() >= goals.flipped)
        label = {
            "set": f"further {number}",
            "size": len(units),
            "units": str(units),
            "confirmed": flips,
            "intervention": INTERCHANGE,
        }
        rows += effect_rows(sample, label, decisions, seed)
        if flips:
            alternatives.append(units)
    return Confirmations(sets, tuple(alternatives), pd.DataFrame(rows), clean_table(sample, seed))


def without_excess(
    selections: Selections, confirmed: Confirmations
) -> tuple[Selections, Confirmations]:
    """Take the sufficient set for the smallest necessary one, where it is confirmed as both.

    Discovery asks for more than confirmation does. On the last bit of the way, units come in that
    the other half shows to be superfluous, because the sufficient set falls near chance there
    without them.
    """
    first, units = confirmed.sets.get("sufficient"), selections.sufficient.units
    does_both = selections.sufficient.reached and first and first.sufficient and first.necessary
    if first is None or not does_both or 0 < len(selections.necessary.units) <= len(units):
        return selections, confirmed
    necessary = replace(selections.necessary, units=units, reached=True)
    sets = {**confirmed.sets, "necessary": first.renamed("necessary")}
    return replace(selections, necessary=necessary), confirmed._replace(sets=sets)


def confirm_each_unit(
    sample: Sample, ranking: pd.DataFrame, norms: np.ndarray, seed: int = 0
) -> pd.DataFrame:
    """Return what each unit does alone, on both halves.

    Args:
        sample: The confirmation half.
        ranking: What `rank_units` says of the discovery half.
        norms: Each unit's activation norm, `(units,)`.
        seed: Seed of the test.

    Returns:
        A row a unit: `unit`, `rank` and `discovery …` (the discovery half's figures), `norm`; and
        on the confirmation half, in each direction, `share` and `flipped` of the interchange and
        `accuracy` under zero, mean and resample ablation; the mean `effect` of the interchange in
        units of the lead, with its `t` and its `p_adjusted` over all units (max-T).
    """
    singles = np.eye(sample.units, dtype=bool)
    interchanged = sample.run(singles, INTERCHANGE)
    table = ranking[["unit", "rank"]].copy()
    for column in ranking.columns.drop(["unit", "rank"]):
        table[f"discovery {column}"] = ranking[column]
    table["norm"] = norms
    share, flipped = sample.share(interchanged), sample.flipped(interchanged)
    for side, direction in enumerate(sample.directions):
        table[f"share {direction}"] = share[:, side]
        table[f"flipped {direction}"] = flipped[:, side]
    for kind in ABLATIONS:
        ablated = sample.run(singles, kind)
        accuracy = sample.accuracy(ablated)
        for side, direction in enumerate(sample.directions):
            table[f"accuracy {kind} {direction}"] = accuracy[:, side]
        table[f"lost {kind}"] = sample.lost(ablated)
    tests = sign_flips(sample.effects(interchanged), sample.clusters, seed)
    table["effect"], table["t"] = tests["mean"], tests["t"]
    table["p_adjusted"] = tests["p_adjusted"]
    return table


def _control_table(
    sample: Sample,
    label: Mapping[str, Any],
    units: Units,
    norms: np.ndarray,
    own: Mapping[str, np.ndarray],
    count: int,
    seed: int,
) -> pd.DataFrame:
    """Return for each intervention what sets of other units do, against what the set does.

    Args:
        sample: The confirmation half.
        label: What the table says of the set.
        units: The set.
        norms: Each unit's activation norm, `(units,)`.
        own: The decisions with the set changed, `(n,)`, by intervention.
        count: How many random sets, and half as many matched in norm.
        seed: Seed.
    """
    controls = {
        "random": random_sets(len(units), len(norms), count, units, seed),
        "norm-matched": matched_sets(units, norms, (count + 1) // 2, seed),
    }
    rows = []
    for kind, decisions in own.items():
        name, measure = (
            ("flipped, smaller of both directions", _flips)
            if kind == INTERCHANGE
            else ("accuracy lost", _accuracy_lost)
        )
        value = float(measure(sample, decisions))
        all_decisions = sample.run(np.concatenate(list(controls.values())), kind)
        parts = np.split(all_decisions, [len(controls["random"])])
        for (control, sets), control_decisions in zip(controls.items(), parts, strict=True):
            values = measure(sample, control_decisions)
            rows.append(
                {
                    **label,
                    "intervention": kind,
                    "control": control,
                    "sets": len(sets),
                    "mean_norm_of_set": float(norms[list(units)].mean()),
                    "mean_norm_of_controls": float((sets * norms).sum() / max(1, sets.sum())),
                    "measure": name,
                    "value": value,
                    "control_mean": float(values.mean()),
                    "control_95": float(np.quantile(values, 0.95)),
                    "control_largest": float(values.max()),
                    "p": at_least(values, value),
                }
            )
    return pd.DataFrame(rows)


def _flips(sample: Sample, decisions: np.ndarray) -> np.ndarray:
    return np.asarray(np.nan_to_num(sample.flipped(decisions).min(axis=-1)))


def _accuracy_lost(sample: Sample, decisions: np.ndarray) -> np.ndarray:
    clean = sample.accuracy(sample.clean).mean()
    return np.asarray(clean - sample.accuracy(decisions).mean(axis=-1))
