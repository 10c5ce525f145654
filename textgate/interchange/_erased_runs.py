"""Amnesic probing: what a model does without a feature that a probe can read (Elazar et al. 2021).

That a probe reads gender off the cell state says that it is there. If the model *uses* what linear
probes read, it must fail where that is erased: so the state is made blind to gender by LEACE (see
`textgate.probing.erasure`), inside the step and at each of them, and the model goes on from the
erased state. Two controls erase as many directions at random, one of them such that the state is
moved just as far: what these cost is the price of the damage, not of the feature.

How to read the table. Accuracy at chance with LEACE and hardly changed with the controls: the model
uses the direction. Hardly changed with either: what it uses isn't linear, or it is not in this
signal. `decodable` says what a new probe still finds in the erased state while the model runs. The
eraser is made on natural states of other sentences: on new lexemes it leaves a little behind, the
states of a model that runs erased differ from those it was made on, and what is erased at one step
may come back in the next by another layer or another gate.

Items, not steps, are what the accuracy is about; the eraser is made on other lexemes than those
it is tried on; intervals come from a bootstrap over templates and lexemes. Erased models tend to
fall to one class: the classes stand apart, and 50 % on both together may be 0 and 100.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.datasets.features import Feature, feature_of
from textgate.evaluation import interval
from textgate.interchange._clean_runs import check_stack, readout_difference
from textgate.interchange._contrasts import contrasts
from textgate.interchange._items import Contrasts
from textgate.interchange._runner import runner_for
from textgate.interventions import Affine, intervene
from textgate.models import LanguageModel
from textgate.probing.erasure import Eraser, leace, random_erasers
from textgate.probing.folds import by_group, obstacle, targets_of
from textgate.probing.probes import held_out
from textgate.tracing import checked_sites, nodes_of, resolve, trace

_STEPS = ("every", "last")
_CLUSTERS = ("template", "lexeme", "doc")


def erasure_effect(
    lm: Any,
    pairs: pd.DataFrame,
    layer: str,
    signal: str | None = None,
    *,
    feature: str | Feature = "gender",
    fit: pd.DataFrame | None = None,
    side: pd.DataFrame | None = None,
    steps: str = "every",
    draws: int = 20,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare a language model's agreement with and without linear information on a feature.

    Args:
        lm: A `textgate.models.LanguageModel`.
        pairs: Minimal pairs with the columns `good`, `bad`, `target`, `good_class` and `lexeme`.
        layer: Name of the recurrent layer.
        signal: The signal to erase from; by default the cell's memory: `cell_state`, or
            `hidden_state` where there is none.
        feature: What the pairs are about; `good_class` has its classes.
        fit: Pairs to make the eraser from. By default half of the lexemes of `pairs`; the model is
            then tried on the other half.
        side: Pairs of a task that should not suffer, such as number agreement.
        steps: `"every"`: the state is erased at each step; `"last"`: only at the last word before
            the target, where the model makes its choice.
        draws: How many random erasers of each kind.
        resamples: Resamples of the bootstrap.
        seed: Seed.

    Returns:
        One row for each `task` (`feature`, or `"side"`), `eraser` (`"none"`, `"leace"`, `"random"`
        of the same rank, `"matched"` of the same rank and displacement) and `group` (`"all"`, and
        each class): `items`, `accuracy` with `low` and `high`, `logit_difference` (mean; of the
        right word over the wrong one), `draws`, `lowest` and `highest` (accuracy of single draws),
        `displacement` (share of the signal's variance), `decodable` (accuracy of a new probe at the
        last word, on lexemes it hasn't seen), `rank`, `layer`, `signal`, `steps`, `seed`.

    Raises:
        ValueError: If a column, the layer or the signal is unknown, there is only one class, or
            there are too few lexemes to halve.
        TypeError: If `lm` isn't a language model of textgate.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> lm = LanguageModel(WordTokenizer("actress queen actor king lost her his way".split()))
    >>> rows = []
    >>> for noun in ("actress", "queen", "actor", "king"):
    ...     right, wrong = ("her", "his") if noun in ("actress", "queen") else ("his", "her")
    ...     rows.append({
    ...         "good": f"{noun} lost {right} way", "bad": f"{noun} lost {wrong} way", "target": 2,
    ...         "good_class": "feminine" if right == "her" else "masculine",
    ...         "bad_class": "masculine" if right == "her" else "feminine", "lexeme": noun,
    ...     })
    >>> table = erasure_effect(lm, pd.DataFrame(rows), "lstm", draws=2, resamples=10)
    >>> sorted(set(table.eraser))
    ['leace', 'matched', 'none', 'random']
    """
    if steps not in _STEPS:
        raise ValueError(f"`steps` must be one of {_STEPS}. Received: steps={steps!r}")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise ValueError(f"`draws` must be a whole number above 0. Received: draws={draws!r}")
    model = _Erased(lm, layer, signal, steps)
    items = _labelled(contrasts(lm, pairs, feature, with_source=False))
    if fit is None:
        fitting, testing = _halves(items, seed)
    else:
        fitting, testing = _labelled(contrasts(lm, fit, feature, with_source=False)), items
    x, y = model.states(fitting)
    eraser, seeds = leace(x, y), range(seed, seed + draws)
    erasers: dict[str, Sequence[Eraser | None]] = {
        "none": [None],
        "leace": [eraser],
        "random": random_erasers(x, eraser.rank, None, seeds),
        "matched": random_erasers(x, eraser.rank, eraser.displacement, seeds),
    }
    feature = feature_of(feature).name
    tasks = {feature: testing}
    if side is not None:
        tasks["side"] = contrasts(lm, side, "side", with_source=False)
    rows: list[dict[str, Any]] = []
    for task, items in tasks.items():
        for kind, drawn in erasers.items():
            decisions, states = zip(*(model.run(items, one) for one in drawn), strict=True)
            decodable = _decodable(states[0], items, seed) if task == feature else np.nan
            displacement = float(np.mean([0.0 if e is None else e.displacement for e in drawn]))
            for row in _summary(np.stack(decisions), items, resamples, seed):
                rows.append(
                    {
                        "task": task,
                        "eraser": kind,
                        **row,
                        "displacement": displacement,
                        "decodable": decodable if row["group"] == "all" else np.nan,
                    }
                )
    return pd.DataFrame(rows).assign(
        rank=eraser.rank, layer=model.layer, signal=model.signal, steps=steps, seed=seed
    )


