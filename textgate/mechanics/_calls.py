"""What one layer of a model is given and computes, and what changes if its state is nudged.

A trace has a layer's signals, but not its inputs, and no gradients. Where these are needed, the
model itself is called, by the same interception that tracing uses and in a stateless scope, so that
it stays as it was.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from textgate._backend import Tensor
from textgate.recurrence import Edit
from textgate.tracing import Call, SiteCall, find_sites, intercept


class LayerCall(NamedTuple):
    """One call of a layer, as a model makes it.

    Attributes:
        call: What the layer is given.
        signals: What it computes, `{name: (batch, time, units)}`.
        outputs: What the model returns.
    """

    call: Call
    signals: dict[str, Tensor]
    outputs: Any

    @property
    def mask(self) -> np.ndarray:
        """Which steps the layer reads, `(batch, time)`."""
        if self.call.mask is None:
            return np.ones(self.call.inputs.shape[:2], bool)
        return np.asarray(self.call.mask)


def call_of(
    model: keras.Model,
    inputs: Any,
    target: SiteCall,
    edit: Callable[[Call], Sequence[Edit]] | None = None,
) -> LayerCall:
    """Call a model, and return one of its layers' calls.

    Args:
        model: The model.
        inputs: One batch.
        target: The layer, and which of its calls.
        edit: Is handed the call before it is computed, and returns edits of its signals.

    Raises:
        ValueError: If the model doesn't call the layer, or not as often.
    """
    site, number = target
    recorded: list[tuple[Call, dict[str, Tensor]]] = []

    def is_meant(call: Call) -> bool:
        return call.site.path == site.path and call.index == number

    def edits(call: Call) -> Sequence[Edit]:
        return edit(call) if edit is not None and is_meant(call) else ()

    def record(call: Call, signals: dict[str, Tensor]) -> None:
        if is_meant(call):
            recorded.append((call, signals))

    # All cells of a stack, since one loop runs them all.
    sites = [other for other in find_sites(model)[0] if other.layer is site.layer]
    scope = keras.StatelessScope(collect_losses=True)  # states and generators stay as they are
    with scope, intercept(sites, edits=edits, record=record):
        arguments = {"training": False} if model._call_has_training_arg else {}
        outputs = model(inputs, **arguments)
    if not recorded:
        raise ValueError(
            "The model doesn't call this layer on these inputs, or not as often. "
            f"Received: layer {site.path!r}, call {number}"
        )
    return LayerCall(*recorded[0], outputs)
