"""Mechanics: the memory ledger, saturation, half-lives, and how the gradient comes back."""

from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import BOS, TOKENS
from textgate.recurrence import Cell
from textgate.report._blocks import Block, Figure, Heading, Row, Section, Table, Text, plain
from textgate.report._figures import (
    GREY,
    VERMILLION,
    Series,
    bars,
    cloud,
    curves,
    escaped,
    split_by_units,
)
from textgate.report._findings import Findings, ModelFindings
from textgate.report._status import unit_claim, why_missing
from textgate.report._words import count, is_number, listed, number, percent, slug, units

_MOST_UNITS = 3  # in the ledger's figure


def section(findings: Findings) -> Section:
    """Return the section."""
    blocks: list[Block] = []
    several = len(findings.models) > 1
    for model in findings.models:
        own = [*_ledger(model), *_averages(model), *_gradients(model)]
        if not own:
            why = why_missing(model, "mechanics")
            own = [Text(f"The mechanics of this model were not measured{why}", "note")]
        if several:
            blocks.append(Heading(model.title))
        blocks += own
    return Section("What the gates do about it", tuple(blocks))


def own_units(model: ModelFindings, table: pd.DataFrame) -> list[int]:
    """Return the units that were found, as far as a table has them; else its first."""
    there = [int(unit) for unit in dict.fromkeys(table["unit"])]
    chosen = [unit for unit in unit_claim(model).units if unit in there]
    return chosen or there


def _ledger(model: ModelFindings) -> list[Block]:
    table = model.table("ledger")
    if table is None:
        return []
    text = str(table["text"].iloc[0]) if "text" in table else ""
    intro = (
        "**The memory ledger.** Given the gates, a unit’s memory is an exact sum "
        f"({_equation(model.kind)}, unrolled): what each word wrote, times what all gates since "
        "have left of it. Nothing is estimated."
    )
    sentences = model.table("ledger_sentences")
    parts = []
    if sentences is not None:
        rows = sentences[sentences["example"] == 0] if "example" in sentences else sentences
        for unit in own_units(model, rows)[:_MOST_UNITS]:
            sentence = str(rows[rows["unit"] == unit]["sentence"].iloc[0])
            parts.append(sentence.rstrip(".").replace(f"*{TOKENS[BOS]}*", "the start"))
    if parts:
        intro += f" In *{plain(text.rstrip('. '))}*: " + "; ".join(parts) + "."
    if not unit_claim(model).units:
        intro += " No unit is known to hold the gender here; shown are those that keep longest."
    figures = []
    for example in sorted(set(table["example"].astype(int))):
        rows = table[table["example"] == example]
        figures.append(_ledger_figure(model, example, rows))
    return [Text(intro), Row(tuple(figures))]


def _equation(cell: Cell) -> str:
    """Return how a cell's memory comes about, such as "c = f ⊙ c′ + i ⊙ g"."""
    letters = {name: f"({x})" if " " in x else x for name, x in cell.letters.items()}
    memory, candidate = letters[cell.memory], letters[cell.candidate]
    return f"{memory} = {letters['retention']} ⊙ {memory}′ + {letters['writing']} ⊙ {candidate}"


def _ledger_figure(model: ModelFindings, example: int, rows: pd.DataFrame) -> Figure:
    sources = rows[["source", "source_word"]].drop_duplicates().sort_values("source")
    sources = sources[sources["source"] >= 0]
    places = {int(source): at for at, source in enumerate(sources["source"])}
    labels = ["(start)" if w == TOKENS[BOS] else str(w) for w in sources["source_word"]]
    series = []
    for unit in own_units(model, rows)[:_MOST_UNITS]:
        own = rows[(rows["unit"] == unit) & (rows["source"] >= 0)].sort_values("source")
        series.append(
            Series(
                f"unit {unit}",
                [places[int(source)] for source in own["source"]],
                own["entry"].astype(float).tolist(),
                hover=[
                    f"unit {unit}: {number(e)} from {escaped(w)}<br>"
                    f"wrote {number(a)}, kept {percent(k)}"
                    for e, w, a, k in zip(
                        own["entry"], own["source_word"], own["written"], own["kept"], strict=True
                    )
                ],
            )
        )
    text = plain(rows["text"].iloc[0]) if "text" in rows else ""
    return Figure(
        f"ledger-{slug(model.name)}-{example}",
        bars(series, "part of the memory", labels),
        f"Whose words the memory is made of after *{plain(rows['word'].iloc[0])}*, in *{text}*",
        height=300,
    )


