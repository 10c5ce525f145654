"""What probes found, as figures: accuracy over positions, and temporal generalisation.

Accuracy never stands alone: the curve comes with its interval, the majority baseline, and where
they were measured the embedding-only baseline and the control task.
"""

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from textgate.plots._frame import explain, new_figure, plain
from textgate.plots.palette import BLUE, GREEN, SKY, VERMILLION


def probe_accuracy(
    table: pd.DataFrame, *, anchor: str = "the anchor", title: str | None = None
) -> Figure:
    """Draw the accuracy of probes over positions, with their controls.

    Args:
        table: As `textgate.probing.probe_over_positions` returns it, of one signal of one layer.
        anchor: What position 0 is, in words: `"the antecedent"`.
        title: The title; by default one that says what is drawn.

    Returns:
        The figure.

    Raises:
        ValueError: If a column is missing or there is nothing to draw.

    Example:

    >>> table = pd.DataFrame({
    ...     "layer": "lstm", "signal": "cell_state", "position": [0, 1], "examples": 100,
    ...     "groups": 20, "accuracy": [0.9, 0.95], "low": [0.85, 0.9], "high": [0.95, 1.0],
    ...     "majority": 0.5, "embedding": [0.9, 0.5], "seen": 1.0, "control": 0.6, "seed": 0,
    ... })
    >>> probe_accuracy(table, anchor="the antecedent").axes[0].get_xlabel()
    'steps after the antecedent'
    """
    columns = ("layer", "signal", "position", "accuracy", "low", "high", "majority", "examples")
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            "`table` must be what textgate.probing.probe_over_positions returns; the column "
            f"{missing[0]!r} is missing. Received: columns {list(table.columns)}"
        )
    drawn = table[table["accuracy"].notna()].sort_values("position")
    kinds = drawn[["layer", "signal"]].drop_duplicates()
    if len(kinds) != 1 or drawn["position"].duplicated().any():
        raise ValueError(
            "`table` must have one row for each position, of one signal of one layer. "
            f"Received: {len(drawn)} rows with an accuracy, of {len(kinds)} signals"
        )
    layer, signal = kinds.iloc[0]
    figure = new_figure(7.2, 4.6)
    axes = figure.subplots()
    x = drawn["position"].to_numpy()
    axes.fill_between(x, drawn["low"], drawn["high"], color=BLUE, alpha=0.18, linewidth=0)
    axes.plot(x, drawn["accuracy"], color=BLUE, marker="o", label="probe, lexemes not seen")
    for name, label, colour, style in (
        ("seen", "probe, lexemes seen", SKY, "-"),
        ("control", "control task (random labels)", VERMILLION, "-"),
        ("embedding", "word embedding alone", GREEN, "--"),
        ("majority", "most frequent class", "0.45", ":"),
    ):
        if name in drawn and drawn[name].notna().any():
            axes.plot(
                x, drawn[name], color=colour, linestyle=style, marker=".", markersize=4, label=label
            )
    axes.set_ylim(min(0.4, float(drawn[["low", "majority"]].min().min()) - 0.05), 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    plain(axes, f"steps after {anchor}", "accuracy")
    axes.legend(frameon=False, fontsize=8, loc="best")
    where = f" of “{layer}”" if layer else ""
    heading = title or f"What a linear probe reads off the {signal.replace('_', ' ')}{where}"
    counts = drawn["examples"]
    count = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()}–{counts.max()}"
    parts = [
        f"Logistic regressions, one a position, tested on lexemes they haven't seen; {count} "
        "sentences a position; band: 95 % interval, bootstrap over lexemes."
    ]
    if "control" in drawn and drawn["control"].notna().any():
        parts.append(
            "Selectivity is the distance of the probe with lexemes seen from the control task, "
            "which only memory can solve."
        )
    parts.append("That a probe reads something doesn't show that the model uses it.")
    return explain(figure, heading, parts)


def temporal_generalization(
    found: xr.Dataset, *, anchor: str = "", title: str | None = None
) -> Figure:
    """Draw how well a probe trained at one position works at the others.

    Args:
        found: As `textgate.probing.temporal_generalization` returns it.
        anchor: What position 0 is, in words: `"the antecedent"`.
        title: The title; by default one that says what is drawn.

    Returns:
        The figure.

    Raises:
        ValueError: If `found` has no accuracies of these dims.

    Example:

    >>> accuracy = (("trained_at", "tested_at"), [[0.9, 0.5], [0.5, 0.9]])
    >>> found = xr.Dataset(
    ...     {"accuracy": accuracy, "majority": ("tested_at", [0.5, 0.5])},
    ...     coords={"trained_at": [0, 1], "tested_at": [0, 1]},
    ...     attrs={"layer": "lstm", "signal": "cell_state"},
    ... )
    >>> temporal_generalization(found).axes[0].get_xlabel()
    'step at which it is tested'
    """
    dims = ("trained_at", "tested_at")
    if not isinstance(found, xr.Dataset) or "accuracy" not in found:
        raise ValueError(
            "`found` must be what textgate.probing.temporal_generalization returns. "
            f"Received: {type(found).__name__}"
        )
    values = found["accuracy"].transpose(*dims).values
    majority = float(found["majority"].mean()) if "majority" in found else 0.5
    size = 2.6 + 0.32 * len(values)
    figure = new_figure(max(5.2, size + 1.2), max(4.6, size))
    axes = figure.subplots()
    reach = max(1 - majority, majority - float(np.nanmin(values)), 1e-6)
    image = axes.imshow(
        values, cmap="RdBu_r", vmin=majority - reach, vmax=majority + reach, origin="lower"
    )
    if len(values) <= 12:
        for (i, j), value in np.ndenumerate(values):
            dark = abs(value - majority) > 0.65 * reach
            axes.text(
                j, i, f"{100 * value:.0f}", ha="center", va="center", fontsize=7,
                color="white" if dark else "0.2",
            )  # fmt: skip
    every = max(1, -(-len(values) // 20))
    for axis, dim in ((axes.xaxis, "tested_at"), (axes.yaxis, "trained_at")):
        axis.set_ticks(range(0, len(values), every), [str(p) for p in found[dim].values[::every]])
    axes.tick_params(labelsize=8)
    after = f", after {anchor}" if anchor else ""
    axes.set_xlabel(f"step at which it is tested{after}", fontsize=8.5)
    axes.set_ylabel(f"step at which the probe is trained{after}", fontsize=8.5)
    bar = figure.colorbar(image, ax=axes, fraction=0.045, pad=0.02)
    bar.set_label("accuracy", fontsize=8.5)
    bar.ax.tick_params(labelsize=8)
    low = max(0.0, majority - reach)
    bar.ax.set_ylim(low, min(1.0, majority + reach))
    layer = found.attrs.get("layer", "")
    where = f" of “{layer}”" if layer else ""
    signal = str(found.attrs.get("signal", "signal")).replace("_", " ")
    heading = title or f"Does the code last? Probes on the {signal}{where}, tested at other steps"
    parts = [
        "A square of red: one lasting code. Red on the diagonal alone: a code that moves from "
        "step to step. Blue: below the most frequent class "
        f"({100 * majority:.0f} %, white), a code that turns round.",
        "Tested on lexemes that the probe hasn't seen.",
    ]
    return explain(figure, heading, parts)
