"""The GRU's fast loop on TensorFlow; see `textgate.recurrence.fast` for the idea."""

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


def run(
    spec: Spec, x: Any, weights: Weights, states: list[Any], mask: Any, reverse: bool
) -> tuple[dict[str, Any], list[Any]]:
    """Like `textgate.recurrence.plain.run`."""
    bias = weights.bias
    if bias is None:
        width = x.shape[-1]
        bias = tf.zeros((2, width) if spec.reset_after else (width,), x.dtype)
    arguments = tensors(x, weights.recurrent_kernel, bias, states[0])
    unmasked: Any = None if mask is None else tf.cast(mask, x.dtype)
    units = spec.units
    after = spec.reset_after

    def forward(x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h: tf.Tensor) -> Any:
        b_in, b_past = (b[0], b[1]) if after else (b, None)
        x_gates, x_candidate = x[..., : 2 * units], x[..., 2 * units :]

        def step(t: tf.Tensor, states: Tensors) -> tuple[Tensors, Tensors]:
            (h,) = states
            if after:
                inner = tf.matmul(h, U) + b_past
                gates, past = inner[:, : 2 * units], inner[:, 2 * units :]
            else:
                gates = tf.matmul(h, U[:, : 2 * units])
            z, r = activate(x_gates[t] + gates + b_in[: 2 * units], (True, True))
            if not after:
                past = tf.matmul(r * h, U[:, 2 * units :])
            candidate = tf.tanh(x_candidate[t] + b_in[2 * units :] + (r * past if after else past))
            if mask is not None:
                z, r, candidate = (
                    tf.where(mask[t], s, tf.zeros_like(s)) for s in (z, r, candidate)
                )
            h = _kept(z, t) * h + (1 - z) * candidate
            return (h,), (z, r, candidate, past, h)

        _, kept = while_loop(step, (h,), x, [units] * 5, reverse)
        z, r, candidate, _, h = kept
        return (h, z, r, candidate), kept

    def _kept(z: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        """The share of the old state that is kept: z, and all of it at a masked step."""
        z = z if spec.leak else tf.zeros_like(z)
        return z if mask is None else z + (1 - unmasked[t])

    def _written(z: tf.Tensor, t: tf.Tensor) -> tf.Tensor:
        """The share of the candidate that is written: 1 − z, and nothing at a masked step."""
        return 1 - z if mask is None else (1 - z) * unmasked[t]

    def backward(kept: Tensors, arguments: Tensors, upstream: Tensors) -> Tensors:
        x, U, _, h_0 = arguments
        (d_hidden,) = upstream
        z, r, candidate, past, h = kept
        h_before = before(h, h_0, reverse)
        # Transposed once: a product with a transposed flag is slower at every step.
        U_all, U_gates, U_candidate = (
            tf.transpose(part) for part in (U, U[:, : 2 * units], U[:, 2 * units :])
        )

        def step(t: tf.Tensor, carried: Tensors) -> tuple[Tensors, Tensors]:
            dh = carried[0] + d_hidden[t]
            z_t, r_t, candidate_t, h_t = z[t], r[t], candidate[t], h_before[t]
            kept_t = _kept(z_t, t)
            da = dh * _written(z_t, t) * (1 - candidate_t * candidate_t)
            dz = dh * ((h_t if spec.leak else 0) - candidate_t) * z_t * (1 - z_t)
            if after:
                dr = da * past[t] * r_t * (1 - r_t)
                inner = tf.concat([dz, dr, da * r_t], axis=1)
                dh = dh * kept_t + tf.matmul(inner, U_all)
                return (dh,), (da, inner)
            dp = tf.matmul(da, U_candidate)
            gates = tf.concat([dz, dp * h_t * r_t * (1 - r_t)], axis=1)
            dh = dh * kept_t + dp * r_t + tf.matmul(gates, U_gates)
            return (dh,), (da, gates)

        widths = [units, 3 * units if after else 2 * units]
        zeros = tf.zeros_like(h_0)
        (dh_0,), (da, inner) = while_loop(step, (zeros,), x, widths, not reverse)
        dx = tf.concat([inner[..., : 2 * units], da], axis=-1)
        db = tf.reduce_sum(rows(dx), axis=0)
        if after:
            dU = tf.matmul(rows(h_before), rows(inner), transpose_a=True)
            db = tf.stack([db, tf.reduce_sum(rows(inner), axis=0)])
        else:
            of_gates = tf.matmul(rows(h_before), rows(inner), transpose_a=True)
            of_candidate = tf.matmul(rows(r * h_before), rows(da), transpose_a=True)
            dU = tf.concat([of_gates, of_candidate], axis=1)
        return dx, dU, db, dh_0

    def stepwise(x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h: tf.Tensor) -> Tensors:
        signals, _ = plain.run(spec, x, Weights(None, U, b), [h], mask, reverse)
        return (signals["hidden_state"],)

    def from_hidden_states(
        h: tf.Tensor, x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h_0: tf.Tensor
    ) -> Tensors:
        h_before = before(h, h_0, reverse)
        b_in = b[0] if after else b
        columns = U if after else U[:, : 2 * units]
        inner = tf.matmul(rows(h_before), columns) + (b[1] if after else 0)
        inner = tf.reshape(inner, (*tf.unstack(tf.shape(x)[:2]), inner.shape[-1]))
        x = x + b_in
        z, r = activate(x[..., : 2 * units] + inner[..., : 2 * units], (True, True))
        if after:
            past = r * inner[..., 2 * units :]
        else:
            past = tf.matmul(rows(r * h_before), U[:, 2 * units :])
            past = tf.reshape(past, tf.shape(h))
        signals = (z, r, tf.tanh(x[..., 2 * units :] + past))
        if mask is None:
            return signals
        return tuple(tf.where(mask, s, tf.zeros_like(s)) for s in signals)

    function = with_gradient(forward, backward, stepwise, differentiable=1)
    h, *others = function(*arguments)
    z, r, candidate = attached(others, from_hidden_states, (h, *arguments))
    signals = {"update_gate": z, "reset_gate": r, "candidate": candidate, "hidden_state": h}
    return signals, [last(h, reverse)]