class _Erased:
    """Runs a language model with one signal of one layer erased."""

    def __init__(self, lm: LanguageModel, layer: str, signal: str | None, steps: str) -> None:
        check_stack(lm)
        site, _ = resolve(layer, checked_sites(lm))[0]
        cell = site.spec.cell
        if signal not in (None, *cell.signals):
            raise ValueError(
                f"`signal` must be one that {site.path!r} computes, {list(cell.signals)}. "
                f"Received: signal={signal!r}"
            )
        self.lm, self.steps = lm, steps
        self.layer, self.signal = site.path, signal or cell.memory

    def states(self, items: Contrasts) -> tuple[np.ndarray, np.ndarray]:
        """Return what an eraser is made from: the signal at each step from the antecedent on.

        Returns:
            Features `(rows, units)` and the items' classes `(rows,)`.
        """
        values = runner_for(self.lm, items, self.layer, self.signal).base_values()
        chosen = items.mask
        if "antecedent_position" in items.table:
            begins = items.table["antecedent_position"].to_numpy(np.int64) + 1  # behind <bos>
            chosen &= np.arange(chosen.shape[1]) >= begins[:, None]
        chosen |= self._at_last(items)
        if self.steps == "last":
            chosen = self._at_last(items)
        classes = items.table["good_class"].astype(str).to_numpy(str)
        return values[chosen].astype(np.float32), np.repeat(classes, chosen.sum(axis=1))

    def run(self, items: Contrasts, eraser: Eraser | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the decisions `(n,)`, and the signal after the last word `(n, units)`."""
        erasures = []
        if eraser is not None:
            steps = self._at_last(items) if self.steps == "last" else None
            affine = {"matrix": eraser.matrix, "offset": eraser.offset}
            erasures = [Affine(self.layer, self.signal, **affine, steps=steps)]
        top = self.lm.recurrent_layers[-1].name
        traced = trace(
            intervene(self.lm, erasures),
            items.base,
            layers=[self.layer, top],
            signals=[self.signal, "hidden_state"],
            progress=False,
        )
        rows = np.arange(len(items))
        nodes = nodes_of(traced)
        states = nodes[self.layer][self.signal].values[rows, items.last]
        hidden = nodes[top]["hidden_state"].values[rows, items.last]
        vectors, offsets = readout_difference(self.lm, items.good, items.bad)
        return np.asarray((hidden * vectors).sum(axis=1) + offsets), states

    @staticmethod
    def _at_last(items: Contrasts) -> np.ndarray:
        """Where each item's last step is, booleans `(n, time)`."""
        assert items.last is not None
        return np.asarray(np.arange(items.base.shape[1]) == items.last[:, None])


def _labelled(items: Contrasts) -> Contrasts:
    for name in ("good_class", "lexeme"):
        if name not in items.table:
            raise ValueError(
                f"pairs need the column {name!r} for erasure. "
                f"Received: columns {list(items.table.columns)}"
            )
    return items


def _halves(items: Contrasts, seed: int) -> tuple[Contrasts, Contrasts]:
    """Divide items by lexeme."""
    targets = targets_of(
        items.table["good_class"].astype(str).to_numpy(str), items.table["lexeme"].to_numpy(object)
    )
    first, second = by_group(targets, 2, seed)[0]
    return items.select(first), items.select(second)


def _decodable(states: np.ndarray, items: Contrasts, seed: int) -> float:
    """Return how well a new probe, tested on unseen lexemes, reads the classes off states."""
    classes = items.table["good_class"].astype(str).to_numpy(str)
    if len(np.unique(classes)) < 2:
        return np.nan
    targets = targets_of(classes, items.table["lexeme"].to_numpy(object))
    if obstacle(targets, 5):
        return np.nan
    splits = by_group(targets, 5, seed)
    predicted = held_out(states.astype(np.float64), targets.y, splits, 1.0)
    return float((predicted == targets.y).mean())


def _summary(
    decisions: np.ndarray, items: Contrasts, resamples: int, seed: int
) -> list[dict[str, Any]]:
    """Return a row for all items and one for each class, from decisions `(draws, n)`."""
    right = decisions > 0  # a tie is wrong
    groups = {"all": np.ones(len(items), bool)}
    if "good_class" in items.table:
        classes = items.table["good_class"].astype(str).to_numpy(object)
        groups |= {name: classes == name for name in sorted(set(classes))}
    rows = []
    for name, members in groups.items():
        clusters = [items.table[c].to_numpy()[members] for c in _CLUSTERS if c in items.table]
        each = right[:, members].mean(axis=1)
        low, high = interval(
            right[:, members].mean(axis=0), clusters, resamples=resamples, seed=seed
        )
        rows.append(
            {
                "group": name,
                "items": int(members.sum()),
                "accuracy": float(each.mean()),
                "low": low,
                "high": high,
                "logit_difference": float(decisions[:, members].mean()),
                "draws": len(decisions),
                "lowest": float(each.min()),
                "highest": float(each.max()),
            }
        )
    return rows