def _averages(model: ModelFindings) -> list[Block]:
    figures = [f for f in (_saturation(model), _half_lives(model)) if f is not None]
    return [*_lives(model), *([Row(tuple(figures))] if figures else [])]


def _main_layer(model: ModelFindings, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the finding's layer, or of the first."""
    if "layer" not in table:
        return table
    layers = list(dict.fromkeys(table["layer"].astype(str)))
    wanted = str((model.finding or {}).get("layer", ""))
    chosen = wanted if wanted in layers else layers[0]
    return table[table["layer"].astype(str) == chosen]


def _saturation(model: ModelFindings) -> Figure | None:
    table = model.table("saturation")
    if table is None:
        return None
    table = _main_layer(model, table)
    gates = [str(gate) for gate in table["gate"].unique()]
    keeping = model.kind.keeping
    if keeping not in gates:
        keeping = gates[0]
    rows = table[table["gate"] == keeping]
    shares = rows[["left", "right"]].astype(float).to_numpy()
    series = split_by_units(
        rows["unit"],
        unit_claim(model).units,
        shares[:, 1].tolist(),
        shares[:, 0].tolist(),
        [f"below 0.1 in {percent(shut)}, above 0.9 in {percent(open_)}" for shut, open_ in shares],
    )
    gate = keeping.replace("_", " ")
    return Figure(
        f"saturation-{slug(model.name)}",
        cloud(series, "share of words with the gate above 0.9", "… below 0.1"),
        f"**Saturation of the {gate}**, which keeps the old state. Each point is a unit: how often "
        "the gate is nearly open and nearly closed (after Karpathy et al. 2015). Bottom right: "
        "units that nearly always remember. Top left: units that live for the moment.",
        height=360,
    )


def _half_lives(model: ModelFindings) -> Figure | None:
    table = model.table("half_life")
    if table is None:
        return None
    table = _main_layer(model, table)
    rows = table.assign(half_life=pd.to_numeric(table["half_life"], errors="coerce"))
    rows = rows[rows["half_life"].notna() & (rows["half_life"] > 0)]
    rows = rows.sort_values("half_life", kind="stable").reset_index(drop=True)
    if not len(rows):
        return None
    largest = rows.loc[np.isfinite(rows["half_life"]), "half_life"].max()
    shown = rows["half_life"].clip(upper=largest)
    series = split_by_units(
        rows["unit"],
        unit_claim(model).units,
        [int(at) + 1 for at in rows.index],
        [round(float(life), 4) for life in shown],
        [f"{number(life, 1)} words" for life in rows["half_life"]],
    )
    data = [
        {
            "type": "scatter",
            "mode": "markers+text" if one.labels else "markers",
            "name": one.name,
            "x": one.at,
            "y": one.values,
            "text": one.labels or None,
            "textposition": "middle left",
            "customdata": one.hover,
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {
                "color": VERMILLION if one.labels else GREY,
                "symbol": "star" if one.labels else "circle",
                "size": 12 if one.labels else 5,
                "line": {"width": 1 if one.labels else 0, "color": "black"},
            },
        }
        for one in series
    ]
    layout = {
        "xaxis": {"title": {"text": "units, by half-life"}, "zeroline": False},
        "yaxis": {
            "title": {"text": "half-life, in words"},
            "type": "log",
            "automargin": True,
            "tickformat": "~g",
            **({"dtick": "D2"} if largest > 5 * rows["half_life"].min() else {}),
        },
        "showlegend": True,
    }
    return Figure(
        f"half-life-{slug(model.name)}",
        {"data": data, "layout": layout},
        "**Half-lives.** After how many words half of what a unit holds is gone, from the mean of "
        "the logarithm of what its gate keeps. The scale is logarithmic.",
        height=360,
    )


def _lives(model: ModelFindings) -> list[Block]:
    """Say how long the units remember, and those that hold the gender among them."""
    table = model.table("half_life")
    if table is None:
        return []
    table = _main_layer(model, table)
    lives = pd.to_numeric(table["half_life"], errors="coerce")
    text = (
        f"Half of the units forget half of what they hold within {number(lives.median(), 1)} words."
    )
    chosen = table["unit"].isin(unit_claim(model).units)
    if chosen.any():
        own = listed(
            f"{number(life, 1)} (unit {int(unit)})"
            for unit, life in zip(table["unit"][chosen], lives[chosen], strict=True)
        )
        longer = int((lives > lives[chosen].max()).sum())
        one = chosen.sum() == 1
        others = {0: "no other unit has", 1: "one other unit has"}.get(
            longer, f"{count(longer)} other units have"
        )
        text += (
            f" The {'unit that holds' if one else 'units that hold'} the gender: {own} words; "
            f"{others} a longer half-life{'' if one else ' than the longest of these'}."
            f"{_typical(table[chosen], table[~chosen])}"
        )
    return [Text(text)]


def _typical(own: pd.DataFrame, others: pd.DataFrame) -> str:
    """Say how long a typical entry lives, which a few sudden resets don't shorten."""
    if "median_life" not in own or not len(others):
        return ""
    lives = listed(number(life, 0) for life in pd.to_numeric(own["median_life"], errors="coerce"))
    rest = pd.to_numeric(others["median_life"], errors="coerce").median()
    return (
        f" A few sudden resets shorten a half-life much; what a typical word writes there loses "
        f"half of itself after {lives} words, against {number(rest, 0)} in the other units "
        "(medians; ∞: most of it outlives its sentence)."
    )


def _gradients(model: ModelFindings) -> list[Block]:
    table = model.table("gradients")
    if table is None:
        return []
    rows = table.sort_values("distance")
    x = rows["distance"].astype(float).tolist()
    series = [
        Series("in full", x, rows["full"].astype(float).tolist()),
        Series("along the memory alone", x, rows["cell"].astype(float).tolist()),
    ]
    if (
        unit_claim(model).units
        and "cell_own" in rows
        and pd.to_numeric(rows["cell_own"], errors="coerce").notna().any()
    ):
        series.append(Series("along the units found", x, rows["cell_own"].astype(float).tolist()))
    first, last = rows.iloc[0], rows.iloc[-1]
    text = (
        "**How training could find out.** The loss at *her* reaches back to *she* by the gradient. "
        f"{count(last['distance'])} words back, {_left(last['full'], first['full'])} of it is left "
        f"in full and {_left(last['cell'], first['cell'])} along the memory alone, where it is "
        "multiplied by the gate that keeps (it passes where the gate is near 1 and stops where it "
        "is near 0)"
    )
    if len(series) == 3 and is_number(last["cell_own"]) and is_number(first["cell_own"]):
        own = _left(last["cell_own"], first["cell_own"])
        text += f"; along {units(unit_claim(model).units)}, {own}"
    text += "."
    return [
        Text(text),
        Figure(
            f"gradients-{slug(model.name)}",
            curves(
                series, "words back from the last before the pronoun", "size of the gradient", True
            ),
            "**Gradient paths.** Size of the gradient of the loss at the pronoun with respect to "
            "the memory, at each word before it (mean over "
            f"{count(first.get('sentences', float('nan')))} sentences): by all ways, and along the "
            "memory alone.",
            height=320,
        ),
    ]


def _left(value: Any, of: Any) -> str:
    if not is_number(value) or not is_number(of) or float(of) == 0:
        return "an unknown part"
    return percent(float(value) / float(of))


def _word(word: Any) -> str:
    """Return a word of a list; marks in quotation marks, so that a comma is seen."""
    text = plain(word)
    if text == TOKENS[BOS]:
        return "(start)"
    return text if text[:1].isalnum() else f"“{text}”"


def drivers(model: ModelFindings) -> Table | None:
    """Return which words open and close the keeping gate of the units found."""
    table = model.table("driving_words")
    if table is None:
        return None
    rows = table[table["unit"].isin(own_units(model, table)[:_MOST_UNITS])]
    shown = []
    for (unit, does), part in rows.groupby(["unit", "does"], sort=False):
        words = listed(
            f"{_word(w)} ({number(g)})" for w, g in zip(part["word"], part["gate"], strict=True)
        )
        shown.append({"unit": f"{unit}", "": str(does), "words (mean of the gate)": words})
    if not shown:
        return None
    gate = model.keeping_gate
    return Table(
        pd.DataFrame(shown),
        f"Words at which the {gate} of these units of the {model.title} is opened or closed most.",
    )
