"""The minimal gated unit (Zhou et al. 2016): one gate, which forgets and resets.

f_t = σ([x_t, h_{t-1}] W_f + b_f)
ĥ_t = tanh([x_t, f_t ⊙ h_{t-1}] W_h + b_h)
h_t = (1 − f_t) ⊙ h_{t-1} + f_t ⊙ ĥ_t
"""

import keras
import numpy as np
from keras import ops

import textgate as tg
from tests.reference import sigmoid
from textgate.recurrence import Cell, Signal


@keras.saving.register_keras_serializable(package="tests")
class MGUCell(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def build(self, input_shape):
        shape = (input_shape[-1] + self.units, self.units)
        self.gate = self.add_weight(shape=shape, name="gate")
        self.kernel = self.add_weight(shape=shape, name="kernel")
        self.biases = self.add_weight(shape=(2, self.units), initializer="zeros", name="biases")

    def call(self, inputs, states):
        (h,) = states
        gate_bias, bias = ops.unstack(ops.convert_to_tensor(self.biases), axis=0)
        f = ops.sigmoid(ops.matmul(ops.concatenate([inputs, h], axis=-1), self.gate) + gate_bias)
        seen = ops.concatenate([inputs, f * h], axis=-1)
        h = h + f * (ops.tanh(ops.matmul(seen, self.kernel) + bias) - h)
        return h, [h]

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def step(spec, x, states, weights, change):
    (h,) = states
    seen = ops.concatenate([x, h], axis=-1)
    f = change("forget_gate", ops.sigmoid(ops.matmul(seen, weights.gate) + weights.biases[0]))
    seen = ops.concatenate([x, f * h], axis=-1)
    g = change("candidate", ops.tanh(ops.matmul(seen, weights.kernel) + weights.biases[1]))
    h = change("hidden_state", (1 - f) * h + f * g)
    return {"forget_gate": f, "candidate": g, "hidden_state": h}


MGU = Cell(
    kind="mgu",
    title="MGU",
    table=(
        Signal("forget_gate", "f", "gate", "share of the old state replaced"),
        Signal("candidate", "ĥ", "candidate", "what could be written"),
        Signal("hidden_state", "h", "state", "the output"),
    ),
    step=step,
    states=("hidden_state",),
    retention=("forget_gate", -1.0, 1.0),
    writing=("forget_gate", 1.0, 0.0),
    convention="h_t = (1 − f_t) ⊙ h_{t-1} + f_t ⊙ ĥ_t: 1 − f is the share that is kept.",
)
tg.register_cell(MGUCell, MGU)


def reference(weights, x, states):
    (h,) = states
    f = sigmoid(np.concatenate([x, h]) @ weights["gate"] + weights["biases"][0])
    g = np.tanh(np.concatenate([x, f * h]) @ weights["kernel"] + weights["biases"][1])
    return {"forget_gate": f, "candidate": g, "hidden_state": (1 - f) * h + f * g}
