"""The GRU layer, drop-in for `keras.layers.GRU`, with its gates."""

from collections.abc import Mapping
from typing import Any

import keras

from textgate.layers._gated import Gated


@keras.saving.register_keras_serializable(package="textgate")
class GRU(Gated, keras.layers.GRU):
    """Gated recurrent unit, with inspectable gates.

    A drop-in for `keras.layers.GRU`: same arguments, same weights, same results, and faster to
    train on CPUs. With `return_gates=True` it also returns every signal of

        z_t = σ(x_t W_z + h_{t-1} U_z + b_z)                    update_gate
        r_t = σ(x_t W_r + h_{t-1} U_r + b_r)                    reset_gate
        ĥ_t = tanh(x_t W_h + b_h + r_t ⊙ (h_{t-1} U_h + b'_h))  candidate, reset_after=True
        ĥ_t = tanh(x_t W_h + (r_t ⊙ h_{t-1}) U_h + b_h)         candidate, reset_after=False
        h_t = z_t ⊙ h_{t-1} + (1 − z_t) ⊙ ĥ_t                   hidden_state

    This is Keras's convention (and Cho et al.'s): z keeps the old state. In many textbooks
    (Chung et al. 2014) z is one minus ours.

    Args:
        units: Number of units.
        *args: As for `keras.layers.GRU`.
        return_gates: Whether to return the signals as well, as the last output.
        fixed_gates: Gates to hold at a value in [0, 1], in training and in inference:
            `{"reset_gate": 1.0}` is a GRU without reset gate, `{"reset_gate": 0.0}` one whose
            candidate doesn't see the past.
        leak: Whether z ⊙ h_{t-1} is kept; with `leak=False` h_t = (1 − z_t) ⊙ ĥ_t.
        **kwargs: As for `keras.layers.GRU`.

    Call arguments:
        inputs: Of shape `(batch, timesteps, features)`.
        mask: Booleans of shape `(batch, timesteps)`; any pattern.
        training: Whether dropout is active.
        initial_state: The state before the first step, h_0, of shape `(batch, units)`.

    Output shape:
        As for `keras.layers.GRU`, and with `return_gates=True` one more output behind: a
        dictionary with the four signals above, each of shape `(batch, timesteps, units)`,
        whatever `return_sequences` says. The gates have the order of the outputs: with
        `go_backwards=True` both are reversed in time. At a masked step the state repeats that
        of the step before, and gates and candidate are 0: nothing was kept or written there.

    Raises:
        ValueError: If a fixed gate isn't a gate of the GRU or its value not in [0, 1], or if
            the layer with `return_gates=True` is wrapped by a layer that can't pass gates on.

    References:
        Cho et al. 2014, Learning phrase representations using RNN encoder-decoder.

    Example:

    >>> import numpy as np
    >>> layer = GRU(4, return_gates=True)
    >>> last_output, gates = layer(np.random.normal(size=(2, 7, 3)))
    >>> last_output.shape, gates["reset_gate"].shape
    (TensorShape([2, 4]), TensorShape([2, 7, 4]))
    """

    def __init__(
        self,
        units: int,
        *args: Any,
        return_gates: bool = False,
        fixed_gates: Mapping[str, float] | None = None,
        leak: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(units, *args, **kwargs)
        self._init_gated(return_gates, {"fixed_gates": fixed_gates, "leak": leak})
