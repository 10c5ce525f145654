"""Calling a model inside a graph that is to be exported, and keeping what its gates did."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from textgate import recurrence
from textgate.tracing import Call, Site, intercept
from textgate.tracing.interception import Edits

# For each site's path its calls, in order.
Recorded = dict[str, list[tuple[Call, dict[str, Any]]]]


@contextlib.contextmanager
def recorded(sites: Sequence[Site], edits: Edits | None = None) -> Iterator[Recorded]:
    """Keep the signals of every call of `sites` that is made inside the block.

    The loops are textgate's own, never cuDNN's, so what is exported on a machine with a GPU runs
    on one without.
    """
    calls: Recorded = {}

    def record(call: Call, signals: dict[str, Any]) -> None:
        calls.setdefault(call.site.path, []).append((call, signals))

    with intercept(sites, edits=edits, record=record):
        yield calls
    forget_gradients()


def forget_gradients() -> None:
    """Forget the custom gradients of the graph that is being made.

    They are Python functions and cannot go into a SavedModel; TensorFlow would warn of each one
    whenever it is loaded. Gradients of a loaded model are those of the operations themselves.
    """
    for operation in tf.compat.v1.get_default_graph().get_operations():
        if "_gradient_op_type" in operation.node_def.attr:
            operation._clear_attr("_gradient_op_type")


def names_of(site: Site) -> tuple[str, ...]:
    """Return the names of a site's signals, the derived ones last, as a trace has them."""
    return (*site.spec.cell.signals, *recurrence.DERIVED)


def width_of(sites: Sequence[Site]) -> int:
    """Return how many numbers the signals of one step are."""
    return sum(site.spec.units * len(names_of(site)) for site in sites)


def outputs_of(site: Site, signals: dict[str, Any], mask: Any, prefix: str) -> dict[str, Any]:
    """Return the signals of one call as an endpoint's outputs.

    Args:
        site: The site.
        signals: Each of shape `(batch, time, units)`.
        mask: Booleans of shape `(batch, time)`; signals are 0 where they are false. `None` for
            everywhere.
        prefix: What goes before the signals' names.
    """
    outputs = {name: _masked(signals[name], mask) for name in site.spec.cell.signals}
    for name in recurrence.DERIVED:
        source, scale, offset = site.spec.cell.derived(name)
        if (scale, offset) == (1.0, 0.0):
            outputs[name] = outputs[source]
        else:
            outputs[name] = _masked(signals[source] * scale + offset, mask)
    return {f"{prefix}/{name}": signal for name, signal in outputs.items()}


def _masked(signal: tf.Tensor, mask: Any) -> tf.Tensor:
    if signal.dtype not in (tf.float32, tf.float64):
        signal = tf.cast(signal, tf.float32)
    if mask is None:
        return signal
    return tf.where(mask[:, :, None], signal, tf.zeros((), signal.dtype))
