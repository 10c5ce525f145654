"""Discovery: the smallest set of units that does the job, and the smallest without which it fails.

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

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from textgate.interchange import Units
from textgate.interchange.effects import ABLATIONS, INTERCHANGE, Sample
from textgate.unit_search._goals import Goals
from textgate.unit_search._halves import Samples
from textgate.unit_search._subject import Place
from textgate.unit_search._tables import stacked

_MOST_FURTHER = 3
_AFFORDABLE_AMONG, _COSTS_AT_ONCE = 32, 4  # sets whose cost is computed, in all and at a time

# What sets, booleans of shape (m, units), cost elsewhere, in points of 100: (m,).
Cost = Callable[[np.ndarray], np.ndarray]


class Scores(NamedTuple):
    """How well some sets do.

    Attributes:
        values: What selection goes by, `(m,)`; −∞ for a set that it must not choose.
        done: Which sets do the job, `(m,)`.
        columns: What the table of steps says of each.
    """

    values: np.ndarray
    done: np.ndarray
    columns: pd.DataFrame


Score = Callable[[np.ndarray], Scores]


@dataclass(frozen=True)
class Selection:
    """What forward selection came to.

    Attributes:
        units: The set at the last step, in the order of selection.
        reached: Whether it does the job; if not, no set that is small enough does.
        steps: A row for each step.
    """

    units: Units
    reached: bool
    steps: pd.DataFrame


@dataclass(frozen=True)
class Selections:
    """All that discovery chose: fixed from here on.

    Attributes:
        sufficient: The smallest sufficient set.
        necessary: The smallest necessary set.
        specific: A necessary set that spares the side tasks; `None` if there was no call for it.
        further: More sufficient sets, disjoint from the first one and from each other.
    """

    sufficient: Selection
    necessary: Selection
    specific: Selection | None
    further: tuple[Units, ...]

    def by_name(self) -> dict[str, Selection]:
        """Return the selections by what they are called in tables."""
        named = {"sufficient": self.sufficient, "necessary": self.necessary}
        return named if self.specific is None else named | {"specific": self.specific}

    def sets(self) -> dict[str, Units]:
        """Return the sets that there are to try, whether they reached the goal or not."""
        return {name: each.units for name, each in self.by_name().items() if each.units}

    def members(self) -> Units:
        """Return the units of all sets, in rising order."""
        return Units(unit for units in self.sets().values() for unit in units).sorted()

    def table(self) -> pd.DataFrame:
        """Return the steps of all selections, below one another."""
        return stacked(each.steps.assign(set=name) for name, each in self.by_name().items())


def rank_units(sample: Sample) -> pd.DataFrame:
    """Return what each unit does alone: a row a unit.

    Columns: `unit`, `share` and `flipped` of its interchange in each direction, `lost` by its mean
    ablation (share of the right word's lead), and `rank` by the smaller share, 1 the best.
    """
    singles = np.eye(sample.units, dtype=bool)
    interchanged = sample.run(singles, INTERCHANGE)
    ablated = sample.run(singles, "mean")
    share, flipped = sample.share(interchanged), sample.flipped(interchanged)
    table = pd.DataFrame({"unit": np.arange(sample.units)})
    for side, direction in enumerate(sample.directions):
        table[f"share {direction}"] = share[:, side]
        table[f"flipped {direction}"] = flipped[:, side]
    table["share"] = share.min(axis=1)
    table["lost"] = sample.lost(ablated)
    order = np.argsort(-np.nan_to_num(table["share"].to_numpy(), nan=-np.inf), kind="stable")
    table["rank"] = np.argsort(order) + 1
    return table


def smallest_sufficient(
    sample: Sample, ranking: pd.DataFrame, goals: Goals, without: Sequence[int] = ()
) -> Selection:
    """Find the smallest set whose interchange flips the answer in both directions.

    Args:
        sample: The discovery half.
        ranking: As `rank_units` returns it.
        goals: What is aimed at.
        without: Units that the set must not have.
    """
    bar = (1 + goals.flipped) / 2

    def score(sets: np.ndarray) -> Scores:
        decisions = sample.run(sets, INTERCHANGE)
        share, flipped = sample.share(decisions), sample.flipped(decisions)
        columns = {
            f"{name} {direction}": values[:, side]
            for name, values in (("share", share), ("flipped", flipped))
            for side, direction in enumerate(sample.directions)
        }
        done = np.nan_to_num(flipped.min(axis=1)) >= bar
        values = np.nan_to_num(share.min(axis=1), nan=-np.inf)
        return Scores(values, done, pd.DataFrame(columns))

    candidates = Units(ranking.sort_values("rank")["unit"]) - without
    limit = goals.limits(sample.units).sufficient
    return _forward(score, Units(candidates[: goals.candidates]), sample.units, limit)


def smallest_necessary(
    sample: Sample, ranking: pd.DataFrame, goals: Goals, cost: Cost | None = None
) -> Selection:
    """Find the smallest set without which agreement falls near chance, under every ablation.

    Selection goes by the lead that mean ablation takes; whether the set does the job is asked of
    all three ablations.

    Args:
        sample: The discovery half.
        ranking: As `rank_units` returns it.
        goals: What is aimed at.
        cost: What a set costs elsewhere. If it is given, a unit is only taken if the set with it
            costs at most half of `goals.spared`.
    """
    bar = (0.5 + goals.accuracy) / 2

    def score(sets: np.ndarray) -> Scores:
        decisions = sample.run(sets, "mean")
        lost = np.nan_to_num(sample.lost(decisions), nan=-np.inf)
        if cost is not None:
            lost = _affordable(sets, lost, cost, goals.spared / 2)
        best = int(np.argmax(lost))
        accuracy = {"mean": sample.accuracy(decisions).mean(axis=1)}
        # The other two ablations are only asked about where selection would stop.
        for kind in ABLATIONS:
            if kind != "mean":
                accuracy[kind] = np.full(len(sets), np.nan)
                accuracy[kind][best] = sample.accuracy(sample.run(sets[best][None], kind)).mean()
        done = np.zeros(len(sets), bool)
        low = max(values[best] for values in accuracy.values()) <= bar
        done[best] = low and np.isfinite(lost[best])
        columns = {"lost": lost} | {f"accuracy {kind}": accuracy[kind] for kind in accuracy}
        return Scores(lost, done, pd.DataFrame(columns))

    by_loss = ranking.sort_values(["lost", "unit"], ascending=[False, True])["unit"].tolist()
    by_share = ranking.sort_values("rank")["unit"].tolist()
    first = goals.candidates // 2
    candidates = Units([*by_loss[:first], *by_share, *by_loss[first:]])
    limit = goals.limits(sample.units).necessary
    return _forward(score, Units(candidates[: goals.candidates]), sample.units, limit)


def further_sufficient(
    sample: Sample, ranking: pd.DataFrame, goals: Goals, first: Selection
) -> tuple[Units, ...]:
    """Find more sets that are sufficient, disjoint from the first one and from each other."""
    further: list[Units] = []
    used = first.units
    while first.reached and len(further) < _MOST_FURTHER:
        selection = smallest_sufficient(sample, ranking, goals, without=used)
        if not selection.reached:
            break
        further.append(selection.units)
        used |= selection.units
    return tuple(further)


class LayerSearch(NamedTuple):
    """What the discovery half says of one layer.

    Attributes:
        place: The layer, and the signal.
        samples: Both halves on it.
        ranking: What each unit does alone.
        sufficient: The smallest sufficient set.
    """

    place: Place
    samples: Samples
    ranking: pd.DataFrame
    sufficient: Selection

    @property
    def share(self) -> float:
        """The share of the logit difference that the set moves, the smaller of both directions."""
        steps = self.sufficient.steps
        columns = [f"share {direction}" for direction in self.samples.discovery.directions]
        return float(steps[columns].iloc[-1].min()) if len(steps) else 0.0


def search_layer(place: Place, samples: Samples, goals: Goals) -> LayerSearch:
    """Look for a sufficient set in one layer, on the discovery half."""
    ranking = rank_units(samples.discovery)
    sufficient = smallest_sufficient(samples.discovery, ranking, goals)
    return LayerSearch(place, samples, ranking, sufficient)


def smallest(searches: Sequence[LayerSearch]) -> LayerSearch:
    """Return the layer with the smallest sufficient set, of several that which moves most."""
    return min(
        searches,
        key=lambda search: (
            not search.sufficient.reached,
            len(search.sufficient.units),
            -np.nan_to_num(search.share, nan=-np.inf),
        ),
    )


def layer_table(searches: Sequence[LayerSearch]) -> pd.DataFrame:
    """Return what discovery came to in each layer, a row each."""
    return pd.DataFrame(
        [
            {
                "layer": search.place.layer,
                "sufficient": search.sufficient.reached,
                "size": len(search.sufficient.units),
                "units": str(search.sufficient.units),
                "share": search.share,
                "best_unit_share": float(search.ranking["share"].max()),
            }
            for search in searches
        ]
    )


def _affordable(sets: np.ndarray, values: np.ndarray, cost: Cost, most: float) -> np.ndarray:
    """Return the values, with all but the best one that costs little enough at −∞."""
    affordable = np.full(len(values), -np.inf)
    order = np.argsort(-values, kind="stable")[:_AFFORDABLE_AMONG]
    for begin in range(0, len(order), _COSTS_AT_ONCE):
        some = order[begin : begin + _COSTS_AT_ONCE]
        cheap = some[cost(sets[some]) <= most]
        if len(cheap):
            affordable[cheap[0]] = values[cheap[0]]
            break
    return affordable


def _forward(score: Score, candidates: Units, total: int, limit: int) -> Selection:
    """Add the best unit until the set does the job; then take out what it doesn't need."""
    chosen = Units()
    steps: list[dict[str, Any]] = []
    reached = False
    while len(chosen) < min(limit, len(candidates)) and not reached:
        others = candidates - chosen
        scores = score(np.stack([(chosen | [unit]).mask(total) for unit in others]))
        values, done = scores.values, scores.done
        best = int(np.argmax(np.where(done, values, -np.inf) if done.any() else values))
        if not np.isfinite(values[best]):
            break
        chosen |= [others[best]]
        reached = bool(done[best])
        steps.append(_step("add", others[best], chosen, scores, best))
    if reached:
        for unit in chosen[:-1]:  # the last one was needed
            fewer = chosen - [unit]
            scores = score(fewer.mask(total)[None])
            if scores.done[0]:
                chosen = fewer
                steps.append(_step("drop", unit, chosen, scores, 0))
    return Selection(chosen, reached, pd.DataFrame(steps))


def _step(name: str, unit: int, chosen: Units, scores: Scores, place: int) -> dict[str, Any]:
    columns = {str(column): scores.columns[column].iloc[place] for column in scores.columns}
    return {"size": len(chosen), "step": name, "unit": unit, **columns}
