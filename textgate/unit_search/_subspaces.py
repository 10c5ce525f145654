"""Whether a direction of the state space carries a feature that no small set of units does.

A feature need not lie along the units' axes. If it lies along some other direction of the state
space, every unit has a little of it, and no small set flips the answer. Then the part of the state
along that direction is exchanged instead: with Q an orthonormal basis, s becomes s + (s' − s) Q Qᵀ,
s' the value in the source.

The direction is the mean difference of base and source, one class minus the other, over the steps
from the first in which their words differ, estimated on the discovery half. If it doesn't do,
the directions in which the differences vary most are added to it, up to a few.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from textgate.evaluation.inference import at_least
from textgate.interchange import Runner
from textgate.interchange.effects import INTERCHANGE, Sample
from textgate.unit_search._confirmation import effect_rows
from textgate.unit_search._goals import Goals

_RANKS = (1, 2, 4)


class SubspaceExchange(NamedTuple):
    """What exchanging the part of the state along a direction comes to.

    Attributes:
        table: A row for each rank and direction (of the pairs), as `effect_rows` has it, with
            `spread` and the `p` against random subspaces.
        rank: The smallest rank that reaches the goal on both halves and does more than random
            subspaces, or 0.
        spread: Over how many units the first direction is spread; NaN if there is none.
    """

    table: pd.DataFrame
    rank: int
    spread: float


def exchange_subspaces(
    discovery: Sample, confirmation: Sample, goals: Goals, controls: int = 100, seed: int = 0
) -> SubspaceExchange:
    """Exchange the part of the state along a direction, on items that it wasn't estimated on.

    Args:
        discovery: The half that the direction comes from.
        confirmation: The half that it is tried on.
        goals: What is aimed at.
        controls: How many random directions to compare with.
        seed: Seed of these and of the intervals.
    """
    bases: list[np.ndarray] = []
    if discovery.runner.one_layer:
        bases = _bases(_differences(discovery.runner), discovery.sides)
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    reached = 0
    for basis in bases:
        rank = basis.shape[1]
        decisions = _exchanged(confirmation, basis[None])
        random_bases = np.linalg.qr(random.normal(size=(controls, *basis.shape)))[0]
        others = _smaller_flips(confirmation, _exchanged(confirmation, random_bases))
        flips = float(_smaller_flips(confirmation, decisions)[0])
        at_discovery = float(_smaller_flips(discovery, _exchanged(discovery, basis[None]))[0])
        p = at_least(others, flips)
        label = {
            "set": "direction",
            "rank": rank,
            "spread": _spread(basis[:, 0]),
            "intervention": INTERCHANGE,
            "discovery_flipped": at_discovery,
        }
        for row in effect_rows(confirmation, label, decisions[0], seed):
            rows.append({**row, "p": p, "control_largest": float(others.max())})
        if min(flips, at_discovery) >= goals.flipped and p <= 0.05:
            reached = rank
            break
    return SubspaceExchange(
        pd.DataFrame(rows), reached, _spread(bases[0][:, 0]) if bases else float("nan")
    )


def _differences(runner: Runner) -> np.ndarray:
    """Return base minus source of each item, the mean over its steps, `(n, units)`.

    Steps before the first in which the two prefixes differ don't count.
    """
    items = runner.items
    assert items.source is not None
    apart = runner.base_values() - runner.source_values()
    if items.prefixes:
        since = np.maximum.accumulate(items.base != items.source, axis=1) & items.mask
    else:  # the inputs may be anything; the signal differs from the same step on
        since = np.maximum.accumulate(np.any(np.nan_to_num(apart) != 0, axis=2), axis=1)
        since = since & ~np.isnan(apart).all(axis=2)
    total = np.where(since[..., None], np.nan_to_num(apart), 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(1, since.sum(axis=1))[:, None])


def _bases(apart: np.ndarray, sides: np.ndarray, ranks: Sequence[int] = _RANKS) -> list[np.ndarray]:
    """Return orthonormal bases `(units, rank)`, the first the mean difference of the classes.

    Args:
        apart: As `_differences` returns it.
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


def _spread(direction: np.ndarray) -> float:
    """Return over how many units a direction is spread: (Σ d²)² / Σ d⁴, from 1 to all."""
    squares = direction**2
    return float(squares.sum() ** 2 / (squares**2).sum())


def _exchanged(sample: Sample, bases: np.ndarray) -> np.ndarray:
    """Return the decisions `(m, n)` with the part in each subspace `(m, units, rank)` exchanged."""
    decisions = sample.runner.run_subspace(bases.astype(np.float32), INTERCHANGE)
    return np.asarray(decisions, np.float64)


def _smaller_flips(sample: Sample, decisions: np.ndarray) -> np.ndarray:
    """Return the share of flipped items in the direction with fewer, `(m,)`."""
    return np.asarray(np.nan_to_num(sample.flipped(decisions).min(axis=-1)))
