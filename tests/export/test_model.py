"""Any Keras model's gates, exported on the model's own inputs, are those of a trace."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

import textgate as tg
from tests.export.conftest import randomised
from tests.export.test_saved_model import Subclassed

pytestmark = pytest.mark.usefixtures("directory")
RNG = np.random.default_rng


def two_inputs():
    """Ids with gaps and features; nested, bidirectional; one layer is called twice."""
    ids = keras.Input((None,), dtype="int32", name="word ids")
    features = keras.Input((None, 2), name="features")
    x = layers.Embedding(9, 2, mask_zero=True)(ids)
    shared = layers.SimpleRNN(2, return_sequences=True, name="shared")
    inner = keras.Input((None, 2))
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both")
    encoder = keras.Model(inner, both(inner), name="encoder")
    y = encoder(layers.Add()([shared(x), shared(features)]))
    model = keras.Model({"word ids": ids, "features": features}, {"y": y, "z": layers.Dense(1)(y)})
    given = {
        "word ids": np.array([[1, 0, 3, 4], [5, 6, 0, 0], [0, 8, 8, 1]], "int32"),
        "features": RNG(0).normal(size=(3, 4, 2)).astype("float32"),
    }
    return model, given, {"word_ids": given["word ids"], "features": given["features"]}


def stateful():
    model = keras.Sequential(
        [
            keras.Input((None, 3), batch_size=2, name="x"),
            tg.layers.LSTM(4, stateful=True, return_sequences=True, name="memory"),
            layers.Dropout(0.5),
            layers.LSTM(2, name="stock", go_backwards=True),
        ]
    )
    given = RNG(1).normal(size=(2, 5, 3)).astype("float32")
    return model, given, {"x": given}


@pytest.mark.parametrize("kind", [two_inputs, stateful])
def test_gates_are_those_of_a_trace(kind, tmp_path):
    model, given, named = kind()
    randomised(model)
    state = [v.numpy() for layer in model.layers for v in getattr(layer, "states", None) or []]
    loaded = tf.saved_model.load(str(tg.export.saved_model(model, tmp_path / "model")))
    tensors = {name: tf.constant(values) for name, values in named.items()}
    for _ in range(2):  # a stateful model begins anew with each call
        found = loaded.signatures["gates"](**tensors)
        trace = tg.trace(model, given)
        expected = {}
        for leaf in trace.leaves:
            path, node = leaf.path.strip("/"), leaf.to_dataset()
            expected.update({f"{path}/{name}": node[name].values for name in node})
            if f"{path}/mask" in found:
                expected[f"{path}/mask"] = node["mask"].values
            else:
                assert node["mask"].values.all()
        assert set(found) == set(expected)
        for name, values in expected.items():
            np.testing.assert_allclose(found[name], np.nan_to_num(values), rtol=0, atol=1e-5)
    outputs = loaded.signatures["serving_default"](**tensors)
    expected = model(given, training=False)
    if kind is two_inputs:
        assert set(outputs) == {"y", "z"}
        np.testing.assert_allclose(outputs["z"], expected["z"], atol=1e-5)
        empty = {name: t[:0] for name, t in tensors.items()}
        assert loaded.signatures["gates"](**empty)["shared/call_1/hidden_state"].shape == (0, 4, 2)
    else:
        assert set(outputs) == {"output_0"}
        # `model(given)` just above moved the states on; exporting and tracing had not.
        assert not any(np.any(values) for values in state)
    told = loaded.signatures["describe"]()["description"].numpy().decode()
    assert all(f"{name}: " in told for name in tensors)


def test_inputs_of_a_subclassed_model_are_given_by_example(tmp_path):
    model = Subclassed()
    randomised(model)
    given = {
        "features": RNG(2).normal(size=(2, 4, 3)).astype("float32"),
        "kept": np.array([[True, True, False, True], [False, True, True, False]]),
    }
    specs = {
        "features": tf.TensorSpec((None, None, 3), tf.float32),
        "kept": tf.TensorSpec((None, None), tf.bool),
    }
    trace = tg.trace(model, given)["lstm"]
    for number, inputs in enumerate([given, specs]):
        path = tg.export.saved_model(model, tmp_path / f"model{number}", inputs=inputs)
        loaded = tf.saved_model.load(str(path))
        tensors = {name: tf.constant(values) for name, values in given.items()}
        found = loaded.signatures["gates"](**tensors)
        (prefix,) = {name.rpartition("/")[0] for name in found}
        np.testing.assert_array_equal(found[f"{prefix}/mask"], given["kept"])
        np.testing.assert_allclose(
            found[f"{prefix}/cell_state"], np.nan_to_num(trace["cell_state"].values), atol=1e-5
        )
        assert set(loaded.signatures["serving_default"](**tensors)) == {"last"}
    with pytest.raises(TypeError, match=r"must be arrays or tf.TensorSpecs.*Received: a str"):
        tg.export.saved_model(model, tmp_path / "model", inputs={"features": "many"})
