"""Old files and what their models gave, made by tf_keras in a process of its own.

    python old_keras.py DIRECTORY

For each model: `NAME.h5`, and `NAME.npz` with its inputs `x0`, `x1`, … and outputs `y0`, `y1`, ….
All weights are random: equal ones would hide gates in the wrong order.
"""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import json
import pathlib

import h5py
import numpy as np
import tensorflow as tf
import tf_keras as keras
from tf_keras import layers as L

WORDS, STEPS, FEATURES = 11, 7, 5


def words(rng, n=3, steps=STEPS, padded=True):
    ids = rng.integers(1, WORDS, size=(n, steps))
    if padded:
        for row, length in zip(ids, rng.integers(1, steps + 1, size=n), strict=True):
            row[length:] = 0
        ids[1, 1] = 0  # a hole
    return ids.astype("int32")


def sequences(rng, n=3, steps=STEPS, masked=False):
    x = rng.normal(size=(n, steps, FEATURES)).astype("float32")
    if masked:
        x[0, 4:] = 0
        x[1, :2] = 0
    return x


def randomise(model, rng):
    for variable in model.weights:
        name = variable.name.split("/")[-1]
        value = rng.normal(size=variable.shape, scale=0.6)
        variable.assign(np.abs(value) + 0.3 if "variance" in name else value)


# -- Sequential ----------------------------------------------------------------------------------

RECURRENT = [
    lambda units, **k: L.LSTM(units, **k),
    lambda units, **k: L.GRU(units, reset_after=True, **k),
    lambda units, **k: L.GRU(units, reset_after=False, **k),
    lambda units, **k: L.SimpleRNN(units, **k),
]


def random_sequential(rng):
    """A Sequential with random layers and settings, from ids or from numbers."""
    from_words = rng.random() < 0.6
    if from_words:
        stack = [
            L.Embedding(WORDS, FEATURES, mask_zero=bool(rng.random() < 0.6), input_length=None)
        ]
        x = words(rng)
    else:
        stack = [L.InputLayer((None, FEATURES))]
        x = sequences(rng, masked=True)
        if rng.random() < 0.5:
            stack.append(L.Masking())
    if rng.random() < 0.3:
        stack.append(L.SpatialDropout1D(0.2))
    if rng.random() < 0.15 and not (from_words and stack[0].mask_zero):
        stack.append(L.Conv1D(4, 3, padding="causal", activation="relu"))
    depth = int(rng.integers(1, 4))
    tagger = rng.random() < 0.4
    for level in range(depth):
        kind = int(rng.integers(4))
        settings = {"return_sequences": level < depth - 1 or tagger}
        if kind != 3 and rng.random() < 0.7:
            settings["recurrent_activation"] = str(rng.choice(["hard_sigmoid", "sigmoid"]))
        if rng.random() < 0.3:
            settings["activation"] = str(rng.choice(["relu", "hard_sigmoid", "softsign"]))
        if rng.random() < 0.2:
            settings["use_bias"] = False
        if rng.random() < 0.3:
            settings["dropout"] = 0.3
        if rng.random() < 0.2:
            settings["implementation"] = 1
        if rng.random() < 0.4:
            layer = RECURRENT[kind](int(rng.integers(2, 6)), **settings)
            mode = [None, "concat", "sum", "mul", "ave"][int(rng.integers(1, 5))]
            stack.append(L.Bidirectional(layer, merge_mode=mode))
        else:
            settings["go_backwards"] = bool(rng.random() < 0.2)
            stack.append(RECURRENT[kind](int(rng.integers(2, 6)), **settings))
        if rng.random() < 0.3:
            stack.append(L.Dropout(0.4))
        if rng.random() < 0.2:
            stack.append(L.BatchNormalization())
    if tagger and rng.random() < 0.5:
        stack.append(L.TimeDistributed(L.Dense(4, activation="softmax")))
    else:
        stack += [L.Dense(6), L.LeakyReLU(), L.Dense(3, activation="hard_sigmoid")]
    return keras.Sequential(stack), [x]


