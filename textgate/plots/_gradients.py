"""Gradient paths as a figure: how far back a word's loss reaches, in one model or several."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from textgate import mechanics
from textgate.plots import _frame as frame
from textgate.plots import palette
from textgate.recurrence import Cell, cell_of

_MOST = 40  # units that one panel shows


def gradient_paths(
    paths: xr.Dataset | Mapping[str, xr.Dataset], example: int = 0, *, title: str | None = None
) -> Figure:
    """Draw how a loss reaches back to the memory of earlier words.

    Args:
        paths: What `textgate.mechanics.gradient_paths` returns; or several, by the name of their
            model, to be drawn beside one another.
        example: The example.
        title: The title.

    Returns:
        The figure: above, the size of the gradient at each word, in full and along the cell alone
        (`textgate.mechanics.gradient_norms`); below, for each unit, the share of the gradient that
        comes back along the cell.

    Raises:
        ValueError: If there is nothing to draw, or the example is unknown.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["She fed her dog ."])
    >>> lm = LanguageModel(tokenizer, units=(4,), seed=0)
    >>> figure = gradient_paths(mechanics.gradient_paths(lm, ["She fed her dog ."], "her"))
    """
    models = {"": paths} if isinstance(paths, xr.Dataset) else dict(paths)
    if not models:
        raise ValueError("`paths` must hold at least one model's paths. Received: none")
    least = min(one.sizes["example"] for one in models.values())
    if not 0 <= example < least:
        raise ValueError(f"`example` must be from 0 to {least - 1}. Received: example={example!r}")
    tables = {
        name: mechanics.gradient_norms(one.isel(example=[example])) for name, one in models.items()
    }
    longest = max(map(len, tables.values()))
    if not longest:
        raise ValueError(f"Every step of this example is masked. Received: example={example}")
    width = max(4.2, min(9.0, 1.6 + 0.42 * longest))
    figure = frame.new_figure(width * len(models), 6.6)
    grid = figure.subplots(2, len(models), squeeze=False, sharey="row", height_ratios=[3, 2])
    image: Any = None
    for column, (name, one) in enumerate(models.items()):
        table, cell = tables[name], cell_of(one.attrs["cell"])
        _norms(grid[0, column], table, name or cell.heading, cell)
        image = _passed(grid[1, column], one.isel(example=example), table, cell)
    grid[0, 0].set_ylabel("size of the gradient at this word", fontsize=8.5)
    grid[1, 0].set_ylabel("units", fontsize=8.5)
    grid[0, 0].legend(fontsize=7.5, frameon=False, loc="best")
    bar = figure.colorbar(image, ax=grid, pad=0.01, aspect=40, fraction=0.02, anchor=(0, 0))
    frame.tidy_bar(bar, (0, 0.5, 1), ("0", "½", "1"))
    bar.set_label("share that passes", fontsize=8)
    lines = [
        "Above: how much the memory after each word could have changed the loss. Blue: over all "
        "ways. Orange: along the cell alone, where each word multiplies the gradient by the share "
        "it keeps (f of an LSTM, z of a GRU).",
        "Below: that product for each unit; dark where the gate stood open from this word to the "
        "last, pale where it was shut on the way. A simple RNN computes its state anew at each "
        "word and has no such path: all of its gradient goes through the recurrent weights.",
    ]
    first = next(iter(models.values())).isel(example=example)
    word = f" of “{first['target'].item()}”" if "target" in first.coords else ""
    return frame.explain(figure, title or f"How far back the loss{word} reaches", lines)


def _norms(axes: Any, table: Any, name: str, cell: Cell) -> None:
    places = np.arange(len(table))
    axes.plot(places, table["full"], "o-", color=palette.BLUE, ms=4, lw=1.4, label="in full")
    if cell.gates:  # a path that isn't there would be 0, which a logarithm hasn't
        along = np.where(table["cell"] > 0, table["cell"], np.nan)
        axes.plot(places, along, "s--", color=palette.ORANGE, ms=4, lw=1.4, label="along the cell")
    axes.set_yscale("log")
    axes.set_xlim(-0.5, len(table) - 0.5)  # as the image below
    frame.plain(axes, "", "", name)
    frame.word_ticks(axes, list(table["word"].astype(str)))


def _passed(axes: Any, one: xr.Dataset, table: Any, cell: Cell) -> Any:
    """Draw what passes, the units that the gradient reaches most first; return the image."""
    steps = table["step"].to_numpy()
    size = np.linalg.norm(one["full"].values[steps], axis=0)
    chosen = np.argsort(-size, kind="stable")[:_MOST]
    passed = one["passed"].values[steps][:, chosen]
    order = np.argsort(-passed.mean(axis=0), kind="stable")
    image = axes.imshow(
        passed[:, order].T,
        aspect="auto",
        interpolation="nearest",
        cmap="YlGnBu",
        vmin=0,
        vmax=1,
        extent=(-0.5, len(steps) - 0.5, len(chosen) - 0.5, -0.5),
    )
    title = "share that passes along the cell" if cell.gates else "no path along the cell"
    if cell.gates and len(chosen) < one.sizes["unit"]:
        title += f" ({len(chosen)} of {one.sizes['unit']} units)"
    frame.plain(axes, "", "", title)
    axes.title.set_fontsize(8.5)
    frame.word_ticks(axes, list(table["word"].astype(str)))
    axes.set_yticks([])
    return image
