"""Whether a direction carries a feature that no small set of units does.

A feature need not lie along the units' axes. If it lies along some other direction of the state
space, every unit has a little of it, and no small set flips the answer. Then the part of the state
along that direction is exchanged instead: with Q an orthonormal basis, s becomes s + (s' − s) Q Qᵀ,
s' the value in the source.

The direction is the mean difference of base and source, one class minus the other, over the steps
from the first in which their words differ, estimated on the discovery half. If it doesn't do,
the directions in which the differences vary most are added to it, up to a few.
"""

from typing import Any

import numpy as np
import pandas as pd

from textgate.evaluation.inference import at_least
from textgate.interchange import Contrasts
from textgate.interchange.effects import INTERCHANGE, Half
from textgate.unit_search._confirmation import describe
from textgate.unit_search._selection import Goals

RANKS = (1, 2, 4)


def signal_values(lm: Any, ids: np.ndarray, layer: str, signal: str) -> np.ndarray:
    """Return a signal's values on ids, `(n, time, units)`, NaN at padding."""
    from textgate.tracing import trace

    found = trace(lm, ids, layers=[layer], signals=[signal], progress=False)
    return np.asarray(found.leaves[0].to_dataset()[signal].values, np.float64)


def differences(lm: Any, items: Contrasts, layer: str, signal: str) -> np.ndarray:
    """Return base minus source of each item, the mean over its steps, `(n, units)`.

    Steps before the first in which the two prefixes differ don't count.
    """
    assert items.source is not None
    apart = signal_values(lm, items.base, layer, signal) - signal_values(
        lm, items.source, layer, signal
    )
    since = np.maximum.accumulate(items.base != items.source, axis=1) & items.mask
    total = np.where(since[..., None], np.nan_to_num(apart), 0.0).sum(axis=1)
    return total / np.maximum(1, since.sum(axis=1))[:, None]


def bases(apart: np.ndarray, sides: np.ndarray, ranks: tuple[int, ...] = RANKS) -> list[np.ndarray]:
    """Return orthonormal bases `(units, rank)`, the first the mean difference of the classes.

    Args:
        apart: As `differences` returns it.
        sides: The class of each base, 0 or 1.
        ranks: Their ranks; those above the number of units are left out.
    """
    signed = np.where(sides[:, None] == 0, apart, -apart)
    mean = (signed[sides == 0].mean(axis=0) + signed[sides == 1].mean(axis=0)) / 2
    length = np.linalg.norm(mean)
    if length == 0:
        return []
    first = mean / length
    rest = signed - np.outer(signed @ first, first)
    _, _, rows = np.linalg.svd(rest, full_matrices=False)
    columns, _ = np.linalg.qr(np.column_stack([first, rows[: max(ranks) - 1].T]))
    return [columns[:, :rank] for rank in ranks if rank <= min(columns.shape)]


def spread(axis: np.ndarray) -> float:
    """Return over how many units a direction is spread: (Σ d²)² / Σ d⁴, from 1 to all."""
    squares = axis**2
    return float(squares.sum() ** 2 / (squares**2).sum())


def axis_test(
    lm: Any,
    discovery: Half,
    confirmation: Half,
    layer: str,
    signal: str,
    goals: Goals,
    controls: int = 100,
    seed: int = 0,
) -> tuple[pd.DataFrame, int]:
    """Exchange the part of the state along a direction, on items that it wasn't estimated on.

    Args:
        lm: The language model.
        discovery: The half that the direction comes from.
        confirmation: The half that it is tried on.
        layer: The layer.
        signal: The signal.
        goals: What is aimed at.
        controls: How many random directions to compare with.
        seed: Seed of these and of the intervals.

    Returns:
        A row for each rank and direction (of the pairs), as `confirmation.describe` has it, with
        `spread` and the `p` against random subspaces; and the smallest rank that reaches the goal
        on both halves and does more than random ones, or 0.
    """
    found = bases(differences(lm, discovery.items, layer, signal), discovery.sides)
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    reached = 0
    for basis in found:
        rank = basis.shape[1]
        readings = _exchange(confirmation, basis[None])[0]
        drawn = np.linalg.qr(random.normal(size=(controls, *basis.shape)))[0]
        others = np.nan_to_num(confirmation.flipped(_exchange(confirmation, drawn)).min(axis=1))
        value = float(np.nan_to_num(confirmation.flipped(readings).min()))
        first = float(np.nan_to_num(discovery.flipped(_exchange(discovery, basis[None])[0]).min()))
        p = at_least(others, value)
        label = {"set": "direction", "rank": rank, "spread": spread(basis[:, 0])}
        label |= {"intervention": INTERCHANGE, "discovery_flipped": first}
        for row in describe(confirmation, label, readings, seed):
            rows.append({**row, "p": p, "control_largest": float(others.max())})
        if min(value, first) >= goals.flipped and p <= 0.05:
            reached = rank
            break
    return pd.DataFrame(rows), reached


def _exchange(half: Half, stacked: np.ndarray) -> np.ndarray:
    run: Any = half.runner
    return np.asarray(run.run_subspace(stacked.astype(np.float32), INTERCHANGE), np.float64)
