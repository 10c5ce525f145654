"""The two halves of the items, with as many of each class, and the samples that runners make them.

A *half* is items; a *sample* is a half with a runner on some layer's signal, which measures what
interventions do.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from textgate.interchange import Contrasts
from textgate.interchange.effects import Sample
from textgate.unit_search._splits import split
from textgate.unit_search._subject import Place, Subject

LEAST = 20  # items of each class that a half needs


@dataclass(frozen=True)
class Half:
    """The items of one half.

    Attributes:
        items: The contrasts.
        clusters: For each way of belonging together, the cluster of each, `(n,)`.
    """

    items: Contrasts
    clusters: tuple[np.ndarray, ...]


class Samples(NamedTuple):
    """Both halves, ready for interventions on one place."""

    discovery: Sample
    confirmation: Sample

    @property
    def have_feature(self) -> bool:
        """Whether the model is right often enough, in either half, to ask where it keeps it."""
        return self.discovery.has_feature and self.confirmation.has_feature


@dataclass(frozen=True)
class Halves:
    """Items for discovery and for confirmation.

    Attributes:
        items: All contrasts.
        discovery: Those for discovery. Ablations take their values from these in either half: as
            many of each class, since a mean over more of one class would lean towards it.
        confirmation: Those for confirmation.
        classes: The two classes.
        counts: What the halves have, and what was left out.
        seed: Seed of resampling.
    """

    items: Contrasts
    discovery: Half
    confirmation: Half
    classes: tuple[str, str]
    counts: pd.DataFrame
    seed: int

    def samples(self, subject: Subject, place: Place) -> Samples:
        """Return both halves, ready for interventions on a layer's signal.

        Raises:
            ValueError: If the model has no such layer, or the layer no such signal.
        """

        def sample(half: Half) -> Sample:
            return Sample(
                subject.runner(half.items, place),
                half.clusters,
                self.classes,
                reference=self.discovery.items,
                seed=self.seed,
            )

        return Samples(sample(self.discovery), sample(self.confirmation))


def divide(items: Contrasts, most: int, seed: int, least: int = LEAST) -> Halves:
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
    names = items.table["good_class"].astype(str).to_numpy()
    classes = sorted(set(names))
    if len(classes) != 2:
        raise ValueError(
            "the protocol sets two classes against each other; give pairs of two. "
            f"Received: {classes}"
        )
    parts = split(items, seed, least)
    random = np.random.default_rng(seed)

    def half(rows: np.ndarray) -> Half:
        chosen = _balanced(names, rows, most, random)
        return Half(items.select(chosen), tuple(labels[chosen] for labels in parts.clusters))

    discovery, confirmation = half(parts.discovery), half(parts.confirmation)
    used = [len(discovery.items), len(confirmation.items), 0]
    return Halves(
        items=items,
        discovery=discovery,
        confirmation=confirmation,
        classes=(classes[0], classes[1]),
        counts=parts.counts.assign(used=used),
        seed=seed,
    )


def _balanced(
    names: np.ndarray, rows: np.ndarray, most: int, random: np.random.Generator
) -> np.ndarray:
    """Return as many of the rows of each class, drawn at random, in rising order."""
    groups = [rows[names[rows] == label] for label in sorted(set(names[rows]))]
    count = min(most // 2, *(len(group) for group in groups))
    return np.sort(np.concatenate([random.permutation(group)[:count] for group in groups]))
