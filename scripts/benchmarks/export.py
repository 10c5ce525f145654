"""What the endpoints of an exported language model cost.

    python scripts/benchmarks/export.py                     # an LSTM and a GRU with random weights
    python scripts/benchmarks/export.py runs/she-her/lstm   # a trained model

Prints, for each model:

- `score` and `gates` on 64 sentences, and on one: `gates` is held to 1.5 × `score`;
- `pronouns` and `edit` of a single sentence, and the model's bare matrix products in NumPy, word
  by word: `pronouns` is held to 2 × the products plus 2 ms.

Each figure is the median over many calls.
"""

import argparse
import pathlib
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import textgate as tg

SENTENCE = "She came out and played with the dog that the boys had fed before"
UNITS, BATCH = 128, 64


def untrained(cell: str) -> Any:
    """Return a model with the words of the generated sentences."""
    pairs = tg.datasets.minimal_pairs("pronoun_agreement", split="validation")
    tokenizer = tg.tokenizers.WordTokenizer.train([SENTENCE, *pairs["good"]])
    return tg.models.LanguageModel(tokenizer, cell=cell, units=(UNITS,), seed=0)


def sentences(count: int) -> list[str]:
    """Return sentences of the kind that the models are trained on."""
    pairs = tg.datasets.minimal_pairs("pronoun_agreement", split="test", size=count)
    return pairs["good"].unique()[:count].tolist()


def milliseconds(function: Callable[[], Any], seconds: float = 2.0) -> float:
    """Return the median time of a call."""
    for _ in range(5):
        function()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def bare_products(lm: Any, text: str) -> Callable[[], Any]:
    """Return a function that computes a sentence's matrix products, and nothing else."""
    ids = lm.encode([text])[0]
    table = np.asarray(lm.get_layer("embedding").embeddings)
    layers = [[np.asarray(w) for w in layer.get_weights()[:2]] for layer in lm.recurrent_layers]
    matrix, _, transposed = lm.readout_weights
    output = np.asarray(matrix).T if transposed else np.asarray(matrix)

    def products() -> np.ndarray:
        x = table[ids]
        for kernel, recurrent in layers:
            x = x @ kernel
            h = x[:1, : len(recurrent)]
            for _ in ids:
                h @ recurrent
            x = x[:, : len(recurrent)]
        return x[-1:, : len(output)] @ output

    return products


def measure(name: str, lm: Any) -> None:
    """Export a model, call it, and print what it costs."""
    with tempfile.TemporaryDirectory() as folder:
        path = tg.export.saved_model(lm, pathlib.Path(folder, "model"))
        loaded = tf.saved_model.load(str(path))
    print(f"{name}: {lm.units} units, {len(lm.tokenizer)} words")
    one, many = tf.constant([SENTENCE]), tf.constant(sentences(BATCH))
    for text, what in ((many, f"{len(many)} sentences"), (one, "one sentence")):
        score = milliseconds(lambda text=text: loaded.score(text))
        gates = milliseconds(lambda text=text: loaded.gates(text))
        print(f"  score  {what:<14}{score:8.2f} ms")
        print(f"  gates  {what:<14}{gates:8.2f} ms   {gates / score:.2f} × score, goal 1.5")
    bare = milliseconds(bare_products(lm, SENTENCE))
    pronouns = milliseconds(lambda: loaded.pronouns(one))
    layer = lm.recurrent_layers[0].name
    arguments = [tf.constant(x) for x in (layer, "hidden_state", [3], 0.0, [0, 99])]
    edit = milliseconds(lambda: loaded.edit(one, *arguments))
    print(f"  products, one sentence {bare:8.3f} ms")
    print(f"  pronouns, one sentence {pronouns:8.3f} ms   goal {2 * bare + 2:.3f} ms")
    print(f"  edit, one sentence     {edit:8.3f} ms")


def main() -> None:
    """Measure the given runs, or untrained models."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", type=pathlib.Path)
    runs = parser.parse_args().runs
    for run in runs:
        measure(str(run), tg.load(run))
    for cell in () if runs else ("lstm", "gru"):
        measure(f"{cell}, untrained", untrained(cell))


if __name__ == "__main__":
    main()
