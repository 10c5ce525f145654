"""A small model with a stack and a `Bidirectional`, masks, and its run in float64 NumPy.

`expected` knows nothing of textgate's interventions: it takes a function that edits a signal, as
`tests.reference.run` calls it.
"""

import functools

import keras
import numpy as np
from keras import layers

from tests import reference

LAYERS = ["low", "both/forward_mid", "both/backward_mid", "top"]
UNITS = {"low": 4, "both/forward_mid": 3, "both/backward_mid": 3, "top": 3}
EXAMPLES, STEPS = 6, 5
SIGNALS = {
    "lstm": ["input_gate", "forget_gate", "candidate", "output_gate", "cell_state", "hidden_state"],
    "gru": ["update_gate", "reset_gate", "candidate", "hidden_state"],
}
STATES = {"lstm": ("cell_state", "hidden_state"), "gru": ("hidden_state",)}


def built(kind, seed=0, eagerly=True, name="small"):
    """Return a model with random weights: `low`, a bidirectional `mid`, `top`, and a readout."""
    cell = {"lstm": layers.LSTM, "gru": layers.GRU}[kind]
    x = keras.Input((None, 3))
    y = layers.Masking()(x)
    y = cell(4, return_sequences=True, name="low")(y)
    y = layers.Bidirectional(cell(3, return_sequences=True, name="mid"), name="both")(y)
    y = layers.Dense(2, name="readout")(cell(3, name="top")(y))
    model = keras.Model(x, y, name=name)
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    model.run_eagerly = eagerly  # compiling costs more than computing these
    return model


@functools.cache
def model_of(kind):
    """The same model each time."""
    return built(kind)


def inputs(seed=1, masked=True):
    """Return inputs with gaps, padding on either side and a row of nothing but padding."""
    x = np.random.default_rng(seed).normal(size=(EXAMPLES, STEPS, 3)).astype("float32")
    if masked:
        x[1, 3:] = x[2, :2] = x[3, [1, 3]] = x[4] = 0
    return x


def expected(model, x, edits=None):
    """Return ({layer: signals, NaN where masked}, outputs) with `edits` {layer: edit function}."""
    edits, found = edits or {}, {}
    mask = np.any(x != 0, axis=-1)
    kind = {"LSTM": "lstm", "GRU": "gru"}[type(model.get_layer("top")).__name__]
    both = model.get_layer("both")
    cells = dict(
        zip(
            LAYERS,
            [
                model.get_layer("low").cell,
                both.forward_layer.cell,
                both.backward_layer.cell,
                model.get_layer("top").cell,
            ],
            strict=True,
        )
    )

    def run(layer, x, backwards=False):
        weights = [keras.ops.convert_to_numpy(w) for w in cells[layer].weights]
        options = {"edit": edits[layer]} if layer in edits else {}
        signals, final = reference.run(
            kind, x, *weights, mask=mask, go_backwards=backwards, **options
        )
        found[layer] = {
            name: np.where(mask[..., None], signal, np.nan) for name, signal in signals.items()
        }
        return signals["hidden_state"], final[0]

    low, _ = run("low", np.asarray(x, "float64"))
    mid = np.concatenate([run(LAYERS[1], low)[0], run(LAYERS[2], low, True)[0]], -1)
    _, last = run("top", mid)
    kernel, bias = (keras.ops.convert_to_numpy(w) for w in model.get_layer("readout").weights)
    # A row of nothing but padding puts out zeros, which is what its states are, too.
    return found, last @ kernel.astype("float64") + bias


def chosen_steps(steps, examples=EXAMPLES, length=STEPS):
    """Return the booleans (example, time) that `steps` stands for."""
    chosen = np.zeros((examples, length), bool)
    if isinstance(steps, np.ndarray):
        return steps
    chosen[:, slice(None) if steps is None else steps] = True
    return chosen
