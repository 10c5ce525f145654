"""What taking units out costs elsewhere: other agreement, and the prediction of ordinary text.

Units without which a model is a worse model altogether are no units *of gender*. So the same units
are taken out, in the same ways, where gender plays no part: in agreement of another kind, and while
the model reads sentences. Means and resampled values come from the task's own items: values from
sentences about a girl would make a subject singular. The perplexity is also given for all words but
those that the pairs ask for, since to predict *her* worse is just what losing gender means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pandas as pd

from textgate._special_tokens import PAD
from textgate.datasets.features import Feature
from textgate.evaluation.inference import interval
from textgate.interchange import Contrasts, Runner, contrasts, runner_for
from textgate.interchange.effects import ABLATIONS
from textgate.recurrence import Edit
from textgate.unit_search._axes import signal_values
from textgate.unit_search._control_sets import random_sets
from textgate.unit_search._splits import split

_ROWS = 64
_RANDOM_ON_TEXT = 5
_ITEMS, _MOST, _TEXTS = 1600, 400, 400


def side_task(
    name: str,
    items: Contrasts,
    runner: Runner,
    sets: Mapping[str, np.ndarray],
    controls: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what ablating sets of units costs on other minimal pairs.

    Args:
        name: The task's name.
        items: Its pairs.
        runner: For these pairs.
        sets: Booleans of shape `(units,)` by the set's name.
        controls: How many random sets of other units, as many, stand beside each.
        seed: Seed.

    Returns:
        Rows for each set and ablation, and for the clean model: for all items and for each kind of
        antecedent (`group`), `accuracy` with its interval and `lost` (in points of 100, against the
        clean model); for all items also `random_lost` (mean over random sets) and `random_lost_95`.
    """
    clean = np.asarray(runner.clean())
    rows = _scored(
        {"task": name, "set": "none", "size": 0, "intervention": "none"}, items, clean, clean, seed
    )
    for label, own in sets.items():
        units = np.flatnonzero(own)
        others = random_sets(len(units), len(own), controls, units.tolist(), seed)
        for kind in ABLATIONS:
            found = np.asarray(runner.run(np.vstack([own, others]), kind, seed=seed))
            label_ = {"task": name, "set": label, "size": len(units), "intervention": kind}
            lost = 100 * ((clean > 0).mean() - (found[1:] > 0).mean(axis=1))
            scored = _scored(label_, items, found[0], clean, seed)
            scored[0]["random_lost"] = float(lost.mean())
            scored[0]["random_lost_95"] = float(np.quantile(lost, 0.95))
            rows += scored
    return pd.DataFrame(rows)


def _scored(
    label: dict[str, Any], items: Contrasts, readings: np.ndarray, clean: np.ndarray, seed: int
) -> list[dict[str, Any]]:
    """Return a row for all items, and one for each kind of antecedent."""
    groups = {"all": np.ones(len(items), bool)}
    if "antecedent_kind" in items.table:
        kinds = items.table["antecedent_kind"].astype(str).to_numpy()
        groups |= {kind: kinds == kind for kind in sorted(set(kinds))}
    clusters = [items.table[c].to_numpy() for c in ("template", "lexeme") if c in items.table]
    rows = []
    for group, chosen in groups.items():
        right = readings[chosen] > 0
        low, high = interval(right, [labels[chosen] for labels in clusters], seed)
        rows.append(
            {
                **label,
                "group": group,
                "items": int(chosen.sum()),
                "accuracy": float(right.mean()),
                "accuracy_low": low,
                "accuracy_high": high,
                "lost": 100 * float((clean[chosen] > 0).mean() - right.mean()),
            }
        )
    return rows


