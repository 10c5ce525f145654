"""The ladder of models as figures: where a rung stops being enough, and how much of it is needed.

There are up to sixteen rungs, more than lines that can be told apart in one frame. So each has a
frame of its own, all with the same axes, and in each one sees what it is to be compared with in
grey: the strongest rung where accuracy is asked for, all others where units are removed.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from textgate.plots import _frame as frame
from textgate.plots import palette

_REFERENTS = "referents to remember"
_CHANCE = 0.5
_COLUMNS = ("rung", "by", "group", "accuracy", "low", "high", "seed_low", "seed_high", "seeds")
_WHAT = {  # a rung is a name in the tables; here what it does
    "constant": "every word as often as ever",
    "average": "mean of all embeddings",
    "last_words": "linear in the last five words",
    "kneser_ney": "counts of up to five words",
    "smoothing": "averages at fixed rates",
    "simple_rnn": "no gate at all",
    "gru_reset_0": "r = 0: averages, learned rates",
    "gru_reset_1": "r = 1: no reset gate",
    "gru_no_leak": "keeps nothing as it was",
    "gru_reset_before": "r before the product",
    "gru": "both gates",
    "lstm_forget_1": "f = 1: no forget gate",
    "lstm_input_1": "i = 1: no input gate",
    "lstm_output_1": "o = 1: no output gate",
    "lstm_coupled": "i = 1 − f",
    "lstm": "all three gates",
}


def ladder_accuracy(
    table: pd.DataFrame, *, against: str | None = None, title: str | None = None
) -> Figure:
    """Draw each rung's accuracy by distance and by referents to remember.

    Args:
        table: The `accuracy` of what `textgate.study.compare` returns: `rung`, `by`, `group`,
            `accuracy`, `low`, `high`, `seed_low`, `seed_high`, `seeds`.
        against: The rung that all are compared with; by default the LSTM, else the GRU, else the
            last.
        title: The title.

    Returns:
        The figure: a frame a rung. Bars are intervals over items, the coloured band is the
        interval over seeds; the grey line is the rung that all are compared with.

    Raises:
        ValueError: If the table lacks these columns, the grouping "distance", or that rung.

    Example:

    >>> table = pd.DataFrame({"rung": "gru", "by": "distance", "group": ["1-2", "3-5"]})
    >>> table = table.assign(accuracy=[0.9, 0.7], low=[0.8, 0.6], high=[1.0, 0.8], seeds=5)
    >>> figure = ladder_accuracy(table.assign(seed_low=[0.85, 0.6], seed_high=[0.95, 0.8]))
    """
    _needs(table, _COLUMNS)
    if not (table["by"] == "distance").any():
        raise ValueError(
            "The table must have the grouping 'distance'. "
            f"Received: groupings {sorted(table['by'].unique())}"
        )
    parts = table[table["by"].isin(["distance", _REFERENTS])]
    places, labels = _places(parts)
    rungs = list(parts["rung"].unique())
    against = against or next((name for name in ("lstm", "gru") if name in rungs), rungs[-1])
    if against not in rungs:
        raise ValueError(f"`against` must be one of {', '.join(rungs)}. Received: {against!r}")
    figure = frame.new_figure(*_size(len(rungs)))
    lowest = min(0.4, float(parts["accuracy"].min()) - 0.05)
    for rung, axes in _frames(figure, rungs, "words to pronoun              people"):
        axes.axhline(_CHANCE, color="0.6", lw=0.9, ls=":")
        for by, colour, mark in (
            ("distance", palette.BLUE, "o"),
            (_REFERENTS, palette.VERMILLION, "s"),
        ):
            grey = _of(parts, against, by)
            if rung != against:
                axes.plot(_at(grey, places), grey["accuracy"], color="0.6", lw=2.2)
            mine = _of(parts, rung, by)
            x, y = _at(mine, places), mine["accuracy"].to_numpy(float)
            axes.fill_between(
                x, mine["seed_low"], mine["seed_high"], color=colour, alpha=0.25, lw=0
            )
            spread = np.abs(mine[["low", "high"]].to_numpy(float).T - y)
            axes.errorbar(
                x, y, spread, fmt=f"{mark}-", color=colour, ms=3.2, lw=1.4, elinewidth=0.8
            )
        axes.set_xticks(list(places.values()), labels, fontsize=7, rotation=55, ha="right")
        axes.set_ylim(lowest, 1.03)
        axes.set_yticks([tick for tick in (0, 0.25, 0.5, 0.75, 1.0) if tick >= lowest])
        axes.set_xlim(-0.5, max(places.values()) + 0.5)
    return frame.explain(
        figure,
        title or "How many pronouns each model gets right, by distance and by referents",
        _caption_of_accuracy(parts, against),
    )


def ladder_redundancy(table: pd.DataFrame, *, title: str | None = None) -> Figure:
    """Draw each rung's accuracy against the share of its units that are removed at random.

    Args:
        table: `rung`, `seed` and the columns of `textgate.study.redundancy`.
        title: The title.

    Returns:
        The figure: a frame a rung, its mean accuracy over seeds and draws, the band in which the
        middle nine tenths of them lie, and the other rungs' means in grey.

    Raises:
        ValueError: If the table is empty or lacks these columns.

    Example:

    >>> rows = [("gru", 0, 0.0, 8, 0.95), ("gru", 0, 0.5, 8, 0.6), ("gru", 1, 0.5, 8, 0.7)]
    >>> table = pd.DataFrame(rows, columns=["rung", "seed", "share", "units", "accuracy"])
    >>> figure = ladder_redundancy(table)
    """
    _needs(table, ("rung", "seed", "share", "units", "accuracy"))
    rungs = list(table["rung"].unique())
    means = table.groupby(["rung", "share"])["accuracy"].mean()
    figure = frame.new_figure(*_size(len(rungs)))
    lowest = min(0.4, float(table["accuracy"].min()) - 0.05)
    for rung, axes in _frames(figure, rungs, "units removed"):
        axes.axhline(_CHANCE, color="0.6", lw=0.9, ls=":")
        for other in rungs:
            if other != rung:
                axes.plot(means[other].index, means[other], color="0.8", lw=0.9)
        mine = table[table["rung"] == rung].groupby("share")["accuracy"]
        low, high = mine.quantile(0.05), mine.quantile(0.95)
        axes.fill_between(low.index, low, high, color=palette.BLUE, alpha=0.25, lw=0)
        axes.plot(means[rung].index, means[rung], "o-", color=palette.BLUE, ms=3.2, lw=1.6)
        half = _half_lost(means[rung])
        if half is not None:
            axes.plot(
                [half, half],
                [lowest, _CHANCE + (means[rung].iloc[0] - _CHANCE) / 2],
                color=palette.VERMILLION,
                lw=1.1,
            )
            axes.annotate(
                f"{100 * half:.0f} %",
                (half, lowest),
                (3, 3),
                textcoords="offset points",
                fontsize=7.5,
                color=palette.VERMILLION,
            )
        units = int(table.loc[table["rung"] == rung, "units"].iloc[0])
        axes.annotate(
            f"{units} units",
            (1, 1),
            (0, -1),
            "axes fraction",
            "offset points",
            fontsize=7,
            color="0.35",
            ha="right",
            va="top",
        )
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0], ["0", "¼", "½", "¾", "all"])
        axes.set_ylim(lowest, 1.06)
        axes.set_yticks([tick for tick in (0, 0.25, 0.5, 0.75, 1.0) if tick >= lowest])
        axes.set_xlim(-0.03, 1.0)
    return frame.explain(
        figure,
        title or "How much of each network is needed: units removed at random",
        _caption_of_redundancy(table, means),
    )


def _half_lost(means: pd.Series) -> float | None:
    """Return the share of units without which half of what is above chance is gone, or `None`."""
    shares, above = means.index.to_numpy(float), means.to_numpy(float) - _CHANCE
    if above[0] < 0.05:  # there is next to nothing to lose
        return None
    gone = np.flatnonzero(above <= above[0] / 2)
    if not gone.size:
        return None
    end = int(gone[0])
    begin = end - 1  # the first is whole, and so not among them
    part = (above[begin] - above[0] / 2) / (above[begin] - above[end])
    return float(shares[begin] + part * (shares[end] - shares[begin]))


def _needs(table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [name for name in columns if name not in table]
    if missing or table.empty:
        raise ValueError(
            f"The table must have rows, and the columns {', '.join(columns)}. Received: "
            f"{len(table)} rows, without {', '.join(missing) or 'any column missing'}"
        )


def _size(rungs: int) -> tuple[float, float]:
    across = _across(rungs)
    return max(2.75 * across, 5.5) + 0.4, 1.95 * -(-rungs // across) + 1.5


def _across(rungs: int) -> int:
    return max(2, int(np.ceil(np.sqrt(rungs)))) if rungs > 1 else 1


def _frames(figure: Figure, rungs: list[str], label: str) -> Iterator[tuple[str, Axes]]:
    """Yield each rung and its frame, and then give the frames their labels."""
    across = _across(len(rungs))
    down = -(-len(rungs) // across)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True).ravel()
    for number, axes in enumerate(grid):
        if number >= len(rungs):
            axes.remove()
            continue
        rung = rungs[number]
        yield rung, axes
        lowest = number + across >= len(rungs)
        frame.plain(axes, label if lowest else "", "items right" if number % across == 0 else "")
        axes.set_title(rung, loc="left", fontsize=9, fontweight="bold", pad=13)
        axes.annotate(
            _WHAT.get(rung, ""),
            (0, 1),
            (0, 3),
            "axes fraction",
            "offset points",
            fontsize=7.5,
            color="0.35",
        )
        axes.tick_params(labelbottom=lowest, labelsize=7.5)


def _places(table: pd.DataFrame) -> tuple[dict[tuple[str, str], float], list[str]]:
    """Return where on the x axis each group stands, and its label; a gap parts the groupings."""
    places: dict[tuple[str, str], float] = {}
    labels, at = [], 0.0
    for by in ("distance", _REFERENTS):
        for group in table.loc[table["by"] == by, "group"].unique():
            places[by, group] = at
            labels.append(str(group).replace("-", "–") if by == "distance" else str(group))
            at += 1
        at += 0.7
    return places, labels


def _of(table: pd.DataFrame, rung: str, by: str) -> pd.DataFrame:
    return table[(table["rung"] == rung) & (table["by"] == by)]


def _at(rows: pd.DataFrame, places: dict[tuple[str, str], float]) -> np.ndarray:
    return np.array([places[key] for key in zip(rows["by"], rows["group"], strict=True)])


def _caption_of_accuracy(table: pd.DataFrame, against: str) -> list[str]:
    farthest = table.loc[table["by"] == "distance", "group"].iloc[-1]
    far = table[(table["by"] == "distance") & (table["group"] == farthest)]
    far = far.set_index("rung")["accuracy"]
    several = (table["by"] == _REFERENTS).any()
    seeds = table.groupby("rung")["seeds"].first()
    return [
        "Round, blue: items grouped by the number of words from antecedent to pronoun"
        + (
            "; square, red: by how many people have been introduced, of whom one is asked for."
            if several
            else "."
        )
        + f" Grey: {against}. Dotted: guessing. A simple model is enough as long as it keeps "
        "to the grey line.",
        "Bars: 95 % intervals over items (other sentences and constructions, these models), long "
        "where items have few constructions. "
        + (
            f"Bands: 95 % over seeds (other models of the kind; {seeds.max()} were trained)."
            if seeds.max() > 1
            else "One model was trained of each, so nothing is said of other models of the kind."
        ),
        f"At {farthest.replace('-', '–')} words, {100 * far.max():.0f} % are right with "
        f"{far.idxmax()} and {100 * far.min():.0f} % with {far.idxmin()}.",
    ]


def _caption_of_redundancy(table: pd.DataFrame, means: pd.Series) -> list[str]:
    halves = {rung: _half_lost(means[rung]) for rung in table["rung"].unique()}
    lost = {rung: half for rung, half in halves.items() if half is not None}
    draws = table.groupby(["rung", "share"]).size().max()
    lines = [
        "Across: the share of the last layer's units whose output is kept at 0, drawn at random. "
        f"Line: the mean over seeds and draws (up to {draws}); band: where the middle nine tenths "
        "of them lie. Grey: the other models. Dotted: guessing.",
        "Red: where half of what the whole model knows beyond guessing is gone; a feature that one "
        "unit carries is lost with it, one that many carry alike fades late.",
    ]
    if len(lost) > 1:
        first, last = min(lost, key=lost.__getitem__), max(lost, key=lost.__getitem__)
        lines.append(
            f"It is gone first in {first} (with {100 * lost[first]:.0f} % of the units) and last "
            f"in {last} ({100 * lost[last]:.0f} %)."
        )
    return lines
