"""A first look at a trace: one sentence, its words by a layer's units, a panel for each signal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from textgate import recurrence
from textgate.plots import _frame as frame
from textgate.plots._nodes import check_example, node_of
from textgate.plots._scales import scale_of
from textgate.plots._units import choose_units

_MASKED = "0.75"
_LONGEST = 16  # letters of a word that are written out


def heatmap(
    trace: xr.DataTree | xr.Dataset,
    example: int = 0,
    *,
    layer: str | None = None,
    signals: Sequence[str] | None = None,
    units: int | Sequence[int] | None = None,
    order: str | None = None,
    highlight: Sequence[int] = (),
    title: str | None = None,
) -> Figure:
    """Draw what the units of one layer do at each word of one example.

    Words run downwards and units to the right. Gates are coloured from 0 to 1; the candidate and
    the states in two colours around zero, each panel to its own scale. Steps that are masked are
    grey; padding at both ends is left out.

    Args:
        trace: A trace, or one node of it.
        example: Number of the example.
        layer: Name of the node, or its end where that is unique; by default the first.
        signals: The signals to draw; by default all of the cell.
        units: How many units to draw, the most varying ones; or their numbers. By default all, or
            40 where there are more.
        order: `"number"`, `"variation"` or `"similarity"`; by default by number if there are at
            most 16 units, else by similarity.
        highlight: Units that are drawn in any case and have bold numbers, such as those that
            `textgate.find_units` has found.
        title: The title; by default the sentence.

    Returns:
        The figure.

    Raises:
        ValueError: If the example, layer, a signal or a unit is unknown, or nothing of the example
            is unmasked.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(8, name="memory")])
    >>> figure = heatmap(tg.trace(model, np.ones((1, 5, 3))))
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]]
    ['forget gate f', 'input gate i']
    """
    node, name, others = node_of(trace, layer)
    check_example(node, example)
    cell = recurrence.cell_of(node.attrs["cell"])
    drawn = _signals(node, cell, signals)
    node = node[[*drawn]].isel(example=example).load()
    steps = np.flatnonzero(node["mask"].values)
    if not steps.size:
        raise ValueError(
            f"Every step of this example is masked in layer {name!r}. Received: example={example}"
        )
    node = node.isel(time=slice(steps[0], steps[-1] + 1))
    deciding = next((s for s in (cell.memory, "hidden_state") if s in drawn), drawn[0])
    values = node[deciding].values[node["mask"].values]
    chosen, which = choose_units(values, node["unit"].values, units, order, highlight)
    node = node.isel(unit=chosen)
    words = _words(node)

    columns = 3 if len(drawn) > 4 else min(2, len(drawn))
    rows = -(-len(drawn) // columns)
    panel = (max(2.6, min(5.5, 0.7 + 0.13 * len(chosen))), 0.75 + 0.21 * len(words))
    longest = max(map(len, words))
    figure = frame.new_figure(columns * panel[0] + 0.085 * longest + 0.5, rows * panel[1] + 1.35)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, signal in zip(grid.flat, drawn, strict=False):
        _panel(figure, axes, node[signal], cell)
    for axes in grid.flat[len(drawn) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(words)), words)
    for column in range(columns):
        bottom = grid[(len(drawn) - 1 - column) // columns, column]
        _number_units(bottom, node["unit"].values, highlight)
    if "token" not in node.coords:
        grid[0, 0].set_ylabel("step", fontsize=8)
    lines = _caption(node, cell, name, others, which)
    return frame.explain(figure, title or _title(node), lines)


def _signals(
    node: xr.Dataset, cell: recurrence.Cell, signals: Sequence[str] | None
) -> tuple[str, ...]:
    if signals is None:
        own = [name for name in cell.in_plots if name in node.data_vars]
        return tuple(own) or tuple(str(name) for name in node.data_vars)
    names = [signals] if isinstance(signals, str) else list(signals)
    unknown = [name for name in names if name not in node.data_vars]
    if unknown or not names:
        raise ValueError(
            f"`signals` must name signals of the trace; it has {[*node.data_vars]}. "
            f"Received: {unknown or names}"
        )
    return tuple(names)


def _words(node: xr.Dataset) -> list[str]:
    if "token" not in node.coords:
        return [str(step) for step in node["time"].values]
    return [frame.shortened(str(word), _LONGEST) for word in node["token"].values]


def _panel(figure: Figure, axes: Any, signal: xr.DataArray, cell: recurrence.Cell) -> None:
    name = str(signal.name)
    values = np.ma.masked_invalid(signal.values)
    scale = scale_of(cell, name, signal.values)
    low, high = scale.low, scale.high
    image = axes.imshow(
        values,
        aspect="auto",
        interpolation="nearest",
        cmap=scale.colours.with_extremes(bad=_MASKED),
        vmin=low,
        vmax=high,
    )
    symbol = signal.attrs.get("symbol", "")
    axes.set_title(f"{name.replace('_', ' ')} {symbol}".strip(), loc="left", fontsize=10, pad=14)
    axes.annotate(
        cell.meanings.get(name, ""), (0, 1), (0, 3), xycoords="axes fraction", fontsize=7.5,
        textcoords="offset points", color="0.35", va="bottom",
    )  # fmt: skip
    axes.tick_params(length=0, labelsize=8)
    for side in axes.spines.values():
        side.set_visible(False)
    steps, units = values.shape
    if units <= 40:
        axes.set_xticks(np.arange(-0.5, units), minor=True)
        axes.set_yticks(np.arange(-0.5, steps), minor=True)
        axes.grid(which="minor", color="white", linewidth=0.6)
        axes.tick_params(which="minor", length=0)
    beyond = values.compressed()
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(
        (bool((beyond < low).any()), bool((beyond > high).any())), "neither"
    )
    bar = figure.colorbar(image, ax=axes, pad=0.015, fraction=0.05, aspect=25, extend=extend)
    frame.tidy_bar(bar, *scale.ticks)


def _number_units(axes: Any, numbers: np.ndarray, highlight: Sequence[int]) -> None:
    """Number units below a column of panels: each if there is room, else turned or some."""
    axes.tick_params(labelbottom=True)
    every = max(1, -(-len(numbers) // 60))
    places = range(0, len(numbers), every)
    turned = 90 if len(numbers) > 12 else 0
    axes.set_xticks(places, [str(numbers[at]) for at in places], rotation=turned, fontsize=7)
    for at, label in zip(places, axes.get_xticklabels(), strict=True):
        if numbers[at] in highlight:
            label.set_fontweight("bold")
    axes.set_xlabel("unit", fontsize=8)


def _title(node: xr.Dataset) -> str:
    if "token" not in node.coords:
        return f"{node.attrs.get('layer', '')}: what each unit does at each step"
    return frame.sentence_of([str(word) for word in node["token"].values])


def _caption(
    node: xr.Dataset, cell: recurrence.Cell, name: str, others: int, which: str
) -> list[str]:
    more = f" (one of {others + 1} in the trace)" if others else ""
    legend = []
    if any(s in (*cell.gates, *recurrence.DERIVED) for s in node.data_vars):
        legend.append("gates run from 0 (closed, light) to 1 (open, dark)")
    if any(s not in (*cell.gates, *recurrence.DERIVED) for s in node.data_vars):
        legend.append("states and candidate are red above zero and blue below")
    if not node["mask"].values.all():
        legend.append("grey steps are masked")
    last = "; ".join(legend)
    equation = cell.convention.replace("_{t-1}", "ₜ₋₁").replace("_t", "ₜ")
    return [
        f"{cell.heading} layer “{name}”{more}: {which}.",
        equation,
        f"{last[0].upper()}{last[1:]}.",
    ]
