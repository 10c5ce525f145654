"""What taking units out costs a model at its own task, by class of step or of example.

That a unit says where quotes are open shows that it is *encoded*. If without it closing quotes
break and other characters don't, the model *uses* it. So units are ablated one by one (or set by
set), and loss and accuracy are compared with the model's own, for each class apart.

Examples, not steps, are what is sampled: the steps of an example hang together. Intervals come from
a bootstrap over examples, or over groups of them, and the test flips their signs; its p-values are
corrected for all sets that are tried (max-T), within each class.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from textgate.evaluation.inference import ratio_interval, sign_flips
from textgate.interchange._decisions import Logits, place_of_output
from textgate.interchange._items import Contrasts
from textgate.interchange._model_runner import ModelRunner
from textgate.interchange._units import Units
from textgate.tracing import checked_sites, resolve

ALL = "all"


def ablation_effects(
    model: keras.Model,
    x: Any,
    y: Any,
    layer: str,
    signal: str | None = None,
    *,
    by: Any = None,
    sets: Iterable[Sequence[int]] | None = None,
    kind: str = "mean",
    groups: Any = None,
    output: str | int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure what ablating each unit, or each of some sets, costs in loss and in accuracy.

    Args:
        model: Any built Keras model that `textgate.trace` takes, with an output of classes
            (softmax, sigmoid or logits).
        x: Its inputs, what `model.predict` takes, `n` examples.
        y: The right classes, whole numbers of shape `(n,)`, or `(n, time)` for an output with
            steps.
        layer: The recurrent layer, as `textgate.trace` names it.
        signal: The signal that is ablated; by default the cell's memory.
        by: Classes to tell apart, of examples `(n,)` or of steps `(n, time)`.
        sets: Sets of units; by default each unit by itself.
        kind: `"zero"`, `"mean"` or `"resample"`; values come from `x` itself.
        groups: What belongs together, one label an example, `(n,)`; by default each example is on
            its own.
        output: Which output, by name or number, where the model has several.
        seed: Seed of resampling, intervals and tests.

    Returns:
        A row for each class (`"all"` first) and set, with the columns `by`, `units`, `kind`, `n`
        (steps, or examples), `loss` and `accuracy` of the model as it is, `loss_added` with its
        95 % interval `low` to `high`, `accuracy_lost` (a share), `t` and `p_adjusted`. Steps that
        the layer masks don't count.

    Raises:
        ValueError: If `y`, `by` or `groups` don't fit the outputs, or the layer has no such signal.
        TypeError: If `model` is no Keras model.

    Example:

    >>> model = keras.Sequential([
    ...     keras.Input((None, 3)), keras.layers.LSTM(4, name="lstm"),
    ...     keras.layers.Dense(2, activation="softmax"),
    ... ])
    >>> x = np.random.default_rng(0).normal(size=(8, 5, 3))
    >>> table = ablation_effects(model, x, np.arange(8) % 2, "lstm", by=["a", "b"] * 4)
    >>> table[["by", "units"]].values.tolist()[:5]
    [['all', '0'], ['all', '1'], ['all', '2'], ['all', '3'], ['a', '0']]
    """
    cell = resolve(layer, checked_sites(model))[0][0].spec.cell
    targets = np.asarray(y)
    if targets.dtype.kind not in "iub":
        raise ValueError(
            f"`y` must be classes, whole numbers. Received: {targets.dtype} of shape "
            f"{targets.shape}"
        )
    count = len(targets)
    runner = ModelRunner(model, _examples(x, count), layer, signal or cell.memory)
    head = Logits(place_of_output(model, output))
    clean = _Scores(next(runner.outputs(None, head=head)), targets)
    counted = runner.mask if clean.loss.ndim == 2 else np.ones(count, bool)
    if counted.shape != clean.loss.shape:
        counted = np.ones(clean.loss.shape, bool)
    classes = _classes(by, clean.loss.shape, counted)
    clusters = np.arange(count) if groups is None else _labels(groups, (count,), "groups")
    chosen = [Units(members) for members in (sets or np.arange(runner.units)[:, None].tolist())]
    masks = np.stack([units.mask(runner.units) for units in chosen])
    edited = [_Scores(each, targets) for each in runner.outputs(masks, kind, seed, head)]
    tables = [
        _effects(name, where, clean, edited, clusters, seed).assign(
            units=[str(units) for units in chosen], kind=kind
        )
        for name, where in classes.items()
    ]
    table = pd.concat(tables, ignore_index=True)
    first = ["by", "units", "kind"]
    return table[[*first, *(column for column in table if column not in first)]]


