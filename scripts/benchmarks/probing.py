"""What it costs to read labels of steps off a trace.

    python scripts/benchmarks/probing.py

The trace is random: 650 units at 50,000 unmasked steps, in 1,000 lines of 40 to 60 steps, padded to
60. A step has a class (three in ten, at random), a number, and one of 30 word types. Prints one row
a measurement, the shortest of three runs:

- `unit_scores`: of the class, effect sizes with intervals, AUC and 5,000 permutations by line
  (goal: at most 5 s on 2 cores);
- `unit_scores, numbers`: correlations, as much;
- `probe`: of the class at 5,000 steps (a tenth of the lines), five folds and three control tasks;
- `probe, numbers`: ridge regression there;
- `sparse_probe`: 1, 4, 16 and all units there;
- `leace`: the eraser of the class from all steps.

Beside the seconds stands the processor's time: the seconds are longer where other processes run.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import textgate as tg

LINES, LENGTH, UNITS, STEPS = 1000, 60, 650, 50_000
SIGNAL = "cell_state"


def random_trace(seed: int = 0) -> xr.DataArray:
    """Return a signal with mask, tokens and labels of steps."""
    random = np.random.default_rng(seed)
    lengths = random.integers(40, 61, LINES)
    while lengths.sum() != STEPS:  # one line after the other, a step more or less
        line = random.integers(LINES)
        lengths[line] = np.clip(lengths[line] + np.sign(STEPS - lengths.sum()), 40, 60)
    mask = np.arange(LENGTH) < lengths[:, None]
    values = random.normal(size=(LINES, LENGTH, UNITS)).astype("float32")
    values[~mask] = np.nan
    coords = {
        "mask": mask,
        "token": random.integers(0, 30, mask.shape).astype(str),
        "in_quotes": random.random(mask.shape) < 0.3,
        "column": random.normal(size=mask.shape),
    }
    dims = ("example", "time", "unit")
    named = {name: (dims[:2], array) for name, array in coords.items()}
    return xr.DataArray(values, named, dims, SIGNAL)


def timed(function: Callable[[], Any], repeats: int = 3) -> dict[str, float]:
    """Return the shortest time of several runs, and the least time of the processor, in seconds."""
    seconds, processor = [], []
    for _ in range(repeats):
        began, used = time.perf_counter(), time.process_time()
        function()
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    return {"seconds": min(seconds), "processor": min(processor)}


def main() -> None:
    """Print the table."""
    whole = random_trace()
    part = whole.isel(example=slice(0, LINES // 10))
    probing, sizes = tg.probing, [1, 4, 16]
    measured = {
        "unit_scores": lambda: probing.unit_scores(whole, "in_quotes", None, None),
        "unit_scores, numbers": lambda: probing.unit_scores(whole, "column", None, None),
        "probe": lambda: probing.probe(part, "in_quotes", None, None),
        "probe, numbers": lambda: probing.probe(part, "column", None, None),
        "sparse_probe": lambda: probing.sparse_probe(part, "in_quotes", None, None, sizes=sizes),
        "leace": lambda: probing.leace(whole, "in_quotes"),
    }
    rows = {name: timed(function) for name, function in measured.items()}
    print(pd.DataFrame(rows).T.round(2).to_string())


if __name__ == "__main__":
    main()
