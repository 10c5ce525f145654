"""The memory ledger: which word put how much into a unit's memory, and how much of it is left.

Given its gates, a gated cell's state is an exact sum over the words read so far. Unrolling
c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t gives

    c_t  =  Σ_{s≤t} (Π_{s<r≤t} f_r) ⊙ (i_s ⊙ g_s)  +  (Π_{r≤t} f_r) ⊙ c_0
                    kept since s        written at s          initial state's share

and for a GRU's hidden state likewise with z and (1 − z) ⊙ ĥ. An *entry* is one summand: what word
s wrote, times the share of it that all forget gates since have left. The entries and the initial
state's share sum to the state, to rounding. Nothing is estimated here.

What the ledger does not say: why the word wrote that. The gates and the candidate at s depend, by
h_{s-1}, on the words before s. "0.93 from *she*" says when the amount entered the unit, not that
*she* alone decided it; for that, intervene on the text or on the unit.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from textgate.mechanics._nodes import Node, attributes_of, choose, flow_of, node_of, words_of

INITIAL = "(initial state)"


def ledger(
    node: Node,
    step: int | Sequence[int] | None = None,
    *,
    word: str | None = None,
    units: int | Sequence[int] | None = None,
) -> xr.Dataset:
    """Say for one step which words its memory came from.

    Args:
        node: One layer of a trace; choose examples with `node.isel(example=[…])`.
        step: The step, by its number in the text; one for each example, if they differ. By
            default the last that the layer reads (for one that goes backwards, the text's first).
        word: Instead of `step`: the word at it, in upper or lower case; the last such word that
            the layer reads in each example.
        units: The units; all by default.

    Returns:
        With the dims `(example, source, unit)`, where `source` is the number of a step:

        - `written`: what was written there;
        - `kept`: the share of it that is left at `step`;
        - `entry`: their product, the part of the state that comes from there;

        with the dims `(example, unit)`: `initial`, the initial state's share, and `state`, the
        state at the step (where that is masked, the state that is carried over it);
        `entry.sum("source") + initial` is `state`, to rounding. The coordinate `mask
        (example, source)` says which steps are read up to the step, `token (example, source)`
        which words stand there; `step` and `word` `(example)` say what the ledger is of. What
        isn't read has the entry 0.

    Raises:
        TypeError: If `node` is not a trace's node, or `step` no whole number.
        ValueError: If a step, word or unit is unknown, or the node isn't fit (see
            `retained_and_written`).

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> trace = tg.trace(model, np.ones((1, 5, 3)), tokens=[["she", "ran", "with", "her", "dog"]])
    >>> entries = ledger(trace["gru"].to_dataset(), word="her", units=[2])
    >>> off = entries.entry.sum("source") + entries.initial - entries.state
    >>> bool(abs(off).max() < 1e-5)
    True
    """
    node = choose(node_of(node), units)
    flow = flow_of(node)
    examples, length = flow.mask.shape
    steps = _steps(node, flow.mask, flow.backwards, step, word)
    at = length - 1 - steps if flow.backwards else steps  # in the order of reading
    places = np.arange(length)
    up_to = places <= at[:, None]
    left = _left(np.where((up_to & flow.mask)[..., None], flow.keep, 1.0))
    written = np.where(up_to[..., None], flow.write, 0.0)
    initial = left[:, 0] * flow.before
    since = np.where(up_to[..., None], left[:, 1:], 0.0)
    rows = np.arange(examples)
    words = words_of(node)
    dims = ("example", "source", "unit")
    data = {
        "written": (dims, flow.in_time(written)),
        "kept": (dims, flow.in_time(since)),
        "entry": (dims, flow.in_time(written * since)),
        "initial": (("example", "unit"), initial),
        "state": (("example", "unit"), flow.state[rows, at]),
    }
    coords = {
        "source": node["time"].values,
        "unit": node["unit"].values,
        "mask": (("example", "source"), flow.in_time(up_to & flow.mask)),
        "token": (("example", "source"), words),
        "step": ("example", steps),
        "word": ("example", words[rows, steps]),
    }
    return xr.Dataset(data, coords, attributes_of(node))


def _left(keep: np.ndarray) -> np.ndarray:
    """Return, for the beginning and each step, the product of all that was kept after it.

    Args:
        keep: Of shape `(example, time, unit)`.

    Returns:
        Of shape `(example, time + 1, unit)`; the last is 1.
    """
    ones = np.ones_like(keep[:, :1])
    return np.concatenate([np.cumprod(keep[:, ::-1], axis=1)[:, ::-1], ones], axis=1)


def _steps(
    node: xr.Dataset, mask: np.ndarray, backwards: bool, step: Any, word: str | None
) -> np.ndarray:
    """Return the step that the ledger is of, for each example."""
    examples, length = mask.shape
    if not length:
        raise ValueError("The trace has no steps. Received: a node of length 0")
    if step is not None and word is not None:
        raise ValueError(f"Give `step` or `word`, not both. Received: {step!r} and {word!r}")
    if word is not None:
        return _of_word(node, mask[:, ::-1] if backwards else mask, backwards, word)
    if step is None:
        last = np.where(mask.any(axis=1), length - 1 - np.argmax(mask[:, ::-1], axis=1), length - 1)
        return np.asarray(length - 1 - last if backwards else last)
    steps = np.asarray(step)
    if steps.dtype.kind not in "iu":
        raise TypeError(f"`step` must be a whole number, or one each. Received: step={step!r}")
    if steps.shape not in ((), (examples,)) or steps.min() < 0 or steps.max() >= length:
        raise ValueError(
            f"`step` must be a number from 0 to {length - 1}, or one for each of the {examples} "
            f"examples. Received: step={step!r}"
        )
    return np.broadcast_to(steps, (examples,)).astype(int)


def _of_word(node: xr.Dataset, mask: np.ndarray, backwards: bool, word: str) -> np.ndarray:
    if "token" not in node.coords:
        raise ValueError(
            "The trace doesn't know its words; give `step`, or trace with tokens=…. "
            f"Received: word={word!r}"
        )
    words = np.char.lower(words_of(node))
    occurrences = (words == word.lower()) & mask
    lacking = np.flatnonzero(~occurrences.any(axis=1))
    if lacking.size:
        text = " ".join(words[lacking[0]][mask[lacking[0]]])
        raise ValueError(
            f"The word doesn't stand in example {lacking[0]}, {text!r}; choose the examples that "
            f"have it by node.isel(example=[…]). Received: word={word!r}"
        )
    if backwards:
        return np.asarray(np.argmax(occurrences, axis=1))
    return np.asarray(words.shape[1] - 1 - np.argmax(occurrences[:, ::-1], axis=1))


def ledger_table(entries: xr.Dataset) -> pd.DataFrame:
    """Return a ledger as a table, a row for each entry.

    Args:
        entries: What `ledger` returns.

    Returns:
        For each example and unit a row for each word that was read and one for the initial state
        (source −1), the largest entries first: `example`, `unit`, `step` and `word` (what the
        ledger is of), `source` and `source_word` (where the amount comes from), `written`,
        `kept`, `entry`, and `state`, which the entries sum to.
    """
    parts = []
    for example in range(entries.sizes["example"]):
        one = entries.isel(example=example)
        read = np.flatnonzero(one["mask"].values)
        words = [*one["token"].values[read].tolist(), INITIAL]
        for at, unit in enumerate(one["unit"].values):
            entry = [*one["entry"].values[read, at], one["initial"].values[at]]
            table = pd.DataFrame(
                {
                    "example": example,
                    "unit": int(unit),
                    "step": int(one["step"]),
                    "word": str(one["word"].values),
                    "source": [*one["source"].values[read].tolist(), -1],
                    "source_word": words,
                    "written": [*one["written"].values[read, at], np.nan],
                    "kept": [*one["kept"].values[read, at], np.nan],
                    "entry": entry,
                    "state": float(one["state"].values[at]),
                }
            )
            parts.append(table.iloc[np.argsort(-np.abs(entry), kind="stable")])
    return pd.concat(parts, ignore_index=True)


def ledger_sentences(entries: xr.Dataset, top: int = 3) -> pd.DataFrame:
    """Return a ledger in words, a sentence for each example and unit.

    Args:
        entries: What `ledger` returns.
        top: How many entries to name; the rest is summed.

    Returns:
        `example`, `unit`, `state` and `sentence`, such as "unit 17 at *her*: 0.93 from *she*,
        −0.04 from *came*, 0.01 from the rest; in all 0.90".

    Raises:
        ValueError: If `top` is less than 1.
    """
    if top < 1:
        raise ValueError(f"`top` must be at least 1. Received: top={top!r}")
    rows: list[dict[str, Any]] = []
    for (example, unit), part in ledger_table(entries).groupby(["example", "unit"], sort=False):
        amounts = part["entry"].to_numpy(float)
        words = [w if w == INITIAL else f"*{w}*" for w in part["source_word"].astype(str)]
        phrases = [f"{_number(a)} from {w}" for a, w in zip(amounts[:top], words, strict=False)]
        if len(amounts) > top:
            phrases.append(f"{_number(amounts[top:].sum())} from the rest")
        state = float(part["state"].iloc[0])
        head = f"unit {unit} at *{part['word'].iloc[0]}*"
        sentence = f"{head}: {', '.join(phrases)}; in all {_number(state)}"
        rows.append({"example": example, "unit": unit, "state": state, "sentence": sentence})
    return pd.DataFrame(rows)


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: no minus before a zero


def running_ledger(node: Node, unit: int, example: int = 0) -> xr.Dataset:
    """Return the ledger of one unit at every step of one example.

    Args:
        node: One layer of a trace.
        unit: The unit.
        example: The example.

    Returns:
        `entry` with the dims `(step, source)`, `initial` and `state` with `(step)`, over the steps
        that are read, in the time order of the text; and the words as coordinates `word (step)`
        and `token (source)`. Row by row, entries and initial share sum to the state.

    Raises:
        ValueError: If the unit or example is unknown, or nothing of the example is unmasked.
    """
    node = node_of(node)
    if not 0 <= example < node.sizes["example"]:
        raise ValueError(
            f"`example` must be a number from 0 to {node.sizes['example'] - 1}. "
            f"Received: example={example!r}"
        )
    one = choose(node.isel(example=[example]), [unit])
    read = np.flatnonzero(one["mask"].values[0])
    if not read.size:
        raise ValueError(f"Every step of this example is masked. Received: example={example}")
    flow = flow_of(one)
    keep, write = (flow.in_time(x)[0, read, 0] for x in (flow.keep, flow.write))
    order = np.arange(len(read))[:: -1 if flow.backwards else 1]
    entry = np.zeros((len(read), len(read)))
    initial = np.zeros(len(read))
    row, share = np.zeros(len(read)), flow.before[0, 0]
    for at in order:  # each step keeps a share of all entries and adds its own
        row, share = row * keep[at], share * keep[at]
        row[at] = write[at]
        entry[at], initial[at] = row, share
    words = words_of(one)[0, read]
    return xr.Dataset(
        {
            "entry": (("step", "source"), entry),
            "initial": ("step", initial),
            "state": ("step", flow.in_time(flow.state)[0, read, 0]),
        },
        {
            "step": read,
            "source": read,
            "word": ("step", words),
            "token": ("source", words),
            "unit": int(unit),
        },
        attributes_of(one),
    )
