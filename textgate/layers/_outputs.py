"""From hidden states to what a Keras recurrent layer puts out, masked steps included."""

from typing import Any

import keras
from keras import ops

from textgate._backend import backend


def outputs_of(layer: keras.layers.RNN, hidden: Any, mask: Any) -> tuple[Any, Any]:
    """Return the last output and all outputs as Keras has them, given the hidden states.

    Outputs are hidden states in the order in which they were computed, but for masked steps.
    There Keras repeats the output before; where there is none yet, its loops on TensorFlow, and
    unrolled ones, put zeros, and its loop on JAX the initial state.

    Args:
        layer: Any recurrent layer, for its settings.
        hidden: Of shape `(batch, time, units)`, in the time order of the inputs.
        mask: Of shape `(batch, time)` or `(batch, time, 1)`, likewise, or `None`.
    """
    if mask is not None:
        mask = ops.cast(ops.convert_to_tensor(mask), "bool")
        mask = ops.expand_dims(mask, -1) if len(mask.shape) == 2 else mask
    in_input_order = mask
    if layer.go_backwards:
        hidden = ops.flip(hidden, axis=1)
        mask = None if mask is None else ops.flip(mask, axis=1)
    if mask is None:
        return hidden[:, -1], hidden
    zeros = ops.zeros_like(hidden)
    if layer.zero_output_for_mask and not layer.unroll:
        hidden = ops.where(mask, hidden, zeros)
        return hidden[:, -1], hidden
    if layer.unroll or backend().outputs_begin_with_zeros:
        begun = ops.cumsum(ops.cast(mask, "int32"), axis=1) > 0
        hidden = ops.where(begun, hidden, zeros)
    last = hidden[:, -1]
    if layer.zero_output_for_mask and backend().masks_outputs_in_input_order:
        # A drop-in does as Keras's unrolled loop.
        last = ops.where(mask[:, -1], last, ops.zeros_like(last))
        hidden = ops.where(in_input_order, hidden, zeros)
    return last, hidden
