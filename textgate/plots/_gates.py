"""What gates do on the average, as figures: saturation and half-lives."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from textgate import mechanics
from textgate.plots import _frame as frame
from textgate.plots import palette
from textgate.recurrence import cell_of

_LONGEST, _SHORTEST = 1e4, 0.03  # half-lives beyond these are drawn at the edge


def saturation(
    node: Any,
    gates: str | Sequence[str] | None = None,
    *,
    low: float = 0.1,
    high: float = 0.9,
    title: str | None = None,
) -> Figure:
    """Draw how often each unit's gates are nearly closed and nearly open.

    A panel for each gate, a point for each unit, as in Karpathy, Johnson & Fei-Fei 2015.

    Args:
        node: One layer of a trace.
        gates: Names of gates; by default all of the cell.
        low: Below it a gate counts as nearly closed.
        high: Above it, as nearly open.
        title: The title.

    Returns:
        The figure. Its numbers are those of `textgate.mechanics.saturation`.

    Raises:
        ValueError: If a gate is unknown or the thresholds aren't 0 ≤ low ≤ high ≤ 1.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(8, name="memory")])
    >>> trace = tg.trace(model, np.ones((1, 5, 3)))
    >>> figure = saturation(trace["memory"].to_dataset())
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['update gate z', 'reset gate r']
    """
    node = mechanics.node_of(node)
    cell = cell_of(node.attrs["cell"])
    table = mechanics.saturation(node, gates, low=low, high=high)
    names = list(table["gate"].unique())
    figure = frame.new_figure(max(5.5, 3.1 * len(names) + 0.4), 4.6)
    grid = figure.subplots(1, len(names), squeeze=False, sharex=True, sharey=True)[0]
    for axes, name in zip(grid, names, strict=True):
        part = table[table["gate"] == name]
        axes.plot([0, 1], [1, 0], "--", color="0.6", lw=0.9, zorder=1)
        axes.scatter(part["right"], part["left"], 26, palette.BLUE, alpha=0.55, lw=0, zorder=2)
        for row in _corners(part):
            number = str(int(part["unit"].iloc[row]))
            at = (part["right"].iloc[row], part["left"].iloc[row])
            axes.annotate(number, at, (3, 3), textcoords="offset points", fontsize=7)
        frame.plain(axes, f"share of words with gate > {high:g}", "", frame.signal_of(cell, name))
        axes.set(xlim=(-0.04, 1.06), ylim=(-0.04, 1.06), aspect="equal")
    grid[0].set_ylabel(f"share of words with gate < {low:g}", fontsize=8.5)
    steps, units = int(table["steps"].iloc[0]), node.sizes["unit"]
    lines = [
        f"{frame.layer_of(node)}: each point is one of {units} units, over {steps:,} words. On the "
        "right are gates that nearly always stand open, at the top those that nearly always stand "
        "shut, at the lower left those that stay half-open; on the dashed line are switches, "
        "always either open or shut. Numbers name the units nearest to the three corners.",
    ]
    return frame.explain(figure, title or "How often gates stand wide open or shut", lines)


def _corners(part: Any) -> list[int]:
    """Return the rows of the units nearest to the corners: open, shut, half-open."""
    points = part[["right", "left"]].to_numpy()
    if not np.isfinite(points).all():
        return []
    return sorted({int(np.argmin(((points - at) ** 2).sum(1))) for at in ([1, 0], [0, 1], [0, 0])})


def half_lives(node: Any, *, highlight: Sequence[int] = (), title: str | None = None) -> Figure:
    """Draw in how many words each unit loses half of what it holds.

    Args:
        node: One layer of a trace, of an LSTM or a GRU.
        highlight: Units to mark and number.
        title: The title.

    Returns:
        The figure: the units by rank, and a histogram. Its numbers are those of
        `textgate.mechanics.half_life`.

    Raises:
        ValueError: If the cell has no gates, or a highlighted unit is unknown.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(8, name="memory")])
    >>> trace = tg.trace(model, np.ones((1, 5, 3)))
    >>> figure = half_lives(trace["memory"].to_dataset(), highlight=[2])
    """
    node = mechanics.node_of(node)
    table = mechanics.half_life(node).sort_values("half_life", ascending=False, kind="stable")
    units = table["unit"].to_numpy()
    unknown = sorted(set(map(int, highlight)) - set(units.tolist()))
    if unknown:
        raise ValueError(
            f"`highlight` must name units of the trace, from {units.min()} to {units.max()}. "
            f"Received: {unknown}"
        )
    lives = table["half_life"].to_numpy()
    drawn = np.clip(np.nan_to_num(lives, nan=_SHORTEST), _SHORTEST, _LONGEST)
    words = int(node["mask"].sum()) / max(1, node.sizes["example"])
    figure = frame.new_figure(8.6, 4.4)
    by_rank, histogram = figure.subplots(1, 2, width_ratios=[3, 2], sharey=True)
    ranks = np.arange(1, len(units) + 1)
    medians = table["median_life"].to_numpy()
    seen = np.where(np.isfinite(medians), medians, np.nan)
    by_rank.plot(ranks, drawn, "o", color=palette.BLUE, ms=4, alpha=0.7, mew=0, label="half-life")
    by_rank.plot(ranks, seen, "_", color=palette.ORANGE, ms=6, mew=1.6, label="median life")
    for unit in map(int, highlight):
        at = int(np.flatnonzero(units == unit)[0])
        by_rank.plot(
            ranks[at], drawn[at], "D", color=palette.VERMILLION, ms=7, mec="white", mew=0.8
        )
        by_rank.annotate(
            f"unit {unit}", (ranks[at], drawn[at]), (6, 5), textcoords="offset points", fontsize=8
        )
    edges = np.geomspace(max(_SHORTEST, drawn.min() * 0.9), drawn.max() * 1.1, 21)
    histogram.hist(drawn, edges, orientation="horizontal", color=palette.BLUE, alpha=0.7)
    for axes in (by_rank, histogram):
        axes.set_yscale("log")
        axes.axhline(words, color="0.45", lw=1.0, ls="--")
    by_rank.annotate(
        "mean length of a text", (1, words), (0, 3), textcoords="offset points", fontsize=7.5,
        color="0.25", xycoords=by_rank.get_yaxis_transform(), ha="right",
    )  # fmt: skip
    by_rank.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    frame.plain(by_rank, "units, from the longest memory to the shortest", "words")
    frame.plain(histogram, "number of units")
    by_rank.legend(fontsize=7.5, frameon=False, loc="lower left")
    outlive = int(np.isinf(medians).sum())
    gate = str(cell_of(node.attrs["cell"]).keeping).replace("_", " ")
    beyond = int(np.sum((lives > _LONGEST) | (lives < _SHORTEST)))
    lines = [
        f"{frame.layer_of(node)}: the half-life is the number of words after which half of "
        f"what a unit held is left, if its {gate} keeps on as it does on the average over "
        f"{int(table['steps'].iloc[0]):,} words (mean of the logarithm: a few resets weigh much). "
        "The median life is the number of words after which half of what single words wrote has "
        "lost half or more"
        + (f"; {outlive} units without one mostly outlive their texts." if outlive else "."),
        *([f"{beyond} units lie beyond the edges of the figure."] if beyond else []),
    ]
    return frame.explain(figure, title or "How long each unit remembers", lines)
