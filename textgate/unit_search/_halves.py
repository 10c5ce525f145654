"""The two halves with their runners: items chosen, reference values, activation norms."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange import Contrasts, runner_for
from textgate.interchange.effects import Half
from textgate.unit_search._splits import split

LEAST = 20  # items of each class that a half needs


@dataclass(frozen=True)
class Halves:
    """Items for discovery and confirmation.

    Attributes:
        items: All contrasts.
        discovery: Those for discovery.
        confirmation: Those for confirmation.
        reference: Items of the discovery half, as many of each class, that ablations take their
            values from: a mean over more of one class would lean towards it.
        labels: For each half the templates and lexemes of its items.
        classes: The two classes.
        counts: What the halves have, and what was left out.
        seed: Seed of resampling.
    """

    items: Contrasts
    discovery: Contrasts
    confirmation: Contrasts
    reference: Contrasts
    labels: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    classes: tuple[str, str]
    counts: pd.DataFrame
    seed: int

    def runners(self, lm: Any, layer: str, signal: str) -> tuple[Half, Half]:
        """Return both halves, ready for interventions on a layer's signal.

        Raises:
            ValueError: If the model has no such layer, or the layer no such signal.
        """
        made = []
        for items, labels in zip((self.discovery, self.confirmation), self.labels, strict=True):
            runner = runner_for(lm, items, layer, signal)
            made.append(Half(items, runner, *labels, self.classes, self.reference, self.seed))
        return made[0], made[1]


def halves(items: Contrasts, most: int, seed: int, least: int = LEAST) -> Halves:
    """Divide contrasts, and keep as many items of each class in each half, at most `most` in all.

    Args:
        items: The contrasts; their table has the column `good_class`.
        most: The most items that a half keeps.
        seed: Seed.
        least: How many items each class needs in each half.

    Raises:
        ValueError: If there are not two classes, or a half has too few items of one.
    """
    if "good_class" not in items.table:
        raise ValueError(
            "pairs need the column 'good_class', which tells the directions apart. "
            f"Received: columns {list(items.table.columns)}"
        )
    names = items.table["good_class"].astype(str)
    classes = sorted(set(names))
    if len(classes) != 2:
        raise ValueError(
            "the protocol sets two classes against each other; give pairs of two. "
            f"Received: {classes}"
        )
    parts = split(items, seed, least)
    random = np.random.default_rng(seed)
    chosen = [
        _balanced(names.to_numpy(), rows, most, random)
        for rows in (parts.discovery, parts.confirmation)
    ]
    templates = (
        items.table["template"].astype(str).to_numpy()
        if "template" in items.table
        else parts.lexemes
    )
    counts = parts.counts.copy()
    counts["used"] = [len(chosen[0]), len(chosen[1]), 0]
    discovery = items.select(chosen[0])
    return Halves(
        items=items,
        discovery=discovery,
        confirmation=items.select(chosen[1]),
        reference=discovery,
        labels=(
            (templates[chosen[0]], parts.lexemes[chosen[0]]),
            (templates[chosen[1]], parts.lexemes[chosen[1]]),
        ),
        classes=(classes[0], classes[1]),
        counts=counts,
        seed=seed,
    )


def _balanced(
    names: np.ndarray, rows: np.ndarray, most: int, random: np.random.Generator
) -> np.ndarray:
    """Return as many of the rows of each class, drawn at random, in rising order."""
    groups = [rows[names[rows] == label] for label in sorted(set(names[rows]))]
    count = min(most // 2, *(len(group) for group in groups))
    return np.sort(np.concatenate([random.permutation(group)[:count] for group in groups]))