def bare(rng):
    """The recurrent layer first, and every setting of its own at a rare value."""
    layer = L.LSTM(
        4,
        input_shape=(STEPS, FEATURES),
        recurrent_activation="hard_sigmoid",
        unit_forget_bias=False,
        implementation=1,
        return_sequences=True,
        kernel_regularizer="l2",
        bias_constraint="max_norm",
        recurrent_initializer=keras.initializers.VarianceScaling(distribution="normal"),
    )
    return keras.Sequential([layer, L.Flatten(), L.Dense(2)]), [sequences(rng)]


def stateful(rng):
    return keras.Sequential(
        [
            L.InputLayer(batch_input_shape=(3, STEPS, FEATURES)),
            L.LSTM(4, stateful=True, return_sequences=True, recurrent_activation="hard_sigmoid"),
            L.Bidirectional(L.GRU(3, stateful=True)),
        ]
    ), [sequences(rng)]


def time_major(rng):
    return keras.Sequential(
        [
            L.InputLayer((None, FEATURES)),
            L.LSTM(4, time_major=True, return_sequences=True),
            L.GRU(3, return_sequences=True),
        ]
    ), [sequences(rng, n=4)]


def activations(rng):
    return keras.Sequential(
        [
            L.InputLayer((None, FEATURES)),
            L.Conv1D(6, 2, padding="same"),
            L.PReLU(shared_axes=[1]),
            L.MaxPooling1D(2),
            L.LSTM(4, return_sequences=True),
            L.ThresholdedReLU(0.1),
            L.Activation("hard_sigmoid"),
            L.LayerNormalization(),
            L.ELU(0.7),
            L.GlobalAveragePooling1D(),
            L.Dense(3, activation="selu"),
        ]
    ), [sequences(rng, steps=8)]


def conv_groups(rng):
    return keras.Sequential(
        [
            L.InputLayer((None, 6)),
            L.Conv1D(4, 3, groups=2, padding="same"),
            L.SeparableConv1D(5, 3, depth_multiplier=2),
            L.LSTM(3),
        ]
    ), [rng.normal(size=(2, 9, 6)).astype("float32")]


def sequential_in_sequential(rng):
    inner = keras.Sequential(
        [L.Embedding(WORDS, 4, mask_zero=True), L.LSTM(5, return_sequences=True)]
    )
    return keras.Sequential([inner, L.GRU(3, reset_after=False), L.Dense(2)]), [words(rng)]


# -- the functional API --------------------------------------------------------------------------


def seq2seq(rng):
    """A decoder that is given states and the mask of its words: Keras 3 drops the mask."""
    source, target = L.Input((None,)), L.Input((None,))
    encoder = L.LSTM(4, return_state=True, recurrent_activation="hard_sigmoid")
    _, h, c = encoder(L.Embedding(WORDS, 5, mask_zero=True)(source))
    embedded = L.Embedding(WORDS, 5, mask_zero=True)(target)
    out, _, _ = L.LSTM(4, return_sequences=True, return_state=True)(embedded, initial_state=[h, c])
    out = L.GRU(3, return_sequences=True)(out)
    return keras.Model([source, target], L.Dense(6, activation="softmax")(out)), [
        words(rng),
        words(rng),
    ]


def bidirectional_states(rng):
    source, target = L.Input((None,)), L.Input((None,))
    embedding = L.Embedding(WORDS, 5, mask_zero=True)
    _, *states = L.Bidirectional(L.LSTM(3, return_state=True))(embedding(source))
    out = L.Bidirectional(L.LSTM(3, return_sequences=True))(embedding(target), initial_state=states)
    return keras.Model([source, target], L.Dense(2, name="end")(out)), [
        words(rng),
        words(rng),
    ]


def merges(rng):
    """Two inputs with different masks, merged in every way, and read on."""
    one, two = L.Input((None,)), L.Input((None,))
    embedding = L.Embedding(WORDS, 4, mask_zero=True)
    a, b = embedding(one), L.Embedding(WORDS, 4, mask_zero=True)(two)
    outputs = []
    for merge in (L.Add(), L.Multiply(), L.Maximum(), L.Concatenate(), L.Average(), L.Subtract()):
        merged = merge([a, b])
        outputs.append(L.SimpleRNN(3)(L.Dense(4)(merged)))
    outputs.append(L.Flatten()(L.Multiply()([a, L.Embedding(WORDS, 4)(two)])))
    outputs.append(L.SimpleRNN(2)(L.Concatenate()([a, L.Embedding(WORDS, 4)(two)])))
    outputs.append(L.SimpleRNN(2)(L.Concatenate(axis=1)([a, b])))
    return keras.Model([one, two], outputs), [words(rng), words(rng)]


