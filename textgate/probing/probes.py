"""Diagnostic classifiers: can a linear classifier read a feature off a signal, and since when?

What a probe shows. If a logistic regression, trained on the cell state at some word, tells
sentences about women from sentences about men for names it has never seen, then gender is *encoded*
there. Whether the model *uses* it is another question, which only an intervention answers. And high
accuracy alone shows less than it seems to. Three comparisons say how much:

- **Majority**: the share of the most frequent class.
- **Embedding**: the same probe on the word embeddings. What these give already, the recurrence
  didn't have to work out.
- **Control task** (Hewitt & Liang 2019): the same probe on the same signal, trained to predict
  labels that are random but fixed for each word type. Nothing but memory can solve it. The probe's
  **selectivity** is its accuracy on the real task minus that on the control task: a probe with
  enough capacity to remember every word scores high on both.

Two splits. Accuracy is measured on groups (lexemes) that the probe hasn't seen: no name is in both
halves. A control task can't be measured that way, because the random label of an unseen type can't
be known, and every probe would look selective. So selectivity compares both tasks on one and the
same split that divides examples, not types, as Hewitt and Liang's does; `seen` is the real task's
accuracy there. `seen` far above `accuracy` means: this probe knows names, not gender. (Types that
occur once can't be remembered. Where most do, the control task is at chance for any probe.)

The unit of resampling is the group: intervals come from a bootstrap over groups of what was
predicted for each example when it was held out. They don't include the chance of training.

    table = probe(trace, labels, lexemes, "cell_state", range(6), anchor=antecedent)
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.evaluation import interval
from textgate.probing._signals import Signal, anchors, per_example, signal_of
from textgate.probing._threads import one_thread
from textgate.probing.folds import (
    Split,
    Targets,
    by_example,
    by_group,
    check_folds,
    control_labels,
    targets_of,
    why_not,
)


def probe(
    trace: Any,
    labels: Any,
    groups: Any,
    signal: str | None,
    position: int | Iterable[int] = -1,
    *,
    layer: str | None = None,
    anchor: Any = None,
    embedding: Any = None,
    types: Any = None,
    folds: int = 5,
    strength: float = 1.0,
    controls: int = 3,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Train linear diagnostic classifiers on a signal and test them on groups they haven't seen.

    The classifier is a logistic regression with an L2 penalty on standardised units.

    Args:
        trace: A trace, one of its nodes, or one signal `(example, time, unit)`.
        labels: The class of each example, of shape `(examples,)`, or the name of a label of the
            trace.
        groups: What must not stand in both halves: the lexeme of each example, of shape
            `(examples,)`, or the name of a label of the trace.
        signal: Name of the signal; `None` if `trace` is one.
        position: The position to probe, or several: in unmasked steps from the beginning (0 the
            first) or the end (−1 the last); relative to `anchor` if there is one.
        layer: Name of the layer, where the trace has several.
        anchor: A step of each example, of shape `(examples,)`, or the name of a label.
        embedding: Features for the embedding-only baseline: one vector an example, of shape
            `(examples, features)`, such as the embedding of the antecedent; or one a step, with
            dims `(example, time, unit)` as from `word_embeddings`, read at the same positions.
        types: The word types of the control task; by default the groups.
        folds: Number of folds.
        strength: Inverse strength of the penalty, scikit-learn's `C`.
        controls: How many control tasks to average over; 0 for none.
        resamples: Resamples of the bootstrap.
        seed: Seed of folds, control tasks and bootstrap.

    Returns:
        One row a position: `layer`, `signal`, `position`, `examples` and `groups` probed,
        `left_out` (examples without such a step), `accuracy` with its interval `low` and `high`,
        `worst_class` (the accuracy within the class that is recognised worst), `majority`,
        `embedding` (accuracy of the baseline, or NaN), `seen` (accuracy for groups that were seen
        in training), `control` (accuracy on the control task), `selectivity` (`seen` − `control`)
        with `selectivity_low` and `selectivity_high`, `folds`, `strength`, `seed`.

    Raises:
        ValueError: If a name is unknown, there is only one class, there are fewer groups than
            folds, a position lies outside all examples, or there aren't as many labels as
            examples.

    Example:

    >>> import xarray as xr
    >>> random = np.random.default_rng(0)
    >>> names = np.repeat(np.arange(20), 5)
    >>> states = xr.DataArray(random.normal(size=(100, 3, 4)), dims=("example", "time", "unit"))
    >>> states[:, 1, 2] += 4.0 * (names % 2)  # from the second step on, unit 2 knows
    >>> table = probe(states, names % 2, names, None, [0, 1], resamples=100)
    >>> (table.accuracy > 0.8).tolist()
    [False, True]
    """
    found = signal_of(trace, signal, layer)
    several = list(position) if isinstance(position, Iterable) else [position]
    return _rows(found, trace, labels, groups, several, anchor, embedding, types, strict=True,
                 options=_Options(folds, strength, controls, resamples, seed))  # fmt: skip


