"""What taking units out costs a language model on ordinary sentences: its perplexity.

Units without which a model is a worse model altogether are no units *of gender*. The perplexity is
also given for all words but those that the pairs ask for, since to predict *her* worse is just what
losing gender means.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from textgate._backend import backend
from textgate._special_tokens import PAD
from textgate.datasets.features import Feature
from textgate.interchange import Contrasts, Runner, Units
from textgate.interchange.effects import ABLATIONS
from textgate.models import LanguageModel
from textgate.recurrence import Edit
from textgate.unit_search._control_sets import random_sets

_TEXTS = 400  # sentences that are generated
_ROWS = 64  # sentences read at a time
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
    values = _AblationValues(runner, ids.shape, seed)
    logprobs = _HeldLogprobs(lm, runner.layer, runner.signal)

    def row(label: str, kind: str, masks: Sequence[np.ndarray]) -> dict[str, Any]:
        losses = [-logprobs(ids, mask, values.of(kind)) for mask in masks]
        everywhere = [float(np.exp(np.nanmean(loss))) for loss in losses]
        others = [float(np.exp(np.nanmean(loss[~in_pairs]))) for loss in losses]
        return {
            "set": label,
            "size": int(masks[0].sum()),
            "intervention": kind,
            "words": int((ids[:, 1:] != PAD).sum()),
            "perplexity": float(np.mean(everywhere)),
            "perplexity_others": float(np.mean(others)),
        }

    total = runner.units
    rows = [row("none", "zero", [np.zeros(total, bool)]) | {"intervention": "none"}]
    for name, units in sets.items():
        rows += [row(name, kind, [units.mask(total)]) for kind in ABLATIONS]
        controls = random_sets(len(units), total, _RANDOM, units, seed)
        rows.append(row(f"random, as many as {name}", "mean", list(controls)))
    table = pd.DataFrame(rows)
    table["ratio_others"] = table["perplexity_others"] / table["perplexity_others"].iloc[0]
    return table


def _forms(lm: LanguageModel, items: Contrasts) -> np.ndarray:
    """Return the ids of the words that the pairs ask for, in either case."""
    words = lm.tokenizer.ids_to_tokens(np.unique([items.good, items.bad]))
    either = {form for word in words for form in (word, word.lower(), word.capitalize())}
    known = either & set(lm.tokenizer.vocabulary)
    return np.unique(lm.tokenizer.tokens_to_ids(sorted(known)))


class _AblationValues:
    """What ablated units are held at in sentences, by the kind of ablation.

    Args:
        runner: Runs the model on the items that the values come from.
        shape: Of the sentences' ids, `(sentences, time)`.
        seed: Seed of resampling; each call draws anew.
    """

    def __init__(self, runner: Runner, shape: tuple[int, ...], seed: int) -> None:
        self.values = runner.base_values()
        assert runner.items.last is not None
        self.last = runner.items.last
        self.shape = shape
        self.random = np.random.default_rng(seed)

    def of(self, kind: str) -> np.ndarray:
        """Return `float32` values of shape `(sentences or 1, time or 1, units)`."""
        if kind == "zero":
            return np.zeros((1, 1, self.values.shape[-1]), np.float32)
        if kind == "mean":
            mean = np.nanmean(self.values, axis=(0, 1), keepdims=True)
            return np.asarray(mean, np.float32)
        count, time = self.shape
        donors = self.random.integers(len(self.values), size=count)
        steps = np.minimum(np.arange(time)[None], self.last[donors][:, None])
        return np.asarray(self.values[donors[:, None], steps], np.float32)


class _HeldLogprobs:
    """Log-probabilities of words while units are held at values; compiled once."""

    def __init__(self, lm: LanguageModel, layer: str, signal: str) -> None:
        from textgate.tracing import find_sites, resolve

        self.lm = lm
        self.signal = signal
        self.sites = [site for site, _ in resolve(layer, find_sites(lm)[0])]
        # The shapes vary with the kind of ablation and the length of the batch.
        signature = [((None, None), "int32"), ((1, 1, None), "bool"), ((None,) * 3, "float32")]
        self.score = backend().compiled_for_all(self._score, signature)

    def __call__(self, ids: np.ndarray, mask: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return log p of each id given those before, NaN at the first and at padding."""
        result = np.full(ids.shape, np.nan)
        order = np.argsort((ids != PAD).sum(axis=1), kind="stable")
        for begin in range(0, len(ids), _ROWS):
            rows = order[begin : begin + _ROWS]
            width = int((ids[rows] != PAD).sum(axis=1).max())
            if width < 2:
                continue
            held = np.broadcast_to(
                value[rows, :width] if len(value) > 1 else value, (len(rows), width, len(mask))
            )
            scores = self.score(
                *map(
                    keras.ops.convert_to_tensor,
                    (ids[rows, :width], mask[None, None], np.ascontiguousarray(held)),
                )
            )
            logprobs = np.asarray(keras.ops.convert_to_numpy(scores), np.float64)
            result[rows, 1:width] = np.where(ids[rows, 1:width] == PAD, np.nan, logprobs)
        return result

    def _score(self, ids: Any, mask: Any, value: Any) -> Any:
        from textgate.tracing import intercept

        def edits(call: Any) -> list[Edit]:
            units = call.site.spec.units
            shape = keras.ops.shape(value)
            return [
                Edit(
                    self.signal,
                    keras.ops.reshape(mask, (1, 1, units)),
                    keras.ops.reshape(value, (shape[0], shape[1], units)),
                )
            ]

        with intercept(self.sites, edits=edits):
            features = self.lm.hidden(ids)[0]
        logits = keras.ops.cast(self.lm.readout(features[:, :-1]), "float32")
        chosen = keras.ops.take_along_axis(logits, ids[:, 1:, None], axis=-1)[..., 0]
        return chosen - keras.ops.logsumexp(logits, axis=-1)