def hierarchical(rng):
    """Words of sentences of a document: the mask of words becomes one of sentences."""
    document = L.Input((4, STEPS), dtype="int32")
    x = L.TimeDistributed(L.Embedding(WORDS, 4, mask_zero=True))(document)
    x = L.TimeDistributed(L.LSTM(5))(x)
    x = L.SimpleRNN(3)(x)
    ids = np.stack([words(rng) for _ in range(4)], axis=1)
    ids[0, 2:] = 0  # two sentences are empty
    return keras.Model(document, x), [ids]


def sentence_encoder(rng):
    """A model for sentences, applied to each of a document."""
    sentence = L.Input((STEPS,), dtype="int32")
    vector = L.GRU(3)(L.Embedding(WORDS, 4, mask_zero=True)(sentence))
    encoder = keras.Model(sentence, vector)
    document = L.Input((4, STEPS), dtype="int32")
    x = L.SimpleRNN(3, return_sequences=True)(L.TimeDistributed(encoder)(document))
    ids = np.stack([words(rng) for _ in range(4)], axis=1)
    return keras.Model(document, L.Dense(2)(x)), [ids]


def shared(rng):
    """One encoder for two texts, with a frozen embedding and a BatchNormalization inside."""
    text = L.Input((None,))
    embedding = L.Embedding(WORDS, 4, mask_zero=True)
    embedding.trainable = False
    x = L.BatchNormalization()(embedding(text))
    x = L.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid")(x)
    encoder = keras.Model(text, L.Dense(3)(L.LSTM(4)(x)), name="encoder")
    one, two = L.Input((None,)), L.Input((None,))
    a, b = encoder(one), encoder(two)
    distance = L.Subtract()([a, b])
    similarity = L.Dot(axes=1, normalize=True)([a, b])
    return keras.Model([one, two], [L.Dense(1, activation="sigmoid")(distance), similarity]), [
        words(rng),
        words(rng),
    ]


def nested_masks(rng):
    """A mask that goes into a model, and one that comes out of a model."""
    text = L.Input((None,))
    inner = L.Input((None, 4))
    body = keras.Model(inner, L.Dense(4)(L.LSTM(5, return_sequences=True)(inner)), name="body")
    front_in = L.Input((None,))
    front = keras.Model(front_in, L.Embedding(WORDS, 4, mask_zero=True)(front_in), name="front")
    return keras.Model(text, L.GRU(3)(body(front(text)))), [words(rng)]


def decoder_model(rng):
    """A decoder as a model of its own: the mask of its words is known at run time only."""
    inner, inner_state = L.Input((None, 4)), L.Input((3,))
    out = L.GRU(3, name="gru")(inner, initial_state=inner_state)
    decoder = keras.Model([inner, inner_state], out, name="decoder")
    ids, state = L.Input((None,)), L.Input((3,))
    embedded = L.Embedding(WORDS, 4, mask_zero=True)(ids)
    return keras.Model([ids, state], L.Dense(2, name="end")(decoder([embedded, state]))), [
        words(rng),
        rng.normal(size=(3, 3)).astype("float32"),
    ]


def over_cells(rng):
    x = L.Input((None, FEATURES))
    masked = L.Masking()(x)
    stack = L.RNN([L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(5)], return_sequences=True)
    one = L.RNN(L.LSTMCell(4, recurrent_activation="hard_sigmoid"), return_state=True)
    both = L.Bidirectional(L.RNN(L.GRUCell(3, reset_after=False)))
    return keras.Model(x, [stack(masked), *one(masked), both(masked)]), [
        sequences(rng, masked=True)
    ]


