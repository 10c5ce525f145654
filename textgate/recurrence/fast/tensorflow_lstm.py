"""The LSTM's fast loop on TensorFlow; see `textgate.recurrence.fast` for the idea."""

from typing import Any

import tensorflow as tf

from textgate.recurrence import _plain as plain
from textgate.recurrence._spec import Spec, Weights
from textgate.recurrence.fast.tensorflow_common import (
    Tensors,
    activate,
    attached,
    before,
    column_sums,
    compiled_by_xla,
    given,
    last,
    rows,
    slopes,
    tensors,
    while_loop,
    with_gradient,
)

_GATES = (True, True, False, True)  # which of i, f, g, o are σ


def run(
    spec: Spec, x: Any, weights: Weights, states: list[Any], mask: Any, reverse: bool
) -> tuple[dict[str, Any], list[Any]]:
    """Like `textgate.recurrence._plain.run`."""
    bias = weights.bias
    if bias is None:
        bias = tf.zeros(x.shape[-1:], x.dtype)
    unmasked: Any = None if mask is None else tf.cast(mask, x.dtype)
    units = spec.units

    def forward(x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> Any:
        x += b
        if mask is not None:  # what stands at masked steps may be anything, NaN too
            x = tf.where(mask, x, tf.zeros_like(x))

        def step(now: Tensors, states: Tensors) -> tuple[Tensors, Tensors]:
            h, c = states
            gates = activate(now[0] + tf.matmul(h, U), _GATES)
            if mask is None:
                i, f, g, o = tf.split(gates, 4, axis=1)
                c = f * c + i * g
                h = o * tf.tanh(c)
            else:
                gates *= now[1]
                i, f, g, o = tf.split(gates, 4, axis=1)
                masked = 1 - now[1]
                c = (f + masked) * c + i * g
                h = o * tf.tanh(c) + masked * h
            return (h, c), (gates, c, h)

        over_time = [x, *given(unmasked)]
        widths = [4 * units, units, units]
        (_, c_last), (gates, c, h) = while_loop(step, (h, c), over_time, widths, reverse)
        return (h, c_last, *tf.split(gates, 4, axis=-1), c), (gates, c, h)

    def backward(kept: Tensors, arguments: Tensors, upstream: Tensors) -> Tensors:
        _, U, _, h_0, c_0 = arguments
        d_hidden, d_c_last = upstream
        gates, c, h = kept
        in_steps = compiled_by_xla()

        def factors(gates: tf.Tensor, c: tf.Tensor, c_before: tf.Tensor) -> list[tf.Tensor]:
            """What the loop multiplies with: ∂c/∂h, the derivatives of the pre-activations, f.

            The derivatives are those with respect to dc, and to dh for o. At a masked step all
            gates are 0, and with them dz; the states just pass.
            """
            i, f, g, o = tf.split(gates, 4, axis=-1)
            tanh_c = tf.tanh(c)
            partners = tf.concat([g, c_before, i, tanh_c], axis=-1)
            return [o * (1 - tanh_c * tanh_c), slopes(gates, _GATES) * partners, f]

        values = [gates, c, before(c, c_0, reverse)]
        # Transposed once: a product with a transposed flag is slower at every step.
        U_transposed = tf.transpose(U)

        def step(now: Tensors, carried: Tensors) -> tuple[Tensors, Tensors]:
            dh, dc = carried
            into_c, derivatives, f = factors(*now[1:4]) if in_steps else now[1:4]
            dh += now[0]
            dc += dh * into_c
            dz = tf.concat([dc, dc, dc, dh], axis=1) * derivatives
            dh_before = tf.matmul(dz, U_transposed)
            if mask is None:
                return (dh_before, dc * f), (dz,)
            masked = 1 - now[4]
            return (dh_before + masked * dh, dc * (f + masked)), (dz,)

        carried = (tf.zeros_like(h_0), d_c_last)
        over_time = [d_hidden, *(values if in_steps else factors(*values)), *given(unmasked)]
        (dh_0, dc_0), (dz,) = while_loop(step, carried, over_time, [4 * units], not reverse)
        dU = tf.matmul(rows(before(h, h_0, reverse)), rows(dz), transpose_a=True)
        return dz, dU, column_sums(rows(dz)), dh_0, dc_0

    def stepwise(x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> Tensors:
        signals, states = plain.run(spec, x, Weights(None, U, b), [h, c], mask, reverse)
        return signals["hidden_state"], states[1]

    def from_hidden_states(
        h: tf.Tensor, x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h_0: tf.Tensor, c_0: tf.Tensor
    ) -> Tensors:
        product = tf.matmul(rows(before(h, h_0, reverse)), U)
        gates = activate(x + tf.reshape(product, tf.shape(x)) + b, _GATES)
        kept = None
        if mask is not None:
            gates = tf.where(mask, gates, tf.zeros_like(gates))
            kept = 1 - unmasked
        i, f, g, o = tf.split(gates, 4, axis=-1)
        f_kept = f if kept is None else f + kept

        def step(now: Tensors, carried: Tensors) -> tuple[Tensors, Tensors]:
            f_kept, i, g = now
            c = f_kept * carried[0] + i * g
            return (c,), (c,)

        _, (c,) = while_loop(step, (c_0,), [f_kept, i, g], [units], reverse)
        return i, f, g, o, c

    function = with_gradient(forward, backward, stepwise, differentiable=2)
    arguments = tensors(x, weights.recurrent_kernel, bias, *states)
    h, c_last, *others = function(*arguments)
    i, f, g, o, c = attached(others, from_hidden_states, (h, *arguments))
    signals = {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": c,
        "hidden_state": h,
    }
    return signals, [last(h, reverse), c_last]
