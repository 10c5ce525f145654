"""An LSTM whose gates see the memory (Gers & Schmidhuber 2000, Recurrent nets that time and count).

i_t = σ(x_t W_i + h_{t-1} U_i + p_i ⊙ c_{t-1} + b_i)
f_t = σ(x_t W_f + h_{t-1} U_f + p_f ⊙ c_{t-1} + b_f)
c_t = f_t ⊙ c_{t-1} + i_t ⊙ tanh(x_t W_g + h_{t-1} U_g + b_g)
o_t = σ(x_t W_o + h_{t-1} U_o + p_o ⊙ c_t + b_o)
h_t = o_t ⊙ tanh(c_t)
"""

import keras
import numpy as np
from keras import ops

import textgate as tg
from tests.reference import sigmoid
from textgate.recurrence import LSTM, Cell


@keras.saving.register_keras_serializable(package="tests")
class PeepholeLSTMCell(keras.layers.LSTMCell):
    def build(self, input_shape):
        super().build(input_shape)
        self.peepholes = self.add_weight(shape=(3, self.units), name="peepholes")

    def call(self, inputs, states, training=False):
        h, c = states
        p_i, p_f, p_o = ops.unstack(ops.convert_to_tensor(self.peepholes), axis=0)
        z = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
        new = ops.sigmoid(z_f + p_f * c) * c + ops.sigmoid(z_i + p_i * c) * ops.tanh(z_g)
        h = ops.sigmoid(z_o + p_o * new) * ops.tanh(new)
        return h, [h, new]


def project(spec, inputs, weights):
    return ops.matmul(inputs, weights.kernel) + weights.bias


def step(spec, x, states, weights, change):
    h, c = states
    p_i, p_f, p_o = ops.unstack(weights.peepholes, axis=0)
    x_i, x_f, x_g, x_o = ops.split(x + ops.matmul(h, weights.recurrent_kernel), 4, axis=-1)
    i = change("input_gate", ops.sigmoid(x_i + p_i * c))
    f = change("forget_gate", ops.sigmoid(x_f + p_f * c))
    g = change("candidate", ops.tanh(x_g))
    c = change("cell_state", f * c + i * g)
    o = change("output_gate", ops.sigmoid(x_o + p_o * c))
    h = change("hidden_state", o * ops.tanh(c))
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "cell_state": c,
        "output_gate": o,
        "hidden_state": h,
    }


PEEPHOLE_LSTM = Cell(
    kind="peephole_lstm",
    title="peephole LSTM",
    table=LSTM.table,
    step=step,
    project=project,
    states=LSTM.states,
    retention=LSTM.retention,
    writing=LSTM.writing,
    convention=LSTM.convention,
)
tg.register_cell(PeepholeLSTMCell, PEEPHOLE_LSTM)


def reference(weights, x, states):
    h, c = states
    z = x @ weights["kernel"] + h @ weights["recurrent_kernel"] + weights["bias"]
    z_i, z_f, z_g, z_o = np.split(z, 4)
    p_i, p_f, p_o = weights["peepholes"]
    i, f, g = sigmoid(z_i + p_i * c), sigmoid(z_f + p_f * c), np.tanh(z_g)
    c = f * c + i * g
    o = sigmoid(z_o + p_o * c)
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "cell_state": c,
        "output_gate": o,
        "hidden_state": o * np.tanh(c),
    }
