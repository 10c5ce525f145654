"""What may be said about a model: whether it has learned agreement, and what was found in it.

Everything on the page that sounds like a result goes through here, so that the words follow from
the tables by rule.
"""

from dataclasses import dataclass

import pandas as pd

from textgate.datasets.lexicon import GENDERS
from textgate.report._findings import ModelFindings
from textgate.report._words import known

WELL, PARTLY, NOT, UNKNOWN = "well", "partly", "not", "unknown"
_WELL = 0.9


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

    level: str
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
    fit = [
        name
        for name, table in model.agreement.items()
        if not name.startswith("number_agreement") and len(_genders(table))
    ]
    generated = [name for name in fit if name.startswith("pronoun_agreement")]
    given = [name for name in fit if name not in generated]
    generated.sort(key=lambda name: name != "pronoun_agreement-test")
    order = [*given, *generated] if model.on_text else [*generated, *given]
    return next(iter(order), None)


def _genders(table: pd.DataFrame) -> list[pd.Series]:
    rows = []
    for good, bad in (GENDERS, GENDERS[::-1]):
        found = table[(table["by"] == "against") & (table["group"] == f"{good} against {bad}")]
        if not len(found):  # pairs with one wrong form: the other gender's
            found = table[(table["by"] == "class") & (table["group"] == good)]
        if len(found):
            rows.append(found.iloc[0])
    return rows


def learned(model: ModelFindings) -> Learned:
    """Say whether a model has learned agreement."""
    name = main_pairs(model)
    if name is None:
        return Learned(UNKNOWN)
    table = model.agreement[name]
    rows = _genders(table)
    every = table[table["by"] == "all"]
    whole = every.iloc[0] if len(every) else None
    if len(rows) < 2:
        return Learned(UNKNOWN, name, tuple(rows), whole)
    accuracies = [float(row["accuracy"]) for row in rows]
    ends = [float(row["low"]) if known(row["low"]) else float(row["accuracy"]) for row in rows]
    learned_it = WELL if min(accuracies) >= _WELL else PARTLY
    level = NOT if min(ends) <= 0.5 else learned_it
    return Learned(level, name, tuple(rows), whole)


@dataclass(frozen=True)
class Found:
    """What the search for units came to.

    Attributes:
        kind: `"both"`, `"each"`, `"sufficient"`, `"necessary"`, `"direction"` (no small set, but a
            direction), `"none"`, `"unknowing"` (the model doesn't agree well enough to look), or
            `"missing"` (nobody looked).
        sufficient: The units that are sufficient.
        necessary: Those that are necessary.
        specific: Another necessary set, chosen to spare what else the model does.
        both: The set that is sufficient and necessary at once.
    """

    kind: str
    sufficient: tuple[int, ...] = ()
    necessary: tuple[int, ...] = ()
    specific: tuple[int, ...] = ()
    both: tuple[int, ...] = ()

    @property
    def in_one(self) -> bool:
        """Whether the sufficient set is necessary as well, so that there is one to speak of."""
        return bool(self.sufficient) and set(self.both) == set(self.sufficient)

    @property
    def units(self) -> tuple[int, ...]:
        """All units that were found, the sufficient first."""
        return (*self.sufficient, *(u for u in self.necessary if u not in self.sufficient))


def found(model: ModelFindings) -> Found:
    """Say what the search for units came to."""
    finding = model.finding
    if finding is None:
        return Found("missing")
    sufficient, necessary, specific, both = (
        tuple(int(unit) for unit in finding.get(name, ()))
        for name in ("sufficient", "necessary", "specific", "both")
    )
    interventions = model.table("interventions", "units")
    untried = interventions is not None and set(interventions["set"]) == {"none"}
    if untried and not (sufficient or necessary) and model.table("units", "units") is None:
        return Found("unknowing")  # the protocol stops at a model that doesn't agree
    claim = str(finding.get("claim", "neither"))
    if claim in ("both", "each", "sufficient", "necessary"):
        return Found(claim, sufficient, necessary, specific, both)
    return Found("direction" if int(finding.get("direction_rank", 0)) else "none")


def intervention(
    model: ModelFindings, name: str, kind: str, direction: str = "both"
) -> pd.Series | None:
    """Return the row of an intervention on a set of the finding, if there is one."""
    table = model.table("interventions", "units")
    if table is None:
        return None
    rows = table[
        (table["set"] == name) & (table["intervention"] == kind) & (table["direction"] == direction)
    ]
    return rows.iloc[0] if len(rows) else None


def directions(model: ModelFindings) -> list[str]:
    """Return the names of the two directions of the interventions."""
    table = model.table("interventions", "units")
    if table is None:
        return []
    return [str(d) for d in dict.fromkeys(table["direction"]) if d != "both"]


def control(model: ModelFindings, name: str, kind: str, control: str) -> pd.Series | None:
    """Return the row of a control of an intervention, if there is one."""
    table = model.table("controls", "units")
    if table is None:
        return None
    rows = table[
        (table["set"] == name) & (table["intervention"] == kind) & (table["control"] == control)
    ]
    return rows.iloc[0] if len(rows) else None


def side_tasks(model: ModelFindings) -> pd.DataFrame | None:
    """Return what ablations cost on tasks besides, over all of their items."""
    table = model.table("side_tasks", "units")
    if table is not None and "group" in table:
        table = table[table["group"] == "all"]
    return table if table is not None and len(table) else None


def beside(model: ModelFindings, name: str) -> list[tuple[str, float]]:
    """Return for each task besides the most points that taking out a set costs it."""
    table = side_tasks(model)
    if table is None or "lost" not in table:
        return []
    rows = table[(table["set"] == name) & table["lost"].notna()]
    return [
        (str(task), max(0.0, float(group["lost"].max())))
        for task, group in rows.groupby("task", sort=False)
    ]
