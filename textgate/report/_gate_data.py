"""Traces as packed numbers for the gate view, small enough to be mailed within a page.

Gates lie between 0 and 1 and take a byte each, which is right to ±0.002. States and candidates take
two bytes if there is room, else one, with a factor a layer. A row is a word, of one sentence after
the other, each followed by its twin; numbers are little-endian and written in base64.
"""

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from textgate.recurrence import cell_of
from textgate.report._findings import ModelFindings
from textgate.report._words import is_number

BUDGET = 4_500_000  # bytes before base64; with Plotly's library the page stays under 12 MB
_FACTS = ("group", "note", "p_good", "p_twin", "p_exchanged", "distance", "attractors", "unknown")


def gate_data(models: Sequence[ModelFindings], budget: int = BUDGET) -> dict[str, Any] | None:
    """Return what the gate view shows, as JSON can hold it.

    Args:
        models: Those without traces are left out.
        budget: The most bytes of packed numbers.

    Returns:
        `models` (each with its `sentences`), `layers` (each with its `signals`), `left_out` (how
        many sentences there was no room for), and `bytes`; `None` if no model has traces.
    """
    traced = [
        model
        for model in models
        if model.traces is not None and model.sentences is not None and len(model.sentences)
    ]
    if not traced:
        return None
    for wide in (2, 1):
        if sum(_size(model, wide) for model in traced) <= budget:
            return _packed(traced, wide, None)
    share = budget / sum(_size(model, 1) for model in traced)
    return _packed(traced, 1, share)


def _leaves(model: ModelFindings) -> list[xr.DataTree]:
    assert model.traces is not None
    return [leaf for leaf in model.traces.leaves if leaf.has_data]


def _size(model: ModelFindings, wide: int) -> int:
    total = 0
    for leaf in _leaves(model):
        cell = cell_of(leaf.attrs["cell"])
        steps = int(np.asarray(leaf["mask"]).sum())
        bytes_a_unit = sum(1 if s in cell.gates else wide for s in _signals(leaf))
        total += steps * leaf.sizes["unit"] * bytes_a_unit
    return total


def _signals(leaf: xr.DataTree) -> list[str]:
    """Return the signals as they are offered: a memory that isn't the output as well first."""
    cell = cell_of(leaf.attrs["cell"])
    first = [cell.memory] if cell.memory != "hidden_state" else []
    return [name for name in dict.fromkeys([*first, *cell.in_plots]) if name in leaf.data_vars]


def _packed(models: Sequence[ModelFindings], wide: int, share: float | None) -> dict[str, Any]:
    data: dict[str, Any] = {"models": [], "layers": [], "left_out": 0, "bytes": 0}
    for number, model in enumerate(models):
        assert model.sentences is not None
        count = len(model.sentences)
        rows = np.arange(count)
        if share is not None:  # evenly, so that every group is there
            rows = np.unique(np.linspace(0, count - 1, max(1, int(count * share))).astype(int))
            data["left_out"] = max(data["left_out"], count - len(rows))
        leaves = _leaves(model)
        examples = [int(at) for row in rows for at in (row, row + count)]
        data["models"].append(
            {
                "name": model.title,
                "sentences": _sentences(model.sentences.iloc[rows], leaves[0], rows, count),
            }
        )
        for leaf in leaves:
            layer = _layer(model, leaf, examples, wide, several=len(leaves) > 1)
            data["bytes"] += layer.pop("bytes")
            data["layers"].append({"model": number, **layer})
    return data


def _sentences(
    table: pd.DataFrame, leaf: xr.DataTree, rows: np.ndarray, count: int
) -> list[dict[str, Any]]:
    tokens, mask = np.asarray(leaf["token"]), np.asarray(leaf["mask"], bool)
    sentences = []
    for at, row in zip(rows, table.to_dict("records"), strict=True):
        entry: dict[str, Any] = {
            "text": str(row["text"]),
            "twin": str(row["twin"]),
            "words": [str(word) for word in tokens[at][mask[at]]],
            "twinWords": [str(word) for word in tokens[at + count][mask[at + count]]],
            "target": int(row["target"]),
            "good": str(row["good"]),
            "bad": str(row["bad"]),
        }
        for name in _FACTS:
            value: Any = row.get(name)
            if is_number(value):
                entry[name] = round(float(value), 5)
            elif isinstance(value, str) and value:
                entry[name] = value
        sentences.append(entry)
    return sentences


def _layer(
    model: ModelFindings, leaf: xr.DataTree, examples: Sequence[int], wide: int, several: bool
) -> dict[str, Any]:
    cell = cell_of(leaf.attrs["cell"])
    mask = np.asarray(leaf["mask"], bool)
    name = str(leaf.attrs.get("layer", leaf.name))
    signals = []
    size = 0
    for signal in _signals(leaf):
        variable = leaf[signal]
        values = np.asarray(variable.transpose("example", "time", "unit").values)
        rows = np.concatenate([values[at][mask[at]] for at in examples])
        packed, entry = _numbers(np.nan_to_num(rows), signal in cell.gates, wide)
        size += len(packed)
        symbol = str(variable.attrs.get("symbol", ""))
        signals.append(
            {
                "name": signal,
                "label": f"{signal.replace('_', ' ')} {symbol}".strip(),
                "role": cell.meanings[signal],
                **entry,
                "data": base64.b64encode(packed).decode("ascii"),
            }
        )
    finding = model.finding or {}
    here = name == finding.get("layer") or name.endswith(f"/{finding.get('layer')}")
    marked: dict[str, str] = {}
    if here:
        for kind in ("necessary", "sufficient"):  # a unit of both counts as sufficient
            marked |= {str(unit): kind for unit in finding.get(kind, ())}
    return {
        "name": f"{model.title}, {name}" if several else model.title,
        "units": int(leaf.sizes["unit"]),
        "numbers": [int(unit) for unit in np.asarray(leaf["unit"])],
        "memory": cell.memory,
        "marked": marked,
        "signals": signals,
        "bytes": size,
    }


def _numbers(values: np.ndarray, is_gate: bool, wide: int) -> tuple[bytes, dict[str, Any]]:
    """Return numbers as bytes, and how to read them."""
    if is_gate:
        integers = np.rint(np.clip(values, 0, 1) * 255).astype("<u1")
        return integers.tobytes(), {"type": "u1", "factor": 1 / 255, "kind": "gate"}
    largest = float(np.abs(values).max()) if values.size else 0.0
    most = {2: 32767, 1: 127}[wide]
    factor = (largest or 1.0) / most
    integers = np.rint(values / factor).astype("<i2" if wide == 2 else "<i1")
    reading = {"type": f"i{wide}", "factor": factor, "kind": "signed"}
    # Among many values, the few largest would wash out the others.
    shown = float(np.percentile(np.abs(values), 99.5)) if values.size else 1.0
    return integers.tobytes(), {**reading, "limit": round(shown or 1.0, 4)}
