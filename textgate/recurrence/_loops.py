"""Going through the steps of a sequence: `jax.lax.scan` on JAX, a while loop on TensorFlow.

`keras.ops.scan` would do, but on TensorFlow it can only return per-step results with the structure
of the carried state, and a step of ours returns more signals than states.
"""

from typing import Any

from keras import ops, tree

from textgate._backend import Body, Tensor, backend

Tensors = list[Tensor]


def time_first(tensor: Tensor) -> Tensor:
    """Return `(batch, time, ·)` as `(time, batch, ·)`, as loops want it, and the other way."""
    if tensor.dtype == "bool":  # TensorFlow complains, once a process, of transposing booleans
        return ops.cast(time_first(ops.cast(tensor, "int32")), "bool")
    return ops.transpose(tensor, (1, 0, 2))


def scan(
    body: Body, states: Tensors, xs: Any, results: int, reverse: bool = False
) -> tuple[Tensors, Tensors]:
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
    return backend().scan(body, states, xs, results, reverse)


def unrolled(
    body: Body, states: Tensors, xs: Any, results: int, reverse: bool = False
) -> tuple[Tensors, Tensors]:
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
