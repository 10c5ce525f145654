"""What a study found, in three lines for a terminal."""

from textgate.report._findings import Findings, ModelFindings
from textgate.report._status import (
    accuracy_without,
    beside_rule,
    intervention,
    learned,
    outcome,
    unit_claim,
)
from textgate.report._words import percent, units


def three_lines(findings: Findings) -> list[str]:
    """Return what a study found, as three lines for a terminal."""
    agreement = "; ".join(f"{model.title}: {_agreement(model)}" for model in findings.models)
    holds = "; ".join(f"{model.title}: {_units(model)}" for model in findings.models)
    effects = "; ".join(f"{model.title}: {_effect(model)}" for model in findings.models)
    return [f"Agreement. {agreement}.", f"Units. {holds}.", f"Evidence. {effects}."]


def _agreement(model: ModelFindings) -> str:
    agreement = learned(model)
    if agreement.level == "unknown":
        return "not measured"
    sides = ", ".join(
        f"{str(row['group']).split(' ')[0]} {percent(row['accuracy'])}" for row in agreement.rows
    )
    row = beside_rule(model, agreement.pairs, "all")
    beside = "" if row is None else f", {outcome(row)} the rule ({percent(row['rule'])})"
    return ("not learned, " if agreement.level == "not" else "") + sides + beside


def _units(model: ModelFindings) -> str:
    claim = unit_claim(model)
    no_set = {
        "missing": "not looked for",
        "unknowing": "the model doesn't agree well enough to ask",
        "none": "no small set found, nor a direction",
        "direction": "no small set found, but a direction",
    }
    if claim.kind in no_set:
        return no_set[claim.kind]
    parts = []
    if claim.sufficient:
        too = " and necessary" if claim.in_one else ""
        parts.append(f"{units(claim.sufficient)} sufficient{too}")
    if claim.necessary and not claim.in_one:
        parts.append(f"{units(claim.necessary)} necessary")
    total = int((model.finding or {}).get("units", 0))
    return f"{' and '.join(parts)}, of {total:,}"


def _effect(model: ModelFindings) -> str:
    claim = unit_claim(model)
    parts = []
    row = intervention(model, "sufficient", "interchange")
    if claim.sufficient and row is not None:
        parts.append(f"exchanging them flips {percent(row['flipped'])} of new sentences")
    left = accuracy_without(model, "sufficient" if claim.in_one else "necessary")
    if (claim.necessary or claim.in_one) and left is not None:
        which = "them" if claim.in_one else "the necessary ones"
        parts.append(f"without {which} {percent(left)} agree at most")
    return ", ".join(parts) or "nothing that holds on new sentences"
