"""What tracing costs, against the model's own `predict` and against a loop over tokens.

    python scripts/benchmarks/tracing.py            # all of it, some minutes
    python scripts/benchmarks/tracing.py --sentences 2000

Prints one row a measurement:

- `predict`: the stock 2×256 LSTM on sentences of 5 to 30 words, and `copy`: one copy of the bytes
  of its trace; their sum is what tracing in memory is held to (at most 1.3 ×);
- `trace`: all six signals in memory; `trace to Zarr`: the same to disk (at most 2 × `trace`);
- `loop over tokens`: the same gates by a loop over sentences and words in NumPy, measured on a
  part and scaled up;
- `memory`: how far resident memory grows while a 2×64 model is traced to disk, two signals, for
  1,000 sentences and for 100,000 (each in a process of its own).
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

VOCABULARY = 2000
GOALS = {"trace": 1.3, "trace to Zarr": 2.0}


def model_of(units: int) -> Any:
    """Return a language model of stock layers: embedding, two LSTMs, a softmax over words."""
    import keras

    ids = keras.Input((None,), dtype="int32")
    x = keras.layers.Embedding(VOCABULARY, units, mask_zero=True)(ids)
    for _ in range(2):
        x = keras.layers.LSTM(units, return_sequences=True)(x)
    return keras.Model(ids, x)


def sentences_of(count: int, seed: int = 0) -> np.ndarray:
    """Return ids of sentences of 5 to 30 words, padded with 0."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(5, 31, count)
    ids = rng.integers(1, VOCABULARY, (count, 30)).astype("int32")
    ids[np.arange(30) >= lengths[:, None]] = 0
    return ids


def timed(function: Any, repeats: int = 3) -> tuple[float, Any]:
    """Return the shortest time of several runs in seconds, and the last result."""
    best, result = float("inf"), None
    for _ in range(repeats):
        result = None
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def loop_over_tokens(model: Any, ids: np.ndarray) -> None:
    """Compute all gates sentence by sentence and word by word, as is often done."""
    embedding, *layers = [layer for layer in model.layers if layer.weights]
    table = np.asarray(embedding.embeddings.value)
    weights = [[np.asarray(v.value) for v in layer.cell.weights] for layer in layers]

    def sigmoid(x: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-x))

    kept = []
    for sentence in ids:
        states = [(np.zeros(len(w[1]), "float32"),) * 2 for w in weights]
        for word in sentence[sentence != 0]:
            x = table[word]
            for at, (kernel, recurrent, bias) in enumerate(weights):
                h, c = states[at]
                i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
                i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
                c = f * c + i * g
                x = h = o * np.tanh(c)
                states[at] = (h, c)
                kept.append((i, f, g, o, c, h))


def speed(count: int) -> list[tuple[str, float, str]]:
    """Measure tracing against `predict`, and the loop over tokens."""
    import textgate as tg

    model, ids = model_of(256), sentences_of(count)
    warm = ids[:512]
    model.predict(warm, batch_size=256, verbose=0)
    tg.trace(model, warm, batch_size=256, progress=False)
    predict, _ = timed(lambda: model.predict(ids, batch_size=256, verbose=0))
    numbers = count * 30 * 256 * 12
    source = np.ones(numbers, "float32")
    copy, _ = timed(source.copy)
    del source
    trace, _ = timed(lambda: tg.trace(model, ids, batch_size=256, progress=False).attrs, repeats=3)
    with tempfile.TemporaryDirectory() as folder:
        stores = iter(Path(folder) / f"{n}.zarr" for n in range(9))
        stored, _ = timed(
            lambda: tg.trace(model, ids, batch_size=256, to=next(stores), progress=False).attrs, 2
        )
        plain = sum(f.stat().st_size for f in (Path(folder) / "0.zarr").rglob("*") if f.is_file())
    part = ids[: max(1, count // 100)]
    loop, _ = timed(lambda: loop_over_tokens(model, part), 1)
    loop *= count / len(part)
    limit = predict + copy
    return [
        ("predict", predict, ""),
        ("copy", copy, f"{numbers * 4 / 1e9:.2f} GB"),
        ("trace", trace, f"{trace / limit:.2f} × (predict + copy), goal 1.3"),
        ("trace to Zarr", stored, f"{stored / trace:.2f} × trace, {stored / limit:.2f} × (predict "
         f"+ copy), goal 2 × the goal of trace; {plain / 1e9:.2f} GB on disk"),
        ("loop over tokens", loop, f"{loop / trace:.1f} × trace, goal 5"),
    ]  # fmt: skip


def memory(count: int) -> None:
    """Trace `count` sentences to disk and print the peak of resident memory beyond the start's."""
    import textgate as tg

    model, ids = model_of(64), sentences_of(count)
    with tempfile.TemporaryDirectory() as folder:
        signals = ["forget_gate", "cell_state"]
        for name, part in (("warm", ids[:1000]), ("all", ids)):
            to = Path(folder) / f"{name}.zarr"
            tg.trace(model, part, signals=signals, to=to, progress=False)
            if name == "warm":
                start = peak_memory()
    print(f"{start:.0f} {peak_memory():.0f}")


def peak_memory() -> float:
    """Return the peak of this process's resident memory in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the parent had before it started us
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; see the module's first lines."""
    parser = argparse.ArgumentParser(description="What tracing costs.")
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--skip-memory", action="store_true", help="measure time only")
    options = parser.parse_args(arguments)
    if options.memory:
        memory(options.memory)
        return
    for name, seconds, remark in speed(options.sentences):
        print(f"{name:<18}{seconds:8.2f} s   {remark}")
    if options.skip_memory:
        return
    for count in (1_000, 100_000):
        command = [sys.executable, __file__, "--memory", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        start, end = done.stdout.split()[-2:]
        print(f"{'memory':<18}{count:8d} sentences: {start} MB after 1,000, {end} MB at the peak")


if __name__ == "__main__":
    main()