def probe_over_positions(
    trace: Any,
    labels: Any,
    groups: Any,
    signal: str | None,
    anchor: Any,
    positions: Sequence[int] = range(-2, 11),
    **options: Any,
) -> pd.DataFrame:
    """Return the accuracy of a probe trained anew at each position around an anchor.

    Aligned at the antecedent, it shows when a feature gets in and whether it stays; aligned at the
    target, whether it is there when it is needed. Sentences that end earlier drop out, so that the
    curve's points don't stand for the same sentences throughout: see `examples`.

    Args:
        trace: As for `probe`.
        labels: As for `probe`.
        groups: As for `probe`.
        signal: As for `probe`.
        anchor: The step of each example that is position 0. (A trace of a language model begins
            with `<bos>`: the step of word k is k + 1. The antecedent of a minimal pair begins at
            its `antecedent_position`, in *the actress* with *the*.)
        positions: Positions relative to the anchor.
        **options: Further arguments of `probe`.

    Returns:
        As `probe`, one row a position; where there are too few examples to probe, everything
        but the counts is NaN.

    Raises:
        ValueError: As `probe`, and if no position can be probed.

    Example:

    >>> import xarray as xr
    >>> random = np.random.default_rng(0)
    >>> names, heard = np.repeat(np.arange(20), 5), random.integers(1, 3, 100)
    >>> values = random.normal(size=(100, 5, 4))
    >>> for example, step in enumerate(heard):
    ...     values[example, step:, 2] += 6.0 * (names[example] % 2)
    >>> states = xr.DataArray(values, dims=("example", "time", "unit"))
    >>> table = probe_over_positions(states, names % 2, names, None, heard, range(-1, 3))
    >>> (table.accuracy > 0.8).tolist()
    [False, True, True, True]
    """
    if anchor is None:
        raise ValueError(
            "`anchor` must be a step of each example, such as the antecedent's. Received: None"
        )
    layer, embedding, types = (options.pop(k, None) for k in ("layer", "embedding", "types"))
    found = signal_of(trace, signal, layer)
    return _rows(found, trace, labels, groups, list(positions), anchor, embedding, types,
                 strict=False, options=_Options(**options))  # fmt: skip


class _Options:
    """The numbers that a probe takes, checked."""

    def __init__(
        self,
        folds: int = 5,
        strength: float = 1.0,
        controls: int = 3,
        resamples: int = 1000,
        seed: int = 0,
    ) -> None:
        check_folds(folds)
        if not strength > 0:
            raise ValueError(f"`strength` must be above 0. Received: strength={strength!r}")
        if controls < 0:
            raise ValueError(f"`controls` must be at least 0. Received: controls={controls!r}")
        self.folds, self.strength, self.controls = folds, float(strength), controls
        self.resamples, self.seed = resamples, seed


def _rows(
    found: Signal,
    trace: Any,
    labels: Any,
    groups: Any,
    positions: list[int],
    anchor: Any,
    embedding: Any,
    types: Any,
    strict: bool,
    options: _Options,
) -> pd.DataFrame:
    targets = targets_of(
        per_example(trace, found, labels, "labels"), per_example(trace, found, groups, "groups")
    )
    if strict and (reason := why_not(targets, options.folds)):
        raise ValueError(reason)
    steps = anchors(trace, found, anchor)
    kinds = targets.groups if types is None else per_example(trace, found, types, "types")
    baseline = _baseline(embedding, found)
    if not positions:
        raise ValueError("`position` must be one or more positions. Received: none")
    rows, reasons = [], []
    for position in positions:
        values, members = found.at(position, steps)
        row: dict[str, Any] = {
            "layer": found.layer,
            "signal": found.name,
            "position": int(position),
            "examples": len(members),
            "left_out": found.examples - len(members),
        }
        if strict and not len(members):
            raise ValueError(
                "`position` must lie within the examples, of which the longest has "
                f"{int(found.mask.sum(axis=1).max(initial=0))} unmasked steps. "
                f"Received: position={position}"
            )
        some = targets.of(members)
        reason = why_not(some, options.folds)
        if strict and reason:
            raise ValueError(f"at position {position}, {reason}")
        reasons.append(reason)
        if reason:
            rows.append({**row, "groups": some.group_count, **dict.fromkeys(_MEASURES, np.nan)})
            continue
        other = None if baseline is None else baseline(position, steps, members)
        rows.append({**row, **_measure(values, some, np.asarray(kinds)[members], other, options)})
    if all(reasons):
        raise ValueError(reasons[0])
    table = pd.DataFrame(rows)
    return table.assign(folds=options.folds, strength=options.strength, seed=options.seed)


