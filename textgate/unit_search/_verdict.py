"""The verdict: what the tables of the protocol come to, in plain words.

The words are chosen by rule from the confirmed facts, so that no result reads better than it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from textgate.interchange.effects import ABLATIONS, INTERCHANGE
from textgate.unit_search._confirmation import BOTH
from textgate.unit_search._selection import Goals

SPECIFIC = 2.0  # points that a side task may lose
_MOST_CODES = 4  # units whose values are told


@dataclass(frozen=True)
class Facts:
    """What the verdict goes by.

    Attributes:
        feature: What the pairs are about.
        place: Where the units are, such as "lstm's cell state".
        accuracy: The model's balanced accuracy on the confirmation half.
        knows: Whether it has the feature at all.
        sufficient: The sufficient set, confirmed.
        necessary: The necessary set, confirmed.
        specific: A necessary set chosen to spare the other tasks, confirmed; or empty.
        sufficient_is_necessary: Whether the sufficient set is necessary as well.
        necessary_is_sufficient: Whether the necessary set is sufficient as well.
        tried: The sets that discovery came to, confirmed or not: sufficient, necessary.
        found: Whether discovery thought them to do the job.
        limits: The most units that each might have had.
        alternatives: Further sets that were confirmed as sufficient.
        axis: The rank of the direction that does it, or 0.
        spread: Over how many units the direction is spread.
    """

    feature: str
    place: str
    accuracy: float
    knows: bool = True
    sufficient: tuple[int, ...] = ()
    necessary: tuple[int, ...] = ()
    specific: tuple[int, ...] = ()
    sufficient_is_necessary: bool = False
    necessary_is_sufficient: bool = False
    tried: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    found: tuple[bool, bool] = (False, False)
    limits: tuple[int, int] = (0, 0)
    alternatives: tuple[tuple[int, ...], ...] = ()
    axis: int = 0
    spread: float = float("nan")

    @property
    def both(self) -> tuple[int, ...]:
        """The set that is sufficient and necessary at once, the smaller one if both are."""
        if self.sufficient_is_necessary:
            return self.sufficient
        return self.necessary if self.necessary_is_sufficient else ()


def claim_of(facts: Facts) -> str:
    """Return `"both"`, `"each"`, `"sufficient"`, `"necessary"`, `"neither"` or `"absent"`.

    It is `"both"` if one set is sufficient and necessary. If there is a sufficient set and another
    one, that is only necessary, it is `"each"`. A model that doesn't have the feature has it
    `"absent"`.
    """
    if not facts.knows:
        return "absent"
    if facts.both:
        return "both"
    if facts.sufficient:
        return "each" if facts.necessary else "sufficient"
    return "necessary" if facts.necessary else "neither"


def verdict(facts: Facts, tables: Mapping[str, pd.DataFrame], goals: Goals) -> str:
    """Return the verdict.

    Args:
        facts: What it goes by.
        tables: The tables of the finding.
        goals: What was aimed at.
    """
    if not facts.knows:
        return (
            f"The model doesn't agree in {facts.feature} well enough to ask where it keeps it: "
            f"{_percent(facts.accuracy)} right on the confirmation half."
        )
    table = tables["interventions"]
    said = [*_of_sufficient(facts, table, goals)]
    said += _of_necessary(facts, table, tables["side_tasks"], goals)
    said += _of_specific(facts, table, tables["side_tasks"])
    if not facts.sufficient:
        said.append(_of_axis(facts))
    said += _of_codes(facts.sufficient or facts.necessary, table, tables["codes"])
    return " ".join(said)


def _of_sufficient(facts: Facts, table: pd.DataFrame, goals: Goals) -> list[str]:
    if not facts.sufficient:
        tried, limit = facts.tried[0], facts.limits[0]
        if facts.found[0]:
            flips = _flips(table, "sufficient")
            return [
                f"No small set found: {_name(tried)} of {facts.place} looked sufficient on the "
                f"discovery half, but not on the other, where interchange flips {flips}."
            ]
        if not tried:
            return [f"No small set found: no unit of {facts.place} moves {facts.feature}."]
        return [
            f"No small set found: the best {len(tried)} units of {facts.place} "
            f"(at most {limit} were allowed) flip {_flips(table, 'sufficient')} when "
            f"interchanged, and {_percent(goals.flipped)} were asked for."
        ]
    units = _name(facts.sufficient)
    kind = "sufficient and necessary" if facts.sufficient_is_necessary else "sufficient"
    verb = "is" if len(facts.sufficient) == 1 else "are"
    but = "" if facts.sufficient_is_necessary else ", not necessary"
    said = [
        f"{units} of {facts.place} {verb} {kind} for {facts.feature}{but}: interchange with the "
        f"counterpart flips {_flips(table, 'sufficient')}; without "
        f"{'it' if len(facts.sufficient) == 1 else 'them'} the model is right in "
        f"{_left(table, 'sufficient')}."
    ]
    others = _row(table, "sufficient", "interchange others")
    elsewhere = float(others["flipped"].iloc[0])
    also = (
        "the feature is stored elsewhere, too"
        if elsewhere >= 0.5
        else "what there is elsewhere is mostly too little to flip the answer"
    )
    these = "it" if len(facts.sufficient) == 1 else "them"
    said.append(
        f"Interchanging all other units, with what they have taken over from {these}, flips "
        f"{_percent(elsewhere)}: {also}."
    )
    if facts.alternatives:
        sets = "; ".join(" ".join(map(str, units)) for units in facts.alternatives)
        said.append(f"Other sets, disjoint from it, would do as well: {sets}.")
    return said


def _of_necessary(
    facts: Facts, table: pd.DataFrame, side_tasks: pd.DataFrame, goals: Goals
) -> list[str]:
    if facts.sufficient_is_necessary and set(facts.necessary) <= set(facts.sufficient):
        return _specific(facts.necessary or facts.sufficient, side_tasks, "necessary")
    if facts.necessary:
        kind = "necessary, and sufficient" if facts.necessary_is_sufficient else "necessary"
        verb = "is" if len(facts.necessary) == 1 else "are"
        return [
            f"{_name(facts.necessary)} of {facts.place} {verb} {kind}: without "
            f"{'it' if len(facts.necessary) == 1 else 'them'} the model is right in "
            f"{_left(table, 'necessary')}.",
            *_specific(facts.necessary, side_tasks, "necessary"),
        ]
    tried, limit = facts.tried[1], facts.limits[1]
    if not tried:
        return []
    why = (
        "looked necessary on the discovery half, but not on the other"
        if facts.found[1]
        else f"were the best of at most {limit}"
    )
    none = "" if facts.specific else "No small necessary set: "  # that one will be named next
    return [
        f"{none}{_name(tried)} {why}; without them the model is right in "
        f"{_left(table, 'necessary')}, and {_percent(goals.accuracy)} or less was asked for."
    ]


def _of_specific(facts: Facts, table: pd.DataFrame, side_tasks: pd.DataFrame) -> list[str]:
    """Return what there is to say of the set that was chosen to spare the other tasks."""
    another = bool(facts.necessary) or facts.sufficient_is_necessary
    if facts.specific:
        spared, too = ("that", " as well") if another else ("the other tasks", "")
        return [
            f"{_name(facts.specific)}, chosen to spare {spared}, are necessary{too}: without them "
            f"the model is right in {_left(table, 'specific')}.",
            *_specific(facts.specific, side_tasks, "specific"),
        ]
    if not (table["set"] == "specific").any():
        return []
    units = str(table.loc[table["set"] == "specific", "units"].iloc[0]).split()
    return [
        f"No small necessary set spares {'it' if another else 'the other tasks'}: without units "
        f"{', '.join(sorted(units, key=int))}, the best that do, the model is right in "
        f"{_left(table, 'specific')}."
    ]


def _of_axis(facts: Facts) -> str:
    if facts.axis:
        kind = "A direction" if facts.axis == 1 else f"A subspace of {facts.axis} dimensions"
        return (
            f"{kind} does it, however, estimated on the discovery half and spread over about "
            f"{facts.spread:.0f} units."
        )
    return "Nor does a direction, or a subspace of up to 4 dimensions."


def _of_codes(units: Sequence[int], table: pd.DataFrame, codes: pd.DataFrame) -> list[str]:
    """Return with which of the two classes the units' values put any others."""
    one, other = str(table["direction"].iloc[0]).split("→")
    said = []
    for unit in units[:_MOST_CODES]:
        means = codes[codes["unit"] == unit].set_index("good_class")["mean"]
        if not {one, other} < set(means.index) or means[one] == means[other]:
            continue
        groups: dict[str, list[str]] = {}
        for name in means.index.difference([one, other]):
            place = (means[name] - means[one]) / (means[other] - means[one])
            group = f"with {one}" if place < 0.25 else f"with {other}"
            group = "between the two" if 0.25 <= place <= 0.75 else group
            groups.setdefault(group, []).append(str(name))
        parts = [f"{' and '.join(names)} {group}" for group, names in groups.items()]
        said.append(f"Of the other classes, unit {unit}'s values put {', '.join(parts)}.")
    return said


