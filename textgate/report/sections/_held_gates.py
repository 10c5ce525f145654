"""What breaks when a gate is held still: figures and words from `textgate.study.hold_gates`."""

import pandas as pd

from textgate.report._blocks import Block, Figure, Text, plain
from textgate.report._figures import Series, dots
from textgate.report._findings import ModelFindings
from textgate.report._status import unit_claim
from textgate.report._words import is_number, listed, number, percent, share_with, slug, units

_HELD = {"1": "open", "½": "half open", "0": "shut", "mean": "at its mean"}
_ENOUGH = 0.75  # of accuracy as trained, below which holding a gate shows nothing


def _rows(model: ModelFindings) -> pd.DataFrame | None:
    table = model.table("held_gates")
    if table is None or not {"units", "gate", "held", "by", "accuracy"} <= set(table):
        return None
    rows = table[table["by"] == "all"]
    return rows if len(rows) else None


def held_gates(model: ModelFindings, first: str) -> list[Block]:
    """Return the figure and the words of holding a model's gates.

    Args:
        model: The model.
        first: The gate that the words are about.
    """
    rows = _rows(model)
    if rows is None or first not in set(rows["gate"]):
        return []
    gates = [first, *({model.kind.keeping} & set(rows["gate"]) - {first})]
    texts = [_losses(model, rows, gate) for gate in gates]
    return [*(Text(text) for text in texts if text), _figure(model, rows)]


def _letter(model: ModelFindings, gate: str) -> str:
    return model.kind.letters.get(gate, gate)


def _label(model: ModelFindings, row: pd.Series) -> str:
    return f"{_letter(model, str(row['gate']))} at {_at_words(str(row['held']))}"


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
            one.add(_label(model, row), row["accuracy"], row["low"], row["high"])
        elif which.startswith("random 1"):
            chance.add(_label(model, row), row["accuracy"], row["low"], row["high"])
    every = [one for one in (*series, chance) if len(one.at)]
    lines = len({label for one in every for label in one.at})
    own = unit_claim(model).units
    only = f" The units found: {units(own)}." if own else ""
    return Figure(
        f"held-{slug(model.name)}",
        dots(every, "right, in %", chance=0.5),
        f"**Gates held still** in the trained {model.title}, at every word: agreement in gender "
        f"with 95 % intervals.{only} At “its mean” the gate keeps its amount and loses its choice.",
        height=120 + 42 * lines,
    )


def _at(rows: pd.DataFrame, gate: str, held: str) -> pd.DataFrame:
    # A value that went through a file may have become a number.
    return rows[(rows["gate"] == gate) & (rows["held"].astype(str).str.removesuffix(".0") == held)]


def _losses(model: ModelFindings, rows: pd.DataFrame, gate: str) -> str:
    """Say what holding a gate costs, and what that shows."""
    as_trained = rows[rows["units"] == "none"]
    if not len(as_trained):
        return ""
    intact = float(as_trained["accuracy"].iloc[0])
    letter = _letter(model, gate)
    parts = []
    losses: dict[str, float] = {}
    costly = set()  # holds whose interval lies below that of the model as trained
    for held, words in _HELD.items():
        at = _at(rows[rows["units"] == "all"], gate, held)
        if len(at):
            row = at.iloc[0]
            bits = row.get("other_bits_change")
            cost = f", and other words cost {number(bits)} bits more" if is_number(bits) else ""
            parts.append(f"{words}, {share_with(row)}{cost}")
            losses[held] = intact - float(row["accuracy"])
            if float(row["high"]) < float(as_trained["low"].iloc[0]):
                costly.add(held)
    text = (
        f"Held still in the trained {model.title}: as trained, agreement is "
        f"{share_with(as_trained.iloc[0])}. With {letter} held {'; '.join(parts)}."
    )
    if not losses:
        return text
    if intact < _ENOUGH:
        return f"{text} As trained it is right too seldom there to conclude anything from that."
    concluded = _conclusion(letter, gate, losses, costly)
    return f"{text} {concluded}{_in_units_found(model, rows, gate, intact)}"


def _conclusion(letter: str, gate: str, losses: dict[str, float], costly: set[str]) -> str:
    """Say what the losses show; one within the intervals shows none."""
    least = min(losses, key=lambda held: (held in costly, losses[held]))
    worst = max(losses, key=lambda held: (held in costly, losses[held]))
    name = plain(gate.replace("_", " "))
    if not costly:
        return (
            f"So in this model agreement is not shown to need the {name}: wherever it is held, the "
            "intervals with and without the hold overlap."
        )
    if least not in costly:
        return (
            f"So in this model agreement is not shown to need the {name} to *choose* "
            f"({_HELD[least]}, its interval overlaps with that as trained), but it does need a fit "
            f"amount: with {letter} at {_at_words(worst)}, {percent(losses[worst])} of the items "
            "are lost."
        )
    return (
        f"So in this model agreement needs the {name} to choose: held anywhere, it costs "
        f"{percent(losses[least])} of the items at least."
    )


def _at_words(held: str) -> str:
    return "its mean" if held == "mean" else held


def _in_units_found(model: ModelFindings, rows: pd.DataFrame, gate: str, intact: float) -> str:
    """Say what holding the gate does in the units found alone, beside as many others."""
    losses = {}
    for held in _HELD:
        at = _at(rows[rows["units"] == "found"], gate, held)
        if len(at):
            losses[held] = intact - float(at["accuracy"].iloc[0])
    if not losses:
        return ""
    costs = listed(
        f"{percent(max(0.0, loss))} at {_at_words(held)}" for held, loss in losses.items()
    )
    worst = max(losses, key=lambda held: losses[held])
    random = _at(rows[rows["units"].astype(str).str.startswith("random")], gate, worst)
    beside = ""
    if len(random):
        lost = intact - float(random["accuracy"].min())
        beside = f" (as many random units: {percent(max(0.0, lost))})"
    own = units(unit_claim(model).units)
    return f" Held in {own} alone, {_letter(model, gate)} costs {costs}{beside}."
