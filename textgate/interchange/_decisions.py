"""Decisions: what a model says of an item, as one number that is positive for the one answer.

Interventions are judged by what the model decides. A decision is a difference of logits: of two
classes for a softmax, of yes and no for a sigmoid. Logits, because there effects add up, while a
probability near 0 or 1 hides them.

A model that ends in a softmax or a sigmoid rounds its probabilities to 0 and 1 long before the
logits stop moving. So its last activation is left out while the program that calls it is compiled
(`Logits.around`); the model itself stays as it is. Where the graph doesn't show the last
activation, as in a subclassed model, the decision is taken from the probabilities, which are
clipped to keep the logarithm finite.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

_SMALLEST = 1e-30  # a probability that is smaller counts as this one
_NEAREST = 1e-7  # how near to 0 and 1 the probability of a sigmoid counts
_active = threading.local()


@dataclass(frozen=True)
class Logits:
    """What a program returns of a model: one of its outputs, with its last activation left out.

    Attributes:
        output: The place of the output among the model's outputs.
    """

    output: int = 0

    def __call__(self, outputs: Any, inputs: Any) -> Any:
        """Return the output in `float32`."""
        return ops.cast(keras.tree.flatten(outputs)[self.output], "float32")

    @contextlib.contextmanager
    def around(self, model: keras.Model) -> Iterator[None]:
        """Leave the output's last activation out of what this thread calls inside the block."""
        last = last_activation(model, self.output)
        if last is None or last.name not in ("softmax", "sigmoid"):
            yield
            return
        restore = _left_out(last)
        try:
            yield
        finally:
            restore()


@dataclass(frozen=True)
class LastActivation:
    """The operation that an output comes from.

    Attributes:
        owner: The layer or operation.
        attribute: Its attribute that computes the activation.
        name: The activation's name, such as `"softmax"`.
    """

    owner: Any
    attribute: str
    name: str


def last_activation(model: keras.Model, output: int = 0) -> LastActivation | None:
    """Return what an output of a model comes from, or `None` where the graph doesn't show it.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    >>> last_activation(model).name
    'softmax'
    """
    tensors = keras.tree.flatten(getattr(model, "outputs", None) or [])
    if output >= len(tensors):
        return None
    history = tensors[output]._keras_history
    operation = history.operation
    if isinstance(operation, keras.Model):
        return last_activation(operation, history.tensor_index)
    while isinstance(operation, keras.layers.TimeDistributed):
        operation = operation.layer
    if isinstance(operation, keras.Model):
        return last_activation(operation, 0)
    if len(getattr(operation, "_inbound_nodes", ())) > 1:
        return None  # it is called elsewhere as well
    if isinstance(operation, keras.layers.Dense | keras.layers.Activation):
        return LastActivation(
            operation, "activation", getattr(operation.activation, "__name__", "unknown")
        )
    kind = type(operation).__name__.lower()
    return LastActivation(operation, "call", kind) if kind in ("softmax", "sigmoid") else None


