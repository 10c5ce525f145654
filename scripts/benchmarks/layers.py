"""Measures textgate's layers against stock Keras's, and against the floor.

    python scripts/benchmarks/layers.py               # the tables of the README
    python scripts/benchmarks/layers.py --quick       # fewer repetitions
    python scripts/benchmarks/layers.py gru growth    # some of the parts alone

All sides of a comparison run in turn in one process, so that what else the machine does hits them
alike; a ratio is a ratio of medians. A side's time is that of its best compile mode (as a
TensorFlow function, or compiled by XLA). "With gates" means that every signal is returned and read.

The floor of a training step is the same multiplications as six large matrix products: x W, h U
and, going back, dz Wᵀ, dz Uᵀ, xᵀ dz, hᵀ dz. A recurrent layer can't reach it, because the products
with U come one step at a time; it says how much of a time is unavoidable.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import textgate as tg  # isort: skip  (first, so that TensorFlow starts quietly)

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

SIZES = {"200": (32, 35, 200, 200), "650": (64, 35, 650, 650)}  # batch, time, features, units
KINDS = {
    "lstm": (keras.layers.LSTM, tg.layers.LSTM, 4),
    "gru": (keras.layers.GRU, tg.layers.GRU, 3),
}
console = Console()
tf.get_logger().setLevel("ERROR")  # it takes our many contestants for retracing
Contestants = dict[str, Callable[[], object]]


def read(results: object) -> None:
    """Bring every result to NumPy; on a CPU that takes no copy."""
    for tensor in tf.nest.flatten(results):
        np.asarray(tensor)


def compiled(function: Callable[[], object]) -> list[Callable[[], object]]:
    """The two ways to compile a function."""
    return [tf.function(function, jit_compile=jit, autograph=False) for jit in (False, True)]


def compare(contestants: Contestants, repetitions: int) -> dict[str, float]:
    """Median seconds of each contestant's best compile mode, all measured in turn."""
    modes = {
        (name, i): f for name, make in contestants.items() for i, f in enumerate(compiled(make))
    }
    times: dict[tuple[str, int], list[float]] = {mode: [] for mode in modes}
    for function in modes.values():
        for _ in range(3):
            read(function())
    for _ in range(repetitions):
        for mode, function in modes.items():
            start = time.perf_counter()
            read(function())
            times[mode].append(time.perf_counter() - start)
    medians = {mode: statistics.median(taken) for mode, taken in times.items()}
    return {name: min(medians[name, i] for i in (0, 1)) for name in contestants}


def layers_and_inputs(kind: str, size: tuple[int, ...], dtype: str = "float32") -> tuple:
    """A stock layer, ours with and without gates, and their input."""
    batch, steps, features, units = size
    stock, ours, _ = KINDS[kind]
    layers = [
        layer(units, return_sequences=True, dtype=dtype, **options)
        for layer, options in ((stock, {}), (ours, {}), (ours, {"return_gates": True}))
    ]
    for layer in layers:
        layer.build((batch, steps, features))
        layer.set_weights(layers[0].get_weights())
    values = np.random.default_rng(0).normal(size=(batch, steps, features))
    return (*layers, tf.constant(values, keras.mixed_precision.Policy(dtype).compute_dtype))


def forward(layer: keras.layers.Layer, inputs: tf.Tensor) -> Callable[[], object]:
    """A forward pass."""
    return lambda: layer(inputs)


def training(layer: keras.layers.Layer, inputs: tf.Tensor) -> Callable[[], object]:
    """A forward and a backward pass, to the weights and to the inputs."""

    def step() -> object:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = layer(inputs, training=True)
            outputs, gates = results if isinstance(results, tuple) else (results, {})
            loss = tf.reduce_sum(tf.cast(outputs, tf.float32) ** 2)
        return tape.gradient(loss, [inputs, *layer.trainable_variables]), gates

    return step


def floor(size: tuple[int, ...], columns: int, backwards: bool) -> Callable[[], object]:
    """The same multiplications as a few large products."""
    batch, steps, features, units = size
    rng = np.random.default_rng(0)

    def matrix(*shape: int) -> tf.Tensor:
        return tf.constant(rng.normal(size=shape), tf.float32)

    x, h, dz = (matrix(batch * steps, n) for n in (features, units, columns * units))
    W, U = matrix(features, columns * units), matrix(units, columns * units)

    def products() -> object:
        there = [x @ W, h @ U]
        if not backwards:
            return there
        back = [tf.matmul(dz, w, transpose_b=True) for w in (W, U)]
        return there + back + [tf.matmul(a, dz, transpose_a=True) for a in (x, h)]

    return products


