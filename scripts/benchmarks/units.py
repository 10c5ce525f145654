"""What the search for units costs on a classifier, which the general runner runs.

    python scripts/benchmarks/units.py            # a minute
    python scripts/benchmarks/units.py --cell gru

The model is a 64-unit classifier of texts of 15 words, with random weights but for one unit, set by
hand, that keeps what the text's first word says. Each half of the items has 300: `find_units` runs
from the items to the verdict, with everything it does by default, a side task and data for the
loss. Prints

- `find_units`: its seconds (goal: at most 60 on 2 cores), and the verdict's first words;
- `forward`: one pass of the model over 300 items, by itself, in batches of the best size;
- `passes`: how many such passes `find_units` takes the time of.
"""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

UNITS, WORDS, VOCABULARY, WIDTH = 64, 15, 600, 16
HALF = 300  # items in each half
GROUPS = 240  # kinds of sentence, which the halves share none of
SAYING = 20  # words that say yes, and as many that say no
BATCHES = (32, 64, 128, 256, 300)


def classifier(cell: str) -> tuple[Any, int]:
    """Return a classifier, and the unit that holds what the first word says."""
    import keras

    layers = keras.layers
    random, unit = np.random.default_rng(0), 23
    inputs = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(VOCABULARY, WIDTH)
    recurrent = {"lstm": layers.LSTM, "gru": layers.GRU}[cell](UNITS, name="memory")
    output = layers.Dense(1, activation="sigmoid")
    model = keras.Model(inputs, output(recurrent(embedding(inputs))))
    table = random.normal(0, 0.5, (VOCABULARY, WIDTH))
    table[:, :2] = 0
    table[:SAYING, :2], table[SAYING : 2 * SAYING, :2] = (1, 1), (-1, 1)
    embedding.embeddings.assign(table)
    gates = {"lstm": 4, "gru": 3}[cell]
    kernel, recurrence, bias = (np.array(weight) for weight in recurrent.cell.weights)
    kernel[:2] = 0
    own = [gate * UNITS + unit for gate in range(gates)]
    kernel[:, own], recurrence[:, own] = 0, 0
    biases = np.zeros(gates)
    if cell == "lstm":  # i, f, g, o: write where a word says something, forget only there
        kernel[1, own[0]], kernel[1, own[1]], kernel[0, own[2]] = 20, -20, 5
        biases[:] = -10, 10, 0, 10
    else:  # z, r, h
        kernel[1, own[0]], kernel[0, own[2]] = -20, 5
        biases[:] = 10, 0, 0
    bias.reshape(-1, gates * UNITS)[0, own] = biases
    for weight, value in zip(recurrent.cell.weights, (kernel, recurrence, bias), strict=True):
        weight.assign(value)
    weights = random.normal(0, 0.05, (UNITS, 1))
    weights[unit] = 6
    output.kernel.assign(weights)
    model.compile(loss="binary_crossentropy")
    return model, unit


def texts(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Return texts that begin with a word that says *yes*, the same with *no*, and their table."""
    random = np.random.default_rng(seed)
    base = random.integers(2 * SAYING, VOCABULARY, (count, WORDS))
    base[:, 0] = random.integers(0, SAYING, count)
    source = base.copy()
    source[:, 0] += SAYING
    return base, source, pd.DataFrame({"frame": random.integers(0, GROUPS, count)})


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's first lines."""
    parser = argparse.ArgumentParser(description="What the search for units costs.")
    parser.add_argument("--cell", choices=("lstm", "gru"), default="lstm")
    options = parser.parse_args(arguments)
    import textgate as tg

    model, unit = classifier(options.cell)
    base, source, table = texts(HALF)  # each is there both ways, and each half has one half
    y = np.ones(len(base), int)
    items = tg.contrasts(
        model, base=base, source=source, good=1, bad=0, table=table, groups="frame", feature="yes"
    )
    began = time.perf_counter()
    finding = tg.find_units(
        model, items, items=HALF, side_tasks={"itself": (base, y)}, data=(base, y), progress=False
    )
    search = time.perf_counter() - began
    per_pass = min(_pass(model, base, batch) for batch in BATCHES)
    claim = finding.verdict.split(":")[0]
    print(f"find_units {search:6.1f} s (goal 60): {claim} (planted: {unit})")
    print(f"forward    {1000 * per_pass:6.1f} ms for {HALF} texts")
    print(f"passes     {search / per_pass:6.0f}")


def _pass(model: Any, texts: np.ndarray, batch: int) -> float:
    """Return the seconds of one pass over texts."""
    import tensorflow as tf

    call = tf.function(model, jit_compile=False)
    parts = [tf.constant(texts[at : at + batch]) for at in range(0, len(texts), batch)]
    times = []
    for _ in range(10):
        began = time.perf_counter()
        for part in parts:
            call(part).numpy()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()
