"""Minimal pairs, from wherever they come: one function, `minimal_pairs`."""

import pandas as pd

from textgate.datasets import pronoun_pairs


def minimal_pairs(
    source: str, split: str = "test", size: int | None = None, seed: int = 0
) -> pd.DataFrame:
    """Return minimal pairs, one row a pair."""
    if source == "pronoun_agreement":
        return pronoun_pairs.pairs(split, size, seed)
    raise ValueError(f"Unknown source. Received: source={source!r}")