def perplexities(
    lm: Any,
    texts: Sequence[str],
    layer: str,
    signal: str,
    sets: Mapping[str, np.ndarray],
    reference: Contrasts,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the perplexity on texts with sets of units ablated.

    Args:
        lm: The language model.
        texts: Sentences.
        layer: The layer.
        signal: The signal.
        sets: Booleans of shape `(units,)` by the set's name.
        reference: Where means and resampled values come from; the words that its pairs ask for are
            left out of `perplexity_others`.
        seed: Seed of resampling and of random sets.

    Returns:
        A row for each set and ablation, for random sets of the same sizes (mean ablation; the mean
        of the perplexities), and for the clean model: `perplexity`, `perplexity_others`, and
        `ratio_others`, that over the clean model's.
    """
    ids = lm.encode(list(texts))
    values = signal_values(lm, reference.base, layer, signal)
    mean = np.nanmean(values, axis=(0, 1))
    random = np.random.default_rng(seed)
    read = _Reading(lm, layer, signal)
    asked = np.isin(ids, _forms(lm, reference))
    units = len(mean)

    def value_for(kind: str) -> np.ndarray:
        shape = (*ids.shape, units)
        if kind == "zero":
            return np.zeros((1, 1, units), np.float32)
        if kind == "mean":
            return mean[None, None].astype(np.float32)
        donors = random.integers(len(values), size=len(ids))
        steps = np.minimum(np.arange(shape[1])[None], reference.last[donors][:, None])
        return values[donors[:, None], steps].astype(np.float32)

    def row(label: str, kind: str, chosen: Sequence[np.ndarray]) -> dict[str, Any]:
        whole, others = [], []
        for own in chosen:
            losses = -read(ids, own, value_for(kind))
            whole.append(float(np.exp(np.nanmean(losses))))
            others.append(float(np.exp(np.nanmean(losses[~asked]))))
        return {
            "set": label,
            "size": int(chosen[0].sum()),
            "intervention": kind,
            "words": int((ids[:, 1:] != PAD).sum()),
            "perplexity": float(np.mean(whole)),
            "perplexity_others": float(np.mean(others)),
        }

    rows = [row("none", "zero", [np.zeros(units, bool)]) | {"intervention": "none"}]
    for label, own in sets.items():
        rows += [row(label, kind, [own]) for kind in ABLATIONS]
        drawn = random_sets(
            int(own.sum()), units, _RANDOM_ON_TEXT, np.flatnonzero(own).tolist(), seed
        )
        rows.append(row(f"random, as many as {label}", "mean", list(drawn)))
    table = pd.DataFrame(rows)
    table["ratio_others"] = table["perplexity_others"] / table["perplexity_others"].iloc[0]
    return table


def _forms(lm: Any, reference: Contrasts) -> np.ndarray:
    """Return the ids of the words that the pairs ask for, in either case."""
    words = lm.tokenizer.ids_to_tokens(np.unique([reference.good, reference.bad]))
    either = {form for word in words for form in (word, word.lower(), word.capitalize())}
    return np.unique(lm.tokenizer.tokens_to_ids(sorted(either & set(lm.tokenizer.vocabulary))))


class _Reading:
    """Log-probabilities of words while units hold given values; compiled once."""

    def __init__(self, lm: Any, layer: str, signal: str) -> None:
        from textgate.tracing import find_sites, resolve

        self.lm = lm
        self.signal = signal
        self.sites = [site for site, _ in resolve(layer, find_sites(lm)[0])]
        self.score = self._score
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            # The shapes vary with the kind of ablation and the length of the batch.
            self.score = tf.function(
                self._score,
                input_signature=[
                    tf.TensorSpec((None, None), tf.int32),
                    tf.TensorSpec((1, 1, None), tf.bool),
                    tf.TensorSpec((None, None, None), tf.float32),
                ],
            )

    def __call__(self, ids: np.ndarray, own: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Return log p of each id given those before, NaN at the first and at padding."""
        result = np.full(ids.shape, np.nan)
        order = np.argsort((ids != PAD).sum(axis=1), kind="stable")
        for begin in range(0, len(ids), _ROWS):
            rows = order[begin : begin + _ROWS]
            width = int((ids[rows] != PAD).sum(axis=1).max())
            if width < 2:
                continue
            given = np.broadcast_to(
                value[rows, :width] if len(value) > 1 else value, (len(rows), width, len(own))
            )
            scores = self.score(
                *map(
                    keras.ops.convert_to_tensor,
                    (ids[rows, :width], own[None, None], np.ascontiguousarray(given)),
                )
            )
            found = np.asarray(keras.ops.convert_to_numpy(scores), np.float64)
            result[rows, 1:width] = np.where(ids[rows, 1:width] == PAD, np.nan, found)
        return result

    def _score(self, ids: Any, own: Any, value: Any) -> Any:
        from textgate.tracing import intercept

        def edits(call: Any) -> list[Edit]:
            units = call.site.spec.units
            mask = keras.ops.reshape(own, (1, 1, units))
            shape = keras.ops.shape(value)
            return [Edit(self.signal, mask, keras.ops.reshape(value, (shape[0], shape[1], units)))]

        with intercept(self.sites, edits=edits):
            features = self.lm.hidden(ids)[0]
        logits = keras.ops.cast(self.lm.readout(features[:, :-1]), "float32")
        chosen = keras.ops.take_along_axis(logits, ids[:, 1:, None], axis=-1)[..., 0]
        return chosen - keras.ops.logsumexp(logits, axis=-1)


@dataclass(frozen=True)
class Beside:
    """Another task in two halves, like the feature's: one to choose units by, one to report.

    Attributes:
        name: The task's name.
        items: The pairs to report.
        runner: For these.
        chooser: For the others; `None` if there are too few to divide.
    """

    name: str
    items: Contrasts
    runner: Runner
    chooser: Runner | None

    def cost(self, sets: np.ndarray) -> np.ndarray:
        """Return the most points that an ablation of each set costs, on the choosers' half."""
        if self.chooser is None:
            return np.zeros(len(sets))
        right = (np.asarray(self.chooser.clean()) > 0).mean()
        left = [(np.asarray(self.chooser.run(sets, kind)) > 0).mean(axis=1) for kind in ABLATIONS]
        return 100 * (right - np.min(left, axis=0))


def tasks_beside(
    lm: Any,
    feature: Feature,
    given: Mapping[str, pd.DataFrame] | None,
    layer: str,
    signal: str,
    seed: int = 0,
) -> list[Beside]:
    """Return the other tasks, each divided in two halves without a template or word in common.

    Args:
        lm: The language model.
        feature: What the units are units of.
        given: Pairs by the task's name; `None` for generated ones, if the model knows their words.
        layer: The layer.
        signal: The signal.
        seed: Seed of the division.
    """
    by_default = given is None
    if given is None:
        from textgate.datasets import minimal_pairs

        pairs = minimal_pairs(feature.side_task, split="test", size=_ITEMS)
        given = {feature.side_task.replace("_", " "): pairs}
    tasks = []
    for name, pairs in given.items():
        try:
            items = contrasts(lm, pairs, name, with_source=False)
        except ValueError:
            if by_default:  # a model of other words than the generated ones
                continue
            raise
        chooser = None
        if "good_class" in items.table:
            try:
                parts = split(items, seed)
            except ValueError:
                pass
            else:
                chooser = runner_for(lm, items.select(parts.discovery[:_MOST]), layer, signal)
                items = items.select(parts.confirmation[:_MOST])
        tasks.append(Beside(name, items, runner_for(lm, items, layer, signal), chooser))
    return tasks


def side_tasks(
    tasks: Sequence[Beside], masks: Mapping[str, np.ndarray], seed: int = 0
) -> pd.DataFrame:
    """Return `side_task` for several tasks and sets, booleans of shape `(units,)` by name."""
    tables = [side_task(t.name, t.items, t.runner, masks, seed=seed) for t in tasks]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def on_texts(
    texts: Sequence[str] | None,
    feature: Feature,
    lm: Any,
    layer: str,
    signal: str,
    masks: Mapping[str, np.ndarray],
    reference: Contrasts,
    seed: int,
) -> pd.DataFrame:
    """Return `perplexities` on texts; `None` for generated ones, none for an empty table."""
    if texts is None:
        from textgate.datasets import sentences

        texts = sentences(feature.text, "validation", size=_TEXTS)
    if not len(texts):
        return pd.DataFrame()
    return perplexities(lm, texts, layer, signal, masks, reference, seed)
