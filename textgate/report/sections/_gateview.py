"""The section of the gate view."""

from typing import Any

from textgate.report._blocks import GateView, Section, Text
from textgate.report._findings import Findings
from textgate.report._words import count, listed, units
from textgate.report.status import found


def section(findings: Findings, data: dict[str, Any] | None) -> Section:
    """Return the section.

    Args:
        findings: The findings.
        data: What `gate_data` returns.
    """
    name, title = "gates", "The gates, word by word"
    if data is None:
        return Section(name, title, (Text("No sentences were traced in this run.", "note"),))
    total = max(len(model["sentences"]) for model in data["models"])
    marked = [
        f"{units(found(model).units)} of the {model.title}"
        for model in findings.models
        if found(model).units
    ]
    stars = (
        f"A star marks the units that were found to carry the gender: {listed(marked)}."
        if marked
        else "No unit is marked, since none was found to carry the gender."
    )
    left = data["left_out"]
    more = f" ({count(left)} more were left out to keep the page small.)" if left else ""
    intro = Text(
        f"Choose one of {count(total)} sentences, a layer and a signal. Rows are words, columns "
        "are "
        f"units. {stars} A tap on a cell, or the field *unit*, draws that unit’s curve through the "
        f"sentence beside its gender-swapped twin.{more}"
    )
    caption = (
        "Gates run from 0 (closed, light) to 1 (open, dark); memory, candidate and output are "
        "orange "
        "above zero and blue below, to the scale beside them. Where the two curves part, the unit "
        "tells the two sentences apart."
    )
    return Section(name, title, (intro, GateView(caption)))
