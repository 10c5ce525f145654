"""Models that aren't language models, with weights set by hand so that known units hold a feature.

Words 1 to 20 say *yes*, 21 to 40 *no*, the others nothing. The planted units write what such a word
says and keep it until the end; the output reads them alone. All other units have random weights.
"""

import keras
import numpy as np
import pandas as pd

from textgate.interchange import contrasts

layers = keras.layers
WORDS, WIDTH, TIME = 60, 6, 8


def embedding():
    """The words: what they say, whether they say anything, and noise."""
    table = np.zeros((WORDS, WIDTH))
    table[1:, 2:] = np.random.default_rng(0).normal(0, 0.5, (WORDS - 1, WIDTH - 2))
    table[1:21, :2], table[21:41, :2] = (1, 1), (-1, 1)
    layer = layers.Embedding(WORDS, WIDTH, mask_zero=True)
    layer.build()
    layer.embeddings.assign(table)
    return layer


def plant(cell, kind, units, size, seed=0):
    """Set the weights of a built cell so that `units` remember what a word says."""
    random = np.random.default_rng(seed)
    columns = 4 if kind == "lstm" else 3
    kernel = random.normal(0, 0.3, (cell.kernel.shape[0], columns, size))
    recurrent = random.normal(0, 0.2, (size, columns, size))
    bias = random.normal(0, 0.1, (columns, size))
    kernel[:2] = 0
    for unit in units:
        kernel[:, :, unit], recurrent[:, :, unit], bias[:, unit] = 0, 0, 0
        if kind == "lstm":  # write at words that say something, forget only there
            kernel[1, 0, unit], bias[0, unit] = 20, -10
            kernel[1, 1, unit], bias[1, unit] = -20, 10
            kernel[0, 2, unit], bias[3, unit] = 5, 10
        else:
            kernel[1, 0, unit], bias[0, unit] = -20, 10
            kernel[0, 2, unit], bias[1, unit] = 5, 10
    cell.kernel.assign(kernel.reshape(len(kernel), -1))
    cell.recurrent_kernel.assign(recurrent.reshape(size, -1))
    flat = bias.reshape(-1)
    cell.bias.assign(flat if kind == "lstm" else np.stack([flat, np.zeros_like(flat)]))


def read(dense, units, size, shares=None):
    """Let an output read the units alone, each by its share."""
    weights = np.zeros((size, 1))
    weights[list(units), 0] = 6 * np.array(shares or [1 / len(units)] * len(units))
    dense.kernel.assign(weights)
    dense.bias.assign([0.0])


def rnn(kind):
    """The layer of a kind of cell."""
    return {"lstm": layers.LSTM, "gru": layers.GRU}[kind]


def classifier(kind, units, size=16):
    """A classifier of texts."""
    inputs = keras.Input((None,), dtype="int32")
    recurrent = rnn(kind)(size, name="rnn")
    dense = layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, dense(recurrent(embedding()(inputs))))
    plant(recurrent.cell, kind, units, size)
    read(dense, units, size)
    return model


def tagger(kind, forward, backward, shares, size=8):
    """A bidirectional tagger, whose tag of the middle follows from the words on both sides."""
    inputs = keras.Input((None,), dtype="int32")
    both = layers.Bidirectional(rnn(kind)(size, return_sequences=True, name="rnn"), name="both")
    dense = layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, dense(both(embedding()(inputs))))
    plant(both.forward_layer.cell, kind, forward, size)
    plant(both.backward_layer.cell, kind, backward, size, seed=1)
    read(dense, [*forward, *(size + unit for unit in backward)], 2 * size, shares)
    return model


def encoder_decoder(kind, units, size=8):
    """An encoder whose only way to the output is its last state."""
    words = keras.Input((None,), dtype="int32")
    encoder = rnn(kind)(size, return_state=True, name="encoder")
    _, *state = encoder(embedding()(words))
    steps = keras.Input((3, 2))
    decoder = rnn(kind)(size, return_sequences=True, name="decoder")
    dense = layers.Dense(1, activation="sigmoid")
    model = keras.Model([words, steps], dense(decoder(steps, initial_state=state)))
    plant(encoder.cell, kind, units, size)
    plant(decoder.cell, kind, units, size)  # its inputs say nothing, so it keeps
    read(dense, units, size)
    return model


def texts(both_sides=False, count=240, seed=0):
    """Texts with a word that says *yes*, the same with one that says *no*, and their table."""
    random = np.random.default_rng(seed)
    base = random.integers(41, WORDS, (count, TIME))
    saying = [1, TIME - 2] if both_sides else [1]
    base[:, saying] = random.integers(1, 21, (count, len(saying)))
    source = base.copy()
    source[:, saying] += 20
    if not both_sides:
        base[::4, 6:] = source[::4, 6:] = 0
    table = pd.DataFrame({"frame": random.integers(0, 30, count), "word": base[:, 1]})
    return base, source, table


def items_of(model, base, source, table, **more):
    """The items of a planted model."""
    return contrasts(
        model, base=base, source=source, good=1, bad=0, table=table, groups=("frame", "word"),
        feature="yes", **more,
    )  # fmt: skip
