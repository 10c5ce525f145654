"""What opens and closes a gate, as a figure: words, and the share of word and memory."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from textgate import mechanics
from textgate.plots import _frame as frame
from textgate.plots import palette
from textgate.recurrence import cell_of


def gate_drivers(
    drivers: xr.Dataset,
    unit: int | None = None,
    *,
    top: int = 8,
    at_least: int = 1,
    title: str | None = None,
) -> Figure:
    """Draw at which words a unit's gate opens and closes, and what makes it do so.

    Args:
        drivers: What `textgate.mechanics.gate_drivers` returns, with words.
        unit: The unit; by default the first there is.
        top: How many words that open and that close it to draw.
        at_least: Leave out words that stand at fewer steps than these.
        title: The title.

    Returns:
        The figure. Its numbers are those of `textgate.mechanics.driving_words` and
        `driver_shares`.

    Raises:
        ValueError: If the unit is unknown or the words aren't.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(8)])
    >>> x = np.random.default_rng(0).normal(size=(1, 4, 3))
    >>> drivers = tg.mechanics.gate_drivers(model, x, tokens=[["she", "fed", "her", "dog"]])
    >>> figure = gate_drivers(drivers, unit=3)
    """
    units = drivers["unit"].values
    unit = int(units[0]) if unit is None else int(unit)
    if unit not in units:
        raise ValueError(f"`unit` must be one of {units.tolist()}. Received: unit={unit}")
    words = mechanics.driving_words(drivers.sel(unit=[unit]), top, at_least=at_least)
    words = words.sort_values("from_input", kind="stable")
    shares = mechanics.driver_shares(drivers)
    cell, gate = cell_of(drivers.attrs["cell"]), drivers.attrs["gate"]
    name = frame.signal_of(cell, gate)

    figure = frame.new_figure(8.8, max(3.8, 1.9 + 0.24 * len(words)))
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    rows = np.arange(len(words))
    left.barh(rows + 0.19, words["from_input"], 0.36, color=palette.BLUE, label="this word (x)")
    left.barh(
        rows - 0.19, words["from_state"], 0.36, color=palette.ORANGE,
        label="memory before it (h)",
    )  # fmt: skip
    left.plot(words["effect"], rows, "D", color="black", ms=4, ls="", label="sum")
    left.axvline(0, color="0.4", lw=0.8)
    counts = [
        f"{frame.shortened(str(word))} ({count})"
        for word, count in zip(words["word"], words["steps"], strict=True)
    ]
    left.set_yticks(rows, counts)
    frame.plain(left, "← closes the gate · opens the gate →", "", f"unit {unit}: words")
    left.legend(fontsize=7.5, frameon=False, loc="lower right")
    left.tick_params(axis="y", labelsize=8, length=0)

    values = shares["share_input"].to_numpy()
    finite = values[np.isfinite(values)]
    right.hist(np.clip(finite, 0, 1), np.linspace(0, 1, 21), color=palette.SKY)
    own = float(shares.loc[shares["unit"] == unit, "share_input"].iloc[0])
    if np.isfinite(own):
        right.axvline(min(max(own, 0), 1), color=palette.VERMILLION, lw=1.6)
        right.annotate(
            f"unit {unit}: {own:.0%}", (min(max(own, 0), 1), 0.97), (3, 0),
            xycoords=right.get_xaxis_transform(), textcoords="offset points", fontsize=8, va="top",
        )  # fmt: skip
    right.set_xticks([0, 0.5, 1], ["0\nall memory", "½", "1\nall word"])
    frame.plain(right, "", "number of units", "what decides: memory or word?")
    mean = float(shares.loc[shares["unit"] == unit, "gate_mean"].iloc[0])
    lines = [
        f"{frame.layer_of(drivers)}. Left: mean effects on what goes into the gate's sigmoid, "
        "against the mean over all words; in brackets how often each word was read. Blue comes "
        "from the word itself, orange from the hidden state before it; with the bias they sum to "
        "it exactly."
        f" The gate is {mean:.2f} on the average.",
        f"Right: for each of {len(shares)} units, the share of what goes into the gate (of its "
        "variance) that comes from the word just read; the rest comes from memory.",
    ]
    return frame.explain(figure, title or f"What opens and closes the {name} of unit {unit}", lines)
