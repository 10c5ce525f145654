"""The control of fresh weights: the same architecture, untrained, put to the same questions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange.effects import ABLATIONS, INTERCHANGE, one_hot
from textgate.unit_search._halves import Halves
from textgate.unit_search._selection import Goals, rank, sufficient

_MODELS = 2


def untrained(
    lm: Any,
    parts: Halves,
    layer: str,
    signal: str,
    sets: Mapping[str, Sequence[int]],
    goals: Goals,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what the sets, and the protocol's own discovery, come to in untrained models.

    Args:
        lm: The trained model, of whose architecture fresh ones are made.
        parts: The halves.
        layer: The layer.
        signal: The signal.
        sets: The sets found in the trained model.
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
        config = {**lm.get_config(), "seed": fresh_seed}
        fresh = type(lm).from_config(config)
        discovery, half = parts.runners(fresh, layer, signal)
        units = len(half.norms)
        ranking = rank(discovery, units)
        own = sufficient(discovery, ranking, goals)
        for name, members in {**sets, "own": own.tried}.items():
            if not members:
                continue
            chosen = one_hot(members, units)[None]
            readings = half.run(chosen, INTERCHANGE)[0]
            whole = half.source
            rows.append(
                {
                    "weights": fresh_seed,
                    "set": name,
                    "size": len(members),
                    "units": " ".join(map(str, members)),
                    "accuracy": float(half.accuracy(half.clean).mean()),
                    "eligible": float(half.eligible.mean()),
                    "flipped_of_all": float(((half.clean > 0) & (readings < 0)).mean()),
                    "logit_change": float(np.mean(half.clean - readings)),
                    "logit_change_whole": float(np.mean(half.clean - whole)),
                    **{
                        f"accuracy_{kind}": float(half.accuracy(half.run(chosen, kind)[0]).mean())
                        for kind in ABLATIONS
                    },
                }
            )
    return pd.DataFrame(rows)
