"""What a sweep costs, against its matrix products alone.

    python scripts/benchmarks/sweep.py            # all 1,300 units, and the products: a half hour
    python scripts/benchmarks/sweep.py --quick    # a part of the units, scaled up

The sweep is the interchange of every unit's cell state, one by one, in a random 2×650 LSTM on 600
sentences of 7 words whose first word differs from the source's, so that no step can be left out.
A unit of the upper layer needs the product h U of that layer at every step in every sentence; a
unit of the lower one h U of its own layer, and x W and h U of the upper one.

The products are computed by themselves, on as many rows, in between the parts of the sweep, so
that both see the same machine. Rows are as many at a time as serves the products best. Prints

- `products`: those of all seven steps;
- `needed`: without those that the sweep has for nothing (at the first step no recurrent product
  is new, and what a single unit changes there is one row of the next product);
- `sweep`: and how many times `products` and `needed` it takes (goal: at most 1.5 × `products`).
"""

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

UNITS, LAYERS = 650, ("lstm", "lstm_1")
SENTENCES, WORDS, VOCABULARY = 600, 7, 2000
ROWS = (256, 384, 1024, 4096)
# Products of (rows, 650) with (650, 2600) for each layer's units: in all steps, and as needed.
PRODUCTS = {"lstm": 3 * WORDS, "lstm_1": WORDS}
NEEDED = {"lstm": 3 * WORDS - 4, "lstm_1": WORDS - 2}


def model_and_contrasts() -> tuple[Any, Any]:
    """Return a random language model, and sentences that differ in their first word."""
    from textgate.interchange import Contrasts
    from textgate.models import LanguageModel
    from textgate.tokenizers import WordTokenizer

    words = [chr(97 + a) + chr(97 + b) + chr(97 + c) for a in range(26) for b in range(26)
             for c in range(3)]  # fmt: skip
    tokenizer = WordTokenizer(words[:VOCABULARY])
    lm = LanguageModel(tokenizer, units=(UNITS, UNITS), seed=0)
    rng = np.random.default_rng(0)
    base = rng.integers(4, VOCABULARY, (SENTENCES, WORDS + 1)).astype(np.int32)
    base[:, 0] = 2  # <bos>
    source = base.copy()
    source[:, 1] = 4 + (base[:, 1] - 3) % (VOCABULARY - 4)
    good = rng.integers(4, VOCABULARY - 1, SENTENCES).astype(np.int32)
    last = np.full(SENTENCES, WORDS, np.int32)
    table = pd.DataFrame({"item": np.arange(SENTENCES)})
    return lm, Contrasts(table, base, source, good, good + 1, last)


class Products:
    """Products of (rows, 650) with (650, 2600), by TensorFlow's own matmul and nothing else."""

    def __init__(self) -> None:
        import tensorflow as tf

        rng = np.random.default_rng(0)
        matrix = tf.constant(rng.normal(size=(UNITS, 4 * UNITS)).astype("float32"))
        self.inputs = {
            rows: tf.constant(rng.normal(size=(rows, UNITS)).astype("float32")) for rows in ROWS
        }
        self.multiply = tf.function(lambda x: tf.matmul(x, matrix))
        self.seconds: dict[int, list[float]] = {rows: [] for rows in ROWS}
        for x in self.inputs.values():
            self.multiply(x)

    def measure(self, seconds: float) -> None:
        """Multiply for so long with each number of rows."""
        for rows, x in self.inputs.items():
            count, began = 0, time.perf_counter()
            while time.perf_counter() - began < seconds / len(ROWS):
                self.multiply(x)
                count += 1
            self.seconds[rows].append((time.perf_counter() - began) / (count * rows))

    @property
    def per_row(self) -> float:
        """Seconds for a row, with the number of rows that is the fastest on the whole."""
        return min(float(np.mean(seconds)) for seconds in self.seconds.values())


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's first lines."""
    parser = argparse.ArgumentParser(description="What a sweep costs.")
    parser.add_argument("--quick", action="store_true", help="48 units of each layer, scaled up")
    parser.add_argument("--units", type=int, help="so many units of each layer, scaled up")
    options = parser.parse_args(arguments)
    part = options.units or (48 if options.quick else UNITS)
    from textgate.interchange import runner_for

    lm, contrasts = model_and_contrasts()
    products = Products()
    block = min(part, 24)
    spent = dict.fromkeys(LAYERS, 0.0)
    for layer in LAYERS:
        began = time.perf_counter()
        runner = runner_for(lm, contrasts, layer)
        runner.run(np.eye(UNITS, dtype=bool)[:block])  # compiles
        beginning = time.perf_counter() - began
        for begin in range(0, part, block):
            sets = np.eye(UNITS, dtype=bool)[begin : begin + block]
            began = time.perf_counter()
            runner.run(sets)
            took = time.perf_counter() - began
            spent[layer] += took * UNITS / part
            products.measure(took / 3)
        print(
            f"{layer:<8} {spent[layer]:7.1f} s, not counting {beginning:.1f} s to warm up",
            flush=True,
        )
    sweep = sum(spent.values())
    rows = UNITS * SENTENCES
    floor = {
        name: products.per_row * rows * sum(counts.values())
        for name, counts in (("products", PRODUCTS), ("needed", NEEDED))
    }
    speed = 2 * UNITS * 4 * UNITS / products.per_row / 1e9
    print(f"products {floor['products']:7.1f} s   at {speed:.0f} GFLOP/s")
    print(f"needed   {floor['needed']:7.1f} s")
    ratio, strict = (sweep / floor[name] for name in ("products", "needed"))
    print(f"sweep    {sweep:7.1f} s   {ratio:.2f} × products (goal 1.5), {strict:.2f} × needed"
          + (f", scaled up from {part} of {UNITS} units" if part < UNITS else ""))  # fmt: skip


if __name__ == "__main__":
    main()
