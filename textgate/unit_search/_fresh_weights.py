"""The control of fresh weights: the same architecture, untrained, put to the same tests."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange import Units
from textgate.interchange.effects import ABLATIONS, INTERCHANGE
from textgate.unit_search._goals import Goals
from textgate.unit_search._halves import Halves
from textgate.unit_search._selection import rank_units, smallest_sufficient
from textgate.unit_search._subject import Place, Subject

_MODELS = 2


def with_fresh_weights(
    subject: Subject,
    place: Place,
    halves: Halves,
    sets: Mapping[str, Units],
    goals: Goals,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what the sets, and the protocol's own discovery, come to in untrained models.

    Args:
        subject: The trained model, of whose architecture fresh ones are made.
        place: Where the sets are.
        halves: The halves.
        sets: The sets that were chosen in the trained model.
        goals: What discovery aims at.
        seed: Seed of the weights.

    Returns:
        A row for each fresh model and set, and for the set of its own discovery (`"own"`): balanced
        `accuracy` of the clean model, the share of items that it has `eligible` (right on both
        prefixes) and, of all items, the share that are `flipped_of_all` by the interchange; the
        mean `logit_change` of the interchange, beside that of the whole layer's; and `accuracy`
        under each ablation.
    """
    rows: list[dict[str, Any]] = []
    for number in range(_MODELS):
        fresh_seed = 1000 * (seed + 1) + number
        fresh = halves.samples(subject.with_fresh_weights(fresh_seed), place)
        ranking = rank_units(fresh.discovery)
        own = smallest_sufficient(fresh.discovery, ranking, goals).units
        sample = fresh.confirmation
        for name, units in {**sets, "own": own}.items():
            if not units:
                continue
            mask = units.mask(sample.units)[None]
            decisions = sample.run(mask, INTERCHANGE)[0]
            ablated = {
                f"accuracy_{kind}": float(sample.accuracy(sample.run(mask, kind)[0]).mean())
                for kind in ABLATIONS
            }
            rows.append(
                {
                    "weights": fresh_seed,
                    "set": name,
                    "size": len(units),
                    "units": str(units),
                    "accuracy": float(sample.accuracy(sample.clean).mean()),
                    "eligible": float(sample.eligible.mean()),
                    "flipped_of_all": float(((sample.clean > 0) & (decisions < 0)).mean()),
                    "logit_change": float(np.mean(sample.clean - decisions)),
                    "logit_change_whole": float(np.mean(sample.clean - sample.source)),
                    **ablated,
                }
            )
    return pd.DataFrame(rows)