def stacked_states(rng):
    x = L.Input((None, FEATURES))
    cells = lambda: [L.LSTMCell(4), L.LSTMCell(3)]  # noqa: E731
    states = keras.layers.RNN(cells(), return_state=True)(x)
    flat = [t for s in states[1:] for t in (s if isinstance(s, (list, tuple)) else [s])]
    return keras.Model(x, [states[0], *flat]), [sequences(rng)]


def time_major_masked(rng):
    ids = L.Input((None,))
    x = L.Embedding(WORDS, FEATURES, mask_zero=True)(ids)
    x = L.Bidirectional(L.LSTM(4, time_major=True, return_sequences=True))(x)
    return keras.Model(ids, L.GRU(3, time_major=True)(x)), [words(rng, n=STEPS, steps=4)]


def attention(rng):
    query, value = L.Input((None,)), L.Input((None,))
    embedding = L.Embedding(WORDS, 4, mask_zero=True)
    q = L.LSTM(4, return_sequences=True)(embedding(query))
    v = L.LSTM(4, return_sequences=True)(embedding(value))
    context = L.Attention(use_scale=True)([q, v])
    weighted = L.Dense(1, activation="exponential")(v)
    pooled = L.Dot(axes=(1, 1))([weighted, v])
    pooled = L.Reshape((4,))(pooled)
    repeated = L.RepeatVector(3)(pooled)
    average = L.GlobalAveragePooling1D()(v)
    return keras.Model(
        [query, value], [context, L.GlobalMaxPooling1D()(v), average, L.Permute((2, 1))(repeated)]
    ), [words(rng), words(rng)]


def dictionary(rng):
    x = L.Input((None, FEATURES), name="numbers")
    h = L.LSTM(4)(x)
    return keras.Model({"numbers": x}, {"a": L.Dense(2)(h), "b": L.Dense(3)(h)}), [sequences(rng)]


# -- files that tf_keras can't write -----------------------------------------------------------


def edited(path, change):
    """Rewrite the configuration of a file."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config = change(config) or config
        file.attrs["model_config"] = json.dumps(config).encode()


def set_version(path, version, backend="tensorflow"):
    with h5py.File(path, "r+") as file:
        for holder in (file, file["model_weights"]):
            for name, value in (("keras_version", version), ("backend", backend)):
                if name in holder.attrs:
                    del holder.attrs[name]
                if value:
                    holder.attrs[name] = value.encode()


def replace_arrays(path, layer, names, arrays):
    with h5py.File(path, "r+") as file:
        group = file["model_weights"][layer]
        for name in list(group):
            del group[name]
        group.attrs["weight_names"] = [name.encode() for name in names]
        for name, array in zip(names, arrays, strict=True):
            group[name] = array


INITS = {"GlorotUniform": "glorot_uniform", "Orthogonal": "orthogonal", "Zeros": "zero"}
TO_KERAS_1 = {
    "units": "output_dim",
    "recurrent_activation": "inner_activation",
    "kernel_initializer": "init",
    "recurrent_initializer": "inner_init",
    "kernel_regularizer": "W_regularizer",
    "recurrent_regularizer": "U_regularizer",
    "bias_regularizer": "b_regularizer",
    "dropout": "dropout_W",
    "recurrent_dropout": "dropout_U",
    "rate": "p",
    "filters": "nb_filter",
    "kernel_size": "filter_length",
    "padding": "border_mode",
    "strides": "subsample_length",
}


def keras_1_entry(entry):
    """Write a layer's configuration in the words of Keras 1."""
    config = entry["config"]
    for key in ("layer",):
        if key in config:
            keras_1_entry(config[key])
    names = dict(TO_KERAS_1)
    if entry["class_name"] == "Embedding":
        names = {"embeddings_initializer": "init", "embeddings_regularizer": "W_regularizer"}
    if entry["class_name"] == "Dense":
        names["use_bias"] = "bias"
    result = {}
    for key, value in config.items():
        if key in ("dtype", "reset_after", "time_major", "implementation"):
            continue
        if key == "use_bias" and entry["class_name"] != "Dense":
            continue
        if key.endswith("initializer"):
            value = INITS.get(value["class_name"], "uniform")
        if key in ("kernel_size", "strides"):
            (value,) = value
        if key in ("bias_initializer", "unit_forget_bias", "groups", "dilation_rate"):
            continue
        if key.endswith("_constraint") and entry["class_name"] in ("LSTM", "GRU", "SimpleRNN"):
            continue
        result[names.get(key, key)] = value
    if entry["class_name"] in ("LSTM", "GRU", "SimpleRNN"):
        result |= {"consume_less": "cpu", "input_dim": None, "input_length": None}
        if entry["class_name"] == "LSTM":
            result["forget_bias_init"] = "one"
    if entry["class_name"] == "Conv1D":
        entry["class_name"] = "Convolution1D"
    entry["config"] = result


