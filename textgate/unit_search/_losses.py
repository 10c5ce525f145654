"""What taking units out costs a model at its own task: its loss on data.

Units without which a model is a worse model altogether are no units *of the feature*. Means and
resampled values come from the data's own examples.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange import Units
from textgate.interchange.effects import ABLATIONS
from textgate.interchange.targets import likelihoods
from textgate.unit_search._control_sets import random_sets
from textgate.unit_search._subject import Place, Subject

_RANDOM = 5  # random sets


def losses(
    subject: Subject,
    place: Place,
    data: tuple[Any, Any],
    sets: Mapping[str, Units],
    seed: int = 0,
) -> pd.DataFrame:
    """Return the model's mean loss on data with sets of units ablated.

    Args:
        subject: The model, compiled with a loss.
        place: Where the sets are.
        data: Inputs and targets.
        sets: Sets of units by name.
        seed: Seed of resampling and of random sets.

    Returns:
        A row for each set and ablation, for random sets of the same sizes (mean ablation; the mean
        of the losses), and for the model as it is: `set`, `size`, `intervention`, `examples`,
        `loss`, and `added`, what the ablation adds to the loss.
    """
    runner = subject.runner(likelihoods(subject.model, *data), place)
    clean = -float(runner.clean().mean())

    def row(label: str, kind: str, masks: Sequence[np.ndarray]) -> dict[str, Any]:
        loss = -float(runner.run(np.stack(masks), kind, seed=seed).mean())
        facts = {"set": label, "size": int(masks[0].sum()), "intervention": kind}
        return {**facts, "examples": len(runner.items), "loss": loss, "added": loss - clean}

    rows = [row("none", "zero", [np.zeros(runner.units, bool)]) | {"intervention": "none"}]
    for name, units in sets.items():
        rows += [row(name, kind, [units.mask(runner.units)]) for kind in ABLATIONS]
        controls = random_sets(len(units), runner.units, _RANDOM, units, seed)
        rows.append(row(f"random, as many as {name}", "mean", list(controls)))
    return pd.DataFrame(rows)
