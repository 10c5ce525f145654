"""What TensorFlow's fast loops share: the loop, the activations, gradients of gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

Tensors = Sequence[tf.Tensor]


def while_loop(
    body: Callable[[tf.Tensor, Tensors], tuple[Tensors, Tensors]],
    carried: Tensors,
    like: tf.Tensor,
    widths: Sequence[int],
    reverse: bool,
) -> tuple[Tensors, list[tf.Tensor]]:
    """Go through the steps of `like`, `(time, batch, ·)`, and stack what each step returns.

    Args:
        body: `(t, carried) -> (carried, results)`.
        carried: What goes from step to step.
        like: A tensor whose first axis is time.
        widths: The last dimension of each result, `(batch, width)`.
        reverse: Whether to start from the last step.

    Returns:
        What is carried after the last step, and the results, each `(time, batch, width)`.
    """
    steps = tf.shape(like)[0] if like.shape[0] is None else like.shape[0]
    arrays = [
        tf.TensorArray(like.dtype, size=steps, element_shape=(like.shape[1], width))
        for width in widths
    ]

    def one(t: tf.Tensor, carried: Tensors, arrays: list) -> tuple:
        carried, results = body(t, carried)
        arrays = [a.write(t, r) for a, r in zip(arrays, results, strict=True)]
        return (t - 1 if reverse else t + 1), list(carried), arrays

    _, carried, arrays = tf.while_loop(
        (lambda t, *_: t >= 0) if reverse else (lambda t, *_: t < steps),
        one,
        (tf.convert_to_tensor(steps - 1 if reverse else 0), list(carried), arrays),
        parallel_iterations=1,
        maximum_iterations=steps,
    )
    return carried, [array.stack() for array in arrays]


def activate(z: tf.Tensor, gates: Sequence[bool]) -> list[tf.Tensor]:
    """Return σ of the columns of `z` that are gates and tanh of the others, split.

    One tanh for all columns, by σ(z) = ½ + ½ tanh(z/2), is a single pass over `z` and cheaper to
    compile. In half precision that form would lose the small values of σ, so there it isn't used.
    """
    if z.dtype.size < 4:
        parts = tf.split(z, len(gates), axis=-1)
        pairs = zip(parts, gates, strict=True)
        return [tf.sigmoid(part) if gate else tf.tanh(part) for part, gate in pairs]
    units = z.shape[-1] // len(gates)
    half = tf.constant([0.5 if gate else 1.0 for gate in gates for _ in range(units)], z.dtype)
    shift = tf.constant([0.5 if gate else 0.0 for gate in gates for _ in range(units)], z.dtype)
    return tf.split(tf.tanh(z * half) * half + shift, len(gates), axis=-1)


def before(states: tf.Tensor, initial: tf.Tensor, reverse: bool) -> tf.Tensor:
    """Return the state before each step, given those after it and the initial one."""
    if reverse:
        return tf.concat([states[1:], initial[None]], axis=0)
    return tf.concat([initial[None], states[:-1]], axis=0)


def last(states: tf.Tensor, reverse: bool) -> tf.Tensor:
    """Return the state after the last step that was taken."""
    return states[0] if reverse else states[-1]


def rows(tensor: tf.Tensor) -> tf.Tensor:
    """Return `(time, batch, width)` as `(time * batch, width)`."""
    return tf.reshape(tensor, (-1, tensor.shape[-1]))


def tensors(*values: Any) -> list[tf.Tensor]:
    """Return the values as tensors: a custom gradient must not see variables."""
    return [tf.convert_to_tensor(value) for value in values]


def with_gradient(
    forward: Callable[..., tuple[Tensors, Any]],
    backward: Callable[..., Tensors],
    plain: Callable[..., Tensors],
    differentiable: int,
) -> Callable[..., Tensors]:
    """Return `forward` with `backward` for its gradient, itself differentiable by way of `plain`.

    A custom gradient's own gradient would treat what `forward` kept as constants, silently. So
    gradients of gradients are taken through `plain`, which computes the same step by step.

    Args:
        forward: Arguments to outputs and whatever `backward` wants to keep.
        backward: `(kept, arguments, gradients of the outputs) -> gradients of the arguments`.
        plain: Arguments to the differentiable outputs.
        differentiable: How many of the outputs, from the first on, gradients go through.
    """

    @tf.custom_gradient
    def function(*arguments: tf.Tensor) -> Any:
        outputs, kept = forward(*arguments)

        def gradient(*upstream: tf.Tensor) -> Tensors:
            upstream = upstream[:differentiable]

            @tf.custom_gradient
            def first(*inputs: tf.Tensor) -> Any:
                def second(*upstream_of_first: tf.Tensor) -> Tensors:
                    return _gradient_of_gradient(plain, inputs, len(arguments), upstream_of_first)

                return tuple(backward(kept, arguments, upstream)), second

            return first(*arguments, *upstream)

        return tuple(outputs), gradient

    return function


def _gradient_of_gradient(
    plain: Callable[..., Tensors], inputs: Tensors, count: int, upstream: Tensors
) -> Tensors:
    inputs = list(inputs)
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        arguments, of_outputs = inputs[:count], inputs[count:]
        with tf.GradientTape() as inner:
            inner.watch(arguments)
            outputs = plain(*arguments)
        first = inner.gradient(
            outputs, arguments, of_outputs, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
    return outer.gradient(
        first, inputs, list(upstream), unconnected_gradients=tf.UnconnectedGradients.ZERO
    )


def attached(
    signals: Tensors, function: Callable[..., Tensors], arguments: Tensors
) -> list[tf.Tensor]:
    """Return `signals` with the gradient of `function(*arguments)`, which computes the same.

    `function` is evaluated only if a gradient arrives.
    """

    @tf.custom_gradient
    def attach(*arguments: tf.Tensor) -> Any:
        def gradient(*upstream: tf.Tensor) -> Tensors:
            with tf.GradientTape() as tape:
                tape.watch(arguments)
                values = function(*arguments)
            return tape.gradient(
                values,
                arguments,
                list(upstream),
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )

        return tuple(tf.identity(signal) for signal in signals), gradient

    return list(attach(*arguments))
