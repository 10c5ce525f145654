"""One unit through a sentence and its twin: what it remembers of each, and what its gate keeps."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from textgate.plots import _frame as frame
from textgate.plots import palette
from textgate.recurrence import CELLS


def twins(
    node: Any, unit: int, examples: tuple[int, int] = (0, 1), *, title: str | None = None
) -> Figure:
    """Draw one unit's memory through two sentences that differ in little, and its gate below.

    Where the curves part, a word has told the unit which sentence it reads; for as long as they
    stay apart, it remembers. The bars below show why: the share of the old memory that the forget
    gate (the GRU's update gate) keeps at each word.

    Args:
        node: One layer of a trace, an LSTM or GRU, with the memory and `retention`.
        unit: The unit.
        examples: The two sentences, with as many words.
        title: The title; by default it says what is compared.

    Returns:
        The figure.

    Raises:
        ValueError: If the unit or an example is unknown, the layer has no gates, or the sentences
            differ in length.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(8, name="memory")])
    >>> trace = tg.trace(model, np.random.default_rng(0).normal(size=(2, 5, 3)))
    >>> figure = twins(trace["memory"].to_dataset(), unit=3)
    """
    kind = node.attrs.get("cell")
    cell = CELLS.get(kind)
    if cell is None or not cell.keeping or not {cell.memory, "retention"} <= set(node):
        raise ValueError(
            "`node` must be one layer of a trace, of an LSTM with `cell_state` or of a GRU with "
            "`hidden_state`, and with `retention`. "
            f"Received: cell={kind!r}, signals {sorted(map(str, node.data_vars))}"
        )
    numbers = node["unit"].values
    if unit not in numbers:
        raise ValueError(
            f"`unit` must be one of the trace, {numbers.min()} to {numbers.max()}. "
            f"Received: unit={unit!r}"
        )
    words, states, retention = zip(
        *(_curves(node, cell.memory, unit, example) for example in examples), strict=True
    )
    if len(words[0]) != len(words[1]):
        raise ValueError(
            "the two examples must have as many words. "
            f"Received: {len(words[0])} and {len(words[1])} words"
        )
    places = np.arange(len(words[0]))
    figure = frame.new_figure(max(5.5, min(14.0, 1.8 + 0.55 * len(places))), 4.3)
    above, below = figure.subplots(2, sharex=True, height_ratios=(2, 1))
    looks = ((palette.BLUE, "o-"), (palette.VERMILLION, "s--"))
    for n, (colour, line) in enumerate(looks):
        label = frame.sentence_of(words[n]) or f"example {examples[n]}"
        above.plot(places, states[n], line, color=colour, ms=5, lw=2, label=label)
        below.bar(places + (n - 0.5) * 0.38, retention[n], 0.36, color=colour)
    above.axhline(0, color="0.4", lw=0.8)
    above.margins(y=0.12)
    above.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    frame.plain(above, "", f"memory of unit {unit}")
    gate = cell.keeping.replace("_", " ")
    frame.plain(below, "word that has just been read", f"kept by its\n{gate}")
    below.set_ylim(0, 1.02)
    frame.word_ticks(below, _either(*words))
    backwards = bool(node.attrs.get("go_backwards", 0))
    who = f"unit {unit} of this {cell.title}"
    who += ", which reads from the last word to the first," * backwards
    read = slice(None, None, -1 if backwards else 1)  # in the order in which it is read
    caption = _caption(
        who, _either(*words)[read], [s[read] for s in states], [r[read] for r in retention]
    )
    return frame.explain(figure, title or f"Unit {unit} in two sentences", caption)


def _curves(
    node: Any, memory: str, unit: int, example: int
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return words, memory and retention of one example, without masked steps."""
    if not 0 <= example < node.sizes["example"]:
        raise ValueError(
            f"`examples` must be examples of the trace, 0 to {node.sizes['example'] - 1}. "
            f"Received: {example}"
        )
    one = node.isel(example=example).sel(unit=unit)
    there = ~np.isnan(one[memory].values)
    if not there.any():
        raise ValueError(f"nothing of the example is unmasked. Received: example {example}")
    tokens = one["token"].values if "token" in one.coords else np.arange(there.size)
    words = [str(word) for word in np.asarray(tokens)[there]]
    return words, one[memory].values[there], one["retention"].values[there]


def _either(first: list[str], second: list[str]) -> list[str]:
    return [a if a == b else f"{a} / {b}" for a, b in zip(first, second, strict=True)]


def _caption(
    who: str, words: list[str], states: list[np.ndarray], retention: list[np.ndarray]
) -> list[str]:
    what = (
        f"Above, what {who} remembers after each word of the two sentences; "
        "below, the share of the memory before that its gate keeps, word by word."
    )
    apart = np.abs(states[0] - states[1])
    if apart.max() < 0.005:  # less than is said of them
        return [what, "The two never part."]
    part = int(np.argmax(apart >= apart.max() / 2))
    parting = (
        f"They first are half as far apart as they get, or more, after “{words[part]}”: "
        f"{states[0][part]:.2f} and {states[1][part]:.2f}"
    )
    if part + 1 < len(apart):
        later = np.concatenate([r[part + 1 :] for r in retention])
        parting += (
            f", and {apart[part + 1 :].min():.2f} apart or more after every later word. The "
            f"gate keeps {100 * later.mean():.0f} % there on average"
        )
    return [what, parting.replace("-", "−") + "."]
