"""How much of a network is needed: accuracy against the number of units removed at random.

A unit is removed by keeping its output at 0 at every step: its hidden state reaches neither the
next step nor the output. Since all that others see of a unit goes through its row of the recurrent
matrix and of the output's, that is the same network with these rows 0, which costs no more to run.
What a unit keeps to itself (an LSTM's cell) goes on, and nobody can see it.

A feature that one unit carries is lost as soon as that unit is among those removed; one that many
units carry alike fades slowly.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import PAD

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
    read = _reader(lm, pairs)
    random = np.random.default_rng(seed)
    rows = []
    for share in shares:
        removed = round(share * units)
        for draw in range(draws if 0 < removed < units else 1):
            chosen = random.permutation(units)[:removed]
            with without(lm, chosen):
                accuracy = float(np.mean(read()))
            rows.append((share, removed, units, draw, accuracy))
    return pd.DataFrame(rows, columns=["share", "removed", "units", "draw", "accuracy"])


@contextmanager
def without(lm: Any, units: Any) -> Iterator[None]:
    """Remove units of a model's last layer for as long as the context lasts.

    Args:
        lm: As for `redundancy`.
        units: Their numbers.
    """
    matrices = [lm.get_layer("output").kernel]
    cell = getattr(lm.recurrent_layers[-1], "cell", None)
    if cell is not None:
        matrices.append(cell.recurrent_kernel)
    kept = [np.array(matrix) for matrix in matrices]
    try:
        for matrix, values in zip(matrices, kept, strict=True):
            values = values.copy()
            values[np.asarray(units, int)] = 0.0
            matrix.assign(values)
        yield
    finally:
        for matrix, values in zip(matrices, kept, strict=True):
            matrix.assign(values)


def _reader(lm: Any, pairs: pd.DataFrame) -> Any:
    """Return a function without arguments: for each pair, whether the right word wins."""
    import tensorflow as tf

    ids = lm.encode(pairs["prefix"].tolist())
    last = (ids != PAD).sum(axis=1).astype(np.int32) - 1
    sides = []
    for column in ("good", "bad"):
        words = lm.encode(pairs[column].tolist())
        sides.append(words[np.arange(len(words)), pairs["target"].to_numpy() + 1])
    good, bad = (tf.constant(side) for side in sides)
    given, at = tf.constant(ids), tf.constant(last)

    @tf.function
    def margin() -> tf.Tensor:
        hidden, _ = lm.hidden(given)
        logits = lm.readout(tf.gather(hidden, at, batch_dims=1))
        return tf.gather(logits, good, batch_dims=1) - tf.gather(logits, bad, batch_dims=1)

    return lambda: margin().numpy() > 0
