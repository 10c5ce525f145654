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

Labels of steps. Where the label belongs to steps (a tag, being inside quotes, a column), every
unmasked step is an observation, and steps of one example hang together: groups are examples, or
what is larger. Word types stand on both sides then, so that the control task is measured on the
same folds, on those steps whose type was seen in training; `seen` is the real task's accuracy
there. Labels that are numbers are predicted by ridge regression, and R² takes accuracy's place.

    table = probe(trace, "in_quotes", "line", "cell_state")
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from textgate.probing._measures import Options, Probes
from textgate.probing._signals import (
    PerExample,
    PerStep,
    Position,
    Trace,
    described,
    is_pooled,
)
from textgate.probing._tasks import task_of
from textgate.probing.folds import obstacle


def probe(
    trace: Trace,
    labels: PerStep,
    groups: PerStep | None,
    signal: str | None,
    position: Position | Iterable[int] | None = None,
    *,
    layer: str | None = None,
    anchor: PerExample | None = None,
    embedding: ArrayLike | xr.DataArray | None = None,
    types: PerStep | None = None,
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
        labels: The class of each example, of shape `(examples,)`, or the class or the number of
            each step, `(examples, time)`; or the name of a label of the trace. NaN, `None` and `""`
            at a step mean that it has no label.
        groups: What must not stand in both halves: the lexeme of each example, of shape
            `(examples,)`, or of each step, or the name of a label of the trace; `None`: each
            example is on its own.
        signal: Name of the signal; `None` if `trace` is one.
        position: The position to probe, or several: in unmasked steps from the beginning (0 the
            first) or the end (−1 the last); relative to `anchor` if there is one. Or many steps at
            once: `"all"` unmasked ones, a slice of them, or a boolean array `(examples, time)`. By
            default −1, and `"all"` for labels of steps.
        layer: Name of the layer, where the trace has several.
        anchor: A step of each example, of shape `(examples,)`, or the name of a label.
        embedding: Features for the embedding-only baseline: one vector an example, of shape
            `(examples, features)`, such as the embedding of the antecedent; or one a step, with
            dims `(example, time, unit)` as from `word_embeddings`, read at the same positions.
        types: The word types of the control task; by default the groups, and over steps the
            trace's `token`.
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
        with `selectivity_low` and `selectivity_high`, `folds`, `strength`, `seed`. Over steps also
        `steps`, how many were probed. For numbers `r2` takes the place of `accuracy`, without
        `worst_class` and `majority`; `embedding`, `seen` and `control` are R² as well.

    Raises:
        ValueError: If a name is unknown, there is only one class, there are fewer groups than
            folds, a position lies outside all examples, there aren't as many labels as examples or
            steps, or there are no word types for the control task over steps.

    Example:

    >>> import numpy as np, xarray as xr
    >>> random = np.random.default_rng(0)
    >>> names = np.repeat(np.arange(20), 5)
    >>> states = xr.DataArray(random.normal(size=(100, 3, 4)), dims=("example", "time", "unit"))
    >>> states[:, 1, 2] += 4.0 * (names % 2)  # from the second step on, unit 2 knows
    >>> table = probe(states, names % 2, names, None, [0, 1], resamples=100)
    >>> (table.accuracy > 0.8).tolist()
    [False, True]

    Which steps unit 2 is high at, read at all of them; each example is a group of its own.

    >>> labels = states[..., 2].values > 1
    >>> probe(states, labels, None, None, controls=0)[["position", "steps"]].values.tolist()
    [['all', 300]]
    """
    options = Options(folds, strength, controls, resamples, seed)
    task = task_of(trace, labels, groups, signal, layer, anchor, position)
    if reason := obstacle(task.targets, folds):
        raise ValueError(reason)
    probes = Probes.of(task, embedding, types, options)
    rows = []
    for place in _several(task.position if position is None else position):
        sample = task.at(place)
        if not len(sample.rows):
            raise ValueError(
                "`position` must lie within the examples, of which the longest has "
                f"{int(task.signal.mask.sum(axis=1).max(initial=0))} unmasked steps. "
                f"Received: position={described(place)}"
            )
        if reason := obstacle(sample.targets, folds):
            raise ValueError(f"at position {described(place)}, {reason}")
        rows.append(probes.row(place, sample))
    return probes.table(rows)


def probe_over_positions(
    trace: Trace,
    labels: PerStep,
    groups: PerStep | None,
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

    >>> import numpy as np, xarray as xr
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
    probes = Probes.of(task, embedding, types, Options(**options))
    rows, reasons = [], []
    for position in _several(positions):
        sample = task.at(position)
        reasons.append(obstacle(sample.targets, probes.options.folds))
        rows.append((probes.blank_row if reasons[-1] else probes.row)(position, sample))
    if all(reasons):
        raise ValueError(reasons[0])
    return probes.table(rows)


def _several(position: Any) -> list[Position]:
    several = isinstance(position, Iterable) and not is_pooled(position)
    positions: list[Position] = [*position] if several else [position]
    if not positions:
        raise ValueError("`position` must be one or more positions. Received: none")
    return positions
