"""What breaks when a gate is held still, as a figure."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from textgate.plots import _frame as frame
from textgate.plots import palette

_MARKS = "osD^vPX"
_RANDOM = "random"


def held_gates(table: pd.DataFrame, *, title: str | None = None) -> Figure:
    """Draw agreement by distance, and other words' prediction, with gates held still.

    Args:
        table: What `textgate.study.hold_gates` returns, with the grouping "distance".
        title: The title.

    Returns:
        The figure: a row for each set of units; on the left the accuracy at each distance, a line
        a hold, the model as trained in black; on the right what the hold costs on the other words.
        Random sets are drawn as one, their mean.

    Raises:
        ValueError: If the table hasn't been grouped by distance.
    """
    table = _with_mean_of_random(table)
    trained = table[table["gate"] == "none"]
    held = table[table["gate"] != "none"]
    if not (table["by"] == "distance").any() or held.empty:
        raise ValueError(
            "The table must hold gates by distance; make it with hold_gates(…, by=['distance']). "
            f"Received: groupings {sorted(table['by'].unique())}"
        )
    sets = list(held["units"].unique())
    names = list(dict.fromkeys(zip(held["gate"], held["held"], strict=True)))
    groups = sorted(trained.loc[trained["by"] == "distance", "group"], key=_first_number)
    figure = frame.new_figure(9.2, 0.9 + 2.6 * len(sets))
    grid = figure.subplots(len(sets), 2, squeeze=False, width_ratios=[3, 2], sharex="col")
    for row, units in enumerate(sets):
        left, right = grid[row]
        part = held[held["units"] == units]
        _line(left, trained, groups, "black", "o", "as trained")
        for number, (gate, value) in enumerate(names):
            one = part[(part["gate"] == gate) & (part["held"] == value)]
            label = f"{gate.replace('_gate', '')} gate at {value}"
            _line(left, one, groups, _colour(number), _MARKS[number % len(_MARKS)], label)
        count = int(part["n_units"].iloc[0])
        what = "all units" if units == "all" else f"{units} units: {count}"
        left.axhline(0.5, color="0.6", lw=0.9, ls=":")
        frame.plain(left, "", "items right", what)
        left.set_ylim(-0.04, 1.04)
        whole = part[part["by"] == "all"].set_index(["gate", "held"])["other_bits_change"]
        bars = right.barh(
            np.arange(len(names))[::-1],
            [whole.get(name, np.nan) for name in names],
            0.7,
            color=[_colour(number) for number in range(len(names))],
        )
        right.bar_label(bars, fmt=_cost, fontsize=7, padding=2)
        right.margins(x=0.15)
        labels = [f"{gate.replace('_gate', '')} at {value}" for gate, value in names]
        right.set_yticks(np.arange(len(names))[::-1], labels, fontsize=8)
        right.axvline(0, color="0.4", lw=0.8)
        frame.plain(right, "", "", "cost on other words")
    grid[-1, 0].set_xlabel("words from antecedent to pronoun", fontsize=8.5)
    grid[-1, 1].set_xlabel("bits a word more than as trained", fontsize=8.5)
    for axes in grid[:, 0]:
        axes.set_xticks(np.arange(len(groups)), groups)
    grid[0, 0].legend(fontsize=7, frameon=False, loc="lower left", ncols=2)
    items = int(trained.loc[trained["by"] == "all", "items"].iloc[0])
    lines = [
        f"Each line is the trained model with one gate held still at every word, over {items:,} "
        "minimal pairs; the dotted line is chance between two forms. A gate at its mean still "
        "lets the usual amount pass, but no longer chooses. On the right, how much worse all other "
        "words of the sentences are predicted.",
    ]
    return frame.explain(figure, title or "What breaks when a gate is held still", lines)


def _with_mean_of_random(table: pd.DataFrame) -> pd.DataFrame:
    """Put the mean of random sets of one size in the place of the sets."""
    is_random = table["units"].str.startswith(_RANDOM)
    if not is_random.any():
        return table
    drawn = table[is_random].assign(units="as many random")
    keys = ["units", "n_units", "gate", "held", "by", "group"]
    means = drawn.groupby(keys, sort=False)[["accuracy", "other_bits_change"]].mean().reset_index()
    return pd.concat([table[~is_random], means], ignore_index=True)


def _line(axes, part: pd.DataFrame, groups: list[str], colour: str, mark: str, label: str) -> None:
    by_group = part[part["by"] == "distance"].set_index("group")["accuracy"]
    values = [by_group.get(group, np.nan) for group in groups]
    width = 2.0 if colour == "black" else 1.3
    axes.plot(np.arange(len(groups)), values, f"{mark}-", color=colour, ms=4, lw=width, label=label)


def _cost(bits: float) -> str:
    return f"{round(bits, 2) + 0.0:+.2f}".replace("-", "−")  # + 0.0: no −0.00


def _colour(number: int) -> str:
    return palette.COLOURS[number % len(palette.COLOURS)]


def _first_number(group: str) -> int:
    return int(str(group).split("-")[0].rstrip("+"))
