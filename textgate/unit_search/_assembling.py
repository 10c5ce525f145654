"""Puts a finding together: tables joined, settings and versions written down, the verdict said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange.effects import Half
from textgate.unit_search import _confirmation as confirmation
from textgate.unit_search import _verdict as verdict
from textgate.unit_search._finding import UnitFinding
from textgate.unit_search._halves import Halves
from textgate.unit_search._selection import Goals

_MOST_UNKNOWN = 50  # unknown words that the settings name


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables below one another, empty ones left out."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame()


def clean_rows(half: Half, seed: int) -> pd.DataFrame:
    """Return the rows of the clean model."""
    label = {"set": "none", "size": 0, "units": "", "intervention": "none"}
    return pd.DataFrame(confirmation.describe(half, label, half.clean, seed))


def settings_of(parts: Halves, items: int, controls: int) -> dict[str, Any]:
    """Return what the finding says of its settings."""
    unknown = dict(list(parts.items.unknown.items())[:_MOST_UNKNOWN])
    return {
        "items": items,
        "controls": controls,
        "dropped": dict(parts.items.dropped),
        "unknown": unknown,
    }


@dataclass(frozen=True)
class Made:
    """What every finding of one call has in common."""

    lm: Any
    parts: Halves
    goals: Goals
    signal: str
    seed: int
    settings: Mapping[str, Any]

    def finding(
        self, layer: str, facts: verdict.Facts, tables: Mapping[str, pd.DataFrame]
    ) -> UnitFinding:
        """Return a finding with its verdict."""
        import keras

        import textgate
        from textgate.tracing import fingerprint

        return UnitFinding(
            feature=facts.feature,
            layer=layer,
            signal=self.signal,
            cell=self.lm.cell,
            units=int(self.lm.get_layer(layer.split("/")[-1]).units),
            sufficient=facts.sufficient,
            necessary=facts.necessary,
            specific=facts.specific,
            both=facts.both,
            alternatives=facts.alternatives if facts.sufficient else (),
            direction_rank=facts.axis,
            claim=verdict.claim_of(facts),
            verdict=verdict.verdict(facts, tables, self.goals),
            tables=tables,
            goals=self.goals,
            settings=self.settings,
            seed=self.seed,
            versions={
                "textgate": textgate.__version__,
                "keras": keras.__version__,
                "backend": keras.backend.backend(),
                "numpy": np.__version__,
                "model": fingerprint(self.lm),
            },
        )

    def unknowing(self, layer: str, half: Half) -> UnitFinding:
        """Return the finding on a model that doesn't have the feature."""
        facts = verdict.Facts(
            feature=half.items.feature,
            place=layer,
            accuracy=float(half.accuracy(half.clean).mean()),
            knows=False,
        )
        tables = {"interventions": clean_rows(half, self.seed), "split": self.parts.counts}
        return self.finding(layer, facts, tables)
