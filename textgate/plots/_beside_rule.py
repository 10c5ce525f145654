"""A model beside the rule "the gender of the last gendered word", on contexts of real text."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from textgate.plots import _frame as frame
from textgate.plots import palette

_COLUMNS = ("by", "group", "accuracy", "low", "high", "rule", "rule_low", "rule_high", "difference")
_CONTEXTS = {
    "all": "all contexts",
    "within 20 words, no attractors": "near, nobody between",
    "with attractors": "others between",
}
_SIDES = {"all": "", "feminine": ": she", "masculine": ": he"}


def beside_rule(table: pd.DataFrame, *, title: str | None = None) -> Figure:
    """Draw how often a model and the rule expect the right gender, by kind of context.

    Args:
        table: What `textgate.evaluation.against_rule` returns, or `rule.csv` of an evaluated run.
        title: The title.

    Returns:
        The figure, with the intervals over contexts.

    Raises:
        ValueError: If the table lacks a column or has none of these contexts.

    Example:

    >>> row = {"by": "all", "group": "all", "accuracy": 0.87, "low": 0.85, "high": 0.89}
    >>> row |= {"rule": 0.83, "rule_low": 0.81, "rule_high": 0.85, "difference": 0.04}
    >>> figure = beside_rule(pd.DataFrame([row]))
    """
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise ValueError(
            f"`table` must have the columns {', '.join(_COLUMNS)}; {missing[0]!r} is missing. "
            f"Received: columns {list(table.columns)}"
        )
    rows = table[table["by"].isin(_CONTEXTS)]
    if not len(rows):
        raise ValueError(
            f"`table` must have rows by {' or '.join(_CONTEXTS)}. "
            f"Received: rows by {sorted(table['by'].unique())}"
        )
    labels = [
        _CONTEXTS[by] + _SIDES.get(group, f": {group}")
        for by, group in zip(rows["by"], rows["group"], strict=True)
    ]
    figure = frame.new_figure(7.5, 1.7 + 0.34 * len(rows))
    axes = figure.subplots()
    places = np.arange(len(rows))[::-1]
    for name, low, high, mark, colour, shift, label in (
        ("accuracy", "low", "high", "o", palette.BLUE, 0.13, "the model"),
        ("rule", "rule_low", "rule_high", "D", palette.VERMILLION, -0.13, "the rule"),
    ):
        x = 100 * rows[name].to_numpy(float)
        ends = 100 * rows[[low, high]].to_numpy(float).T
        axes.errorbar(
            x, places + shift, xerr=np.abs(ends - x), fmt=mark, color=colour, ms=5, label=label
        )
    axes.axvline(50, color="0.5", lw=0.9, ls=":")
    axes.set_yticks(places, labels)
    frame.plain(axes, "contexts in which the right gender is expected, in %")
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    heading = title or "Does it know more than the last gendered word?"
    return frame.explain(figure, heading, _caption(rows))


def _caption(rows: pd.DataFrame) -> list[str]:
    lines = [
        "The rule answers with the gender of the last pronoun, title or gendered noun before, and "
        "with “he” where there is none. Lines: 95 % intervals. Dotted: guessing."
    ]
    whole = rows[rows["group"] == "all"]
    if len(whole):
        points = [
            f"{_CONTEXTS[by]} {round(100 * difference, 1) + 0.0:+.1f}"
            for by, difference in zip(whole["by"], whole["difference"], strict=True)
        ]
        lines.append(f"Model minus rule, in points: {'; '.join(points)}.".replace("-", "−"))
    return lines
