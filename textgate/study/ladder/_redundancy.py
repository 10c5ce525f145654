"""How much of a network is needed: accuracy against the number of units removed at random.

A unit is removed by keeping its hidden state at 0 at every step: it reaches neither the next step
nor the output. What a unit keeps to itself (an LSTM's cell) goes on, and nobody can see it.

A feature that one unit carries is lost as soon as that unit is among those removed; one that many
units carry alike fades slowly.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import ops

from textgate._special_tokens import PAD
from textgate.interchange import Contrasts, runner_for

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9)


def redundancy(
    lm: Any,
    pairs: pd.DataFrame,
    shares: Sequence[float] = SHARES,
    draws: int = 10,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure the accuracy of a model of which units are removed at random.

    An item counts as right if the right word beats the wrong one after the prefix. The model itself
    is as before afterwards.

    Args:
        lm: A `LanguageModel`, not tied; units are removed from its last recurrent layer (or from
            what stands in its place).
        pairs: Minimal pairs with `good`, `bad`, `target` and `prefix`.
        shares: Which shares of the units to remove, each from 0 to 1.
        draws: How many sets of each size are drawn.
        seed: Seed of the drawing.

    Returns:
        A row for each share and draw: `share`, `removed`, `units`, `draw`, `accuracy`.

    Raises:
        ValueError: If a share isn't between 0 and 1, or the model has no units to remove.
    """
    if any(not 0 <= share <= 1 for share in shares):
        raise ValueError(f"shares lie between 0 and 1. Received: shares={list(shares)}")
    if not hasattr(lm, "recurrent_layers") or lm.tied or lm.cell == "constant":
        raise ValueError(
            "units are removed from models with a layer and an output of its own. "
            f"Received: {type(lm).__name__} {lm.name!r}"
        )
    units = int(lm.get_layer("output").kernel.shape[0])
    random = np.random.default_rng(seed)
    places, removed = [], []
    for share in shares:
        count = round(share * units)
        for draw in range(draws if 0 < count < units else 1):
            places.append((share, count, units, draw))
            removed.append(np.isin(np.arange(units), random.permutation(units)[:count]))
    table = pd.DataFrame(places, columns=["share", "removed", "units", "draw"])
    right = decisions_without(lm, pairs, np.stack(removed)) > 0
    return table.assign(accuracy=right.mean(axis=1))


def decisions_without(lm: Any, pairs: pd.DataFrame, removed: np.ndarray) -> np.ndarray:
    """Return by how much a model prefers the right word while units of its last layer are removed.

    Args:
        lm: As for `redundancy`.
        pairs: As for `redundancy`.
        removed: Sets of units to remove, booleans of shape `(m, units)`.

    Returns:
        Differences of logits, of shape `(m, pairs)`.
    """
    base = lm.encode(pairs["prefix"].tolist())
    rows, last = np.arange(len(base)), (base != PAD).sum(axis=1) - 1
    good, bad = (
        lm.encode(pairs[column].tolist())[rows, pairs["target"].to_numpy() + 1]
        for column in ("good", "bad")
    )
    layer = lm.recurrent_layers[-1]
    if isinstance(layer, keras.layers.RNN):
        items = Contrasts(pairs, base, source=None, good=good, bad=bad, last=last)
        return runner_for(lm, items, layer.name, "hidden_state").run(removed, "zero")
    # What stands in a recurrent layer's place doesn't read itself: only the output sees its units.
    hidden = ops.convert_to_numpy(lm.hidden(base)[0])[rows, last]
    logits = (np.asarray(lm.readout(np.where(units, 0, hidden))) for units in removed)
    return np.stack([each[rows, good] - each[rows, bad] for each in logits])
