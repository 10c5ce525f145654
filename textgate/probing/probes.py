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
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from textgate.evaluation import interval
from textgate.probing._signals import PerExample, Signal, Trace, per_example, signal_of
from textgate.probing._tasks import Sample, Task, task_of
from textgate.probing._threads import one_thread
from textgate.probing.folds import (
    Split,
    by_example,
    by_group,
    check_folds,
    control_labels,
    obstacle,
)


def probe(
    trace: Trace,
    labels: PerExample,
    groups: PerExample,
    signal: str | None,
    position: int | Iterable[int] = -1,
    *,
    layer: str | None = None,
    anchor: PerExample | None = None,
    embedding: ArrayLike | xr.DataArray | None = None,
    types: PerExample | None = None,
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
    options = _Options(folds, strength, controls, resamples, seed)
    task = task_of(trace, labels, groups, signal, layer, anchor)
    if reason := obstacle(task.targets, folds):
        raise ValueError(reason)
    probes = _Probes.of(task, embedding, types, options)
    rows = []
    for place in _several(position):
        sample = task.at(place)
        if not len(sample.rows):
            raise ValueError(
                "`position` must lie within the examples, of which the longest has "
                f"{int(task.signal.mask.sum(axis=1).max(initial=0))} unmasked steps. "
                f"Received: position={place}"
            )
        if reason := obstacle(sample.targets, folds):
            raise ValueError(f"at position {place}, {reason}")
        rows.append(probes.row(place, sample))
    return probes.table(rows)


def probe_over_positions(
    trace: Trace,
    labels: PerExample,
    groups: PerExample,
    signal: str | None,
    anchor: PerExample,
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
    task = task_of(trace, labels, groups, signal, layer, anchor)
    probes = _Probes.of(task, embedding, types, _Options(**options))
    rows, reasons = [], []
    for position in _several(positions):
        sample = task.at(position)
        reasons.append(obstacle(sample.targets, probes.options.folds))
        rows.append((probes.blank_row if reasons[-1] else probes.row)(position, sample))
    if all(reasons):
        raise ValueError(reasons[0])
    return probes.table(rows)


def _several(position: int | Iterable[int]) -> list[int]:
    positions = list(position) if isinstance(position, Iterable) else [position]
    if not positions:
        raise ValueError("`position` must be one or more positions. Received: none")
    return positions


@dataclass
class _Options:
    """The numbers that a probe takes, checked."""

    folds: int = 5
    strength: float = 1.0
    controls: int = 3
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_folds(self.folds)
        if not self.strength > 0:
            raise ValueError(f"`strength` must be above 0. Received: strength={self.strength!r}")
        if self.controls < 0:
            raise ValueError(f"`controls` must be at least 0. Received: controls={self.controls!r}")
        self.strength = float(self.strength)


_MEASURES = (
    *("accuracy", "low", "high", "worst_class", "majority", "embedding", "seen", "control"),
    *("selectivity", "selectivity_low", "selectivity_high"),
)


@dataclass(frozen=True)
class _Probes:
    """Probes of one task, a row of the table for each position.

    Attributes:
        task: The task.
        baseline: The features of the embedding-only baseline: for each step or each example.
        types: The word type of each example, of shape `(examples,)`.
        options: The numbers.
    """

    task: Task
    baseline: Signal | np.ndarray | None
    types: np.ndarray
    options: _Options

    @classmethod
    def of(
        cls,
        task: Task,
        embedding: ArrayLike | xr.DataArray | None,
        types: PerExample | None,
        options: _Options,
    ) -> Self:
        kinds = task.targets.groups if types is None else per_example(task.signal, types, "types")
        return cls(task, _baseline(embedding, task.signal), kinds, options)

    def row(self, position: int, sample: Sample) -> dict[str, Any]:
        """Return the row of a position."""
        row = self._counts(position, sample) | dict.fromkeys(_MEASURES, np.nan)
        row["groups"] = sample.targets.group_count
        row |= self._on_unseen_groups(sample, position)
        types = self.types[sample.rows]
        if self.options.controls and len(np.unique(types)) < len(types):
            row |= self._against_control_task(sample, types)
        return row

    def blank_row(self, position: int, sample: Sample) -> dict[str, Any]:
        """Return the row of a position where there are too few examples to probe."""
        row = self._counts(position, sample)
        return {**row, "groups": sample.targets.group_count, **dict.fromkeys(_MEASURES, np.nan)}

    def table(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Return the rows as a table."""
        options = self.options
        return pd.DataFrame(rows).assign(
            folds=options.folds, strength=options.strength, seed=options.seed
        )

    def _counts(self, position: int, sample: Sample) -> dict[str, Any]:
        signal = self.task.signal
        return {
            "layer": signal.layer,
            "signal": signal.name,
            "position": int(position),
            "examples": len(sample.rows),
            "left_out": signal.examples - len(sample.rows),
        }

    def _on_unseen_groups(self, sample: Sample, position: int) -> dict[str, Any]:
        """Return the accuracy for groups that weren't in training, and what it is held against."""
        options, y = self.options, sample.targets.y
        splits = by_group(sample.targets, options.folds, options.seed)
        correct = held_out(sample.values, y, splits, options.strength) == y
        low, high = self._interval(correct, sample)
        of_class = [float(correct[y == c].mean()) for c in range(len(sample.targets.classes))]
        measures = {
            "accuracy": float(correct.mean()),
            "low": low,
            "high": high,
            "worst_class": min(of_class),
            "majority": sample.targets.majority,
        }
        if self.baseline is not None:
            if isinstance(self.baseline, Signal):
                features, _ = self.baseline.at(position, self.task.anchor)
            else:
                features = self.baseline[sample.rows]
            predicted = held_out(features, y, splits, options.strength)
            measures["embedding"] = float((predicted == y).mean())
        return measures

    def _against_control_task(self, sample: Sample, types: np.ndarray) -> dict[str, Any]:
        """Return the accuracy for groups that were in training, and that on the control task."""
        options, y = self.options, sample.targets.y
        splits = by_example(sample.targets, options.folds, options.seed)
        seen = (held_out(sample.values, y, splits, options.strength) == y).astype(float)
        control = np.zeros(len(y))
        for random in control_labels(y, types, options.controls, options.seed):
            control += held_out(sample.values, random, splits, options.strength) == random
        control /= options.controls
        low, high = self._interval(seen - control, sample)
        return {
            "seen": float(seen.mean()),
            "control": float(control.mean()),
            "selectivity": float((seen - control).mean()),
            "selectivity_low": low,
            "selectivity_high": high,
        }

    def _interval(self, values: np.ndarray, sample: Sample) -> tuple[float, float]:
        options = self.options
        clusters = [sample.targets.groups]
        return interval(values, clusters, resamples=options.resamples, seed=options.seed)


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


class Classifier(Protocol):
    """What is trained and predicts, as scikit-learn's classifiers do."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the class of each row of features `(n, features)`."""


def classifier(x: np.ndarray, y: np.ndarray, strength: float) -> Classifier:
    """Return a logistic regression on standardised features, trained.

    Where `y` has one class only, as a control task's may by chance, it always predicts that class.
    """
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if (y == y[0]).all():
        trained: Classifier = DummyClassifier().fit(x, y)
    else:
        regression = LogisticRegression(C=strength, max_iter=5000)
        trained = make_pipeline(StandardScaler(), regression).fit(x, y)
    return trained


def _baseline(
    embedding: ArrayLike | xr.DataArray | None, signal: Signal
) -> Signal | np.ndarray | None:
    """Return the features of the embedding-only baseline, checked."""
    if embedding is None:
        return None
    if isinstance(embedding, xr.DataArray) and embedding.ndim == 3:
        steps = signal_of(embedding, None)
        if steps.mask.shape != signal.mask.shape:
            raise ValueError(
                f"`embedding` must have the examples and steps {signal.mask.shape} of the trace. "
                f"Received: {steps.mask.shape}"
            )
        return Signal(steps.values, signal.mask, "embedding", "")
    features = np.asarray(embedding, np.float64)
    if features.ndim != 2 or len(features) != signal.examples:
        raise ValueError(
            "`embedding` must be one vector for each example, or a DataArray with the dims "
            f"(example, time, unit). Received: shape {features.shape}"
        )
    return features
