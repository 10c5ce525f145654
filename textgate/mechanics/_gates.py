"""What gates do on the average: saturation, binariness, half-lives.

*Saturation* (Karpathy, Johnson & Fei-Fei 2015): a gate is called left-saturated where it is below
0.1 and right-saturated where it is above 0.9. A unit whose forget gate is nearly always
right-saturated is an integrator: it remembers. One that is nearly always left-saturated doesn't use
its past at all.

*Half-life.* If a unit kept the share f of its state at every word, half of an entry would be left
after n words with fⁿ = ½. Real gates vary; what is left after n words is the product of n shares,
and so its logarithm is a sum of n logarithms. Over a long text this sum is n times the *mean log
retention*, whatever the order, so that

    half-life = ln 2 / (− mean of ln f)      in words.

The mean of f itself would flatter the unit: one that keeps everything at nine words and a
hundredth at the tenth has a mean of 0.9 and would seem to live for 6.6 words, but ten words leave a
hundredth, and the half-life is 1.5.

A unit that holds on to one thing until a new subject comes, and then drops it at once, has a short
half-life for all that: a few resets weigh more in the mean logarithm than many words of keeping.
*Median life* tells such units from leaky ones. Each word's entry is followed until at most half of
it is left; the median over entries is the number of words after which half of them have come to
that. Entries that still stand when their text ends are not lost but censored (Kaplan & Meier 1958).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from textgate.mechanics._nodes import Node, gates_of, node_of, signal
from textgate.recurrence import cell_of

_RESOLUTION = 2.0**-24  # of a float32 sigmoid near 0
_NUMBERS = 2**24  # of a gate, looked at together: 128 MB


def _blocks(node: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield the node, as many units at a time as memory holds easily."""
    steps = node.sizes["example"] * node.sizes["time"]
    width = max(1, _NUMBERS // max(1, steps))
    for start in range(0, node.sizes["unit"], width):
        yield node.isel(unit=slice(start, start + width))


def _values(node: xr.Dataset, gate: str) -> tuple[np.ndarray, np.ndarray]:
    """Return a gate in float64, `(example, time, unit)`, and which steps count."""
    mask = np.asarray(node["mask"].transpose("example", "time").values, bool)
    return signal(node, gate).astype(np.float64), mask


def saturation(
    node: Node,
    gates: str | Sequence[str] | None = None,
    *,
    low: float = 0.1,
    high: float = 0.9,
) -> pd.DataFrame:
    """Return how often each unit's gates are nearly closed or nearly open.

    Args:
        node: One layer of a trace.
        gates: Names of gates, `retention` and `writing` among them; by default all of the cell.
        low: Below it a gate counts as left-saturated (closed).
        high: Above it, as right-saturated (open).

    Returns:
        A row for each gate and unit: `gate`, `unit`, `left` and `right` (shares of the steps in
        [0, 1]), `middle`, `mean`, and `steps` (their number; masked ones don't count). Without
        any step the shares are NaN.

    Raises:
        TypeError: If `node` is not a trace's node.
        ValueError: If a gate is unknown or the thresholds aren't 0 ≤ low ≤ high ≤ 1.

    References:
        Karpathy, Johnson & Fei-Fei 2015, Visualizing and understanding recurrent networks.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> table = saturation(tg.trace(model, np.ones((2, 5, 3)))["gru"].to_dataset())
    >>> table.shape, int(table.steps.iloc[0])
    ((8, 7), 10)
    """
    if not 0 <= low <= high <= 1:
        raise ValueError(
            f"The thresholds must be 0 ≤ low ≤ high ≤ 1. Received: low={low}, high={high}"
        )

    def measures(values: np.ndarray) -> dict[str, Any]:
        left, right = _share(values < low), _share(values > high)
        return {
            "left": left,
            "right": right,
            "middle": 1 - left - right,
            "mean": _share(values),
            "steps": len(values),
        }

    return _by_gate(node, gates, measures)


def binariness(node: Node, gates: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Return how binary each unit's gates are, and how much they switch.

    Args:
        node: One layer of a trace.
        gates: Names of gates; by default all of the cell.

    Returns:
        A row for each gate and unit: `gate`, `unit`, and

        - `binariness`, 1 − 4 · mean of g(1 − g): 1 for a gate that is only ever at 0 or 1, 0 for
          one that is always at ½;
        - `switching`, variance / (mean · (1 − mean)): the share of the variance that a switch
          between 0 and 1 with the same mean would have. A gate that stands always open is binary
          without switching: 1 and 0. NaN where the mean itself is 0 or 1.

    Raises:
        TypeError: If `node` is not a trace's node.
        ValueError: If a gate is unknown.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> table = binariness(tg.trace(model, np.ones((2, 5, 3)))["gru"].to_dataset(), "reset_gate")
    >>> list(table.columns)
    ['gate', 'unit', 'binariness', 'switching']
    """

    def measures(values: np.ndarray) -> dict[str, Any]:
        mean = _share(values)
        spread = mean * (1 - mean)
        variance = _share((values - mean) ** 2)
        switching = np.full_like(mean, np.nan)
        np.divide(variance, spread, out=switching, where=spread > 0)
        return {"binariness": 1 - 4 * _share(values * (1 - values)), "switching": switching}

    return _by_gate(node, gates, measures)


def _by_gate(
    node: Node,
    gates: str | Sequence[str] | None,
    measures: Callable[[np.ndarray], dict[str, Any]],
) -> pd.DataFrame:
    """Return a row for each gate and unit, with what is measured of its values `(step, unit)`."""
    node = node_of(node)
    parts = []
    for gate in gates_of(node, gates):
        for block in _blocks(node):
            values, mask = _values(block, gate)
            columns = measures(values[mask])
            parts.append(pd.DataFrame({"gate": gate, "unit": block["unit"].values, **columns}))
    return pd.concat(parts, ignore_index=True)


def _share(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan)


def half_life(node: Node) -> pd.DataFrame:
    """Return how many words it takes each unit to lose half of what it holds.

    The first word of each example doesn't count where the memory before it is zero: there was
    nothing yet to keep, and nothing depends on that gate. A retention below 2⁻²⁴, where float32
    gates become 0, counts as 2⁻²⁴, unless the unit never keeps anything.

    Args:
        node: One layer of a trace, of an LSTM or a GRU.

    Returns:
        A row for each unit: `unit`, `half_life` and `median_life` in words (see the module's
        docstring; infinite for a unit that loses nothing, and `median_life` also where most
        entries outlive their texts), `mean_log_retention`, `mean_retention`, and `steps`. NaN
        where no step counts.

    Raises:
        TypeError: If `node` is not a trace's node.
        ValueError: If the cell has no gates, or the trace lacks what the retention is made of.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> layer = tg.layers.LSTM(1, fixed_gates={"forget_gate": 0.5}, name="lstm")
    >>> trace = tg.trace(keras.Sequential([keras.Input((None, 3)), layer]), np.ones((1, 5, 3)))
    >>> float(half_life(trace["lstm"].to_dataset()).half_life.iloc[0])
    1.0
    """
    node = node_of(node)
    cell = cell_of(node.attrs["cell"])
    if not cell.gates:
        raise ValueError(
            "Only a cell with gates keeps a share of its state; a simple RNN computes it anew. "
            f"Received: a node of cell {cell.kind!r}"
        )
    mask = np.asarray(node["mask"].transpose("example", "time").values, bool)
    counted = mask & ~_first_of_nothing(node, mask)
    parts = [_half_life(block, counted) for block in _blocks(node)]
    return pd.concat(parts, ignore_index=True)


def _half_life(node: xr.Dataset, counted: np.ndarray) -> pd.DataFrame:
    """Return `half_life` of some units; `counted` says which steps its mean is over."""
    values, mask = _values(node, "retention")
    seen = values[counted]
    logs = np.log(np.clip(seen, _RESOLUTION, 1.0))
    mean_log = _share(np.where((seen > 0).any(axis=0), logs, -np.inf))
    with np.errstate(divide="ignore"):
        lives = np.log(2) / -mean_log
    backwards = slice(None, None, -1 if node.attrs.get("go_backwards", 0) else 1)
    median = _median_lives(values[:, backwards], mask[:, backwards])
    return pd.DataFrame(
        {
            "unit": node["unit"].values,
            "half_life": np.where(mean_log == 0, np.inf, lives),
            "median_life": median if len(seen) else np.nan,
            "mean_log_retention": mean_log,
            "mean_retention": _share(seen),
            "steps": len(seen),
        }
    )


def _median_lives(keep: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return after how many words half of the entries have lost half, by Kaplan and Meier.

    Args:
        keep: The retention, `(example, time, unit)`, in the order of reading.
        mask: The steps read, `(example, time)`.
    """
    # Words count, not steps: close the gaps that masked steps leave.
    order = np.argsort(~mask, axis=1, kind="stable")
    keep = np.take_along_axis(np.where(mask[..., None], keep, 1.0), order[..., None], axis=1)
    lengths = mask.sum(axis=1)
    total = np.cumsum(np.log(np.clip(keep, _RESOLUTION, 1.0)), axis=1)
    steps = keep.shape[1]
    intact = np.ones(keep.shape, bool)  # entries of which more than half was left so far
    surviving = np.ones(keep.shape[2])
    median = np.full(keep.shape[2], np.inf)
    for words in range(1, steps):
        read = np.arange(words, steps) < lengths[:, None]
        at_risk = intact[:, : steps - words] & read[..., None]
        lost = at_risk & (total[:, words:] - total[:, : steps - words] <= np.log(0.5) + 1e-6)
        count = at_risk.sum(axis=(0, 1))
        surviving *= 1 - lost.sum(axis=(0, 1)) / np.maximum(count, 1)
        intact[:, : steps - words] &= ~lost
        median[(surviving <= 0.5) & np.isinf(median)] = words
    return median


def _first_of_nothing(node: xr.Dataset, mask: np.ndarray) -> np.ndarray:
    """Return where the first step read of an example is, if the memory before it is zero."""
    first = np.zeros_like(mask)
    backwards = bool(node.attrs.get("go_backwards", 0))
    if not mask.shape[1] or (not backwards and node["time"].values[0] != 0):
        return first
    turned = mask[:, ::-1] if backwards else mask
    at = np.argmax(turned, axis=1)
    if backwards:
        at = mask.shape[1] - 1 - at
    initial = f"initial_{cell_of(node.attrs['cell']).memory}"
    before = np.asarray(node[initial].transpose("example", "unit").values)
    first[np.arange(len(mask)), at] = ~before.any(axis=1)
    return first
