"""What an intervention did to the items: effect sizes, by direction.

The reading of an item is the logit of the right word minus that of the wrong one, after the prefix:
positive where the model is right. With its clean reading r and the reading s that the counterpart's
prefix gives (negative where the model is right there), an edited reading e says

- accuracy: whether e > 0 (a tie is wrong);
- flipped: whether e < 0 although r > 0, among the items where the model is right on both prefixes;
- share moved: Σ (r − e) / Σ (r − s), the part of the way from the one to the other. It is 0 for
  units that don't matter and 1 for a complete interchange, and may be more;
- lost: 1 − Σ e / Σ r, the part of the right word's lead that an ablation takes.

All are computed for each direction alone, that is for each class of the base, because a damaged
model tends to give the same answer everywhere: half right, and not at all so in one direction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from textgate.interchange._contrasts import Contrasts
from textgate.interchange._runner import Runner

INTERCHANGE = "interchange"
ABLATIONS = ("zero", "mean", "resample")


@dataclass(frozen=True)
class Half:
    """The items of one half with their runner, and what belongs together.

    Attributes:
        items: The contrasts.
        runner: Carries out interventions on them.
        templates: The template of each item, `(n,)`.
        lexemes: The lexeme of each item, `(n,)`.
        classes: The two classes; items are told apart by the class of their base.
        reference: Where means and resampled values come from; `None` for the items themselves.
        seed: Seed of resampling.
    """

    items: Contrasts
    runner: Runner
    templates: np.ndarray
    lexemes: np.ndarray
    classes: tuple[str, str]
    reference: Contrasts | None = None
    seed: int = 0
    clean: np.ndarray = field(init=False)
    source: np.ndarray = field(init=False)
    sides: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        names = self.items.table["good_class"].astype(str).to_numpy()
        object.__setattr__(self, "clean", np.asarray(self.runner.clean(), np.float64))
        object.__setattr__(self, "source", np.asarray(self.runner.source(), np.float64))
        object.__setattr__(self, "sides", (names == self.classes[1]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.items)

    def run(self, sets: np.ndarray, kind: str) -> np.ndarray:
        """Return the readings `(m, n)` with each of the sets `(m, units)` edited."""
        reference = None if kind in (INTERCHANGE, "zero") else self.reference
        found = self.runner.run(np.asarray(sets, bool), kind, reference=reference, seed=self.seed)
        return np.asarray(found, np.float64)

    @property
    def norms(self) -> np.ndarray:
        """Each unit's activation norm, `(units,)`."""
        return np.asarray(self.runner.activity(), np.float64)

    @property
    def directions(self) -> tuple[str, str]:
        """Names of the directions: from the base's class to the source's."""
        one, other = self.classes
        return f"{one}→{other}", f"{other}→{one}"

    @property
    def clusters(self) -> tuple[np.ndarray, np.ndarray]:
        """The two ways in which items belong together."""
        return self.templates, self.lexemes

    @property
    def eligible(self) -> np.ndarray:
        """Items where the model is right on both prefixes, `(n,)`."""
        return (self.clean > 0) & (self.source < 0)

    @property
    def knows(self) -> bool:
        """Whether the model is right on both prefixes of half the items, in each direction."""
        return bool(self._means(self.eligible).min() >= 0.5)

    def accuracy(self, readings: np.ndarray) -> np.ndarray:
        """Return the share of right items for each direction, `(…, 2)`."""
        return self._means(readings > 0)

    def flipped(self, readings: np.ndarray) -> np.ndarray:
        """Return the share of flipped items among the eligible for each direction, `(…, 2)`."""
        return self._means(readings < 0, self.eligible)

    def share(self, readings: np.ndarray) -> np.ndarray:
        """Return the share of the logit difference moved for each direction, `(…, 2)`."""
        way = self._means(self.clean - self.source)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(way > 0, self._means(self.clean - readings) / way, np.nan)

    def lost(self, readings: np.ndarray) -> np.ndarray:
        """Return the share of the right word's lead lost, both directions together, `(…,)`.

        The directions are added up, so that a push towards one of the words everywhere, which
        helps the one direction as much as it harms the other, counts for nothing.
        """
        lead = self._means(self.clean).sum()
        return (
            1 - self._means(readings).sum(axis=-1) / lead
            if lead > 0
            else np.full(readings.shape[:-1], np.nan)
        )

    def effects(self, readings: np.ndarray) -> np.ndarray:
        """Return each item's move away from its right word, `(…, n)`, in units of the lead.

        Scaled in each direction so that both weigh alike, and the mean over items is the mean of
        the directions.
        """
        scale = np.empty(len(self))
        for side in (0, 1):
            rows = self.sides == side
            lead = abs((self.clean - self.source)[rows].mean())
            scale[rows] = 1 / max(lead, 1e-12) / (2 * rows.mean())
        return (self.clean - readings) * scale

    def _means(self, values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        parts = []
        for side in (0, 1):
            rows = self.sides == side
            if among is not None:
                rows = rows & among
            chosen = values[..., rows]
            shape = values.shape[:-1]
            parts.append(chosen.mean(axis=-1) if rows.any() else np.full(shape, np.nan))
        return np.stack([np.asarray(part, np.float64) for part in parts], axis=-1)


def one_hot(units: Sequence[int], total: int) -> np.ndarray:
    """Return a set of units as booleans over all `total` of them."""
    row = np.zeros(total, bool)
    row[list(units)] = True
    return row
