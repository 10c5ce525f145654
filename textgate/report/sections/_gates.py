"""The gate view as a section: what to choose, and which units are marked."""

from textgate.report._blocks import Section, Text
from textgate.report._findings import Findings
from textgate.report._gate_data import gate_data
from textgate.report._gate_view import GateView
from textgate.report._status import unit_claim
from textgate.report._words import count, listed, units


def section(findings: Findings) -> Section:
    """Return the section."""
    title = "The gates, word by word"
    data = gate_data(findings.models)
    if data is None:
        return Section(title, (Text("No sentences were traced in this run.", "note"),))
    total = max(len(model["sentences"]) for model in data["models"])
    marked = [
        f"{units(members)} of the {model.title}"
        for model in findings.models
        if (members := unit_claim(model).units)
    ]
    stars = (
        f"A star marks the units that were found to carry the gender: {listed(marked)}."
        if marked
        else "No unit is marked, since none was found to carry the gender."
    )
    left_out = data["left_out"]
    more = f" ({count(left_out)} more were left out to keep the page small.)" if left_out else ""
    intro = Text(
        f"Choose one of {count(total)} sentences, a layer and a signal. Rows are words, columns "
        f"are units. {stars} A tap on a cell, or the field *unit*, draws that unit’s curve through "
        f"the sentence beside its gender-swapped twin.{more}"
    )
    return Section(title, (intro, GateView(data)))
