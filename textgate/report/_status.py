"""What may be said about a model: whether it has learned agreement, and what was found in it.

Everything on the page that sounds like a result goes through here, so that the words follow from
the tables by rule.
"""

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from textgate.datasets.lexicon import GENDERS
from textgate.interchange import Units
from textgate.report._blocks import plain
from textgate.report._findings import ModelFindings
from textgate.report._words import is_number

_WELL = 0.9
_NONE = Units()


@dataclass(frozen=True)
class Learned:
    """Whether a model has learned the agreement of pronouns in gender.

    Attributes:
        level: `"well"` (90 % or more in each direction), `"partly"`, `"not"` (in one direction it
            is not surely better than a coin), or `"unknown"` (never measured).
        pairs: Name of the pairs it goes by.
        rows: For each gender the row of the summary that sets it against the other.
        all: The row of all items; `None` if unknown.
    """

    level: Literal["well", "partly", "not", "unknown"]
    pairs: str = ""
    rows: tuple[pd.Series, ...] = ()
    all: pd.Series | None = None

    @property
    def worst(self) -> float:
        """The smaller of both directions' accuracies; NaN if unknown."""
        return min((float(row["accuracy"]) for row in self.rows), default=float("nan"))


def main_pairs(model: ModelFindings) -> str | None:
    """Return the name of the pairs of gender that a model is judged by.

    A model of generated sentences is judged by generated pairs; another by pairs that were given
    for it, if there are any.
    """
    of_gender = [
        name
        for name, table in model.agreement.items()
        if not name.startswith("number_agreement") and len(_genders(table))
    ]
    generated = [name for name in of_gender if name.startswith("pronoun_agreement")]
    others = [name for name in of_gender if name not in generated]
    generated.sort(key=lambda name: name != "pronoun_agreement-test")
    order = [*others, *generated] if model.on_text else [*generated, *others]
    return next(iter(order), None)


def _genders(table: pd.DataFrame) -> list[pd.Series]:
    genders = []
    for good, bad in (GENDERS, GENDERS[::-1]):
        rows = table[(table["by"] == "against") & (table["group"] == f"{good} against {bad}")]
        if not len(rows):  # pairs with one wrong form: the other gender's
            rows = table[(table["by"] == "class") & (table["group"] == good)]
        if len(rows):
            genders.append(rows.iloc[0])
    return genders


def learned(model: ModelFindings) -> Learned:
    """Say whether a model has learned agreement."""
    name = main_pairs(model)
    if name is None:
        return Learned("unknown")
    table = model.agreement[name]
    rows = _genders(table)
    overall = _first(table[table["by"] == "all"])
    if len(rows) < 2:
        return Learned("unknown", name, tuple(rows), overall)
    accuracies = [float(row["accuracy"]) for row in rows]
    ends = [float(row["low" if is_number(row["low"]) else "accuracy"]) for row in rows]
    level: Literal["well", "partly", "not"] = "well" if min(accuracies) >= _WELL else "partly"
    return Learned("not" if min(ends) <= 0.5 else level, name, tuple(rows), overall)


@dataclass(frozen=True)
class UnitClaim:
    """What the search for units lets one claim.

    Attributes:
        kind: `"both"`, `"each"`, `"sufficient"`, `"necessary"`, `"direction"` (no small set, but a
            direction), `"none"`, `"unknowing"` (the model doesn't agree well enough to look), or
            `"missing"` (nobody looked).
        sufficient: The units that are sufficient.
        necessary: Those that are necessary.
        specific: Another necessary set, chosen to spare what else the model does.
        both: The set that is sufficient and necessary at once.
        carriers: The members of the first two that carry the gender; `None` if nobody asked, as in
            findings of before.
    """

    kind: str
    sufficient: Units = _NONE
    necessary: Units = _NONE
    specific: Units = _NONE
    both: Units = _NONE
    carriers: Units | None = None

    @property
    def in_one(self) -> bool:
        """Whether the sufficient set is necessary as well, so that there is one to speak of."""
        return bool(self.sufficient) and set(self.both) == set(self.sufficient)

    @property
    def units(self) -> Units:
        """All units that hold the gender, the sufficient first: those that are starred."""
        members = self.sufficient | self.necessary
        return members if self.carriers is None else self.carriers


