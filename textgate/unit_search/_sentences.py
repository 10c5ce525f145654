"""What taking units out costs a language model on ordinary sentences: its perplexity.

Units without which a model is a worse model altogether are no units *of gender*. The perplexity is
also given for all words but those that the pairs ask for, since to predict *her* worse is just what
losing gender means.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import PAD
from textgate.datasets.features import Feature
from textgate.interchange import Contrasts, Runner, Units
from textgate.interchange.effects import ABLATIONS
from textgate.interventions import Clamp, intervene
from textgate.models import LanguageModel
from textgate.unit_search._control_sets import random_sets

_TEXTS = 400  # sentences that are generated
_RANDOM = 5  # random sets


def perplexities(
    lm: LanguageModel,
    feature: Feature,
    texts: Sequence[str] | None,
    runner: Runner,
    sets: Mapping[str, Units],
    seed: int = 0,
) -> pd.DataFrame:
    """Return the perplexity on texts with sets of units ablated.

    Args:
        lm: The language model.
        feature: What the units are units of.
        texts: Sentences; `None` for generated ones, none for an empty table.
        runner: Runs the model on the items that means and resampled values come from; the words
            that these ask for are left out of `perplexity_others`.
        sets: Sets of units by name.
        seed: Seed of resampling and of random sets.

    Returns:
        A row for each set and ablation, for random sets of the same sizes (mean ablation; the mean
        of the perplexities), and for the clean model: `perplexity`, `perplexity_others`, and
        `ratio_others`, that over the clean model's.
    """
    if texts is None:
        from textgate.datasets import sentences

        texts = sentences(feature.text, "validation", size=_TEXTS)
    if not len(texts):
        return pd.DataFrame()
    ids = lm.encode(list(texts))
    in_pairs = np.isin(ids, _forms(lm, runner.items))
    ablations = _Ablations(runner, ids.shape, seed)

    def row(label: str, kind: str, sets: Sequence[Units]) -> dict[str, Any]:
        edited = [intervene(lm, [ablations.of(kind, units)]) for units in sets]
        losses = [-model.score_tokens(ids).astype(np.float64) for model in edited]
        everywhere = [float(np.exp(np.nanmean(loss))) for loss in losses]
        others = [float(np.exp(np.nanmean(loss[~in_pairs]))) for loss in losses]
        return {
            "set": label,
            "size": len(sets[0]),
            "intervention": kind,
            "words": int((ids[:, 1:] != PAD).sum()),
            "perplexity": float(np.mean(everywhere)),
            "perplexity_others": float(np.mean(others)),
        }

    # The clean model as an ablation of no units: it rounds as the ablated ones do.
    rows = [row("none", "zero", [Units()]) | {"intervention": "none"}]
    for name, units in sets.items():
        rows += [row(name, kind, [units]) for kind in ABLATIONS]
        controls = random_sets(len(units), runner.units, _RANDOM, units, seed)
        rows.append(row(f"random, as many as {name}", "mean", list(map(Units.from_mask, controls))))
    table = pd.DataFrame(rows)
    table["ratio_others"] = table["perplexity_others"] / table["perplexity_others"].iloc[0]
    return table


def _forms(lm: LanguageModel, items: Contrasts) -> np.ndarray:
    """Return the ids of the words that the pairs ask for, in either case."""
    words = lm.tokenizer.ids_to_tokens(np.unique([items.good, items.bad]))
    either = {form for word in words for form in (word, word.lower(), word.capitalize())}
    known = either & set(lm.tokenizer.vocabulary)
    return np.unique(lm.tokenizer.tokens_to_ids(sorted(known)))


class _Ablations:
    """Ablations of units while a model reads sentences, with values from other items.

    Args:
        runner: Runs the model on the items that the values come from.
        shape: Of the sentences' ids, `(sentences, time)`.
        seed: Seed of resampling; each ablation draws anew.
    """

    def __init__(self, runner: Runner, shape: tuple[int, ...], seed: int) -> None:
        self.runner = runner
        self.values = runner.base_values()
        self.shape = shape
        self.random = np.random.default_rng(seed)

    def of(self, kind: str, units: Units) -> Clamp:
        """Return the ablation of some units."""
        value = self._value(kind)[..., list(units)]
        return Clamp(self.runner.layer, self.runner.signal, units=list(units), value=value)

    def _value(self, kind: str) -> np.ndarray:
        """Return what units are held at, `(units,)` or `(sentences, time, units)`."""
        if kind == "zero":
            return np.zeros(self.runner.units)
        if kind == "mean":
            return np.asarray(np.nanmean(self.values, axis=(0, 1)))
        assert self.runner.items.last is not None  # a language model's items are prefixes
        sentences, time = self.shape
        donors = self.random.integers(len(self.values), size=sentences)
        steps = np.minimum(np.arange(time)[None], self.runner.items.last[donors][:, None])
        return np.asarray(self.values[donors[:, None], steps])