def _left_out(last: LastActivation) -> Callable[[], None]:
    """Put the identity in an activation's place, for this thread; return what undoes it."""
    attributes = vars(last.owner)
    there = last.attribute in attributes
    original = getattr(last.owner, last.attribute)
    token = object()
    outer = getattr(_active, "token", None)
    _active.token = token

    def activation(x: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(_active, "token", None) is token:
            return x
        return original(x, *args, **kwargs)

    attributes[last.attribute] = activation  # past Keras's tracking of attributes

    def restore() -> None:
        _active.token = outer
        if there:
            attributes[last.attribute] = original
        else:
            attributes.pop(last.attribute)

    return restore


def place_of_output(model: keras.Model, output: str | int | None) -> int:
    """Return the place of an output among a model's outputs.

    Args:
        model: The model.
        output: Its name or number; `None` if the model has one only.

    Raises:
        ValueError: If there is no such output, or several and none is named.
    """
    names = list(getattr(model, "output_names", None) or [])
    if output is None:
        if len(names) > 1:
            raise ValueError(
                f"the model has several outputs; name the one that decides, `output=…`: {names}. "
                "Received: output=None"
            )
        return 0
    if isinstance(output, str) and output in names:
        return names.index(output)
    whole = isinstance(output, int) and not isinstance(output, bool)
    if whole and output in range(max(len(names), 1)):
        return int(output)
    there = f"name an output of the model, {names}, or be its number"
    raise ValueError(
        f"`output` must {there if names else 'be left out: the model has one alone'}. "
        f"Received: output={output!r}"
    )


class DecisionReader:
    """Turns a model's outputs into decisions.

    Args:
        model: The model.
        good: The class that is right for each item, `(n,)`.
        bad: The class that it is set against, `(n,)`.
        step: The step that decides for each item, `(n,)`; `None` for outputs without steps.
        output: The place of the output.

    Attributes:
        head: What a program is to return of the model; see `Logits`.
    """

    def __init__(
        self,
        model: keras.Model,
        good: np.ndarray,
        bad: np.ndarray,
        step: np.ndarray | None,
        output: int = 0,
    ) -> None:
        self.head = Logits(output)
        self._good, self._bad, self._step = good, bad, step
        last = last_activation(model, output)
        # Where the graph doesn't show the activation, the first outputs tell.
        self._kind = None if last is None else "logits"
        if last is not None and last.name not in ("softmax", "sigmoid", "linear"):
            raise ValueError(
                "a decision is a difference of logits, and the output's activation gives none; "
                "give a function of the outputs, `readout=…`. "
                f"Received: an output with the activation {last.name!r}"
            )

    def __call__(self, outputs: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return decisions.

        Args:
            outputs: What the head gave, `(rows, classes)` or `(rows, time, classes)`.
            items: The item of each row, `(rows,)`.

        Returns:
            `float32` of shape `(rows,)`.

        Raises:
            ValueError: If the outputs are of another shape, a class isn't there, or a step lies
                outside of the outputs.
        """
        scores = self._at_step(np.asarray(outputs, np.float32), items)
        if self._kind is None:
            self._kind = _kind_of(scores)
        good, bad = self._good[items], self._bad[items]
        if scores.shape[1] == 1:
            return self._of_sigmoid(scores[:, 0], good, bad)
        self._check_classes(scores.shape[1])
        if self._kind == "probabilities":
            scores = np.log(np.clip(scores, _SMALLEST, None))
        rows = np.arange(len(scores))
        return np.asarray(scores[rows, good] - scores[rows, bad])

    def _at_step(self, outputs: np.ndarray, items: np.ndarray) -> np.ndarray:
        if self._step is None:
            if outputs.ndim == 1:
                return outputs[:, None]
            if outputs.ndim == 2:
                return outputs
            what = "it has outputs for every step; say which one decides, `step=…`"
            if outputs.ndim > 3:
                what = "give a function of the outputs, `readout=…`"
        else:
            if outputs.ndim == 3:
                steps = self._step[items]
                if steps.max(initial=0) >= outputs.shape[1]:
                    raise ValueError(
                        f"`step` must lie in the outputs, from 0 to {outputs.shape[1] - 1}. "
                        f"Received: step={int(steps.max())}"
                    )
                return np.asarray(outputs[np.arange(len(outputs)), steps])
            what = "it has no steps; leave `step` out"
        raise ValueError(
            "a decision needs an output of shape (examples, classes), or (examples, time, "
            f"classes) and a step; {what}. Received: an output of shape "
            f"{('examples', *outputs.shape[1:])}"
        )

    def _of_sigmoid(self, scores: np.ndarray, good: np.ndarray, bad: np.ndarray) -> np.ndarray:
        self._check_classes(2)
        if self._kind == "probabilities":
            p = np.clip(scores.astype(np.float64), _NEAREST, 1 - _NEAREST)
            scores = (np.log(p) - np.log1p(-p)).astype(np.float32)
        return np.asarray(scores * np.sign(good - bad).astype(np.float32))

    def _check_classes(self, count: int) -> None:
        for name, classes in (("good", self._good), ("bad", self._bad)):
            if classes.min(initial=0) < 0 or classes.max(initial=0) >= count:
                raise ValueError(
                    f"`{name}` must be a class of the output, from 0 to {count - 1}. "
                    f"Received: {sorted(set(classes.tolist()) - set(range(count)))}"
                )


def _kind_of(scores: np.ndarray) -> str:
    """Return what outputs look like: `"probabilities"` or `"logits"`."""
    inside = bool(((scores >= 0) & (scores <= 1)).all())
    sums_up = scores.shape[1] == 1 or bool(np.allclose(scores.sum(axis=1), 1, atol=1e-3))
    return "probabilities" if inside and sums_up else "logits"


def classes_of(given: Any, count: int, name: str) -> np.ndarray:
    """Return classes as one number an item.

    Args:
        given: A class, or one for each item.
        count: The number of items.
        name: What the argument is called.

    Raises:
        ValueError: If they are not whole numbers, or not as many as items.
    """
    array = np.asarray(given)
    if array.dtype.kind not in "iu" or array.shape not in ((), (count,)):
        raise ValueError(
            f"`{name}` must be a class of the output, a whole number, or one for each of the "
            f"{count} items. Received: {array.dtype} of shape {array.shape}"
        )
    return np.broadcast_to(array, (count,)).astype(np.int64)


def check_different(good: np.ndarray, bad: np.ndarray, items: Sequence[int] | None = None) -> None:
    """Raise a `ValueError` where `good` and `bad` are the same class."""
    same = np.flatnonzero(good == bad)
    if len(same):
        raise ValueError(
            "`good` and `bad` must be different classes, or there is nothing to decide. "
            f"Received: class {int(good[same[0]])} for both, in item {int(same[0])}"
        )
