"""Small models of every kind that a trace takes, with random weights, inputs and references.

Each function builds one and returns a `Kind`; `KINDS` lists them. The references are computed by
`reference.run` from the weights and the inputs alone.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import textgate as tg
from tests.tracing import reference

RNG = np.random.default_rng
VOCABULARY = 20


@dataclass
class Kind:
    model: keras.Model
    inputs: Any
    expected: Callable[[Any], dict]  # inputs -> {node's name: reference}
    batch_sizes: tuple = (3, 1)


def randomise(model, seed=0):
    rng = RNG(seed)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.6, weight.shape))
    return model


def ids_with_gaps(seed=1, batch=7, time=6):
    """Return ids with gaps, padding left and right, and a row of nothing but padding."""
    rng = RNG(seed)
    ids = rng.integers(1, VOCABULARY, (batch, time))
    ids[rng.random((batch, time)) < 0.3] = 0
    ids[0, 0] = ids[1, -1] = 0
    ids[2] = 0
    ids[3] = np.maximum(ids[3], 1)
    return ids


def features(seed=2, batch=7, time=5, width=3):
    return RNG(seed).normal(size=(batch, time, width)).astype("float32")


def sequential():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.LSTM(4, return_sequences=True, name="lower"),
            layers.LSTM(2, name="upper"),
            layers.Dense(2),
        ]
    )

    def expected(x):
        lower = reference.run(model.get_layer("lower").cell, x)
        return {
            "lower": lower,
            "upper": reference.run(model.get_layer("upper").cell, lower["last"]),
        }

    return Kind(randomise(model), features(), expected, batch_sizes=(3, 1, 7))


def functional_masked():
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(VOCABULARY, 3, mask_zero=True, name="embedding")(ids)
    x = layers.LSTM(4, return_sequences=True, name="lstm")(x)
    x = layers.GRU(3, return_sequences=True, name="gru")(x)
    x = layers.SimpleRNN(2, return_sequences=True, go_backwards=True, name="simple")(x)
    model = keras.Model(ids, layers.Dense(2)(x))

    def expected(ids):
        mask = ids != 0
        found, x = {}, reference.embed(model.get_layer("embedding"), ids)
        for name in ("lstm", "gru", "simple"):
            cell = model.get_layer(name).cell
            found[name] = reference.run(cell, x, mask, backwards=name == "simple")
            x = found[name]["last"]
        return found

    return Kind(randomise(model), ids_with_gaps(), expected)


def masking_layer():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.Masking(0.0),
            layers.GRU(4, reset_after=False, return_sequences=True, name="before"),
            layers.LSTM(2, go_backwards=True, name="backwards"),
        ]
    )
    x = features()
    x[ids_with_gaps(time=5) == 0] = 0

    def expected(x):
        mask = np.any(x != 0, axis=-1)
        first = reference.run(model.get_layer("before").cell, x, mask)
        second = model.get_layer("backwards").cell
        return {
            "before": first,
            "backwards": reference.run(second, first["last"], mask, backwards=True),
        }

    return Kind(randomise(model), x, expected)


def nested():
    def part(name, width):
        inside = keras.Input((None, width))
        outside = layers.LSTM(3, return_sequences=True, name="lstm")(inside)
        return keras.Model(inside, outside, name=name)

    first, second = part("encoder", 3), part("decoder", 3)
    wrapped = keras.Sequential([first, second], name="both")
    x = keras.Input((None, 3))
    model = keras.Model(x, layers.GRU(2, name="gru")(wrapped(x)))

    def expected(x):
        low = reference.run(first.get_layer("lstm").cell, x)
        high = reference.run(second.get_layer("lstm").cell, low["last"])
        return {
            "both/encoder/lstm": low,
            "both/decoder/lstm": high,
            "gru": reference.run(model.get_layer("gru").cell, high["last"]),
        }

    return Kind(randomise(model), features(), expected)


class Loops(keras.Model):
    """Calls one layer three times in a Python loop, its states handed on."""

    def __init__(self):
        super().__init__()
        self.memory = layers.LSTM(3, return_sequences=True, return_state=True, name="memory")
        self.parts = [layers.Dense(3, name="in"), layers.GRU(2, name="top")]

    def call(self, x):
        x, states = self.parts[0](x), None
        for _ in range(3):
            x, *states = self.memory(x, initial_state=states)
        return self.parts[1](x)


def subclassed_loop():
    model = Loops()
    model(features())
    randomise(model)

    def expected(x):
        dense = model.parts[0]
        kernel, bias = (reference.numpy(v) for v in (dense.kernel, dense.bias))
        x = np.asarray(x, "float64") @ kernel + bias
        found, states = {}, None
        for n in range(3):
            one = reference.run(model.memory.cell, x, initial=states)
            found[f"memory/call_{n}"] = one
            x, states = one["last"], one["final"]
        return {**found, "top": reference.run(model.parts[1].cell, x)}

    return Kind(model, features(), expected)


def bidirectional(merge_mode, cell=layers.LSTM, masked=True):
    ids = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(VOCABULARY, 3, mask_zero=masked, name="embedding")
    inner = cell(3, return_sequences=True, name="lstm")
    both = layers.Bidirectional(inner, merge_mode=merge_mode, name="both")
    x = both(embedding(ids))
    x = x if merge_mode else layers.Concatenate()(x)
    model = randomise(keras.Model(ids, layers.GRU(2, name="top")(x)))

    def expected(ids):
        mask = ids != 0 if masked else np.ones(ids.shape, bool)
        x = reference.embed(embedding, ids)
        forward = reference.run(both.forward_layer.cell, x, mask)
        backward = reference.run(both.backward_layer.cell, x, mask, backwards=True)
        # Where nothing is masked both halves are hidden states; what is masked, the top skips.
        a, b = forward["last"], backward["last"]
        joint = np.concatenate([a, b], -1)
        x = {"sum": a + b, "mul": a * b, "ave": (a + b) / 2}.get(merge_mode, joint)
        return {
            f"both/{both.forward_layer.name}": forward,
            f"both/{both.backward_layer.name}": backward,
            "top": reference.run(model.get_layer("top").cell, x, mask),
        }

    return Kind(model, ids_with_gaps(), expected)


def cell_in_rnn():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.RNN(layers.GRUCell(4, use_bias=False), return_sequences=True, name="one"),
            layers.RNN(layers.SimpleRNNCell(2), name="two"),
        ]
    )

    def expected(x):
        one = reference.run(model.get_layer("one").cell, x)
        return {"one": one, "two": reference.run(model.get_layer("two").cell, one["last"])}

    return Kind(randomise(model), features(), expected)


def stacked_cells(backwards=False):
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(VOCABULARY, 3, mask_zero=True, name="embedding")(ids)
    cells = [
        layers.LSTMCell(4, name="a"),
        layers.GRUCell(3, name="b"),
        layers.SimpleRNNCell(2, name="c"),
    ]
    stack = layers.RNN(cells, return_sequences=True, go_backwards=backwards, name="rnn")
    model = randomise(keras.Model(ids, layers.Dense(2)(stack(x))))

    def expected(ids):
        found, x = {}, reference.embed(model.get_layer("embedding"), ids)
        for cell in cells:
            path = f"rnn/{stack.cell.name}/{cell.name}"
            found[path] = reference.run(cell, x, ids != 0, backwards=backwards)
            x = found[path]["last"]
        return found

    return Kind(model, ids_with_gaps(), expected)


def time_distributed():
    x = keras.Input((2, None, 3))
    model = keras.Model(x, layers.TimeDistributed(layers.LSTM(4, name="inner"), name="each")(x))
    inner = model.get_layer("each").layer
    x = RNG(5).normal(size=(7, 2, 5, 3)).astype("float32")

    def expected(x):
        return {f"each/inner/call_{n}": reference.run(inner.cell, x[:, n]) for n in range(2)}

    return Kind(randomise(model), x, expected)


def several_inputs():
    source = keras.Input((None,), dtype="int32", name="source")
    target = keras.Input((None, 2), name="target")
    embedding = layers.Embedding(VOCABULARY, 3, mask_zero=True)
    _, *states = layers.LSTM(4, return_state=True, name="encoder")(embedding(source))
    out = layers.LSTM(4, return_sequences=True, name="decoder")(target, initial_state=states)
    model = keras.Model({"source": source, "target": target}, out)
    inputs = {"source": ids_with_gaps(), "target": features(width=2, time=4)}

    def expected(inputs):
        ids = inputs["source"]
        x = reference.embed(embedding, ids)
        encoder = reference.run(model.get_layer("encoder").cell, x, ids != 0)
        decoder = model.get_layer("decoder").cell
        return {
            "encoder": encoder,
            "decoder": reference.run(decoder, inputs["target"], initial=encoder["final"]),
        }

    return Kind(randomise(model), inputs, expected)


def initial_states():
    ids, start = keras.Input((None,), dtype="int32"), keras.Input((3,))
    x = layers.Embedding(VOCABULARY, 3, mask_zero=True, name="embedding")(ids)
    # A step that is masked before any other has an output that isn't the initial state. Keras
    # doesn't hand on a mask by itself to a layer that takes several tensors.
    given = {"initial_state": start, "mask": ops.not_equal(ids, 0)}
    out = layers.GRU(3, return_sequences=True, name="gru")(x, **given)
    last = layers.SimpleRNN(3, name="simple", go_backwards=True)(x, **given)
    model = randomise(keras.Model([ids, start], [out, last]))

    def expected(inputs):
        ids, start = inputs
        x = reference.embed(model.get_layer("embedding"), ids)
        gru, simple = (model.get_layer(name).cell for name in ("gru", "simple"))
        return {
            "gru": reference.run(gru, x, ids != 0, [start]),
            "simple": reference.run(simple, x, ids != 0, [start], backwards=True),
        }

    inputs = [ids_with_gaps(), features(4, 7, 3, 1)[..., 0]]
    return Kind(model, inputs, expected)


def stateful():
    x = keras.Input(batch_shape=(3, 4, 2))
    y = layers.LSTM(3, stateful=True, return_sequences=True, name="lstm")(x)
    model = keras.Model(x, layers.GRU(2, stateful=True, name="gru")(y))
    randomise(model)
    model.predict(features(8, 3, 4, 2), verbose=0)  # so that the states aren't zero any more
    before = [[reference.numpy(s) for s in model.get_layer(n).states] for n in ("lstm", "gru")]

    def expected(x):
        parts = {"lstm": [], "gru": []}
        states = dict(zip(parts, before, strict=True))
        for start in range(0, len(x), 3):
            y = x[start : start + 3]
            for name in parts:
                one = reference.run(model.get_layer(name).cell, y, initial=states[name])
                parts[name].append(one)
                y, states[name] = one["last"], one["final"]
        return {
            name: {
                key: (
                    [np.concatenate([p[key][k] for p in found]) for k in range(len(found[0][key]))]
                    if isinstance(value, list)
                    else np.concatenate([p[key] for p in found])
                )
                for key, value in found[0].items()
            }
            for name, found in parts.items()
        }

    return Kind(model, features(9, 6, 4, 2), expected, batch_sizes=(3,))


@keras.saving.register_keras_serializable("textgate_tests")
class Backwards(layers.LSTM):
    """A subclass with a `call` of its own, which always goes backwards."""

    def __init__(self, units, **kwargs):
        kwargs["go_backwards"] = True
        super().__init__(units, **kwargs)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        out = super().call(2 * sequences, initial_state, mask, training)
        return ops.flip(out, axis=1)


def subclassed_layer():
    model = keras.Sequential(
        [keras.Input((None, 3)), layers.Masking(), Backwards(3, return_sequences=True, name="own")]
    )
    x = features()
    x[:, -1] = x[1] = 0

    def expected(x):
        mask = np.any(x != 0, axis=-1)
        return {"own": reference.run(model.get_layer("own").cell, 2 * x, mask, backwards=True)}

    return Kind(randomise(model), x, expected)


def softsign(x):
    return x / (1 + ops.abs(x))


def custom_activations():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.LSTM(
                3, activation=softsign, recurrent_activation="hard_sigmoid",
                return_sequences=True, name="lstm",
            ),
            layers.GRU(
                3, activation=lambda x: ops.sin(x), return_sequences=True, name="gru",
                recurrent_activation=lambda x: 0.5 + 0.5 * softsign(x),
            ),
            layers.SimpleRNN(2, activation=None, name="linear"),
        ]
    )  # fmt: skip

    def expected(x):
        soft = lambda x: x / (1 + np.abs(x))  # noqa: E731
        lstm = reference.run(
            model.get_layer("lstm").cell, x, activation=soft,
            recurrent_activation=lambda x: np.clip(x / 6 + 0.5, 0, 1),
        )  # fmt: skip
        gru = reference.run(
            model.get_layer("gru").cell, lstm["last"], activation=np.sin,
            recurrent_activation=lambda x: 0.5 + 0.5 * soft(x),
        )  # fmt: skip
        linear = model.get_layer("linear").cell
        top = reference.run(linear, gru["last"], activation=lambda x: x)
        return {"lstm": lstm, "gru": gru, "linear": top}

    return Kind(randomise(model), features(), expected)


def ours():
    ids = keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(VOCABULARY, 3, mask_zero=True)
    x, gates = tg.layers.LSTM(3, return_sequences=True, return_gates=True, name="lstm")(
        embedding(ids)
    )
    y = tg.layers.GRU(2, go_backwards=True, reset_after=False, name="gru")(x)
    # The model uses the gates that the layer returns, so that they must be the traced ones.
    model = randomise(keras.Model(ids, [y, gates["forget_gate"]]))

    def expected(ids):
        x = reference.embed(embedding, ids)
        lstm = reference.run(model.get_layer("lstm").cell, x, ids != 0)
        gru = model.get_layer("gru").cell
        return {
            "lstm": lstm,
            "gru": reference.run(gru, lstm["last"], ids != 0, backwards=True),
        }

    return Kind(model, ids_with_gaps(), expected)


def odd_options():
    x = keras.Input((5, 3))
    y = layers.Masking()(x)
    y = layers.LSTM(
        3, unroll=True, dropout=0.5, recurrent_dropout=0.5, use_bias=False,
        return_sequences=True, name="unrolled",
    )(y)  # fmt: skip
    y = layers.GRU(2, dropout=0.3, return_sequences=True, name="dropout", reset_after=False)(y)
    y = layers.SimpleRNN(2, zero_output_for_mask=True, return_sequences=True, name="zero")(y)
    model = randomise(keras.Model(x, y))
    data = features()
    data[:, 0] = data[1] = data[4, 2] = 0

    def expected(x):
        mask = np.any(x != 0, axis=-1)
        found = {}
        for name in ("unrolled", "dropout", "zero"):
            found[name] = reference.run(model.get_layer(name).cell, x, mask)
            x = found[name]["last"]
        return found

    return Kind(model, data, expected)


def shared():
    a, b = keras.Input((None, 3)), keras.Input((4, 3))
    layer = layers.GRU(3, name="shared")
    model = randomise(keras.Model([a, b], layers.Concatenate()([layer(a), layer(b)])))

    def expected(inputs):
        return {f"shared/call_{n}": reference.run(layer.cell, x) for n, x in enumerate(inputs)}

    return Kind(model, [features(), features(3, time=4)], expected)


KINDS = {
    "sequential": sequential,
    "functional_masked": functional_masked,
    "masking_layer": masking_layer,
    "nested": nested,
    "subclassed_loop": subclassed_loop,
    **{
        f"bidirectional_{mode}": lambda mode=mode: bidirectional(mode)
        for mode in ("concat", "sum", "mul", "ave", None)
    },
    "bidirectional_gru": lambda: bidirectional("concat", layers.GRU, masked=False),
    "cell_in_rnn": cell_in_rnn,
    "stacked_cells": stacked_cells,
    "stacked_cells_backwards": lambda: stacked_cells(backwards=True),
    "time_distributed": time_distributed,
    "several_inputs": several_inputs,
    "initial_states": initial_states,
    "stateful": stateful,
    "subclassed_layer": subclassed_layer,
    "custom_activations": custom_activations,
    "ours": ours,
    "odd_options": odd_options,
    "shared": shared,
}


@functools.cache
def kind_of(name):
    """Return a kind, the same each time, so that its model is compiled once."""
    return KINDS[name]()


# Those whose mask leaves out padding on either side.
PADDED = [
    "functional_masked",
    "masking_layer",
    "bidirectional_concat",
    "bidirectional_mul",
    "bidirectional_None",
    "stacked_cells",
    "stacked_cells_backwards",
    "subclassed_layer",
    "ours",
]
OF_ANY_LENGTH = [*PADDED, "sequential", "nested", "subclassed_loop", "cell_in_rnn"]