_MEASURES = (
    *("accuracy", "low", "high", "worst_class", "majority", "embedding", "seen", "control"),
    *("selectivity", "selectivity_low", "selectivity_high"),
)


def _measure(
    values: np.ndarray,
    targets: Targets,
    types: np.ndarray,
    baseline: np.ndarray | None,
    options: _Options,
) -> dict[str, Any]:
    """Return the numbers of one row."""
    y, groups = targets.y, targets.groups
    splits = by_group(targets, options.folds, options.seed)
    right = held_out(values, y, splits, options.strength) == y
    low, high = interval(right, [groups], resamples=options.resamples, seed=options.seed)
    result = {
        **dict.fromkeys(_MEASURES, np.nan),
        "groups": targets.group_count,
        "accuracy": float(right.mean()),
        "low": low,
        "high": high,
        "worst_class": min(float(right[y == c].mean()) for c in range(len(targets.classes))),
        "majority": float(np.bincount(y).max() / len(y)),
    }
    if baseline is not None:
        guessed = held_out(baseline, y, splits, options.strength)
        result["embedding"] = float((guessed == y).mean())
    if options.controls and len(np.unique(types)) < len(types):
        splits = by_example(targets, options.folds, options.seed)
        seen = (held_out(values, y, splits, options.strength) == y).astype(float)
        control = np.zeros(len(y))
        for wanted in control_labels(y, types, options.controls, options.seed):
            control += held_out(values, wanted, splits, options.strength) == wanted
        control /= options.controls
        low, high = interval(
            seen - control, [groups], resamples=options.resamples, seed=options.seed
        )
        result.update(
            seen=float(seen.mean()),
            control=float(control.mean()),
            selectivity=float((seen - control).mean()),
            selectivity_low=low,
            selectivity_high=high,
        )
    return result


def held_out(x: np.ndarray, y: np.ndarray, splits: Sequence[Split], strength: float) -> np.ndarray:
    """Return what is predicted for each row by the classifier that wasn't trained on it.

    Args:
        x: Features, of shape `(n, features)`.
        y: Classes as numbers, of shape `(n,)`.
        splits: The folds.
        strength: Inverse strength of the penalty.
    """
    predicted = np.empty(len(y), y.dtype)
    with one_thread():
        for train, test in splits:
            predicted[test] = classifier(x[train], y[train], strength).predict(x[test])
    return predicted


def classifier(x: np.ndarray, y: np.ndarray, strength: float) -> Any:
    """Return a logistic regression on standardised features, trained.

    Where `y` has one class only, as a control task's may by chance, it always predicts that class.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if (y == y[0]).all():
        return DummyClassifier().fit(x, y)
    regression = LogisticRegression(C=strength, max_iter=5000)
    return make_pipeline(StandardScaler(), regression).fit(x, y)


def _baseline(embedding: Any, found: Signal) -> Any:
    """Return what gives a baseline's features for a position, the anchors and the examples."""
    if embedding is None:
        return None
    if len(getattr(embedding, "dims", ())) == 3:
        source = signal_of(embedding, None)
        if source.mask.shape != found.mask.shape:
            raise ValueError(
                f"`embedding` must have the examples and steps {found.mask.shape} of the trace. "
                f"Received: {source.mask.shape}"
            )

        def at_steps(position: int, steps: Any, members: np.ndarray) -> np.ndarray:
            values, rows = Signal(source.values, found.mask, "embedding", "").at(position, steps)
            assert np.array_equal(rows, members)
            return values

        return at_steps
    values = np.asarray(embedding, np.float64)
    if values.ndim != 2 or len(values) != found.examples:
        raise ValueError(
            "`embedding` must be one vector for each example, or a DataArray with the dims "
            f"(example, time, unit). Received: shape {values.shape}"
        )
    return lambda position, steps, members: values[members]
