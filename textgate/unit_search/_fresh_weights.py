"""The control of fresh weights: the same architecture, untrained, put to the same tests."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange import Units
from textgate.interchange.effects import ABLATIONS, INTERCHANGE, Sample
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
        under each ablation. Of a model that isn't ours, `made` says whether its weights were drawn
        anew or, as it can't be cloned, shuffled.
    """
    rows: list[dict[str, Any]] = []
    for number in range(_MODELS):
        fresh_seed = 1000 * (seed + 1) + number
        with subject.with_fresh_weights(fresh_seed) as fresh:
            label: dict[str, Any] = {"weights": fresh_seed}
            if subject.language_model is None:
                label["made"] = fresh.weights
            samples = halves.samples(fresh, place)
            ranking = rank_units(samples.discovery)
            own = smallest_sufficient(samples.discovery, ranking, goals).units
            for name, units in {**sets, "own": own}.items():
                if units:
                    rows.append(_row({**label, "set": name}, samples.confirmation, units))
    return pd.DataFrame(rows)


def _row(label: Mapping[str, Any], sample: Sample, units: Units) -> dict[str, Any]:
    """Return what one set comes to."""
    mask = units.mask(sample.units)[None]
    decisions = sample.run(mask, INTERCHANGE)[0]
    return {
        **label,
        "size": len(units),
        "units": str(units),
        "accuracy": float(sample.accuracy(sample.clean).mean()),
        "eligible": float(sample.eligible.mean()),
        "flipped_of_all": float(((sample.clean > 0) & (decisions < 0)).mean()),
        "logit_change": float(np.mean(sample.clean - decisions)),
        "logit_change_whole": float(np.mean(sample.clean - sample.source)),
        **{
            f"accuracy_{kind}": float(sample.accuracy(sample.run(mask, kind)[0]).mean())
            for kind in ABLATIONS
        },
    }
