"""One search for units: what was asked, and the finding that it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange import Units
from textgate.interchange.effects import Sample
from textgate.unit_search._confirmation import clean_table
from textgate.unit_search._facts import Facts, claim_of
from textgate.unit_search._finding import UnitFinding
from textgate.unit_search._goals import Goals
from textgate.unit_search._halves import Halves
from textgate.unit_search._members import carriers
from textgate.unit_search._subject import Place, Subject
from textgate.unit_search._verdict import verdict

_MOST_UNKNOWN = 50  # unknown words that the settings name


@dataclass(frozen=True)
class Experiment:
    """What one search is about, and how it is made.

    Attributes:
        subject: The model.
        halves: The items.
        goals: What is aimed at.
        items: The most items that a half might have.
        controls: How many random sets each set is compared with.
        seed: The seed that everything follows from.
    """

    subject: Subject
    halves: Halves
    goals: Goals
    items: int
    controls: int
    seed: int

    def absent(self, place: Place, sample: Sample) -> UnitFinding:
        """Return the finding on a model that doesn't have the feature."""
        facts = Facts(
            self.halves.items.feature,
            str(place),
            float(sample.accuracy(sample.clean).mean()),
            has_feature=False,
            ability="agree in" if self.halves.items.prefixes else "decide by",
        )
        tables = {"interventions": clean_table(sample, self.seed), "split": self.halves.counts}
        return self.finding(place, sample.units, facts, tables)

    def finding(
        self, place: Place, units: int, facts: Facts, tables: Mapping[str, pd.DataFrame]
    ) -> UnitFinding:
        """Return a finding with its verdict.

        Args:
            place: Where the units are.
            units: How many units the layer has.
            facts: What the verdict goes by.
            tables: All tables by name.
        """
        return UnitFinding(
            feature=facts.feature,
            layer=place.layer,
            signal=place.signal,
            cell=self.subject.cell(place),
            units=units,
            sufficient=facts.sufficient.units,
            necessary=facts.necessary.units,
            specific=facts.specific.units,
            both=facts.both,
            carriers=carriers(tables["members"]) if "members" in tables else Units(),
            alternatives=facts.alternatives if facts.sufficient.units else (),
            direction_rank=facts.subspace,
            claim=claim_of(facts),
            verdict=verdict(facts, tables, self.goals),
            tables=tables,
            goals=self.goals,
            settings=self._settings(),
            seed=self.seed,
            versions=self._versions(),
        )

    def _settings(self) -> dict[str, Any]:
        items = self.halves.items
        return {
            "items": self.items,
            "controls": self.controls,
            "dropped": dict(items.dropped),
            "unknown": dict(list(items.unknown.items())[:_MOST_UNKNOWN]),
        }

    def _versions(self) -> dict[str, str]:
        import keras

        import textgate

        return {
            "textgate": textgate.__version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "numpy": np.__version__,
            "model": self.subject.fingerprint,
        }
