"""What TensorFlow's fast loops share: the loop, the activations, gradients of gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from textgate.recurrence.fast.custom_gradients import custom_gradient

Tensors = Sequence[tf.Tensor]

_WORTH_HALVING = 16  # sequences


def while_loop(
    body: Callable[[Tensors, Tensors], tuple[Tensors, Tensors]],
    carried: Tensors,
    over_time: Tensors,
    widths: Sequence[int],
    reverse: bool,
) -> tuple[Tensors, list[tf.Tensor]]:
    """Go through the steps of a batch of sequences, and stack what each step returns.

    A step is too small for two cores to share, and the next one waits for it. But the sequences of
    a batch don't know of each other, so two loops go through a half of them each, side by side.

    Args:
        body: `(now, carried) -> (carried, results)`, where `now` is `over_time` at a step.
        carried: What goes from step to step, each `(batch, ·)`.
        over_time: What the steps read, each `(time, batch, ·)`.
        widths: The last dimension of each result, `(batch, width)`.
        reverse: Whether to start from the last step.

    Returns:
        What is carried after the last step, and the results, each `(time, batch, width)`.
    """

    def one_loop(carried: Tensors, over_time: Tensors) -> tuple[Tensors, list[tf.Tensor]]:
        like = over_time[0]
        steps = tf.shape(like)[0] if like.shape[0] is None else like.shape[0]
        arrays = [
            tf.TensorArray(like.dtype, size=steps, element_shape=(like.shape[1], width))
            for width in widths
        ]

        def one(t: tf.Tensor, carried: Tensors, arrays: list[Any]) -> tuple[Any, ...]:
            carried, results = body([x[t] for x in over_time], carried)
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

    def whole() -> tuple[Tensors, list[tf.Tensor]]:
        return one_loop(carried, over_time)

    def side_by_side() -> tuple[Tensors, list[tf.Tensor]]:
        half = (tf.shape(over_time[0])[1] if batch is None else batch) // 2
        loops = [
            one_loop([state[rows] for state in carried], [x[:, rows] for x in over_time])
            for rows in (slice(None, half), slice(half, None))
        ]
        states, results = (list(zip(*parts, strict=True)) for parts in zip(*loops, strict=True))
        return [tf.concat(s, axis=0) for s in states], [tf.concat(r, axis=1) for r in results]

    batch = over_time[0].shape[1]
    few = batch is not None and batch < _WORTH_HALVING
    if few or tf.executing_eagerly() or compiled_by_xla():
        return whole()
    if batch is not None:
        return side_by_side()
    return tf.cond(tf.shape(over_time[0])[1] < _WORTH_HALVING, whole, side_by_side)


def compiled_by_xla() -> bool:
    """Whether the graph being made is for XLA.

    XLA runs one loop after the other, and is quicker at element-wise work inside of a step than
    over whole sequences. TensorFlow has no public way to ask; where this one fails, nothing but
    speed is lost.
    """
    graph = tf.compat.v1.get_default_graph()
    while graph is not None:
        context = getattr(graph, "_get_control_flow_context", lambda: None)()
        if context is not None and context.IsXLAContext():
            return True
        graph = getattr(graph, "outer_graph", None)
    return False


def activate(z: tf.Tensor, gates: Sequence[bool]) -> tf.Tensor:
    """Return σ of the columns of `z` that are gates and tanh of the others.

    One tanh for all columns, by σ(z) = ½ + ½ tanh(z/2), is a single pass over `z` and cheaper to
    compile. In half precision that form would lose the small values of σ, so there it isn't used.

    Args:
        z: Pre-activations.
        gates: Which parts of the columns, all equally wide, are gates.
    """
    if z.dtype.size < 4:
        parts = zip(tf.split(z, len(gates), axis=-1), gates, strict=True)
        return tf.concat([tf.sigmoid(p) if gate else tf.tanh(p) for p, gate in parts], axis=-1)
    units = z.shape[-1] // len(gates)
    half = tf.constant([0.5 if gate else 1.0 for gate in gates for _ in range(units)], z.dtype)
    shift = tf.constant([0.5 if gate else 0.0 for gate in gates for _ in range(units)], z.dtype)
    return tf.tanh(z * half) * half + shift


def slopes(activated: tf.Tensor, gates: Sequence[bool]) -> tf.Tensor:
    """Return the derivatives of `activate`, given its values: s(1 − s), or (1 + s)(1 − s)."""
    units = activated.shape[-1] // len(gates)
    one = tf.constant([0.0 if g else 1.0 for g in gates for _ in range(units)], activated.dtype)
    return (activated + one) * (1 - activated)


def before(states: tf.Tensor, initial: tf.Tensor, reverse: bool) -> tf.Tensor:
    """Return the state before each step, given those after it and the initial one."""
    if reverse:
        return tf.concat([states[1:], initial[None]], axis=0)
    return tf.concat([initial[None], states[:-1]], axis=0)


def last(states: tf.Tensor, reverse: bool) -> tf.Tensor:
    """Return the state after the last step that was taken."""
    return states[0] if reverse else states[-1]


def given(*values: Any) -> list[Any]:
    """Return the values that aren't `None`."""
    return [value for value in values if value is not None]


def rows(tensor: tf.Tensor) -> tf.Tensor:
    """Return `(time, batch, width)` as `(time * batch, width)`."""
    return tf.reshape(tensor, (-1, tensor.shape[-1]))


def column_sums(tensor: tf.Tensor) -> tf.Tensor:
    """Return the sums of the columns of `(rows, width)`.

    As a product, because TensorFlow's own sum is slower; XLA's isn't.
    """
    if compiled_by_xla():
        return tf.reduce_sum(tensor, axis=0)
    return tf.matmul(tf.ones((1, tf.shape(tensor)[0]), tensor.dtype), tensor)[0]


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

    @custom_gradient
    def function(*arguments: tf.Tensor) -> Any:
        outputs, kept = forward(*arguments)

        def gradient(*upstream: tf.Tensor) -> Tensors:
            upstream = upstream[:differentiable]

            @custom_gradient
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

    @custom_gradient
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
