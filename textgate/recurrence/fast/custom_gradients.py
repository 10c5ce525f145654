"""Custom gradients of TensorFlow that go when the graph goes that they were made for.

TensorFlow keeps each custom gradient of a graph in a registry, for the life of the process. The
gradient keeps the tensors that it needs, and they keep their graph: of every model that was
compiled once, all would stay. Here the registry has a weak reference, and the graph has the
gradient.
"""

import functools
import weakref
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.framework.func_graph import FuncGraph

_KIND = "type"  # under which the registry has the function


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function with a gradient of its own, as `tf.custom_gradient` does.

    Args:
        function: Tensors to outputs, and a function from their gradients to those of the tensors.
    """
    decorated = tf.custom_gradient(function)

    @functools.wraps(function)
    def called(*arguments: Any) -> Any:
        outputs = decorated(*arguments)
        if not tf.executing_eagerly():
            _give_to_graph(tf.nest.flatten(outputs)[0].op)
        return outputs

    return called


def _give_to_graph(operation: tf.Operation) -> None:
    """Let the graph of an operation hold its gradient, and the graphs around that one."""
    name = operation.get_attr("_gradient_op_type").decode()
    entry = ops.gradient_registry._registry[name]
    gradient = entry[_KIND]
    reference = weakref.ref(gradient)

    def registered(*arguments: Any) -> Any:
        held = reference()
        if held is None:
            raise LookupError(f"the graph of this gradient is gone. Received: {name}")
        return held(*arguments)

    entry[_KIND] = registered
    graph = operation.graph
    _gradients_of(graph).append(gradient)
    # A loop's or a branch's graph may be made anew from its definition while those around it live.
    while isinstance(graph := getattr(graph, "outer_graph", None), FuncGraph):
        _gradients_of(graph).append(gradient)


def _gradients_of(graph: Any) -> list[Any]:
    if not hasattr(graph, "_textgate_gradients"):
        graph._textgate_gradients = []
    return graph._textgate_gradients
