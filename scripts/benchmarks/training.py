"""Measures training a language model on text against the same model in stock Keras.

    python scripts/benchmarks/training.py --text 'novels/*.txt.gz'
    python scripts/benchmarks/training.py               # generated sentences instead

Two LSTM layers of 256 units, 20,000 words (the generated sentences have 6,000), windows of 40 words
of 32 streams, AdamW, clipping by global norm. Stock Keras trains with `fit`, as it comes. Ours
carries the states from window to window and trains once with the exact softmax and once with the
sampled one (the preset's). Each of the two takes turns with stock Keras in one process over the
same windows; a speed is the median of the turns.

Most of the time goes to the softmax: per word 2 · 256 · 20,000 multiplications forward and twice
that backward, against 2 · 4 · 512 · 256 for the two recurrent layers. So the last row tells how
much of our step is left when the words of the softmax are 4,000 at most.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator
from typing import Any

import textgate as tg  # isort: skip  (first, so that TensorFlow starts quietly)

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from textgate.training import Recipe, fit
from textgate.training.presets import PRESETS


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


class FirstWindows:
    """The first windows of a text, the same ones in every epoch."""

    def __init__(self, text: tg.datasets.EncodedText, recipe: Recipe, count: int) -> None:
        batches = tg.datasets.WindowBatches(text, recipe.batch_size, recipe.window)
        self.text = text
        self.windows = list(itertools.islice(batches.epoch(0), count))
        self.words = sum(int(np.count_nonzero(window.targets)) for window in self.windows)

    def batches_per_epoch(self) -> int:
        """Return how many windows there are."""
        return len(self.windows)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tg.datasets.WindowBatch]:
        """Return the windows."""
        return iter(self.windows[start:])


class Turns:
    """Lets stock Keras and us train in turn, an epoch each, and takes the time.

    Attributes:
        stock: The stock model's seconds for each turn.
        ours: Ours.
    """

    def __init__(self, model: keras.Model, batches: FirstWindows, batch_size: int) -> None:
        self.model, self.batch_size, self.batches = model, batch_size, batches
        self.inputs = np.concatenate([window.inputs for window in batches.windows])
        self.targets = np.concatenate([window.targets for window in batches.windows])
        self.stock: list[float] = []
        self.ours: list[float] = []
        self.stock_turn()

    def stock_turn(self, _: Any = None) -> None:
        """Let stock Keras train for an epoch; then our epoch begins."""
        start = time.perf_counter()
        self.model.fit(
            self.inputs, self.targets, batch_size=self.batch_size, shuffle=False, verbose=0
        )
        self.start = time.perf_counter()
        self.stock.append(self.start - start)

    def stepped(self, report: dict[str, Any]) -> None:
        """Take the time when our epoch ends, before it is validated."""
        if report["step"] % self.batches.batches_per_epoch() == 0:
            self.ours.append(time.perf_counter() - self.start)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--text", nargs="+", help="paths or globs of text")
    parser.add_argument("--steps", type=int, default=20, help="steps of a turn")
    parser.add_argument("--turns", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.text:
        texts = list(tg.datasets.Corpus(arguments.text).paragraphs())
    else:
        texts = tg.datasets.sentences("pronoun_agreement", size=20_000)
    # One epoch more, which compiles; each is followed by a validation, which isn't counted.
    preset = PRESETS["text"] | {"epochs": arguments.turns + 1, "patience": arguments.turns + 1}
    sampled = Recipe(**preset | {"validate": None})
    exact = Recipe(**preset | {"validate": None, "sampled": None})
    vocabulary = exact.vocabulary if arguments.text else None  # all that the sentences have
    tokenizer = tg.tokenizers.WordTokenizer.train(texts, size=vocabulary)
    text = tg.datasets.EncodedText.encode(texts, tokenizer)
    batches = FirstWindows(text, exact, arguments.steps)
    table = Table("", "words/s", "of stock", title=f"2 × 256 LSTM, {len(tokenizer):,} words")
    for name, recipe in (("exact", exact), ("sampled", sampled)):
        stock = stock_model(len(tokenizer), 256, recipe.dropout)
        turns = Turns(stock, batches, recipe.batch_size)
        lm = tg.models.LanguageModel(tokenizer, units=recipe.units, dropout=recipe.dropout)
        validation = FirstWindows(text, recipe, 1)
        fit(lm, batches, validation, recipe, report=turns.stepped, validated=turns.stock_turn)
        seconds = statistics.median(turns.stock[1:]), statistics.median(turns.ours[1:])
        if name == "exact":
            table.add_row("stock Keras, fit", f"{batches.words / seconds[0]:,.0f}", "1.00 ×")
        ratio = f"{seconds[0] / seconds[1]:.2f} ×"
        table.add_row(f"textgate, {name} softmax", f"{batches.words / seconds[1]:,.0f}", ratio)
    Console().print(table)


if __name__ == "__main__":
    main()
