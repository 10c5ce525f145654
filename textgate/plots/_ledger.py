"""The memory ledger as a figure: at each word, whose words a unit's memory is made of."""

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from textgate import mechanics
from textgate.plots import _frame as frame
from textgate.plots import palette

_NAMED = 6  # words with a colour of their own; the rest is grey


def ledger(node: Any, unit: int, example: int = 0, *, title: str | None = None) -> Figure:
    """Draw what each word put into one unit's memory, and how long it stayed there.

    A bar at each word is the unit's state after it, split by the word each part comes from. What
    a word wrote is new at that word and goes on to the right, for as long as the gate keeps it.

    Args:
        node: One layer of a trace.
        unit: The unit.
        example: The example.
        title: The title; by default the sentence.

    Returns:
        The figure. Its numbers are those of `textgate.mechanics.running_ledger`.

    Raises:
        ValueError: If the unit or example is unknown, or nothing of the example is unmasked.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(8, name="memory")])
    >>> trace = tg.trace(model, np.ones((1, 5, 3)))
    >>> figure = ledger(trace["memory"].to_dataset(), unit=3)
    """
    running = mechanics.running_ledger(node, unit, example)
    words = [str(word) for word in running["token"].values]
    places = np.arange(len(words))
    figure = frame.new_figure(max(5.5, min(14.0, 2.6 + 0.55 * len(words))), 4.4)
    axes = figure.subplots()
    shown = _largest(running)
    parts = [(running["entry"].values[:, at], palette.COLOURS[n], words[at], at) for n, at in shown]
    named = {at for _, at in shown}
    rest = running["entry"].values[:, [at for at in places if at not in named]]
    above, below = np.zeros(len(words)), np.zeros(len(words))

    def stack(values: np.ndarray, colour: str, label: str) -> None:
        bottom = np.where(values >= 0, above, below)
        axes.bar(places, values, 0.82, bottom, color=colour, label=label, edgecolor="white", lw=0.5)
        above[...] += np.clip(values, 0, None)
        below[...] += np.clip(values, None, 0)

    repeated = {word for word in words if words.count(word) > 1}
    for values, colour, word, at in parts:
        number = f" ({at + 1})" if word in repeated else ""
        stack(values, colour, f"from “{frame.shortened(word)}”{number}")
    if rest.size and np.abs(rest).max() > 0:
        for sign in (1, -1):  # so that what is added and what is taken away doesn't cancel
            signed = np.clip(sign * rest, 0, None).sum(axis=1) * sign
            stack(signed, frame.GREY, "from other words" if sign == 1 else "_")
    if running["initial"].values.any():
        stack(running["initial"].values, "0.35", "initial state")
    axes.plot(places, running["state"].values, "o-", color="black", ms=4, lw=1.2, label="the state")
    axes.axhline(0, color="0.4", lw=0.8)
    frame.plain(axes, "word that has just been read", f"memory of unit {unit}")
    frame.word_ticks(axes, words)
    axes.legend(fontsize=7.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    heading = title or f"{frame.sentence_of(words)} Which word unit {unit} remembers".strip()
    return frame.explain(figure, heading, _caption(running, words))


def _largest(ledger: xr.Dataset) -> list[tuple[int, int]]:
    """Return colour and place of the words with the largest entries, in the order of the text."""
    size = np.abs(ledger["entry"].values).max(axis=0)
    largest = np.argsort(-size, kind="stable")[:_NAMED]
    notable = largest[size[largest] >= 0.05 * size.max()]
    return list(enumerate(int(at) for at in np.sort(notable)))


def _caption(ledger: xr.Dataset, words: list[str]) -> list[str]:
    backwards = bool(ledger.attrs.get("go_backwards", 0))
    end = 0 if backwards else len(words) - 1
    entries = ledger["entry"].values[end]
    top = int(np.argmax(np.abs(entries)))
    state = ledger["state"].values[end]
    share = f"{entries[top]:.2f} of {state:.2f}".replace("-", "−")
    return [
        f"{frame.layer_of(ledger)}, unit {ledger['unit'].item()}"
        + (", which reads from the last word to the first" if backwards else "")
        + ". Each colour is the part of the memory that one word wrote; it shrinks by the share "
        "that the gate keeps at each word. The parts sum to the state (black) exactly.",
        f"After “{words[end]}”, {share} comes from “{words[top]}”.",
    ]
