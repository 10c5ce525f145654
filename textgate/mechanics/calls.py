"""What one layer of a model is given and computes, and what changes if its state is nudged.

A trace has a layer's signals, but not its inputs, and no gradients. Where these are needed, the
model itself is called, by the same interception that tracing uses and in a stateless scope, so that
it stays as it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import keras
import numpy as np

from textgate.recurrence import Edit
from textgate.tracing import Call, Site, find_sites, intercept, resolve


def one_site(model: Any, layer: str | None) -> tuple[Site, int]:
    """Return the recurrent layer that a name stands for, and the number of its call.

    Args:
        model: A built Keras model.
        layer: The layer's name, as nodes of traces are called; it may be left out where the model
            has only one recurrent layer.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the name is unknown, stands for several layers, or has to be given.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(f"`model` must be a Keras model. Received: {type(model).__name__}")
    sites, _ = find_sites(model)
    if layer is None:
        matches: list[tuple[Site, int | None]] = [(site, None) for site in sites]
    else:
        matches = resolve(layer, sites)
    if len(matches) != 1:
        raise ValueError(
            "Choose one recurrent layer of the model by `layer`; it has "
            f"{[site.path for site in sites]}. Received: layer={layer!r}"
        )
    site, call = matches[0]
    return site, call or 0


class LayerCall(NamedTuple):
    """One call of a layer, as a model makes it.

    Attributes:
        call: What the layer is given.
        signals: What it computes, `{name: (batch, time, units)}`.
        outputs: What the model returns.
    """

    call: Call
    signals: dict[str, Any]
    outputs: Any

    @property
    def mask(self) -> np.ndarray:
        """Which steps the layer reads, `(batch, time)`."""
        if self.call.mask is None:
            return np.ones(self.call.inputs.shape[:2], bool)
        return np.asarray(self.call.mask)


@contextmanager
def stateless() -> Iterator[None]:
    """Let a model be called without changing its states and random generators."""
    with keras.StatelessScope(collect_losses=True):
        yield


def call_of(
    model: keras.Model,
    inputs: Any,
    site: Site,
    number: int,
    edit: Callable[[Call], Sequence[Edit]] | None = None,
) -> LayerCall:
    """Call a model, and return one of its layers' calls.

    Args:
        model: The model.
        inputs: One batch.
        site: The layer.
        number: Which of its calls.
        edit: Is handed the call before it is computed, and returns edits of its signals.

    Raises:
        ValueError: If the model doesn't call the layer, or not as often.
    """
    recorded: list[tuple[Call, dict[str, Any]]] = []

    def is_meant(call: Call) -> bool:
        return call.site.path == site.path and call.index == number

    def edits(call: Call) -> Sequence[Edit]:
        return edit(call) if edit is not None and is_meant(call) else ()

    def record(call: Call, signals: dict[str, Any]) -> None:
        if is_meant(call):
            recorded.append((call, signals))

    # All cells of a stack, since one loop runs them all.
    sites = [other for other in find_sites(model)[0] if other.layer is site.layer]
    with stateless(), intercept(sites, edits=edits, record=record):
        arguments = {"training": False} if model._call_has_training_arg else {}
        outputs = model(inputs, **arguments)
    if not recorded:
        raise ValueError(
            "The model doesn't call this layer on these inputs, or not as often. "
            f"Received: layer {site.path!r}, call {number}"
        )
    return LayerCall(*recorded[0], outputs)
