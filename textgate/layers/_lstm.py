"""The LSTM layer, drop-in for `keras.layers.LSTM`, with its gates."""

from collections.abc import Mapping
from typing import Any

import keras

from textgate.layers._gated import Gated


@keras.saving.register_keras_serializable(package="textgate")
class LSTM(Gated, keras.layers.LSTM):
    """Long short-term memory, with inspectable gates.

    A drop-in for `keras.layers.LSTM`: same arguments, same weights, same results, and faster to
    train on CPUs. With `return_gates=True` it also returns every signal of

        i_t = σ(x_t W_i + h_{t-1} U_i + b_i)          input_gate
        f_t = σ(x_t W_f + h_{t-1} U_f + b_f)          forget_gate
        g_t = tanh(x_t W_g + h_{t-1} U_g + b_g)       candidate
        o_t = σ(x_t W_o + h_{t-1} U_o + b_o)          output_gate
        c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t               cell_state
        h_t = o_t ⊙ tanh(c_t)                         hidden_state

    Args:
        units: Number of units.
        *args: As for `keras.layers.LSTM`.
        return_gates: Whether to return the signals as well, as the last output.
        fixed_gates: Gates to hold at a value in [0, 1], in training and in inference, such as
            `{"forget_gate": 1.0}` for an LSTM without forget gate.
        coupled: Whether to tie the input gate to the forget gate, i_t = 1 − f_t.
        **kwargs: As for `keras.layers.LSTM`.

    Call arguments:
        inputs: Of shape `(batch, timesteps, features)`.
        mask: Booleans of shape `(batch, timesteps)`; any pattern.
        training: Whether dropout is active.
        initial_state: The states before the first step, h_0 and c_0, each `(batch, units)`.

    Output shape:
        As for `keras.layers.LSTM`, and with `return_gates=True` one more output behind: a
        dictionary with the six signals above, each of shape `(batch, timesteps, units)`,
        whatever `return_sequences` says. The gates have the order of the outputs: with
        `go_backwards=True` both are reversed in time. At a masked step the states repeat those
        of the step before, and gates and candidate are 0: nothing was kept or written there.

    Raises:
        ValueError: If a fixed gate isn't a gate of the LSTM or its value not in [0, 1], or if
            the layer with `return_gates=True` is wrapped by a layer that can't pass gates on.

    References:
        Hochreiter & Schmidhuber 1997, Long short-term memory. Gers, Schmidhuber & Cummins 2000,
        Learning to forget. Coupled gates: Greff et al. 2017, LSTM: a search space odyssey.

    Example:

    >>> import numpy as np
    >>> layer = LSTM(4, return_sequences=True, return_gates=True)
    >>> outputs, gates = layer(np.random.normal(size=(2, 7, 3)))
    >>> outputs.shape, gates["forget_gate"].shape
    (TensorShape([2, 7, 4]), TensorShape([2, 7, 4]))
    """

    def __init__(
        self,
        units: int,
        *args: Any,
        return_gates: bool = False,
        fixed_gates: Mapping[str, float] | None = None,
        coupled: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, *args, **kwargs)
        self._init_gated(return_gates, {"fixed_gates": fixed_gates, "coupled": coupled})
