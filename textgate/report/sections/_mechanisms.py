"""Mechanics: the memory ledger, saturation, half-lives, and how the gradient comes back."""

from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import BOS, TOKENS
from textgate.report._blocks import Figure, Heading, Row, Section, Table, Text, plain
from textgate.report._figures import GREY, ORANGE, Series, bars, cloud, curves, escaped
from textgate.report._findings import Findings, ModelFindings
from textgate.report._words import count, known, listed, number, percent, units
from textgate.report.status import found

_MOST_UNITS = 3  # in the ledger's figure


def section(findings: Findings) -> Section:
    """Return the section."""
    blocks: list[Any] = []
    several = len(findings.models) > 1
    for model in findings.models:
        own = [*_ledger(model), *_averages(model), *_gradients(model)]
        if not own:
            reason = model.skipped.get("mechanics")
            why = f": {plain(reason)}" if reason else "."
            own = [Text(f"The mechanics of this model were not measured{why}", "note")]
        if several:
            blocks.append(Heading(model.title))
        blocks += own
    return Section("mechanics", "What the gates do about it", tuple(blocks))


def _id(model: ModelFindings) -> str:
    return "".join(c if c.isalnum() else "-" for c in model.name.lower())


def own_units(model: ModelFindings, table: pd.DataFrame) -> list[int]:
    """Return the units that were found, as far as a table has them; else its first."""
    there = [int(unit) for unit in dict.fromkeys(table["unit"])]
    chosen = [unit for unit in found(model).units if unit in there]
    return chosen or there


def _ledger(model: ModelFindings) -> list[Any]:
    table = model.table("ledger")
    if table is None:
        return []
    is_gru = model.config.get("cell") == "gru"
    equation = "h = z ⊙ h′ + (1 − z) ⊙ ĥ" if is_gru else "c = f ⊙ c′ + i ⊙ g"
    of_units = found(model).units
    text = str(table["text"].iloc[0]) if "text" in table else ""
    intro = (
        f"**The memory ledger.** Given the gates, a unit’s memory is an exact sum ({equation}, "
        "unrolled): what each word wrote, times what all gates since have left of it. Nothing is "
        "estimated."
    )
    said = model.table("ledger_sentences")
    lines = []
    if said is not None:
        rows = said[said["example"] == 0] if "example" in said else said
        for unit in own_units(model, rows)[:_MOST_UNITS]:
            sentence = str(rows[rows["unit"] == unit]["sentence"].iloc[0])
            lines.append(sentence.rstrip(".").replace("*<bos>*", "the start"))
    if lines:
        intro += f" In *{plain(text.rstrip('. '))}*: " + "; ".join(lines) + "."
    if not of_units:
        intro += " No unit is known to hold the gender here; shown are those that keep longest."
    figures = []
    for example in sorted(set(table["example"].astype(int))):
        rows = table[table["example"] == example]
        figures.append(_ledger_figure(model, example, rows))
    return [Text(intro), Row(tuple(figures))]


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
                told=[
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
        f"ledger-{_id(model)}-{example}",
        bars(series, "part of the memory", labels),
        f"Whose words the memory is made of after *{plain(rows['word'].iloc[0])}*, in *{text}*",
        height=300,
    )


def _averages(model: ModelFindings) -> list[Any]:
    figures = [f for f in (_saturation(model), _half_lives(model)) if f is not None]
    said = _said_of_averages(model)
    return [*([Text(said)] if said else []), *([Row(tuple(figures))] if figures else [])]


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
    keeping = "update_gate" if model.config.get("cell") == "gru" else "forget_gate"
    if keeping not in set(table["gate"]):
        keeping = str(table["gate"].iloc[0])
    rows = table[table["gate"] == keeping]
    series = []
    own = rows["unit"].isin(found(model).units)
    for name, part in ((_others(own), rows[~own]), ("units found", rows[own])):
        if len(part):
            series.append(
                Series(
                    name,
                    part["left"].astype(float).tolist(),
                    part["right"].astype(float).tolist(),
                    told=[
                        f"unit {int(u)}: below 0.1 in {percent(a)}, above 0.9 in {percent(b)}"
                        for u, a, b in zip(part["unit"], part["left"], part["right"], strict=True)
                    ],
                )
            )
    gate = keeping.replace("_", " ")
    figure = cloud(series, "share of words with the gate below 0.1", "… above 0.9", ["units found"])
    return Figure(
        f"saturation-{_id(model)}",
        figure,
        f"**Saturation of the {gate}**, which keeps the old state. Each point is a unit: how often "
        "the gate is nearly closed and nearly open (after Karpathy et al. 2015). Top left: units "
        "that nearly always remember. Bottom right: units that live for the moment.",
        height=360,
    )


