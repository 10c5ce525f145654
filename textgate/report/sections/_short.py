"""The answer in short: a point for each model, chosen by what was found."""

import pandas as pd

from textgate.report._blocks import Points, Section, plain
from textgate.report._findings import Findings, ModelFindings
from textgate.report._status import (
    Learned,
    UnitClaim,
    accuracy_without,
    beside_rule,
    intervention,
    learned,
    outcome,
    side_costs,
    unit_claim,
)
from textgate.report._words import counted, listed, number, percent, share_with, units

_SIDE = 2.0  # points that another task may lose


def section(findings: Findings) -> Section:
    """Return the section."""
    points = tuple(f"**{model.title}.** {headline(model)}" for model in findings.models)
    return Section("In short", (Points(points),))


def headline(model: ModelFindings) -> str:
    """Return what was found about a model, in two or three sentences."""
    agreement = learned(model)
    return f"{_agreement(model, agreement)} {_units(model, agreement)}".strip()


def _agreement(model: ModelFindings, agreement: Learned) -> str:
    if agreement.level == "unknown":
        return "Whether it agrees in gender was not measured."
    sides = listed(_direction(row["group"]) + share_with(row) for row in agreement.rows)
    if agreement.level == "not":
        return (
            f"It has not learned the agreement: right in {sides}, where a coin would be right in "
            f"{percent(0.5)}."
        )
    if agreement.pairs in model.rule:
        return _on_contexts(model, agreement)
    partly = agreement.level == "partly"
    verb = "has learned the agreement only in part" if partly else "agrees in gender"
    return f"It {verb}: right in {sides} of held-out cases."


def _on_contexts(model: ModelFindings, agreement: Learned) -> str:
    """Return how a model does on contexts of text, beside the rule."""
    sides = {
        "feminine": "where *she* or *her* follows",
        "masculine": "where *he*, *his* or *him* does",
    }
    shares = " and ".join(
        f"in {share_with(row)} {sides.get(str(row['group']), plain(row['group']))}"
        for row in agreement.rows
    )
    text = f"Before pronouns in text it expects the right gender {shares}."
    overall = beside_rule(model, agreement.pairs, "all")
    between = beside_rule(model, agreement.pairs, "with attractors")
    if overall is None:
        return text
    text += (
        f" Over all, it {outcome(overall)} the rule “the gender of the last gendered word” "
        f"({_against(overall)}{_but(model, agreement.pairs, overall)})"
    )
    if between is not None and outcome(between) == outcome(overall):
        text += f", also where other people stand between ({_against(between)})"
    elif between is not None:
        text += (
            f"; where other people stand between, it {outcome(between)} it ({_against(between)})"
        )
    return f"{text}."


def _against(row: pd.Series) -> str:
    return f"{percent(row['accuracy'])} against {percent(row['rule'])}"


def _but(model: ModelFindings, pairs: str, overall: pd.Series) -> str:
    """Say where a model does not do in one direction what it does over all."""
    words = {"feminine": "*she*", "masculine": "*he*"}
    rows = {side: beside_rule(model, pairs, "all", side) for side in words}
    other = [
        f"it {outcome(row)} it where {words[side]} is right"
        for side, row in rows.items()
        if row is not None and outcome(row) != outcome(overall)
    ]
    return f"; but {' and '.join(other)}" if other else ""


def _direction(group: object) -> str:
    good = str(group).split(" ")[0]
    return {"feminine": "*she* → *her* ", "masculine": "*he* → *his* "}.get(good, f"{plain(good)} ")


def _units(model: ModelFindings, agreement: Learned) -> str:
    claim = unit_claim(model)
    if claim.kind == "missing":
        if agreement.level == "not":
            return "So there is nothing to look for in its units."
        return "Which of its units hold the gender was not looked for."
    if claim.kind == "unknowing":
        where = " in sentences that have a twin of the other gender" if model.on_text else ""
        return f"It does not agree well enough{where} for asking which units hold the gender."
    finding = model.finding or {}
    place = (
        f"{plain(finding.get('layer', ''))}’s {str(finding.get('signal', '')).replace('_', ' ')}"
    )
    if claim.kind in ("none", "direction"):
        text = f"No small set of units that holds the gender was found in {place}"
        rank = int(finding.get("direction_rank", 0))
        if claim.kind == "none":
            return f"{text}, nor a direction."
        what = "a direction over many units" if rank == 1 else f"a subspace of rank {rank}"
        return f"{text}; {what} does."
    return f"{_sufficient(model, claim, place)}{_necessary(model, claim)}"


def _sufficient(model: ModelFindings, claim: UnitClaim, place: str) -> str:
    if not claim.sufficient:
        return "No small set of units is enough to change its pronoun."
    one = len(claim.sufficient) == 1
    size = counted(len(claim.sufficient), "unit").capitalize()
    total = int((model.finding or {}).get("units", 0))
    row = intervention(model, "sufficient", "interchange")
    share = f" in {percent(row['flipped'])} of new sentences" if row is not None else ""
    return (
        f"**{size} of {total:,}** ({units(claim.sufficient)} of {place}) "
        f"{'decides' if one else 'decide'} it: given the values that "
        f"{'it has' if one else 'they have'} in the sentence about the other gender, the model "
        f"changes its pronoun{share}."
    )


def _necessary(model: ModelFindings, claim: UnitClaim) -> str:
    one = len(claim.sufficient) == 1
    if claim.in_one:
        return (
            f" The same {'unit is' if one else 'units are'} necessary: without "
            f"{'it' if one else 'them'}, {_fall(model, 'sufficient')}."
        )
    if claim.necessary:
        return f" Without {units(claim.necessary)}, {_fall(model, 'necessary')}."
    if claim.kind != "sufficient":
        return ""
    text = f" {'It is' if one else 'They are'} enough, but not necessary"
    if claim.specific:
        return f"{text}. Without {units(claim.specific)}, {_fall(model, 'specific')}."
    return f"{text}: the gender is stored elsewhere, too."


def _fall(model: ModelFindings, name: str) -> str:
    """Say what is left without a set, and what else is lost."""
    left = accuracy_without(model, name)
    fall = "falls" if left is None else f"falls to {percent(left)} at most"
    return f"agreement {fall}{_cost(model, name)}"


def _cost(model: ModelFindings, name: str) -> str:
    """Say what else is lost without the units: do they hold gender only?"""
    costs = [
        f"{number(lost, 1)} points of {plain(task)}" if lost >= _SIDE else f"{plain(task)} stays"
        for task, lost in side_costs(model, name)
    ]
    if not costs:
        return ""
    lost = any("points" in cost for cost in costs)
    return f"; {'it also costs ' if lost else ''}{listed(costs)}{' at most' if lost else ''}"
