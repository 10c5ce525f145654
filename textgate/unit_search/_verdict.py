"""The verdict: what the tables of the protocol come to, in plain words.

The words are chosen by rule from the confirmed facts, so that no result reads better than it is.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from textgate.evaluation.inference import CLAIM_LEVEL
from textgate.interchange import Direction, Units
from textgate.interchange.effects import ABLATIONS, INTERCHANGE
from textgate.unit_search._confirmation import BOTH
from textgate.unit_search._facts import Facts, SetFacts
from textgate.unit_search._goals import Goals
from textgate.unit_search._halves import Power

SPECIFIC = 2.0  # points that a side task may lose
_WRONG = 0.25  # accuracy below which one asks whether it is the model that errs
_WRONG_WAY_ROUND = (
    " It decides the other way in most items: are `good` and `bad`, or base and source, exchanged?"
)
_BY_WHICH = "on the discovery half, by which sets are chosen"
_MOST_CODES = 4  # units whose values are told


def verdict(facts: Facts, tables: Mapping[str, pd.DataFrame], goals: Goals) -> str:
    """Return the verdict.

    Args:
        facts: What it goes by.
        tables: The tables of the finding.
        goals: What was aimed at.
    """
    if not facts.has_feature:
        return (
            f"The model doesn't {facts.ability} {facts.feature} well enough to ask where it keeps "
            f"it: {_percent(facts.accuracy)} right on the confirmation half."
            f"{_WRONG_WAY_ROUND if facts.accuracy < _WRONG else ''}"
        )
    effects = tables["interventions"]
    sentences = _on_sufficient(facts, effects, goals)
    sentences += _on_necessary(facts, effects, tables["side_tasks"], goals)
    sentences += _on_specific(facts, effects, tables["side_tasks"])
    sentences += _on_members(facts, tables.get("members"))
    sentences += _on_power(facts)
    if not facts.sufficient.units and facts.tried_subspace:
        sentences.append(_on_subspace(facts))
    sentences += _on_codes(
        facts.sufficient.units or facts.necessary.units, effects, tables["codes"]
    )
    return " ".join(sentences)


def _on_sufficient(facts: Facts, effects: pd.DataFrame, goals: Goals) -> list[str]:
    chosen = facts.sufficient
    flips = _flips(effects, "sufficient") if chosen.tried else ""
    if not chosen.units:
        return [f"No small set found: {_why_not_sufficient(facts, flips, goals)}"]
    one = len(chosen.units) == 1
    claim = "sufficient and necessary" if chosen.does_both else "sufficient"
    but = "" if chosen.does_both else ", not necessary"
    others = _effects(effects, "sufficient", "interchange others")
    elsewhere = float(others.loc[others["direction"] == BOTH, "flipped"].iloc[0])
    meaning = (
        "the feature is stored elsewhere, too"
        if elsewhere >= 0.5
        else "what there is elsewhere is mostly too little to flip the answer"
    )
    sentences = [
        f"{_named(chosen.units)} of {facts.place} {'is' if one else 'are'} {claim} for "
        f"{facts.feature}{but}: interchange with the counterpart flips {flips}; without "
        f"{_them(chosen.units)} the model is right in "
        f"{_accuracy_without(effects, 'sufficient')}.",
        f"Interchanging all other units, with what they have taken over from "
        f"{_them(chosen.units)}, flips {_percent(elsewhere)}: {meaning}.",
    ]
    if facts.alternatives:
        sets = "; ".join(map(str, facts.alternatives))
        sentences.append(f"Other sets, disjoint from it, would do as well: {sets}.")
    return sentences


def _why_not_sufficient(facts: Facts, flips: str, goals: Goals) -> str:
    tried = facts.sufficient.tried
    if facts.sufficient.reached:
        return (
            f"{_named(tried)} of {facts.place} looked sufficient on the discovery half, but not on "
            f"the other: interchange flips {flips}, "
            f"{_shortfall(facts.sufficient, _percent(goals.flipped), facts.power)}"
        )
    if not tried:
        return f"no unit of {facts.place} moves {facts.feature}."
    judged = facts.sufficient.judgement
    asked = f"and {_percent(goals.flipped)} were asked for"
    if judged is not None and judged.reached:
        asked = f"which is enough, but it was not {_BY_WHICH}"
    return (
        f"the best {len(tried)} units of {facts.place} (at most {facts.sufficient.limit} were "
        f"allowed) flip {flips} when interchanged, {asked}."
    )


def _on_necessary(
    facts: Facts, effects: pd.DataFrame, side_tasks: pd.DataFrame, goals: Goals
) -> list[str]:
    chosen, sufficient = facts.necessary, facts.sufficient.units
    if facts.sufficient.does_both and set(chosen.units) <= set(sufficient):
        return _on_side_tasks(chosen.units or sufficient, side_tasks, "necessary")
    if not chosen.tried:
        return []
    accuracy = _accuracy_without(effects, "necessary")
    if chosen.units:
        one = len(chosen.units) == 1
        claim = "necessary, and sufficient" if chosen.does_both else "necessary"
        return [
            f"{_named(chosen.units)} of {facts.place} {'is' if one else 'are'} {claim}: without "
            f"{_them(chosen.units)} the model is right in {accuracy}.",
            *_on_side_tasks(chosen.units, side_tasks, "necessary"),
        ]
    why = (
        "looked necessary on the discovery half, but not on the other"
        if chosen.reached
        else f"{'was' if len(chosen.tried) == 1 else 'were'} the best of at most {chosen.limit}"
    )
    # The specific set will be named next.
    none = "" if facts.specific.units else "No small necessary set: "
    return [
        f"{none}{_named(chosen.tried)} {why}; without {_them(chosen.tried)} the model is right in "
        f"{accuracy}, "
        f"{_shortfall(chosen, f'{_percent(goals.accuracy)} or less', facts.power)}"
    ]


def _shortfall(chosen: SetFacts, asked: str, power: Power | None) -> str:
    """Return which of the things that a claim needs are missing, as the end of a sentence.

    Args:
        chosen: The set, for which the claim can't be made.
        asked: The goal that it was to reach, in words.
        power: What the test can show.
    """
    judged = chosen.judgement
    if not chosen.reached and judged is not None and judged.reached:
        return f"which is enough, but it was not {_BY_WHICH}."
    if judged is None or not chosen.reached:
        return f"and {asked} was asked for."
    reasons = [] if judged.reached else [f"{asked} was asked for"]
    if not judged.tested:
        reasons.append(
            f"the test by sign flips comes to p = {judged.p:.2g} with {power}, and {CLAIM_LEVEL} "
            "or less is needed"
        )
    if not judged.beyond_random:
        reasons.append(f"as many random units do it as well (p = {judged.random:.2g})")
    return f"{'which is enough, but' if judged.reached else 'and'} {'; and '.join(reasons)}."


def _on_members(facts: Facts, members: pd.DataFrame | None) -> list[str]:
    """Return which members of the sets are no evidence of anything."""
    if members is None:
        return []
    carries = members.groupby("unit", sort=False)["carries"].any()
    sentences = []
    for unit in carries.index[~carries.to_numpy()]:
        row = members[members["unit"] == unit].iloc[0]
        sentences.append(
            f"Unit {unit} isn't seen to do anything by itself (p = {row['p_adjusted']:.2g}), and "
            f"without it the others do as well: it isn't counted among those that carry "
            f"{facts.feature}."
        )
    return sentences


def _on_power(facts: Facts) -> list[str]:
    """Return what the halves had to do with it that a set wasn't confirmed."""
    power = facts.power
    failed = [
        each.judgement
        for each in (facts.sufficient, facts.necessary, facts.specific)
        if each.reached and each.judgement is not None and not each.confirmed
    ]
    if power is None or not failed:
        return []
    sentences = []
    if not power.suffices and not all(judgement.tested for judgement in failed):
        sentences.append(f"{few_clusters(power)}.")
    if power.left_out:
        first = ", ".join(power.parts[:-1])
        parts = f"{first} or {power.parts[-1]}" if first else power.parts[-1]
        sentences.append(
            f"{power.left_out} of {power.items} items were left out, because the halves must have "
            f"no {parts} in common."
        )
    return sentences


