"""The GRU's fast loop on TensorFlow; see `textgate.recurrence.fast` for the idea."""

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

_GATES = (True, True)  # z and r are both σ


def run(
    spec: Spec, x: Any, weights: Weights, states: list[Any], mask: Any, reverse: bool
) -> tuple[dict[str, Any], list[Any]]:
    """Like `textgate.recurrence._plain.run`."""
    bias = weights.bias
    if bias is None:
        width = x.shape[-1]
        bias = tf.zeros((2, width) if spec.reset_after else (width,), x.dtype)
    arguments = tensors(x, weights.recurrent_kernel, bias, states[0])
    unmasked: Any = None if mask is None else tf.cast(mask, x.dtype)
    units = spec.units
    after = spec.reset_after

    def forward(x: tf.Tensor, U: tf.Tensor, b: tf.Tensor, h: tf.Tensor) -> Any:
        if after:
            # The recurrent bias of z and r acts like the input's; the past's stays with its own.
            b_past = b[1, 2 * units :]
            x += b[0] + tf.concat([b[1, : 2 * units], tf.zeros_like(b_past)], axis=0)
        else:
            U_gates, U_candidate = tf.split(U, [2 * units, units], axis=1)
            x += b
        if mask is not None:  # what stands at masked steps may be anything, NaN too
            x = tf.where(mask, x, tf.zeros_like(x))

        def step(now: Tensors, states: Tensors) -> tuple[Tensors, Tensors]:
            (h,), unmasked = states, now[1:]
            x_gates, x_candidate = tf.split(now[0], [2 * units, units], axis=1)
            if after:
                of_gates, past = tf.split(tf.matmul(h, U), [2 * units, units], axis=1)
                past += b_past
            else:
                of_gates = tf.matmul(h, U_gates)
            gates = activate(x_gates + of_gates, _GATES)
            z, r = tf.split(gates, 2, axis=1)
            if not after:
                past = tf.matmul(r * h, U_candidate)
            candidate = tf.tanh(x_candidate + (r * past if after else past))
            if mask is not None:
                gates, z, candidate = (s * unmasked[0] for s in (gates, z, candidate))
            h = _kept(z, *unmasked) * h + (1 - z) * candidate
            return (h,), (gates, candidate, past, h)

        over_time = [x, *given(unmasked)]
        widths = [2 * units, units, units, units]
        _, kept = while_loop(step, (h,), over_time, widths, reverse)
        gates, candidate, _, h = kept
        return (h, *tf.split(gates, 2, axis=-1), candidate), kept

    def _kept(z: tf.Tensor, unmasked: Any = None) -> tf.Tensor:
        """The share of the old state that is kept: z, and all of it at a masked step."""
        z = z if spec.leak else tf.zeros_like(z)
        return z if unmasked is None else z + (1 - unmasked)

    def backward(kept: Tensors, arguments: Tensors, upstream: Tensors) -> Tensors:
        _, U, _, h_0 = arguments
        (d_hidden,) = upstream
        gates, candidate, past, h = kept
        z, r = tf.split(gates, 2, axis=-1)
        h_before = before(h, h_0, reverse)
        into_candidate = (1 - z) * (1 - candidate * candidate)
        if mask is not None:  # nothing is written at a masked step
            into_candidate *= unmasked
        in_steps = compiled_by_xla()

        def factors(
            gates: tf.Tensor,
            candidate: tf.Tensor,
            past: tf.Tensor,
            h: tf.Tensor,
            into_candidate: tf.Tensor,
            unmasked: Any = None,
        ) -> list[tf.Tensor]:
            """What the loop multiplies dh with: the share of h that is kept, and into what it goes.

            With r after the product that is all pre-activations at once; else z's, the candidate's,
            r's (of what comes back from the candidate), and r itself. At a masked step all gates
            are 0.
            """
            z, r = tf.split(gates, 2, axis=-1)
            slope_z, slope_r = tf.split(slopes(gates, _GATES), 2, axis=-1)
            into_z = ((h if spec.leak else 0) - candidate) * slope_z
            if after:
                parts = [into_z, into_candidate * past * slope_r, into_candidate * r]
                return [_kept(z, unmasked), tf.concat(parts, axis=-1)]
            return [_kept(z, unmasked), into_z, into_candidate, h * slope_r, r]

        values = [gates, candidate, past, h_before, into_candidate, *given(unmasked)]
        # Transposed once: a product with a transposed flag is slower at every step.
        U_all, U_gates, U_candidate = (
            tf.transpose(part) for part in (U, U[:, : 2 * units], U[:, 2 * units :])
        )

        def step(now: Tensors, carried: Tensors) -> tuple[Tensors, Tensors]:
            dh = carried[0] + now[0]
            state_kept, *into = factors(*now[1:]) if in_steps else now[1:]
            if after:
                inner = tf.concat([dh, dh, dh], axis=1) * into[0]
                return (dh * state_kept + tf.matmul(inner, U_all),), (dh, inner)
            into_z, into_candidate, into_r, r = into
            dp = tf.matmul(dh * into_candidate, U_candidate)
            inner = tf.concat([dh * into_z, dp * into_r], axis=1)
            dh_before = dh * state_kept + dp * r + tf.matmul(inner, U_gates)
            return (dh_before,), (dh, inner)

        over_time = [d_hidden, *(values if in_steps else factors(*values))]
        widths = [units, 3 * units if after else 2 * units]
        zeros = tf.zeros_like(h_0)
        (dh_0,), (dh, inner) = while_loop(step, (zeros,), over_time, widths, not reverse)
        da = dh * into_candidate
        dx = tf.concat([inner[..., : 2 * units], da], axis=-1)
        db = column_sums(rows(dx))
        if after:
            dU = tf.matmul(rows(h_before), rows(inner), transpose_a=True)
            db = tf.stack([db, column_sums(rows(inner))])
        else:
            dU_gates = tf.matmul(rows(h_before), rows(inner), transpose_a=True)
            dU_candidate = tf.matmul(rows(r * h_before), rows(da), transpose_a=True)
            dU = tf.concat([dU_gates, dU_candidate], axis=1)
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
        gates = activate(x[..., : 2 * units] + inner[..., : 2 * units], _GATES)
        z, r = tf.split(gates, 2, axis=-1)
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