def _others(own: pd.Series) -> str:
    return "other units" if own.any() else "units"


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
    own = rows["unit"].isin(found(model).units)
    data = []
    for name, part in ((_others(own), rows[~own]), ("units found", rows[own])):
        label = name == "units found"
        if len(part):
            data.append(
                {
                    "type": "scatter",
                    "mode": "markers+text" if label else "markers",
                    "name": name,
                    "x": [int(at) + 1 for at in part.index],
                    "y": [round(float(shown[at]), 4) for at in part.index],
                    "text": [str(int(u)) for u in part["unit"]] if label else None,
                    "textposition": "middle left",
                    "customdata": [
                        f"unit {int(u)}: {number(life, 1)} words"
                        for u, life in zip(part["unit"], part["half_life"], strict=True)
                    ],
                    "hovertemplate": "%{customdata}<extra></extra>",
                    "marker": {
                        "color": ORANGE if label else GREY,
                        "symbol": "star" if label else "circle",
                        "size": 12 if label else 5,
                        "line": {"width": 1 if label else 0, "color": "black"},
                    },
                }
            )
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
        f"half-life-{_id(model)}",
        {"data": data, "layout": layout},
        "**Half-lives.** After how many words half of what a unit holds is gone, from the mean of "
        "the logarithm of what its gate keeps. The scale is logarithmic.",
        height=360,
    )


def _said_of_averages(model: ModelFindings) -> str:
    table = model.table("half_life")
    if table is None:
        return ""
    table = _main_layer(model, table)
    lives = pd.to_numeric(table["half_life"], errors="coerce")
    chosen = table["unit"].isin(found(model).units)
    said = (
        f"Half of the units forget half of what they hold within {number(lives.median(), 1)} words."
    )
    if chosen.any():
        own = listed(
            f"{number(life, 1)} (unit {int(unit)})"
            for unit, life in zip(table["unit"][chosen], lives[chosen], strict=True)
        )
        longer = int((lives > lives[chosen].max()).sum())
        one = chosen.sum() == 1
        beside = {0: "no other unit has", 1: "one other unit has"}.get(
            longer, f"{count(longer)} other units have"
        )
        said += (
            f" The {'unit that holds' if one else 'units that hold'} the gender: {own} words; "
            f"{beside} a longer half-life{'' if one else ' than the longest of these'}."
        )
        said += _typical(table[chosen], table[~chosen])
    return said


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


def _gradients(model: ModelFindings) -> list[Any]:
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
        found(model).units
        and "cell_own" in rows
        and pd.to_numeric(rows["cell_own"], errors="coerce").notna().any()
    ):
        series.append(Series("along the units found", x, rows["cell_own"].astype(float).tolist()))
    first, last = rows.iloc[0], rows.iloc[-1]
    said = (
        "**How training could find out.** The loss at *her* reaches back to *she* by the gradient. "
        f"{count(last['distance'])} words back, {_left(last['full'], first['full'])} of it is left "
        "in "
        f"full and {_left(last['cell'], first['cell'])} along the memory alone, where it is "
        "multiplied "
        "by the gate that keeps (it passes where the gate is near 1 and stops where it is near 0)"
    )
    if len(series) == 3 and known(last["cell_own"]) and known(first["cell_own"]):
        said += f"; along {units(found(model).units)}, {_left(last['cell_own'], first['cell_own'])}"
    said += "."
    return [
        Text(said),
        Figure(
            f"gradients-{_id(model)}",
            curves(
                series, "words back from the last before the pronoun", "size of the gradient", True
            ),
            "**Gradient paths.** Size of the gradient of the loss at the pronoun with respect to "
            "the "
            "memory, at each word before it (mean over "
            f"{count(first.get('sentences', float('nan')))} sentences): by all ways, and along the "
            "memory alone.",
            height=320,
        ),
    ]


def _left(value: Any, of: Any) -> str:
    if not known(value) or not known(of) or float(of) == 0:
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
    gate = model.gates[0]
    return Table(
        pd.DataFrame(shown),
        f"Words at which the {gate} of these units of the {model.title} is opened or closed most.",
    )