def keras_1(rng, directory, name, backend="tensorflow"):
    """A file of Keras 1: its words, its layout of the weights, a list for a Sequential."""
    model = keras.Sequential(
        [
            L.Embedding(WORDS, 4, input_length=STEPS, mask_zero=False, name="words"),
            L.Conv1D(6, 3, name="conv"),
            L.Dropout(0.2, name="drop"),
            L.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid", name="lstm_1"),
            L.Bidirectional(
                L.GRU(3, return_sequences=True, reset_after=False, recurrent_activation="sigmoid"),
                name="both",
            ),
            L.SimpleRNN(3, return_sequences=True, name="simple"),
            L.TimeDistributed(L.Dense(2, name="inner"), name="timed"),
        ]
    )
    path = directory / f"{name}.h5"
    model.save(path)

    def words_of_keras_1(config):
        entries = [e for e in config["config"]["layers"] if e["class_name"] != "InputLayer"]
        for entry in entries:
            keras_1_entry(entry)
        config["config"] = entries

    edited(path, words_of_keras_1)
    set_version(path, "1.2.2", backend)
    shape = lambda *s: rng.normal(size=s, scale=0.6).astype("float32")  # noqa: E731
    if backend == "theano":  # before Keras 1.2
        replace_arrays(path, "conv", ["conv_W", "conv_b"], [shape(6, 4, 3, 1), shape(6)])
    else:
        replace_arrays(path, "conv", ["conv_W", "conv_b"], [shape(3, 1, 4, 6), shape(6)])
    gates = [f"lstm_1_{p}_{g}" for g in "icfo" for p in "WUb"]
    arrays = [shape(*s) for _ in "icfo" for s in ((6, 4), (4, 4), (4,))]
    replace_arrays(path, "lstm_1", gates, arrays)
    gates = [f"{d}_gru_{p}_{g}" for d in ("forward", "backward") for g in "zrh" for p in "WUb"]
    arrays = [shape(*s) for _ in range(6) for s in ((4, 3), (3, 3), (3,))]
    replace_arrays(path, "both", gates, arrays)
    replace_arrays(path, "simple", ["W", "U", "b"], [shape(6, 3), shape(3, 3), shape(3)])
    replace_arrays(path, "timed", ["W", "b"], [shape(3, 2), shape(2)])
    # tf_keras itself turns such weights into its own; it looks for the version "1".
    with h5py.File(path) as file:
        group = file["model_weights"]
        for layer in model.layers:
            names = group[layer.name].attrs["weight_names"]
            values = [np.asarray(group[layer.name][name]) for name in names]
            from tf_keras.src.saving.legacy.hdf5_format import preprocess_weights_for_loading

            values = preprocess_weights_for_loading(layer, values, "1", backend)
            if layer.name == "conv" and backend == "theano":
                values[0] = values[0][::-1]
            layer.set_weights(values)
    return model, [words(rng, padded=False)]


