"""What breaks when a gate is held still: figures and words from `textgate.study._gates`."""

from typing import Any

import pandas as pd

from textgate.report._blocks import Figure, Text, plain
from textgate.report._figures import Series, dots
from textgate.report._findings import ModelFindings
from textgate.report._words import known, listed, number, percent, share_with, units
from textgate.report.status import found

_LETTERS = {
    "forget_gate": "f",
    "input_gate": "i",
    "output_gate": "o",
    "update_gate": "z",
    "reset_gate": "r",
}
_LITTLE = 0.02  # of accuracy
_ENOUGH = 0.75  # of accuracy as trained, below which holding a gate shows nothing


def _rows(model: ModelFindings) -> pd.DataFrame | None:
    table = model.table("held_gates")
    if table is None or not {"units", "gate", "held", "by", "accuracy"} <= set(table):
        return None
    rows = table[table["by"] == "all"]
    return rows if len(rows) else None


def held_gates(model: ModelFindings, first: str) -> list[Any]:
    """Return the figure and the words of holding a model's gates.

    Args:
        model: The model.
        first: The gate that the words are about.
    """
    rows = _rows(model)
    if rows is None or first not in set(rows["gate"]):
        return []
    gates = [first, *(["update_gate"] if "update_gate" in set(rows["gate"]) - {first} else [])]
    said = [_said(model, rows, gate) for gate in gates]
    return [*(Text(text) for text in said if text), _figure(model, rows)]


def _label(row: pd.Series) -> str:
    if row["gate"] == "none":
        return "as trained"
    at = "its mean" if row["held"] == "mean" else str(row["held"])
    return f"{_LETTERS.get(str(row['gate']), str(row['gate']))} at {at}"


def _figure(model: ModelFindings, rows: pd.DataFrame) -> Figure:
    names = {"all": "held in all units", "found": "only in the units found"}
    series = [Series(name) for name in names.values()]
    chance = Series("only in as many random units")
    for _, row in rows.iterrows():
        which = str(row["units"])
        if which == "none":
            series[0].add("as trained", row["accuracy"], row["low"], row["high"])
        elif which in names:
            one = series[list(names).index(which)]
            one.add(_label(row), row["accuracy"], row["low"], row["high"])
        elif which.startswith("random 1"):
            chance.add(_label(row), row["accuracy"], row["low"], row["high"])
    every = [one for one in (*series, chance) if len(one.at)]
    lines = len({label for one in every for label in one.at})
    own = found(model).units
    only = f" The units found: {units(own)}." if own else ""
    return Figure(
        f"held-{''.join(c if c.isalnum() else '-' for c in model.name.lower())}",
        dots(every, "right, in %", chance=0.5),
        f"**Gates held still** in the trained {model.title}, at every word: agreement in gender "
        "with "
        f"95 % intervals.{only} At “its mean” the gate keeps its amount and loses its choice.",
        height=120 + 42 * lines,
    )


def _at(rows: pd.DataFrame, gate: str, held: str, which: str = "all") -> pd.Series | None:
    # A value that went through a file may have become a number.
    same = rows["held"].astype(str).str.removesuffix(".0") == held
    chosen = rows[(rows["gate"] == gate) & same & (rows["units"] == which)]
    return chosen.iloc[0] if len(chosen) else None


def _said(model: ModelFindings, rows: pd.DataFrame, first: str) -> str:
    free = rows[rows["units"] == "none"]
    if not len(free):
        return ""
    usual = float(free["accuracy"].iloc[0])
    letter = _LETTERS.get(first, first)
    parts = []
    losses = {}
    for held, words in (("1", "open"), ("½", "half open"), ("0", "shut"), ("mean", "at its mean")):
        row = _at(rows, first, held)
        if row is not None:
            bits = row.get("other_bits_change")
            cost = f", and other words cost {number(bits)} bits more" if known(bits) else ""
            parts.append(f"{words}, {share_with(row)}{cost}")
            losses[held] = usual - float(row["accuracy"])
    said = (
        f"Held still in the trained {model.title}: as trained, agreement is "
        f"{share_with(free.iloc[0])}. With {letter} held {'; '.join(parts)}."
    )
    if not losses:
        return said
    if usual < _ENOUGH:
        return f"{said} As trained it is right too seldom there to conclude anything from that."
    return f"{said} {_conclusion(letter, first, losses)}{_own(model, rows, first, usual)}"


def _conclusion(letter: str, gate: str, losses: dict[str, float]) -> str:
    least = min(losses, key=lambda held: losses[held])
    worst = max(losses, key=lambda held: losses[held])
    name = plain(gate.replace("_", " "))
    if losses[worst] < _LITTLE:
        return (
            f"So in this model agreement does not need the {name}: wherever it is held, less than "
            f"{percent(_LITTLE, 0)} are lost."
        )
    if losses[least] < _LITTLE:
        at = {"1": "open", "0": "shut", "½": "half open", "mean": "at its mean"}[least]
        return (
            f"So in this model agreement does not need the {name} to *choose* ({at} will do), but "
            "it "
            f"does need a fit amount: with {letter} at {_at_words(worst)}, "
            f"{percent(losses[worst])} of the items are lost."
        )
    return (
        f"So in this model agreement needs the {name} to choose: held anywhere, it costs "
        f"{percent(losses[least])} of the items at least."
    )


def _at_words(held: str) -> str:
    return "its mean" if held == "mean" else held


def _own(model: ModelFindings, rows: pd.DataFrame, gate: str, usual: float) -> str:
    """Say what holding the gate does in the units found alone, beside as many others."""
    parts = []
    for held in ("1", "½", "0", "mean"):
        row = _at(rows, gate, held, "found")
        if row is not None:
            parts.append((held, usual - float(row["accuracy"])))
    if not parts:
        return ""
    letter = _LETTERS.get(gate, gate)
    own = found(model).units
    costs = listed(f"{percent(max(0.0, loss))} at {_at_words(held)}" for held, loss in parts)
    worst, _ = max(parts, key=lambda part: part[1])
    other = rows[
        (rows["gate"] == gate)
        & (rows["held"].astype(str).str.removesuffix(".0") == worst)
        & rows["units"].astype(str).str.startswith("random")
    ]
    beside = ""
    if len(other):
        lost = usual - float(other["accuracy"].min())
        beside = f" (as many random units: {percent(max(0.0, lost))})"
    return f" Held in {units(own)} alone, {letter} costs {costs}{beside}."
