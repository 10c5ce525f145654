"""What one layer of a model is given and computes, and what changes if its state is nudged.

A trace has a layer's signals, but not its inputs, and no gradients. Where these are needed, the
model itself is called, by the same interception that tracing uses and in a stateless scope, so that
it stays as it was.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras

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
        found: list[tuple[Site, int | None]] = [(site, None) for site in sites]
    else:
        found = resolve(layer, sites)
    if len(found) != 1:
        raise ValueError(
            "Choose one recurrent layer of the model by `layer`; it has "
            f"{[site.path for site in sites]}. Received: layer={layer!r}"
        )
    site, call = found[0]
    return site, call or 0


@contextmanager
def stateless() -> Iterator[None]:
    """Let a model be called without changing its states and random generators."""
    with keras.StatelessScope(collect_losses=True):
        yield


def call_of(
    model: Any, inputs: Any, site: Site, number: int, edit: Any = None
) -> tuple[Call, dict[str, Any], Any]:
    """Call a model, and return one of its layers' calls.

    Args:
        model: The model.
        inputs: One batch.
        site: The layer.
        number: Which of its calls.
        edit: Is handed the call before it is computed, and returns edits of its signals.

    Returns:
        The call, its signals (`{name: (batch, time, units)}`), and the model's outputs.

    Raises:
        ValueError: If the model doesn't call the layer, or not as often.
    """
    found: list[tuple[Call, dict[str, Any]]] = []

    def is_meant(call: Call) -> bool:
        return call.site.path == site.path and call.index == number

    def edits(call: Call) -> Sequence[Any]:
        return edit(call) if edit is not None and is_meant(call) else ()

    def record(call: Call, signals: dict[str, Any]) -> None:
        if is_meant(call):
            found.append((call, signals))

    # All cells of a stack, since one loop runs them all.
    sites = [other for other in find_sites(model)[0] if other.layer is site.layer]
    with stateless(), intercept(sites, edits=edits, record=record):
        arguments = {"training": False} if model._call_has_training_arg else {}
        outputs = model(inputs, **arguments)
    if not found:
        raise ValueError(
            "The model doesn't call this layer on these inputs, or not as often. "
            f"Received: layer {site.path!r}, call {number}"
        )
    call, signals = found[0]
    return call, signals, outputs