def keras_1_functional(rng, directory, name):
    """`Merge` in the functional API, and no fourth part in a call."""
    one, two = L.Input((STEPS, FEATURES), name="one"), L.Input((STEPS, FEATURES), name="two")
    lstm = L.LSTM(4, recurrent_activation="hard_sigmoid", name="lstm")
    merged = L.Multiply(name="merge_1")([lstm(one), lstm(two)])
    model = keras.Model([one, two], L.Dense(2, name="dense")(merged))
    randomise(model, rng)
    path = directory / f"{name}.h5"
    model.save(path)

    def change(config):
        config["class_name"] = "Model"
        for entry in config["config"]["layers"]:
            entry["inbound_nodes"] = [
                [call[:3] for call in node] for node in entry["inbound_nodes"]
            ]
            if entry["class_name"] == "Multiply":
                entry["class_name"] = "Merge"
                entry["config"] = {"name": "merge_1", "mode": "mul", "concat_axis": -1}
                entry["config"] |= {"dot_axes": -1, "output_shape": None, "arguments": {}}
            else:
                keras_1_entry(entry)

    edited(path, change)
    set_version(path, None, None)
    return model, [sequences(rng), sequences(rng)]


def keras_1_branches(rng, directory, name):
    """A Sequential that begins with a `Merge` of two others."""
    one, two = L.Input((STEPS, FEATURES)), L.Input((STEPS, FEATURES))
    left, right = (
        L.LSTM(4, name="left", recurrent_activation="hard_sigmoid"),
        L.GRU(3, name="right", reset_after=False, recurrent_activation="hard_sigmoid"),
    )
    dense = L.Dense(2, name="dense")
    model = keras.Model([one, two], dense(L.Concatenate(name="merge")([left(one), right(two)])))
    randomise(model, rng)
    path = directory / f"{name}.h5"
    model.save(path)

    def entry(layer, shape=None):
        result = {"class_name": type(layer).__name__, "config": layer.get_config()}
        keras_1_entry(result)
        if shape:
            result["config"]["batch_input_shape"] = shape
        return result

    def change(config):
        shape = [None, STEPS, FEATURES]
        merge = {"name": "merge", "mode": "concat", "concat_axis": -1}
        merge["layers"] = [
            {"class_name": "Sequential", "config": [entry(layer, shape)]} for layer in (left, right)
        ]
        entries = [{"class_name": "Merge", "config": merge}, entry(dense)]
        return {"class_name": "Sequential", "config": entries}

    edited(path, change)
    set_version(path, "1.1.0")
    return model, [sequences(rng), sequences(rng)]


def cudnn(rng, directory, name):
    """Layers for cuDNN: other classes, other layouts, read by tf_keras into its own layers."""
    model = keras.Sequential(
        [
            L.InputLayer((None, FEATURES)),
            L.LSTM(4, return_sequences=True, name="a"),
            L.Bidirectional(L.LSTM(3, return_sequences=True), name="b"),
            L.GRU(4, return_sequences=True, reset_after=True, name="c"),
            L.Bidirectional(L.GRU(2, reset_after=True), name="d"),
        ]
    )
    path = directory / f"{name}.h5"
    model.save(path)

    def change(config):
        for entry in config["config"]["layers"]:
            for one in (entry, entry["config"].get("layer", {})):
                if one.get("class_name") in ("LSTM", "GRU"):
                    one["class_name"] = f"CuDNN{one['class_name']}"
                    for key in ("activation", "recurrent_activation", "use_bias", "reset_after"):
                        one["config"].pop(key, None)
                    for key in ("dropout", "recurrent_dropout", "unroll", "implementation"):
                        one["config"].pop(key, None)

    edited(path, change)
    set_version(path, "2.2.4")
    shape = lambda *s: rng.normal(size=s, scale=0.6).astype("float32")  # noqa: E731
    for layer, units, inputs, gates, halves in (
        ("a", 4, FEATURES, 4, 1),
        ("b", 3, 4, 4, 2),
        ("c", 4, 6, 3, 1),
        ("d", 2, 4, 3, 2),
    ):
        shapes = [(inputs, gates * units), (units, gates * units), (2 * gates * units,)]
        arrays = [shape(*s) for _ in range(halves) for s in shapes]
        names = [f"{h}/{n}" for h in range(halves) for n in ("kernel", "recurrent_kernel", "bias")]
        replace_arrays(path, layer, names, arrays)
    with h5py.File(path) as file:
        from tf_keras.src.saving.legacy.hdf5_format import load_weights_from_hdf5_group

        load_weights_from_hdf5_group(file["model_weights"], model)
    return model, [sequences(rng)]