def _specific(units: Sequence[int], side_tasks: pd.DataFrame, label: str) -> list[str]:
    if not len(side_tasks) or not units:
        return []
    rows = side_tasks[side_tasks["set"] == label]
    if not len(rows) and label != "specific":
        rows = side_tasks[side_tasks["set"] == "sufficient"]
    said = []
    for task, group in rows.groupby("task", sort=False):
        whole = group[group["group"] == "all"]
        lost = max(0.0, float(whole["lost"].max()))
        worst = whole["intervention"].iloc[int(whole["lost"].argmax())]
        line = f"{str(task).capitalize()} {'stays' if lost < SPECIFIC else 'suffers'}: it loses "
        line += f"{lost:.1f} points at most ({worst}"
        parts = group[(group["group"] != "all") & (group["intervention"] == worst)]
        if lost >= SPECIFIC and len(parts):
            line += ": " + ", ".join(
                f"{name} {value:.0f}"
                for name, value in zip(parts["group"], parts["lost"], strict=True)
            )
        said.append(f"{line}).")
    return said


def _row(table: pd.DataFrame, label: str, kind: str) -> pd.DataFrame:
    rows = table[(table["set"] == label) & (table["intervention"] == kind)]
    return rows[rows["direction"] == BOTH]


def _flips(table: pd.DataFrame, label: str) -> str:
    """Return how many pairs an interchange flips, in each direction."""
    rows = table[(table["set"] == label) & (table["intervention"] == INTERCHANGE)]
    rows = rows[rows["direction"] != BOTH]
    columns = (rows[name] for name in ("direction", "flipped", "flipped_low", "flipped_high"))
    parts = [
        f"{_percent(value)} of {name} ({_percent(low)} to {_percent(high)})"
        for name, value, low, high in zip(*columns, strict=True)
    ]
    return " and ".join(parts)


def _left(table: pd.DataFrame, label: str) -> str:
    """Return what ablations leave: balanced accuracy, and the directions where they part."""
    parts = []
    for kind in ABLATIONS:
        rows = table[(table["set"] == label) & (table["intervention"] == kind)]
        whole = float(_row(table, label, kind)["accuracy"].iloc[0])
        sides = rows[rows["direction"] != BOTH]
        apart = ", ".join(
            f"{str(name).split('→')[0]} {_percent(float(value))}"
            for name, value in zip(sides["direction"], sides["accuracy"], strict=True)
        )
        parts.append(f"{_percent(whole)} ({kind}: {apart})")
    return ", ".join(parts)


def _name(units: Sequence[int]) -> str:
    numbers = [str(unit) for unit in units]
    if len(numbers) == 1:
        return f"Unit {numbers[0]}"
    return f"Units {', '.join(numbers[:-1])} and {numbers[-1]}"


def _percent(share: float) -> str:
    if np.isnan(share):
        return "none"
    value = 100 * share
    return f"{value:.0f} %" if value in (0, 100) or 2 < value < 98 else f"{value:.1f} %"
