"""The probe of a study: how well the gender can be read off the memory, word by word."""

import pandas as pd

from textgate.interchange import contrasts
from textgate.models import LanguageModel
from textgate.probing import probe_over_positions, word_embeddings
from textgate.study._pairs import first_pairs
from textgate.tracing import one_site, trace

_POSITIONS = (0, 1, 2, 3, 4, 6, 8, 10)  # words after the antecedent
_PROBED = 400  # pairs


def gender_probes(
    lm: LanguageModel, pairs: pd.DataFrame, layer: str, seed: int = 0
) -> pd.DataFrame:
    """Return how well the gender can be read off the memory, at each word after the antecedent.

    Args:
        lm: A language model.
        pairs: Generated pairs of pronoun agreement.
        layer: The layer.
        seed: Seed.

    Returns:
        As `textgate.probing.probe_over_positions`.
    """
    items = contrasts(lm, first_pairs(pairs, _PROBED), "gender")
    site = one_site(lm, layer).site
    signal = site.spec.cell.memory
    table = items.table
    prefixes = table["prefix"].tolist()
    traces = trace(lm, prefixes, layers=[site.path], signals=[signal], progress=False)
    anchor = table["antecedent_position"].to_numpy(int) + 1  # behind <bos>
    return probe_over_positions(
        traces,
        table["good_class"].to_numpy(),
        table["lexeme"].to_numpy(),
        signal,
        anchor,
        _POSITIONS,
        embedding=word_embeddings(lm, prefixes),
        controls=1,
        resamples=300,
        seed=seed,
    )