def as_keras_2_0(path):
    """A Sequential as a bare list, without its input layer or settings of later versions."""

    def change(config):
        entries = config["config"]["layers"]
        shape = entries[0]["config"].get("batch_input_shape")
        if entries[0]["class_name"] == "InputLayer":
            entries = entries[1:]
        entries[0]["config"]["batch_input_shape"] = shape
        for entry in entries:
            for one in (entry, entry["config"].get("layer", {})):
                settings = one.get("config", {})
                settings.pop("time_major", None)
                if settings.get("reset_after") is False:
                    del settings["reset_after"]
                settings.pop("dtype", None)
        config["config"] = entries

    edited(path, change)
    set_version(path, "2.0.8")


def without_input(path):
    """A Sequential that doesn't say what its inputs are."""

    def change(config):
        config["config"].pop("build_input_shape", None)
        entries = [e for e in config["config"]["layers"] if e["class_name"] != "InputLayer"]
        for entry in entries:
            entry["config"].pop("batch_input_shape", None)
        config["config"]["layers"] = entries

    edited(path, change)


# -- all of them -------------------------------------------------------------------------------

SEQUENTIAL = [bare, stateful, time_major, activations, conv_groups, sequential_in_sequential]
FUNCTIONAL = [
    seq2seq,
    bidirectional_states,
    merges,
    hierarchical,
    sentence_encoder,
    shared,
    nested_masks,
    decoder_model,
    over_cells,
    stacked_states,
    time_major_masked,
    attention,
    dictionary,
]
REWRITTEN = [keras_1, keras_1_functional, keras_1_branches, cudnn]
ZIPPED = [bare, time_major, shared, over_cells, sentence_encoder, seq2seq, conv_groups]
RANDOM = 10


def write(directory, name, model, inputs):
    run = lambda *x: model(x[0] if len(x) == 1 else list(x), training=False)  # noqa: E731
    if any(isinstance(layer, L.TimeDistributed) for layer in model.layers):
        # It depends on whether the batch's size is known; when a model is used, it isn't.
        run = tf.function(run, [tf.TensorSpec((None, *x.shape[1:]), x.dtype) for x in inputs])
    outputs = run(*inputs)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    arrays = {f"x{i}": x for i, x in enumerate(inputs)}
    arrays |= {f"y{i}": np.asarray(y) for i, y in enumerate(outputs)}
    np.savez(directory / f"{name}.npz", **arrays)


def main(directory):
    for number, make in enumerate([random_sequential] * RANDOM + SEQUENTIAL + FUNCTIONAL):
        rng = np.random.default_rng(number)
        keras.backend.clear_session()
        model, inputs = make(rng)
        model(inputs[0] if len(inputs) == 1 else inputs)
        randomise(model, rng)
        name = f"random_{number}" if make is random_sequential else make.__name__
        path = directory / f"{name}.h5"
        model.save(path, include_optimizer=False)
        if make is random_sequential and number % 3 == 1:
            as_keras_2_0(path)
        if make is random_sequential and number % 6 == 2:
            without_input(path)
        if hasattr(model, "reset_states"):
            model.reset_states()
        write(directory, name, model, inputs)
        if make in ZIPPED:
            model.save(directory / f"{name}.keras")
        if make in (bare, shared):
            model.save_weights(directory / f"{name}_weights.h5")
    for make in REWRITTEN:
        keras.backend.clear_session()
        write(directory, make.__name__, *make(np.random.default_rng(7), directory, make.__name__))
    keras.backend.clear_session()
    theano = keras_1(np.random.default_rng(7), directory, "keras_1_theano", "theano")
    write(directory, "keras_1_theano", *theano)
    lambdas(directory)


def lambdas(directory):
    """Files with code in them."""
    keras.backend.clear_session()
    model = keras.Sequential(
        [L.InputLayer((None, FEATURES)), L.Lambda(lambda x: x * 2.0, name="double"), L.LSTM(3)]
    )
    rng = np.random.default_rng(0)
    randomise(model, rng)
    model.save(directory / "lambda.h5", include_optimizer=False)
    write(directory, "lambda", model, [sequences(rng)])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
