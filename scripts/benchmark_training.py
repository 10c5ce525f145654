"""Measures training a language model on text against the same model in stock Keras.

    python scripts/benchmark_training.py --text 'novels/*.txt.gz'
    python scripts/benchmark_training.py               # generated sentences instead

Two LSTM layers of 256 units, 20,000 words, windows of 40 words of 32 streams, AdamW, clipping by
global norm. Stock Keras trains with `fit`, as it comes. Ours carries the states from window to
window and trains once with the exact softmax and once with the sampled one (the preset's). All
take turns in one process over the same windows; a speed is the median of the turns.

Most of the time goes to the softmax: per word 2 · 256 · 20,000 multiplications forward and twice
that backward, against 2 · 4 · 512 · 256 for the two recurrent layers. So the last row tells how
much of our step is left when the words of the softmax are 4,000 at most.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import textgate as tg  # isort: skip  (first, so that TensorFlow starts quietly)

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from textgate.training import Recipe
from textgate.training._data import TrainingData
from textgate.training._optimizer import AdamW
from textgate.training._sampling import Sampler
from textgate.training.presets import PRESETS
from textgate.training.step import Steps


def stock_model(words: int, units: int, dropout: float) -> keras.Model:
    """The same model of stock layers, compiled as its users compile it."""
    layers = []
    for _ in range(2):
        layers.append(keras.layers.LSTM(units, return_sequences=True))
        if dropout:
            layers.append(keras.layers.Dropout(dropout))
    model = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            keras.layers.Embedding(words, units),
            *layers,
            keras.layers.Dense(words),
        ]
    )
    model.compile(
        keras.optimizers.AdamW(2e-3, weight_decay=0.01, global_clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--text", nargs="+", help="paths or globs of text")
    parser.add_argument("--steps", type=int, default=20, help="steps of a turn")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = arguments.text
        if text is None:
            path = Path(folder) / "generated.txt"
            path.write_text("\n\n".join(tg.datasets.sentences("pronoun_agreement", size=20_000)))
            text = [str(path)]
        settings = PRESETS["text"] | {"data": tuple(text), "epochs": 1}
        exact = Recipe(**settings | {"sampled": None})
        data = TrainingData(exact, Path(folder))
        words = len(data.tokenizer)
        batches = list(itertools.islice(data.train.epoch(0), arguments.steps))
        per_turn = sum(int(np.count_nonzero(batch.targets)) for batch in batches)
        stock = stock_model(words, 256, exact.dropout)
        inputs = np.concatenate([batch.inputs for batch in batches])
        targets = np.concatenate([batch.targets for batch in batches])
        sides = {
            "stock Keras, fit": lambda: stock.fit(
                inputs, targets, batch_size=exact.batch_size, shuffle=False, verbose=0
            )
        }
        for name, recipe in (
            ("textgate, exact softmax", exact),
            ("textgate, sampled softmax", Recipe(**settings)),
        ):
            lm = tg.models.LanguageModel(data.tokenizer, units=recipe.units, dropout=recipe.dropout)
            sampler = None
            if recipe.sampled is not None:
                sampler = Sampler(data.train.text.counts, recipe.frequent, recipe.sampled, 0)
            steps = Steps(
                lm,
                lambda weights: AdamW(weights, exact.weight_decay, exact.clip, exact.beta2),
                recipe.batch_size,
                sampler,
            )

            def turn(steps=steps) -> None:
                for number, batch in enumerate(batches):
                    steps.train(batch, 2e-3, number)

            sides[name] = turn
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for number in range(arguments.turns + 1):
            for name, side in sides.items():
                start = time.perf_counter()
                side()
                if number:  # the first turn compiles
                    seconds[name].append(time.perf_counter() - start)
    table = Table("", "words/s", "of stock", title=f"2 × 256 LSTM, {words:,} words")
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    for name, median in medians.items():
        ratio = medians["stock Keras, fit"] / median
        table.add_row(name, f"{per_turn / median:,.0f}", f"{ratio:.2f} ×")
    Console().print(table)


if __name__ == "__main__":
    main()
