"""An LSTM with layer normalisation (Ba, Kiros & Hinton 2016), whose norms are layers of the cell.

(i, f, g, o)_t = LN(x_t W) + LN(h_{t-1} U) + b
c_t = σ(f_t) ⊙ c_{t-1} + σ(i_t) ⊙ tanh(g_t)
h_t = σ(o_t) ⊙ tanh(LN(c_t))
"""

import keras
import numpy as np
from keras import ops

import textgate as tg
from tests.reference import sigmoid
from textgate.recurrence import LSTM, Cell


@keras.saving.register_keras_serializable(package="tests")
class LayerNormLSTMCell(keras.layers.Layer):
    def __init__(self, units, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        self.units, self.epsilon = units, epsilon
        self.state_size = [units, units]
        self.norm_x, self.norm_h, self.norm_c = (
            keras.layers.LayerNormalization(epsilon=epsilon) for _ in range(3)
        )

    def build(self, input_shape):
        width = 4 * self.units
        self.kernel = self.add_weight(shape=(input_shape[-1], width), name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, width), name="recurrent_kernel")
        self.bias = self.add_weight(shape=(width,), initializer="zeros", name="bias")
        self.norm_x.build((None, width))
        self.norm_h.build((None, width))
        self.norm_c.build((None, self.units))

    def call(self, inputs, states):
        h, c = states
        z = self.norm_x(ops.matmul(inputs, self.kernel)) + self.bias
        z = z + self.norm_h(ops.matmul(h, self.recurrent_kernel))
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        h = ops.sigmoid(o) * ops.tanh(self.norm_c(c))
        return h, [h, c]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "epsilon": self.epsilon}


def normalise(spec, x, gamma, beta):
    mean = ops.mean(x, axis=-1, keepdims=True)
    variance = ops.var(x, axis=-1, keepdims=True)
    return (x - mean) / ops.sqrt(variance + spec.settings["epsilon"]) * gamma + beta


def project(spec, inputs, weights):
    x = ops.matmul(inputs, weights.kernel)
    return normalise(spec, x, weights.norm_x_gamma, weights.norm_x_beta) + weights.bias


def step(spec, x, states, weights, change):
    h, c = states
    h = ops.matmul(h, weights.recurrent_kernel)
    x = x + normalise(spec, h, weights.norm_h_gamma, weights.norm_h_beta)
    i, f, g, o = ops.split(x, 4, axis=-1)
    i = change("input_gate", ops.sigmoid(i))
    f = change("forget_gate", ops.sigmoid(f))
    g = change("candidate", ops.tanh(g))
    o = change("output_gate", ops.sigmoid(o))
    c = change("cell_state", f * c + i * g)
    seen = normalise(spec, c, weights.norm_c_gamma, weights.norm_c_beta)
    h = change("hidden_state", o * ops.tanh(seen))
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": c,
        "hidden_state": h,
    }


LAYER_NORM_LSTM = Cell(
    kind="layer_norm_lstm",
    title="layer-norm LSTM",
    table=LSTM.table,
    step=step,
    project=project,
    states=LSTM.states,
    retention=LSTM.retention,
    writing=LSTM.writing,
    convention=LSTM.convention,
    options=("epsilon",),
)
tg.register_cell(LayerNormLSTMCell, LAYER_NORM_LSTM)


def reference(weights, x, states, epsilon=1e-3):
    def norm(x, name):
        scaled = (x - x.mean()) / np.sqrt(x.var() + epsilon)
        return scaled * weights[f"{name}_gamma"] + weights[f"{name}_beta"]

    h, c = states
    z = norm(x @ weights["kernel"], "norm_x") + weights["bias"]
    z = z + norm(h @ weights["recurrent_kernel"], "norm_h")
    i, f, g, o = np.split(z, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": c,
        "hidden_state": o * np.tanh(norm(c, "norm_c")),
    }
