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

Items, not steps, are what the accuracy is about; the eraser is made on other lexemes (or groups)
than those it is tried on; intervals come from a bootstrap over templates and lexemes (or
groups). Erased models tend to fall to one class: the classes stand apart, and 50 % on both together
may be 0 and 100.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.datasets.features import Feature
from textgate.evaluation import interval
from textgate.interchange._clean_runs import check_stack
from textgate.interchange._contrasts import contrasts
from textgate.interchange._erased_models import erased_model
from textgate.interchange._items import Contrasts
from textgate.probing.classifiers import held_out
from textgate.probing.erasure import Eraser, leace, random_erasers
from textgate.probing.folds import Targets, by_group, obstacle, targets_of

_STEPS = ("every", "last")
_CLUSTERS = ("template", "lexeme", "doc")


def erasure_effect(
    model: Any,
    pairs: pd.DataFrame | Contrasts,
    layer: str,
    signal: str | None = None,
    *,
    feature: str | Feature = "gender",
    fit: pd.DataFrame | Contrasts | None = None,
    side: pd.DataFrame | Contrasts | None = None,
    steps: str = "every",
    draws: int = 20,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare a model's decisions with and without linear information on a feature.

    Args:
        model: Any Keras model that `textgate.trace` takes; for pairs, a
            `textgate.models.LanguageModel`.
        pairs: Items, as `textgate.contrasts` makes them, of whose bases the classes are erased; or
            minimal pairs with the columns `good`, `bad`, `target`, `good_class` and `lexeme`.
        layer: Name of the recurrent layer.
        signal: The signal to erase from; by default the cell's memory: `cell_state`, or
            `hidden_state` where there is none.
        feature: What pairs are about; `good_class` has its classes. Items know it themselves.
        fit: Pairs or items to make the eraser from, from the step on at which base and source
            differ. By default half of the lexemes (for items without, of the groups of the column
            that has most); the model is then tried on the other half.
        side: Pairs or items of a task that should not suffer, such as number agreement.
        steps: `"every"`: the state is erased at each step; `"last"`: only at the last word before
            the target, where the model makes its choice; in any other model at the step that
            decides, or where the output or the layer has none, at the last that isn't masked.
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
            there are too few lexemes or groups to halve.
        TypeError: If `model` is none that the items are for.

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

    A classifier:

    >>> import keras, textgate as tg
    >>> model = keras.Sequential([
    ...     keras.Input((None, 1)), keras.layers.GRU(3, name="gru"), keras.layers.Dense(2),
    ... ])
    >>> x = np.random.default_rng(0).normal(size=(24, 5, 1))
    >>> items = tg.contrasts(model, base=x, source=-x, good=1, bad=0, feature="sign")
    >>> table = erasure_effect(model, items, "gru", draws=2, resamples=10)
    >>> set(table.task), set(table.signal)
    ({'sign'}, {'hidden_state'})
    """
    if steps not in _STEPS:
        raise ValueError(f"`steps` must be one of {_STEPS}. Received: steps={steps!r}")
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise ValueError(f"`draws` must be a whole number above 0. Received: draws={draws!r}")
    testing = _labelled(_items(model, pairs, feature))
    erased = erased_model(model, testing, layer, signal, steps)
    if fit is None:
        fitting, testing = _halves(testing, seed)
    else:
        fitting = _labelled(_items(model, fit, feature))
    x, y = erased.states(fitting)
    eraser, seeds = leace(x, y), range(seed, seed + draws)
    erasers: dict[str, Sequence[Eraser | None]] = {
        "none": [None],
        "leace": [eraser],
        "random": random_erasers(x, eraser.rank, None, seeds),
        "matched": random_erasers(x, eraser.rank, eraser.displacement, seeds),
    }
    tasks = {testing.feature: testing}
    if side is not None:
        tasks["side"] = _items(model, side, "side")
    rows: list[dict[str, Any]] = []
    for task, tried in tasks.items():
        for kind, drawn in erasers.items():
            decisions, states = zip(*(erased.run(tried, one) for one in drawn), strict=True)
            decodable = _decodable(states[0], tried, seed) if task == testing.feature else np.nan
            displacement = float(np.mean([0.0 if e is None else e.displacement for e in drawn]))
            for row in _summary(np.stack(decisions), tried, resamples, seed):
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
        rank=eraser.rank, layer=erased.layer, signal=erased.signal, steps=steps, seed=seed
    )


def _items(model: Any, given: Any, feature: str | Feature) -> Contrasts:
    """Return items as they are, or those of minimal pairs, without counterparts."""
    if isinstance(given, Contrasts):
        return given
    check_stack(model)
    return contrasts(model, given, feature, with_source=False)


def _labelled(items: Contrasts) -> Contrasts:
    for name in ("good_class", "lexeme") if items.prefixes else ("good_class",):
        if name not in items.table:
            raise ValueError(
                f"pairs need the column {name!r} for erasure. "
                f"Received: columns {list(items.table.columns)}"
            )
    return items


def _targets(items: Contrasts) -> Targets:
    """Return the items' classes, and what belongs together: lexemes, or the finest groups."""
    names = ["lexeme"] if items.prefixes or "lexeme" in items.groups else list(items.groups)
    name = max(names, key=lambda each: items.table[each].nunique())
    classes = items.table["good_class"].astype(str).to_numpy(str)
    return targets_of(classes, items.table[name].to_numpy(object))


def _halves(items: Contrasts, seed: int) -> tuple[Contrasts, Contrasts]:
    """Divide items by lexeme, or by group."""
    first, second = by_group(_targets(items), 2, seed)[0]
    return items.select(first), items.select(second)


def _decodable(states: np.ndarray, items: Contrasts, seed: int) -> float:
    """Return how well a new probe, tested on unseen lexemes, reads the classes off states."""
    if items.table["good_class"].nunique() < 2:
        return np.nan
    targets = _targets(items)
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
    names = _CLUSTERS if items.prefixes else items.groups
    groups = {"all": np.ones(len(items), bool)}
    if "good_class" in items.table:
        classes = items.table["good_class"].astype(str).to_numpy(object)
        groups |= {name: classes == name for name in sorted(set(classes))}
    rows = []
    for name, members in groups.items():
        clusters = [items.table[c].to_numpy()[members] for c in names if c in items.table]
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
