"""What the unit-finding protocol found, as a figure: interchange, ablation, and their controls.

The bars of the sets stand beside those of random sets of other units, as many, and come for each
direction apart, because a damaged model says the same word always.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from textgate.interchange import Direction, Units
from textgate.plots._frame import GREY, explain, new_figure, plain
from textgate.plots.palette import BLUE, ORANGE

if TYPE_CHECKING:
    from textgate.unit_search import UnitFinding

_COLOURS = (ORANGE, BLUE)
_ABLATIONS = ("zero", "mean", "resample")
_SHOWN = 12  # single units


def units_found(found: "UnitFinding", *, title: str | None = None) -> Figure:
    """Draw what interchange and ablation of the found units do, with their controls.

    Args:
        found: As `textgate.find_units` returns it.
        title: The title; by default one that says what is drawn.

    Returns:
        The figure: the share of answers that interchange flips; agreement after ablation; and the
        best single units.

    Raises:
        ValueError: If nothing was tried, because the model doesn't have the feature.
    """
    tables = getattr(found, "tables", {})
    rows = tables.get("interventions")
    if rows is None or "units" not in tables or not (rows["set"] != "none").any():
        raise ValueError(
            "there is nothing to draw; `found` must be a finding of textgate.find_units "
            f"in which some units were tried. Received: {found!r}"
        )
    tried = [
        name for name in ("sufficient", "necessary", "specific") if (rows["set"] == name).any()
    ]
    # Sets of the same units are drawn once.
    sets = list({_members(rows, name): name for name in reversed(tried)}.values())[::-1]
    figure = new_figure(11.5, 4.9)
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.1, 1.4, 1.0))
    _interchange(left, tables, sets, found.goals.flipped)
    _ablation(middle, tables, sets, found.goals.accuracy)
    _single(right, tables["units"], _directions(rows))
    members = [f"{name} ({_members(rows, name)})" for name in sets]
    place = f"{found.layer}'s {found.signal.replace('_', ' ')}"
    items = int(rows.loc[rows["direction"] == "both", "items"].iloc[0])
    return explain(
        figure,
        title or f"Which units of {place} hold {found.feature}",
        [
            f"Sets: {'; '.join(members)}. Measured on {items} pairs whose templates, names, "
            "nouns and verbs had no part in choosing the units. Lines: 95 % intervals, bootstrap "
            "over templates and lexemes; grey: sets of other units, as many, drawn at random "
            "(their mean, and up to the best of them).",
            "Interchange gives the units the values that they have in the same sentence about the "
            "other class. That a set suffices doesn't make it necessary: see what ablation leaves.",
        ],
    )


def _members(rows: pd.DataFrame, name: str) -> str:
    units = Units.parse(rows.loc[rows["set"] == name, "units"].iloc[0])
    return ", ".join(map(str, units.sorted()))


def _directions(rows: pd.DataFrame) -> list[str]:
    return [str(direction) for direction in rows["direction"].unique() if direction != "both"]


def _cell(rows: pd.DataFrame, label: str, kind: str, direction: str) -> pd.Series:
    chosen = (rows["set"] == label) & (rows["intervention"] == kind)
    return rows[chosen & (rows["direction"] == direction)].iloc[0]


def _bars(
    axes: Axes, rows: pd.DataFrame, groups: Sequence[tuple[str, str]], what: str, labels: Mapping
) -> None:
    """Draw a bar with its interval for each set and intervention, in each direction.

    Args:
        axes: Where to.
        rows: The table of interventions.
        groups: Sets, each with an intervention.
        what: The column, which comes with `_low` and `_high`.
        labels: By direction, its name in the legend.
    """
    for side, (direction, label) in enumerate(labels.items()):
        cells = [_cell(rows, name, kind, direction) for name, kind in groups]
        heights, low, high = (
            np.array([float(cell[f"{what}{end}"]) for cell in cells])
            for end in ("", "_low", "_high")
        )
        error = np.clip([heights - low, high - heights], 0, None)
        axes.bar(
            [at + 0.4 * side - 0.2 for at in range(len(groups))], heights, 0.36,
            yerr=np.nan_to_num(error), color=_COLOURS[side], label=label,
            error_kw={"elinewidth": 1, "ecolor": "0.25"},
        )  # fmt: skip
    axes.set_ylim(0, 1.2)


def _finish(axes: Axes, names: Sequence[str], y: str, title: str) -> None:
    axes.set_xticks(range(len(names)), names, fontsize=8)
    plain(axes, y=y, title=title)
    axes.set_yticks(np.linspace(0, 1, 6))
    axes.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)


def _interchange(axes: Axes, tables: Mapping, sets: Sequence[str], goal: float) -> None:
    groups = [*((name, "interchange") for name in sets), (sets[0], "interchange others")]
    rows = tables["interventions"]
    _bars(axes, rows, groups, "flipped", {side: side for side in _directions(rows)})
    for at, name in enumerate(sets):
        _control(axes, at, tables["controls"], name, "interchange", 0.0, 1.0)
    axes.axhline(goal, color="0.4", linewidth=0.8, linestyle=":")
    names = [f"{name}\nset" for name in sets] + [f"all but\nthe {sets[0]}"]
    _finish(axes, names, "answers flipped", "Interchange")


def _ablation(axes: Axes, tables: Mapping, sets: Sequence[str], goal: float) -> None:
    groups = [("none", "none")] + [(name, kind) for name in sets for kind in _ABLATIONS]
    rows = tables["interventions"]
    sides = _directions(rows)
    _bars(axes, rows, groups, "accuracy", {side: Direction.parse(side).base for side in sides})
    clean = float(_cell(rows, "none", "none", "both")["accuracy"])
    for at, (name, kind) in enumerate(groups):
        if name != "none":
            _control(axes, at, tables["controls"], name, kind, clean, -1.0)
    axes.axhline(0.5, color="0.4", linewidth=0.8)
    axes.axhline(goal, color="0.4", linewidth=0.8, linestyle=":")
    # The set's name once, below the one in the middle.
    names = ["none"] + [f"{kind}\n{name}" if kind == "mean" else kind for name, kind in groups[1:]]
    _finish(axes, names, "agreement, right", "Ablation")


def _control(
    axes: Axes, place: int, controls: pd.DataFrame, name: str, kind: str, base: float, sign: float
) -> None:
    """Mark what random sets do: their mean, and up to the strongest."""
    chosen = (controls["set"] == name) & (controls["intervention"] == kind)
    row = controls[chosen & (controls["control"] == "random")].iloc[0]
    mean, most = (base + sign * float(row[c]) for c in ("control_mean", "control_largest"))
    axes.plot([place - 0.4, place + 0.4], [mean, mean], color=GREY, linewidth=2, zorder=3)
    axes.plot([place, place], [mean, most], color=GREY, linewidth=1.5, zorder=3)


def _single(axes: Axes, units: pd.DataFrame, directions: list[str]) -> None:
    best = units.sort_values("rank").head(_SHOWN).iloc[::-1]
    places = np.arange(len(best))
    for side, direction in enumerate(directions):
        axes.barh(places + 0.2 - 0.4 * side, best[f"share {direction}"], 0.36, color=_COLOURS[side])
    stars = ["*" if p < 0.05 else "" for p in best["p_adjusted"]]
    names = [f"{unit}{star}" for unit, star in zip(best["unit"], stars, strict=True)]
    axes.set_yticks(places, names, fontsize=8)
    axes.axvline(0, color="0.4", linewidth=0.8)
    plain(axes, "share of the logit difference moved", "unit", "Single units (* p < 0.05, max-T)")
