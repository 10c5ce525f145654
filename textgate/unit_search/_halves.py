"""The two halves of the items, with as many of each class, and the samples that runners make them.

A *half* is items; a *sample* is a half with a runner on some layer's signal, which measures what
interventions do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from textgate.evaluation.inference import CLAIM_LEVEL, clusters_needed, sign_flips
from textgate.interchange import Contrasts
from textgate.interchange.effects import Sample
from textgate.unit_search._splits import Split, split
from textgate.unit_search._subject import Place, Subject

LEAST = 20  # items of each class that a half needs


@dataclass(frozen=True)
class Half:
    """The items of one half.

    Attributes:
        items: The contrasts.
        clusters: For each way of belonging together, by its name, the cluster of each, `(n,)`.
    """

    items: Contrasts
    clusters: dict[str, np.ndarray]


@dataclass(frozen=True)
class Power:
    """What the test on the confirmation half can show, and what the halves leave out for it.

    Attributes:
        clusters: How many clusters there are, for each way of belonging together.
        best: The p of an effect that is the same on every item: none is clearer.
        needed: How many clusters in each way would let the test reach its level, if they were of
            like size.
        items: How many items there were.
        left_out: How many are in neither half, because they have parts in both.
        parts: What the halves have not in common: `("template", "lexeme", "verb")`.
    """

    clusters: Mapping[str, int]
    best: float
    needed: int
    items: int
    left_out: int
    parts: tuple[str, ...]

    @property
    def suffices(self) -> bool:
        """Whether the test can reach its level at all."""
        return self.best <= CLAIM_LEVEL

    def __str__(self) -> str:
        counts = [
            f"{count} {name}{'' if count == 1 else 's'}" for name, count in self.clusters.items()
        ]
        return " and ".join(counts)


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
        power: What the test on the confirmation half can show.
        seed: Seed of resampling.
    """

    items: Contrasts
    discovery: Half
    confirmation: Half
    classes: tuple[str, str]
    counts: pd.DataFrame
    power: Power
    seed: int

    def samples(self, subject: Subject, place: Place) -> Samples:
        """Return both halves, ready for interventions on a layer's signal.

        Raises:
            ValueError: If the model has no such layer, or the layer no such signal.
        """

        def sample(half: Half) -> Sample:
            return Sample(
                subject.runner(half.items, place),
                tuple(half.clusters.values()),
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
        ValueError: If the items have no counterparts, there are not two classes, a half has too
            few items of one, or all of its items are of one cluster.
    """
    if items.source is None:
        raise ValueError(
            "units are found by exchanging their values with those of the items' counterparts; "
            "give `textgate.contrasts` a `source`. Received: items without"
        )
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
        clusters = {name: labels[chosen] for name, labels in parts.clusters.items()}
        return Half(items.select(chosen), clusters)

    discovery, confirmation = half(parts.discovery), half(parts.confirmation)
    used = [len(discovery.items), len(confirmation.items), 0]
    return Halves(
        items=items,
        discovery=discovery,
        confirmation=confirmation,
        classes=(classes[0], classes[1]),
        counts=parts.counts.assign(used=used),
        power=_power(confirmation, parts, len(items), seed),
        seed=seed,
    )


def _power(half: Half, parts: Split, items: int, seed: int) -> Power:
    """Return what a test on a half can show.

    Raises:
        ValueError: If all of its items are of one cluster.
    """
    counts = {name: len(set(labels)) for name, labels in half.clusters.items()}
    if alone := [name for name, count in counts.items() if count < 2]:
        raise ValueError(
            f"a test needs items of several groups in the half that confirms; give items of more "
            f"groups by {alone[0]!r}, {2 * clusters_needed(list(counts.values()))} or more. "
            f"Received: {len(half.items)} items in that half, all of one group"
        )
    same = sign_flips(np.ones((1, len(half.items))), list(half.clusters.values()), seed)
    best = float(same["p"].iloc[0])
    needed = clusters_needed([_alike(labels) for labels in half.clusters.values()])
    return Power(
        clusters=counts,
        best=best,
        needed=needed if best <= CLAIM_LEVEL else max(needed, min(counts.values()) + 1),
        items=items,
        left_out=parts.left_out,
        parts=parts.kinds,
    )


def _alike(labels: np.ndarray) -> int:
    """Return how many clusters of like size say as much as these, (Σ n)² / Σ n²."""
    sizes = pd.Series(labels).value_counts().to_numpy()
    return int(sizes.sum() ** 2 / (sizes**2).sum())


def _balanced(
    names: np.ndarray, rows: np.ndarray, most: int, random: np.random.Generator
) -> np.ndarray:
    """Return as many of the rows of each class, drawn at random, in rising order."""
    groups = [rows[names[rows] == label] for label in sorted(set(names[rows]))]
    count = min(most // 2, *(len(group) for group in groups))
    return np.sort(np.concatenate([random.permutation(group)[:count] for group in groups]))
