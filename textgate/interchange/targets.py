"""A model's task as items: inputs with their targets, read by accuracy or by loss.

Interventions cost something where a feature plays no part. What they cost is read off the model's
own task: whether the right class still comes first (`margins`), and how large the loss is
(`example_losses`).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
from keras import tree

from textgate.interchange._decisions import last_activation, place_of_output
from textgate.interchange._items import Contrasts
from textgate.interchange._model_contrasts import examples_of, inputs_of


def margins(model: keras.Model, x: Any, y: Any, output: str | int | None = None) -> Contrasts:
    """Return items whose decision is positive where the model's answer is right.

    Args:
        model: A classifier.
        x: Its inputs.
        y: The right classes, `(n,)`; 1 or 0 for a sigmoid.
        output: Which output, where the model has several.

    Raises:
        ValueError: If the targets are not one class for each example.
    """
    classes = np.asarray(y)
    place = place_of_output(model, output)
    if classes.ndim == 2 and classes.shape[1] == 1:
        classes = classes[:, 0]
    if classes.ndim != 1 or not np.array_equal(classes, np.round(classes)):
        raise ValueError(
            "accuracy needs one class for each example, whole numbers of shape (n,). "
            f"Received: targets of shape {np.shape(y)} and type {classes.dtype}"
        )
    classes = classes.astype(np.int64)
    last = last_activation(model, place)
    threshold = 0.5 if last is None or last.name == "sigmoid" else 0.0

    def readout(outputs: Any) -> np.ndarray:
        scores = np.asarray(tree.flatten(outputs)[place], np.float64)
        if scores.ndim == 1 or scores.shape[1] == 1:
            return np.asarray(np.where(classes == 1, 1, -1) * (scores.reshape(-1) - threshold))
        rows = np.arange(len(scores))
        right = scores[rows, classes]
        scores[rows, classes] = -np.inf
        return np.asarray(right - scores.max(axis=1))

    return _items(x, len(classes), readout)


def likelihoods(model: keras.Model, x: Any, y: Any) -> Contrasts:
    """Return items whose decision is minus the model's loss on each example.

    Raises:
        ValueError: If the model isn't compiled with one loss.
    """
    loss = example_losses(model, y)
    return _items(x, len(np.asarray(y)), lambda outputs: np.asarray(-loss(outputs)))


def example_losses(model: keras.Model, y: Any) -> Callable[[Any], np.ndarray]:
    """Return the function from a model's outputs to its loss on each example, `(n,)`.

    Raises:
        ValueError: If the model isn't compiled with one loss.
    """
    given = getattr(model, "loss", None)
    if given is None or isinstance(given, dict | list):
        raise ValueError(
            "the loss on data is that of the compiled model; call `model.compile(loss=…)` with one "
            f"loss first. Received: model {model.name!r} with the loss {given!r}"
        )
    loss = keras.losses.get(given)
    function = loss.call if isinstance(loss, keras.losses.Loss) else loss
    targets = np.asarray(y)

    def losses(outputs: Any) -> np.ndarray:
        scores = np.asarray(tree.flatten(outputs)[0])
        aligned = targets
        if aligned.ndim == 1 and scores.ndim == 2 and scores.shape[1] == 1:
            aligned = aligned[:, None]
        values = keras.ops.convert_to_numpy(function(aligned, scores))
        each = np.asarray(values, np.float64).reshape(len(scores), -1)
        return np.asarray(each.mean(axis=1))

    return losses


def _items(x: Any, count: int, readout: Callable[[Any], np.ndarray]) -> Contrasts:
    x = inputs_of(x)
    if (examples := examples_of(x, "x")) != count:
        raise ValueError(
            "there must be a target for each example. "
            f"Received: {examples} examples and {count} targets"
        )
    nothing = np.zeros(count, np.int64)
    return Contrasts(
        table=pd.DataFrame({"item": np.arange(count)}),
        base=x,
        source=None,
        good=nothing + 1,
        bad=nothing,
        last=None,
        feature="the model's own task",
        readout=readout,
        groups=("item",),
        prefixes=False,
    )
