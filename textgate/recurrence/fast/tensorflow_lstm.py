"""The LSTM's fast loop on TensorFlow; see `textgate.recurrence.fast` for the idea."""

from typing import Any

import tensorflow as tf

from textgate.recurrence import plain
from textgate.recurrence.fast.tensorflow_common import (
    Tensors,
    activate,
    attached,
    before,
    last,
    rows,
    tensors,
    while_loop,
    with_gradient,
)
from textgate.recurrence.spec import Spec, Weights

_GATES = (True, True, False, True)  # which of i, f, g, o are σ


def run(
    spec: Spec, x: Any, weights: Weights, states: list[Any], mask: Any, reverse: bool
) -> tuple[dict[str, Any], list[Any]]:
    """Like `textgate.recurrence.plain.run`."""
    bias = weights.bias
    if bias is None:
        bias = tf.zeros(x.shape[-1:], x.dtype)
    unmasked: Any = None if mask is None else tf.cast(mask, x.dtype)
    units = spec.units

    def forward(x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h: tf.Tensor, c: tf.Tensor) -> Any:
        def step(t: tf.Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
            h, c = states
            i, f, g, o = activate(x[t] + tf.matmul(h, U) + b, _GATES)
            if mask is None:
                c = f * c + i * g
                h = o * tf.tanh(c)
            else:
                i, f, g, o = (tf.where(mask[t], s, tf.zeros_like(s)) for s in (i, f, g, o))
                masked = 1 - unmasked[t]
                c = (f + masked) * c + i * g
                h = o * tf.tanh(c) + masked * h
            return (h, c), (i, f, g, o, c, h)

        (_, c_last), kept = while_loop(step, (h, c), x, [units] * 6, reverse)
        i, f, g, o, c, h = kept
        return (h, c_last, i, f, g, o, c), kept

    def backward(kept: Tensors, arguments: Tensors, upstream: Tensors) -> Tensors:
        x, U, _, h_0, c_0 = arguments
        d_hidden, d_c_last = upstream
        i, f, g, o, c, h = kept
        c_before = before(c, c_0, reverse)
        # Transposed once: a product with a transposed flag is slower at every step.
        U_transposed = tf.transpose(U)

        def step(t: tf.Tensor, carried: Tensors) -> tuple[Tensors, Tensors]:
            dh, dc = carried
            i_t, f_t, g_t, o_t, tanh_c = i[t], f[t], g[t], o[t], tf.tanh(c[t])
            dh += d_hidden[t]
            dc += dh * o_t * (1 - tanh_c * tanh_c)
            dz = tf.concat(
                [
                    dc * g_t * i_t * (1 - i_t),
                    dc * c_before[t] * f_t * (1 - f_t),
                    dc * i_t * (1 - g_t * g_t),
                    dh * tanh_c * o_t * (1 - o_t),
                ],
                axis=1,
            )
            dh_before = tf.matmul(dz, U_transposed)
            if mask is None:
                return (dh_before, dc * f_t), (dz,)
            # At a masked step all gates are 0, and with them dz; the states just pass.
            masked = 1 - unmasked[t]
            return (dh_before + masked * dh, dc * (f_t + masked)), (dz,)

        carried = (tf.zeros_like(h_0), d_c_last)
        (dh_0, dc_0), (dz,) = while_loop(step, carried, x, [4 * units], not reverse)
        dU = tf.matmul(rows(before(h, h_0, reverse)), rows(dz), transpose_a=True)
        return dz, dU, tf.reduce_sum(rows(dz), axis=0), dh_0, dc_0

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
            gates = [tf.where(mask, gate, tf.zeros_like(gate)) for gate in gates]
            kept = 1 - unmasked
        i, f, g, o = gates
        f_kept = f if kept is None else f + kept

        def step(t: tf.Tensor, carried: Tensors) -> tuple[Tensors, Tensors]:
            c = f_kept[t] * carried[0] + i[t] * g[t]
            return (c,), (c,)

        _, (c,) = while_loop(step, (c_0,), x, [units], reverse)
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