def _examples(x: Any, count: int) -> Contrasts:
    nothing = np.zeros(count, np.int64)
    return Contrasts(
        pd.DataFrame({"item": np.arange(count)}), x, None, nothing + 1, nothing, None,
        readout=lambda outputs: nothing, groups=("item",), prefixes=False,
    )  # fmt: skip


class _Scores:
    """The loss and the accuracy of outputs, of the targets' shape.

    Args:
        logits: Of shape `(…, classes)`; of a sigmoid, `(…, 1)` or `(…)`.
        targets: The right classes.
    """

    def __init__(self, logits: np.ndarray, targets: np.ndarray) -> None:
        scores = np.asarray(logits, np.float64)
        if scores.shape == targets.shape or scores.shape == (*targets.shape, 1):
            yes = scores.reshape(targets.shape)
            scores = np.stack([np.zeros_like(yes), yes], axis=-1)
        if scores.shape[:-1] != targets.shape:
            raise ValueError(
                "`y` must have a class for each example, or for each step of an output with steps, "
                f"here shape {scores.shape[:-1]}. Received: shape {targets.shape}"
            )
        if targets.min(initial=0) < 0 or targets.max(initial=0) >= scores.shape[-1]:
            raise ValueError(
                f"`y` must be classes of the output, from 0 to {scores.shape[-1] - 1}. "
                f"Received: {int(targets.min())} to {int(targets.max())}"
            )
        top = scores.max(axis=-1)
        normal = top + np.log(np.exp(scores - top[..., None]).sum(axis=-1))
        right = np.take_along_axis(scores, targets[..., None].astype(np.int64), axis=-1)[..., 0]
        self.loss = normal - right
        self.right = scores.argmax(axis=-1) == targets


def _classes(by: Any, shape: tuple[int, ...], counted: np.ndarray) -> dict[str, np.ndarray]:
    """Return for each class where it is, in the shape of the losses; all first."""
    everywhere = {ALL: counted}
    if by is None:
        return everywhere
    labels = np.asarray(by)
    if labels.shape == shape[:1]:
        labels = np.broadcast_to(labels.reshape(-1, *[1] * (len(shape) - 1)), shape)
    labels = _labels(labels, shape, "by")
    names = sorted(set(labels[counted].tolist()))
    return everywhere | {str(name): counted & (labels == name) for name in names}


def _labels(given: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    labels = np.asarray(given)
    if labels.shape != shape:
        raise ValueError(
            f"`{name}` must have a label for each of them, shape {shape}. "
            f"Received: shape {labels.shape}"
        )
    return labels


def _effects(
    name: str,
    where: np.ndarray,
    clean: _Scores,
    edited: Sequence[_Scores],
    clusters: np.ndarray,
    seed: int,
) -> pd.DataFrame:
    """Return a row for each set: what it costs in one class."""
    steps = where.reshape(len(where), -1)
    n = steps.sum(axis=1)  # of each example

    def per_example(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(steps, values.reshape(steps.shape), 0.0).sum(axis=1))

    added = np.stack([per_example(each.loss - clean.loss) for each in edited])
    lost = [float(clean.right[where].mean() - each.right[where].mean()) for each in edited]
    intervals = [ratio_interval(row, n, [clusters], seed) for row in added]
    some = n > 0
    enough = len(set(clusters[some].tolist())) >= 2
    tests = sign_flips(added[:, some], [clusters[some]], seed) if enough else None
    return pd.DataFrame(
        {
            "by": name,
            "n": int(n.sum()),
            "loss": float(clean.loss[where].mean()),
            "accuracy": float(clean.right[where].mean()),
            "loss_added": added.sum(axis=1) / n.sum(),
            "low": [low for low, _ in intervals],
            "high": [high for _, high in intervals],
            "accuracy_lost": lost,
            "t": np.nan if tests is None else tests["t"],
            "p_adjusted": np.nan if tests is None else tests["p_adjusted"],
        }
    )
