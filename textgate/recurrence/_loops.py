"""Going through the steps of a sequence: `jax.lax.scan` on JAX, a while loop on TensorFlow.

`keras.ops.scan` would do, but on TensorFlow it can only return per-step results with the structure
of the carried state, and a step of ours returns more signals than states.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops, tree

# (states, this step's slices) -> (new states, this step's results)
Body = Callable[[list[Any], Any], tuple[list[Any], list[Any]]]


def time_first(tensor: Any) -> Any:
    """Return `(batch, time, ·)` as `(time, batch, ·)`, as loops want it, and the other way."""
    if tensor.dtype == "bool":  # TensorFlow complains, once a process, of transposing booleans
        return ops.cast(time_first(ops.cast(tensor, "int32")), "bool")
    return ops.transpose(tensor, (1, 0, 2))


def scan(
    body: Body, states: list[Any], xs: Any, results: int, reverse: bool = False
) -> tuple[list, list]:
    """Go through `xs` step by step.

    Args:
        body: One step.
        states: The states before the first step.
        xs: Any structure of tensors with time as their first axis.
        results: How many results a step has, each with the shape and type of the first state.
        reverse: Whether to start from the last step; results stay in the order of `xs`.

    Returns:
        The states after the last step, and the results of all steps, stacked along a first axis.
    """
    if keras.backend.backend() == "tensorflow":
        return _tensorflow_scan(body, states, xs, results, reverse)
    states, stacked = ops.scan(body, states, xs, reverse=reverse)
    return list(states), list(stacked)


def unrolled(
    body: Body, states: list[Any], xs: Any, results: int, reverse: bool = False
) -> tuple[list, list]:
    """Like `scan`, with the steps laid out one after the other.

    Raises:
        ValueError: If the number of steps isn't known when the model is built.
    """
    steps = tree.flatten(xs)[0].shape[0]
    if steps is None:
        raise ValueError(
            "`unroll=True` needs a number of steps that is known when the model is built; give "
            "the input a static shape. Received: inputs with time dimension None"
        )
    per_step: list[Any] = [None] * steps
    for t in reversed(range(steps)) if reverse else range(steps):
        states, per_step[t] = body(states, tree.map_structure(lambda x, t=t: x[t], xs))
    return list(states), [ops.stack(parts) for parts in zip(*per_step, strict=True)]


def _tensorflow_scan(
    body: Body, states: list, xs: Any, results: int, reverse: bool
) -> tuple[list, list]:
    import tensorflow as tf

    steps = tf.shape(tree.flatten(xs)[0])[0]
    like = states[0]
    arrays = [
        tf.TensorArray(like.dtype, size=steps, element_shape=like.shape) for _ in range(results)
    ]

    def one(t: Any, states: list, arrays: list) -> tuple:
        states, written = body(states, tree.map_structure(lambda x: x[t], xs))
        arrays = [a.write(t, w) for a, w in zip(arrays, written, strict=True)]
        return (t - 1 if reverse else t + 1), list(states), arrays

    _, states, arrays = tf.while_loop(
        (lambda t, *_: t >= 0) if reverse else (lambda t, *_: t < steps),
        one,
        (steps - 1 if reverse else tf.constant(0), list(states), arrays),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    return list(states), [array.stack() for array in arrays]
