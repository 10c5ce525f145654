"""What a sweep of any Keras model costs, against forward passes of the model itself.

    python scripts/benchmarks/general_sweep.py             # a classifier and a tagger: two minutes
    python scripts/benchmarks/general_sweep.py classifier  # one of them

The sweep is the interchange of every unit's state, one by one, on 300 items and their counterparts
of 15 steps. The models are random: `classifier`, an embedding, an LSTM of 64 units, a read-out of 2
classes; and `tagger`, an embedding, a `Bidirectional` GRU of 2 × 32, an LSTM of 32 above it, and a
read-out at each step. The layer is the classifier's only one, and the tagger's lower one.

A sweep of m sets of n items is as many rows as m · n examples of the model. They are computed by
the model's own `predict_on_batch` (by XLA or not, whichever is faster) in batches of the size that
serves it best, in between the parts of the sweep, so that both see the same machine. Prints the
median of the ratios of neighbouring parts (goal: at most 1.3).
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

ITEMS, STEPS, VOCABULARY, ROUNDS = 300, 15, 2000, 9
SIZES = (128, 256, 512, 1024, 2048)


def classifier() -> tuple[keras.Model, str, dict[str, Any]]:
    """Return a random classifier, its layer, and what decides."""
    x = keras.Input((None,), dtype="int32")
    y = keras.layers.Embedding(VOCABULARY, 64, mask_zero=True)(x)
    y = keras.layers.LSTM(64, name="lstm")(y)
    return keras.Model(x, keras.layers.Dense(2, activation="softmax")(y)), "lstm", {}


def tagger() -> tuple[keras.Model, str, dict[str, Any]]:
    """Return a random tagger, its lower layers, and what decides."""
    x = keras.Input((None,), dtype="int32")
    y = keras.layers.Embedding(VOCABULARY, 64, mask_zero=True)(x)
    y = keras.layers.Bidirectional(keras.layers.GRU(32, return_sequences=True), name="both")(y)
    y = keras.layers.LSTM(32, return_sequences=True, name="upper")(y)
    model = keras.Model(x, keras.layers.Dense(5, activation="softmax")(y))
    return model, "both", {"step": STEPS - 1}


def own_passes(model: keras.Model, x: np.ndarray, rows: int) -> Callable[[], None]:
    """Return what computes so many rows by the model itself, as fast as it can."""
    best: tuple[float, Callable[[], None]] | None = None
    for by_xla in (False, True):
        twin = keras.models.clone_model(model)
        twin.set_weights(model.get_weights())
        twin.compile(jit_compile=by_xla)
        for size in SIZES:
            batch = x[np.arange(size) % len(x)]

            def run(twin: Any = twin, batch: np.ndarray = batch, times: int = -(-rows // size)):
                for _ in range(times):
                    twin.predict_on_batch(batch)

            run()
            seconds = min(timed(run) for _ in range(3)) * rows / (-(-rows // size) * size)
            if best is None or seconds < best[0]:
                best = seconds, run
                print(
                    f"  own passes, batches of {size}{', XLA' if by_xla else ''}: {seconds:.2f} s"
                )
    assert best is not None
    return best[1]


def timed(function: Callable[[], Any]) -> float:
    """Return how many seconds a call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def measure(name: str, model: keras.Model, layer: str, options: dict[str, Any]) -> None:
    """Measure one model and print."""
    import textgate as tg

    rng = np.random.default_rng(0)
    base = rng.integers(1, VOCABULARY, (ITEMS, STEPS)).astype("int32")
    source = base.copy()
    source[:, 0] = 1 + base[:, 0] % (VOCABULARY - 1)
    items = tg.contrasts(model, base=base, source=source, good=1, bad=0, **options)
    signal = "hidden_state" if name == "tagger" else "cell_state"
    runner = tg.interchange.runner_for(model, items, layer, signal)
    sets = np.eye(runner.units, dtype=bool)
    print(f"{name}: {len(sets)} units, {len(items)} items of {STEPS} steps")
    own = own_passes(model, base, len(sets) * len(items))
    beginning = timed(lambda: runner.run(sets))
    pairs = [(timed(lambda: runner.run(sets)), timed(own)) for _ in range(ROUNDS)]
    ratio = statistics.median(sweep / passes for sweep, passes in pairs)
    sweep, passes = (statistics.median(each) for each in zip(*pairs, strict=True))
    print(
        f"  sweep {sweep:.2f} s (the first {beginning:.2f}), own passes {passes:.2f} s: "
        f"{ratio:.2f} × (goal 1.3)"
    )


def main() -> None:
    """Measure and print; see the module's first lines."""
    models = {"classifier": classifier, "tagger": tagger}
    parser = argparse.ArgumentParser(description="What a sweep of any Keras model costs.")
    parser.add_argument("models", nargs="*", help=f"of {list(models)}; all by default")
    for name in parser.parse_args().models or models:
        keras.utils.set_random_seed(0)
        measure(name, *models[name]())


if __name__ == "__main__":
    main()