def unit_claim(model: ModelFindings) -> UnitClaim:
    """Say what the search for units came to."""
    finding = model.finding
    if finding is None:
        return UnitClaim("missing")
    sets = {
        name: Units(finding.get(name, ()))
        for name in ("sufficient", "necessary", "specific", "both")
    }
    interventions = model.table("interventions", "units")
    untried = interventions is not None and set(interventions["set"]) == {"none"}
    has_set = sets["sufficient"] or sets["necessary"]
    if untried and not has_set and model.table("units", "units") is None:
        return UnitClaim("unknowing")  # the protocol stops at a model that doesn't agree
    kind = str(finding.get("claim", "neither"))
    if kind in ("both", "each", "sufficient", "necessary"):
        carriers = Units(finding["carriers"]) if "carriers" in finding else None
        return UnitClaim(kind, carriers=carriers, **sets)
    return UnitClaim("direction" if int(finding.get("direction_rank", 0)) else "none")


def intervention(
    model: ModelFindings, name: str, kind: str, direction: str = "both"
) -> pd.Series | None:
    """Return the row of an intervention on a set of the finding, if there is one."""
    table = model.table("interventions", "units")
    return _where(table, set=name, intervention=kind, direction=direction)


def control(model: ModelFindings, name: str, kind: str, control: str) -> pd.Series | None:
    """Return the row of a control of an intervention, if there is one."""
    table = model.table("controls", "units")
    return _where(table, set=name, intervention=kind, control=control)


def accuracy_without(model: ModelFindings, name: str) -> float | None:
    """Return the agreement that is left without a set, however it is taken out, if known."""
    rows = [intervention(model, name, kind) for kind in ("zero", "mean", "resample")]
    return max((float(row["accuracy"]) for row in rows if row is not None), default=None)


def directions(model: ModelFindings) -> list[str]:
    """Return the names of the two directions of the interventions."""
    table = model.table("interventions", "units")
    if table is None:
        return []
    return [str(d) for d in dict.fromkeys(table["direction"]) if d != "both"]


def side_tasks(model: ModelFindings) -> pd.DataFrame | None:
    """Return what ablations cost on tasks besides, over all of their items."""
    table = model.table("side_tasks", "units")
    if table is not None and "group" in table:
        table = table[table["group"] == "all"]
    return table if table is not None and len(table) else None


def side_costs(model: ModelFindings, name: str) -> list[tuple[str, float]]:
    """Return for each task besides the most points that taking out a set costs it.

    A task that the model can't do shows nothing, and is left out.
    """
    table = side_tasks(model)
    if table is None or "lost" not in table:
        return []
    rows = table[(table["set"] == name) & table["lost"].notna()]
    return [
        (str(task), max(0.0, float(group["lost"].max())))
        for task, group in rows.groupby("task", sort=False)
        if _mastered(table[(table["task"] == task) & (table["set"] == "none")])
    ]


def _mastered(clean: pd.DataFrame) -> bool:
    """Return whether the model does better than chance at a task, by its row without ablation."""
    if not len(clean) or not {"chance", "accuracy_low"} <= set(clean):
        return True
    return bool((clean["accuracy_low"] > clean["chance"]).all())


def beside_rule(model: ModelFindings, name: str, by: str, group: str = "all") -> pd.Series | None:
    """Return a row of the comparison with the rule of the last gendered word, if there is one."""
    return _where(model.table(name, "rule"), by=by, group=group)


def outcome(row: pd.Series) -> str:
    """Return what a comparison comes to: "beats", "loses to" or "is not surely better than"."""
    if is_number(row["difference_low"]) and row["difference_low"] > 0:
        return "beats"
    if is_number(row["difference_high"]) and row["difference_high"] < 0:
        return "loses to"
    return "is not surely better than"


def why_missing(model: ModelFindings, *stages: str) -> str:
    """Return why stages have no results, as the end of a sentence: ": no pairs", or "."."""
    reason = next((model.skipped[stage] for stage in stages if model.skipped.get(stage)), None)
    return f": {plain(reason)}" if reason else "."


def _where(table: pd.DataFrame | None, **values: str) -> pd.Series | None:
    """Return the first row of a table with these values, if there is one."""
    if table is None:
        return None
    for column, value in values.items():
        table = table[table[column] == value]
    return _first(table)


def _first(rows: pd.DataFrame) -> pd.Series | None:
    return rows.iloc[0] if len(rows) else None
