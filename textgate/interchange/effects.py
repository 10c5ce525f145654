"""What an intervention did to the items: effect sizes, by direction.

The decision on an item is the logit of the right word minus that of the wrong one, after the
prefix: positive where the model is right. With the clean decision r, the decision s after the
counterpart's prefix (negative where the model is right there) and the decision e of the edited
model, the measures are

- accuracy: whether e > 0 (a tie is wrong);
- flipped: whether e < 0 although r > 0, among the items where the model is right on both prefixes;
- share moved: Σ (r − e) / Σ (r − s), the part of the way from the one to the other. It is 0 for
  units that don't matter and 1 for a complete interchange, and may be more;
- lost: 1 − Σ e / Σ r, the part of the right word's lead that an ablation takes.

All are computed for each direction alone, that is for each class of the base, because a damaged
model tends to give the same answer everywhere: half right, and not at all so in one direction.
"""

from dataclasses import dataclass, field

import numpy as np

from textgate.interchange._directions import Direction
from textgate.interchange._items import Contrasts
from textgate.interchange._replacements import ABLATIONS as ABLATIONS
from textgate.interchange._replacements import INTERCHANGE as INTERCHANGE
from textgate.interchange._runner import Runner


@dataclass(frozen=True)
class Sample:
    """A sample of items with the runner that intervenes on them, and the measures of effects.

    Attributes:
        runner: Carries out interventions on the items.
        clusters: For each way in which items belong together, each item's cluster, `(n,)`; for
            minimal pairs the templates and the lexemes.
        classes: The two classes; items are told apart by the class of their base.
        reference: Where means and resampled values come from; `None` for the items themselves.
        seed: Seed of resampling.
        clean: The decision on each item without intervention, `(n,)`.
        source: The decision after each item's counterpart, `(n,)`.
        sides: Which of the classes each base has, 0 or 1, `(n,)`.
    """

    runner: Runner
    clusters: tuple[np.ndarray, ...]
    classes: tuple[str, str]
    reference: Contrasts | None = None
    seed: int = 0
    clean: np.ndarray = field(init=False)
    source: np.ndarray = field(init=False)
    sides: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        names = self.runner.items.table["good_class"].astype(str).to_numpy()
        object.__setattr__(self, "clean", np.asarray(self.runner.clean(), np.float64))
        object.__setattr__(self, "source", np.asarray(self.runner.source(), np.float64))
        object.__setattr__(self, "sides", (names == self.classes[1]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.sides)

    @property
    def units(self) -> int:
        """How many units the layer has."""
        return self.runner.units

    def run(self, sets: np.ndarray, kind: str) -> np.ndarray:
        """Return the decisions `(m, n)` with each of the sets `(m, units)` edited."""
        reference = None if kind in (INTERCHANGE, "zero") else self.reference
        decisions = self.runner.run(np.asarray(sets, bool), kind, reference, self.seed)
        return np.asarray(decisions, np.float64)

    @property
    def norms(self) -> np.ndarray:
        """Each unit's activation norm, `(units,)`."""
        return np.asarray(self.runner.activity(), np.float64)

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """The two directions: from the base's class to the source's."""
        one, other = self.classes
        return Direction(one, other), Direction(other, one)

    @property
    def eligible(self) -> np.ndarray:
        """Items where the model is right on both prefixes, `(n,)`."""
        return (self.clean > 0) & (self.source < 0)

    @property
    def has_feature(self) -> bool:
        """Whether the model is right on both prefixes of half the items, in each direction."""
        return bool(self._by_direction(self.eligible).min() >= 0.5)

    def accuracy(self, decisions: np.ndarray) -> np.ndarray:
        """Return the share of right items for each direction, `(…, 2)`."""
        return self._by_direction(decisions > 0)

    def flipped(self, decisions: np.ndarray) -> np.ndarray:
        """Return the share of flipped items among the eligible for each direction, `(…, 2)`."""
        return self._by_direction(decisions < 0, self.eligible)

    def share(self, decisions: np.ndarray) -> np.ndarray:
        """Return the share of the logit difference moved for each direction, `(…, 2)`."""
        way = self._by_direction(self.clean - self.source)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(way > 0, self._by_direction(self.clean - decisions) / way, np.nan)

    def lost(self, decisions: np.ndarray) -> np.ndarray:
        """Return the share of the right word's lead lost, both directions together, `(…,)`.

        The directions are added up, so that a push towards one of the words everywhere, which
        helps the one direction as much as it harms the other, counts for nothing.
        """
        lead = self._by_direction(self.clean).sum()
        return (
            1 - self._by_direction(decisions).sum(axis=-1) / lead
            if lead > 0
            else np.full(decisions.shape[:-1], np.nan)
        )

    def effects(self, decisions: np.ndarray) -> np.ndarray:
        """Return each item's move away from its right word, `(…, n)`, in units of the lead.

        Scaled in each direction so that both weigh alike, and the mean over items is the mean of
        the directions.
        """
        scale = np.empty(len(self))
        for side in (0, 1):
            rows = self.sides == side
            lead = abs((self.clean - self.source)[rows].mean())
            scale[rows] = 1 / max(lead, 1e-12) / (2 * rows.mean())
        return np.asarray((self.clean - decisions) * scale)

    def _by_direction(self, values: np.ndarray, among: np.ndarray | None = None) -> np.ndarray:
        """Return the mean over the items of each direction, `(…, 2)`; NaN where it has none."""
        means = []
        for side in (0, 1):
            chosen = self.sides == side
            if among is not None:
                chosen = chosen & among
            means.append(
                values[..., chosen].mean(axis=-1)
                if chosen.any()
                else np.full(values.shape[:-1], np.nan)
            )
        return np.stack([np.asarray(mean, np.float64) for mean in means], axis=-1)