def torch_layer(kind: str, size: tuple[int, ...], backwards: bool) -> Callable[[], object] | None:
    """PyTorch's own layer, where PyTorch is installed."""
    try:
        import torch
    except ImportError:
        return None
    batch, steps, features, units = size
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](features, units, batch_first=True)
    inputs = torch.randn(batch, steps, features, requires_grad=backwards)

    def step() -> object:
        with torch.set_grad_enabled(backwards):
            outputs, _ = layer(inputs)
            if backwards:
                layer.zero_grad()
                (outputs**2).sum().backward()
        return outputs

    return step


def timed(function: Callable[[], object], repetitions: int) -> float:
    """Median seconds of a plain function."""
    taken = []
    for _ in range(repetitions + 2):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[2:])


def table(title: str, *columns: str) -> Table:
    """A table with its title on the left."""
    result = Table(title=title, title_justify="left")
    for column in columns:
        result.add_column(column, justify="left" if column == columns[0] else "right")
    return result


def against_stock(kind: str, repetitions: int) -> None:
    """The table of the layer: training step, forward pass, one sentence."""
    result = table(
        f"{kind.upper()}, float32, ratios to stock Keras",
        "what", "size", "stock ms", "ours", "with gates", "with gates / floor", "torch",
    )  # fmt: skip
    for name, size in SIZES.items():
        for what, make, shape in (
            ("training step", training, size),
            ("forward", forward, size),
            ("one sentence", forward, (1, *size[1:])),
        ):
            stock, ours, gated, inputs = layers_and_inputs(kind, shape)
            backwards = make is training
            contestants = {
                "stock": make(stock, inputs),
                "ours": make(ours, inputs),
                "gates": make(gated, inputs),
                "floor": floor(shape, KINDS[kind][2], backwards),
            }
            count = repetitions if name == "650" else 4 * repetitions
            took = compare(contestants, count)
            other = torch_layer(kind, shape, backwards)
            result.add_row(
                what,
                name,
                f"{1e3 * took['stock']:.2f}",
                f"{took['ours'] / took['stock']:.2f}",
                f"{took['gates'] / took['stock']:.2f}",
                f"{took['gates'] / took['floor']:.2f}",
                "–" if other is None else f"{timed(other, repetitions) / took['stock']:.2f}",
            )
    console.print(result)


def half_precision(repetitions: int) -> None:
    """`mixed_bfloat16` against float32, for us and for stock Keras."""
    result = table(
        "LSTM, training step in mixed_bfloat16, ratios to stock Keras in float32",
        "size", "stock float32 ms", "stock bfloat16", "with gates float32", "with gates bfloat16",
    )  # fmt: skip
    for name, size in SIZES.items():
        contestants = {}
        for dtype in ("float32", "mixed_bfloat16"):
            stock, _, gated, inputs = layers_and_inputs("lstm", size, dtype)
            contestants[f"stock {dtype}"] = training(stock, inputs)
            contestants[f"gates {dtype}"] = training(gated, inputs)
        took = compare(contestants, repetitions)
        base = took["stock float32"]
        result.add_row(
            name,
            f"{1e3 * base:.2f}",
            f"{took['stock mixed_bfloat16'] / base:.2f}",
            f"{took['gates float32'] / base:.2f}",
            f"{took['gates mixed_bfloat16'] / base:.2f}",
        )
    console.print(result)


def growth(repetitions: int) -> None:
    """How time grows with length and with units."""
    result = table(
        "LSTM, training step with gates", "batch, time, units", "stock ms", "ours ms", "ratio"
    )
    sizes = [(32, n, 200, 200) for n in (5, 20, 80, 320)]
    sizes += [(32, 35, n, n) for n in (50, 100, 400, 800)]
    for size in sizes:
        stock, _, gated, inputs = layers_and_inputs("lstm", size)
        took = compare(
            {"stock": training(stock, inputs), "gates": training(gated, inputs)}, repetitions
        )
        result.add_row(
            f"{size[0]}, {size[1]}, {size[3]}",
            f"{1e3 * took['stock']:.2f}",
            f"{1e3 * took['gates']:.2f}",
            f"{took['gates'] / took['stock']:.2f}",
        )
    console.print(result)


PARTS: dict[str, Callable[[int], None]] = {
    "lstm": lambda n: against_stock("lstm", n),
    "gru": lambda n: against_stock("gru", n),
    "bfloat16": half_precision,
    "growth": growth,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure textgate against stock Keras.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all, if none is named")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    chosen = parser.parse_args()
    for part in chosen.parts or PARTS:
        PARTS[part](3 if chosen.quick else 15)