def few_clusters(power: Power) -> str:
    """Return why a test can't reach its level, as a sentence without its full stop."""
    each = " of each" if len(power.clusters) > 1 else ""
    return (
        f"With {power} even an effect that is the same on every item comes to p = "
        f"{power.best:.2g}: the test needs {power.needed} or more{each}, of like size, in the half "
        "that confirms"
    )


def _on_specific(facts: Facts, effects: pd.DataFrame, side_tasks: pd.DataFrame) -> list[str]:
    """Return what there is to say of the set that was chosen to spare the other tasks."""
    chosen = facts.specific
    if not chosen.tried:
        return []
    another = bool(facts.necessary.units) or facts.sufficient.does_both
    accuracy = _accuracy_without(effects, "specific")
    if chosen.units:
        spared, too = ("that", " as well") if another else ("the other tasks", "")
        return [
            f"{_named(chosen.units)}, chosen to spare {spared}, are necessary{too}: without them "
            f"the model is right in {accuracy}.",
            *_on_side_tasks(chosen.units, side_tasks, "specific"),
        ]
    return [
        f"No small necessary set spares {'it' if another else 'the other tasks'}: without units "
        f"{', '.join(map(str, chosen.tried.sorted()))}, the best that do, the model is right in "
        f"{accuracy}."
    ]


def _on_subspace(facts: Facts) -> str:
    if facts.subspace:
        kind = (
            "A direction" if facts.subspace == 1 else f"A subspace of {facts.subspace} dimensions"
        )
        return (
            f"{kind} does it, however, estimated on the discovery half and spread over about "
            f"{facts.spread:.0f} units."
        )
    return "Nor does a direction, or a subspace of up to 4 dimensions."


def _on_codes(units: Sequence[int], effects: pd.DataFrame, codes: pd.DataFrame) -> list[str]:
    """Return with which of the two classes the units' values put any others."""
    direction = Direction.parse(effects["direction"].iloc[0])
    one, other = direction.base, direction.source
    sentences = []
    for unit in units[:_MOST_CODES]:
        means = codes[codes["unit"] == unit].set_index("good_class")["mean"]
        if not {one, other} < set(means.index) or means[one] == means[other]:
            continue
        groups: dict[str, list[str]] = {}
        for name in means.index.difference([one, other]):
            position = (means[name] - means[one]) / (means[other] - means[one])
            group = f"with {one}" if position < 0.25 else f"with {other}"
            group = "between the two" if 0.25 <= position <= 0.75 else group
            groups.setdefault(group, []).append(str(name))
        parts = [f"{' and '.join(names)} {group}" for group, names in groups.items()]
        sentences.append(f"Of the other classes, unit {unit}'s values put {', '.join(parts)}.")
    return sentences


def _on_side_tasks(units: Units, side_tasks: pd.DataFrame, label: str) -> list[str]:
    if not len(side_tasks) or not units:
        return []
    rows = side_tasks[side_tasks["set"] == label]
    if not len(rows) and label != "specific":
        rows = side_tasks[side_tasks["set"] == "sufficient"]
    sentences = []
    for task, of_task in rows.groupby("task", sort=False):
        clean = side_tasks[(side_tasks["task"] == task) & (side_tasks["set"] == "none")]
        if not _mastered(clean):
            right, chance = clean["accuracy"].iloc[0], clean["chance"].iloc[0]
            sentences.append(
                f"{str(task).capitalize()}: the model can't do this task ({_percent(right)}, "
                f"chance {_percent(chance)}), so it shows nothing."
            )
            continue
        overall = of_task[of_task["group"] == "all"]
        lost = max(0.0, float(overall["lost"].max()))
        worst = overall["intervention"].iloc[int(overall["lost"].argmax())]
        line = f"{str(task).capitalize()} {'stays' if lost < SPECIFIC else 'suffers'}: it loses "
        line += f"{lost:.1f} points at most ({worst}"
        groups = of_task[(of_task["group"] != "all") & (of_task["intervention"] == worst)]
        if lost >= SPECIFIC and len(groups):
            line += ": " + ", ".join(
                f"{name} {value:.0f}"
                for name, value in zip(groups["group"], groups["lost"], strict=True)
            )
        sentences.append(f"{line}).")
    return sentences


def _mastered(clean: pd.DataFrame) -> bool:
    """Return whether a model does better than chance at a side task, by its clean rows."""
    if not len(clean) or "chance" not in clean:  # nothing is known against it
        return True
    overall = clean[clean["group"] == "all"].iloc[0]
    return bool(overall["accuracy_low"] > overall["chance"])


def _effects(effects: pd.DataFrame, label: str, kind: str) -> pd.DataFrame:
    """Return the rows of a set and an intervention, one a direction and one for both."""
    return effects[(effects["set"] == label) & (effects["intervention"] == kind)]


def _flips(effects: pd.DataFrame, label: str) -> str:
    """Return how many pairs an interchange flips, in each direction."""
    rows = _effects(effects, label, INTERCHANGE)
    rows = rows[rows["direction"] != BOTH]
    columns = (rows[name] for name in ("direction", "flipped", "flipped_low", "flipped_high"))
    parts = [
        f"{_percent(value)} of {direction} ({_percent(low)} to {_percent(high)})"
        for direction, value, low, high in zip(*columns, strict=True)
    ]
    return " and ".join(parts)


def _accuracy_without(effects: pd.DataFrame, label: str) -> str:
    """Return what ablations leave: balanced accuracy, and the directions where they part."""
    parts = []
    for kind in ABLATIONS:
        rows = _effects(effects, label, kind)
        balanced = float(rows.loc[rows["direction"] == BOTH, "accuracy"].iloc[0])
        rows = rows[rows["direction"] != BOTH]
        by_base = ", ".join(
            f"{Direction.parse(direction).base} {_percent(accuracy)}"
            for direction, accuracy in zip(rows["direction"], rows["accuracy"], strict=True)
        )
        parts.append(f"{_percent(balanced)} ({kind}: {by_base})")
    return ", ".join(parts)


def _named(units: Units) -> str:
    numbers = [str(unit) for unit in units]
    if len(numbers) == 1:
        return f"Unit {numbers[0]}"
    return f"Units {', '.join(numbers[:-1])} and {numbers[-1]}"


def _them(units: Units) -> str:
    return "it" if len(units) == 1 else "them"


def _percent(share: float) -> str:
    if np.isnan(share):
        return "none"
    value = 100 * share
    return f"{value:.0f} %" if value in (0, 100) or 2 < value < 98 else f"{value:.1f} %"
