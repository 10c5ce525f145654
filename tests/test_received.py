"""Objects of a wrong kind: what they are, and the way, in one line."""

import pathlib
import re

import keras
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import textgate as tg
from textgate._received import few

pytestmark = pytest.mark.tensorflow_only


def stranger(package, name="Sequential"):
    """An object whose class is another package's."""
    return type(name, (), {"__module__": f"{package}.src.models"})()


@pytest.fixture(scope="module")
def model():
    layers = [keras.layers.Embedding(9, 3), keras.layers.LSTM(4, name="lstm")]
    return keras.Sequential([keras.Input((None,), dtype="int32"), *layers])


@pytest.fixture(scope="module")
def lm():
    return tg.models.LanguageModel(tg.tokenizers.WordTokenizer.train(["She ran ."]), units=(3,))


def one_line(raised, said):
    message = str(raised.value)
    assert re.search(said, message), message
    assert "Received: " in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (lambda: stranger("torch", "LSTM"), "from_torch.*Received: LSTM"),
        (lambda: stranger("tf_keras"), "Keras 2.*textgate.load.*Received: Sequential"),
        (lambda: stranger("tensorflow", "_UserObject"), "SavedModel.*Received: _UserObject"),
        (lambda: pathlib.Path("runs/x"), r"textgate.load\(path\)"),
        (lambda: keras.Sequential, "Received: the class Sequential"),
        (lambda: keras.layers.LSTM(2), r"Sequential\(\[layer\]\)"),
        (lambda: None, "textgate.load.*Received: NoneType"),
    ],
)
def test_what_is_no_model_is_named(received, said, tmp_path):
    calls = [
        lambda it: tg.trace(it, np.ones((1, 2, 3))),
        lambda it: tg.intervene(it, []),
        lambda it: tg.find_units(it),
        lambda it: tg.contrasts(it, base=np.ones((1, 2)), good=1, bad=0),
        lambda it: tg.mechanics.gate_drivers(it, np.ones((1, 2))),
        lambda it: tg.export.saved_model(it, tmp_path / "out"),
        lambda it: tg.convert(it, to="keras"),
    ]
    for call in calls:
        with pytest.raises((TypeError, ValueError)) as raised:
            call(received())
        one_line(raised, said)


def test_what_is_no_array_is_named(model):
    import scipy.sparse
    import tensorflow as tf

    ragged = tf.ragged.constant([[1, 2], [3]])
    kinds = {
        "to_tensor": ragged,
        "tf.sparse.to_dense": tf.sparse.from_dense(np.eye(2)),
        "toarray": scipy.sparse.csr_matrix(np.eye(2)),
        "detach": stranger("torch", "Tensor"),
    }
    edited = tg.intervene(model, [])
    for said, inputs in kinds.items():
        for call in (
            lambda it: tg.trace(model, it),
            lambda it: tg.trace(model, {"a": it}),
            lambda it: edited.predict(it),
            lambda it: tg.contrasts(model, base=it, good=1, bad=0),
        ):
            with pytest.raises(TypeError) as raised:
                call(inputs)
            one_line(raised, said)
    with pytest.raises(TypeError, match=r"to_tensor.*Received: RaggedTensor"):
        tg.trace(model, tf.data.Dataset.from_tensors(ragged))


@pytest.mark.parametrize("backend", ["torch", "openvino"])
def test_other_backends_are_named(model, monkeypatch, backend):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    with pytest.raises(ValueError, match=rf"TensorFlow or JAX.*KERAS_BACKEND.*'{backend}'"):
        tg.trace(model, np.ones((1, 2), "int32"))


def test_a_text_is_given_as_a_list(lm):
    for call in (
        lambda: tg.trace(lm, "She ran."),
        lambda: tg.intervene(lm, []).predict("She ran."),
        lambda: lm.predict("She ran."),
        lambda: lm.encode("She ran."),
    ):
        with pytest.raises(TypeError, match=r"list.*Received: .*'She ran\.'"):
            call()


def test_predict_reads_texts_and_the_rest_says_what_does(lm):
    texts = ["She ran .", "She"]
    expected = lm.predict(lm.encode(texts), verbose=0)
    np.testing.assert_array_equal(lm.predict(texts, verbose=0), expected)
    np.testing.assert_array_equal(lm.predict(np.array(texts), verbose=0), expected)
    np.testing.assert_allclose(tg.intervene(lm, []).predict(texts), expected, rtol=1e-5, atol=1e-6)
    for call, said in (
        (lambda: lm(texts), "lm.encode"),
        (lambda: lm("She ran."), "lm.encode"),
        (lambda: lm.fit(texts), "textgate train"),
        (lambda: lm.evaluate(np.array(texts, object)), "perplexity"),
    ):
        with pytest.raises(TypeError) as raised:
            call()
        one_line(raised, said)


def test_what_an_edited_model_cannot_do(lm):
    edited = tg.intervene(lm, [])
    for name in ("fit", "summary", "save", "compile", "layers"):
        with pytest.raises(AttributeError, match=rf"its `model` instead.*Received: '{name}'"):
            getattr(edited, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        edited.nothing  # noqa: B018
    assert not hasattr(edited, "fit")


@pytest.mark.parametrize("pairs", [["She ran."], "pronoun_agreement", {"good": ["a"]}])
def test_pairs_are_a_table(lm, pairs):
    for call in (
        lambda: tg.sweep(lm, pairs),
        lambda: tg.contrasts(lm, pairs),
        lambda: tg.find_units(lm, pairs),
        lambda: tg.evaluation.agreement(lm, pairs),
    ):
        with pytest.raises(TypeError) as raised:
            call()
        one_line(raised, "minimal_pairs")


def test_errors_list_a_few():
    assert few(pd.Series(["a", "b"])) == "['a', 'b']"
    assert few(range(57)) == "[0, 1, 2, 3, 4, 5, … of 57]"


def test_unit_scores_lists_a_few_of_many_classes():
    states = np.random.default_rng(0).normal(size=(57, 2, 3))
    trace = xr.DataArray(states, dims=("example", "time", "unit"))
    labels = [f"class {number:02}" for number in range(57)]
    with pytest.raises(ValueError, match=r"'class 05', … of 57\]$"):
        tg.probing.unit_scores(trace, labels, np.arange(57), None)


def test_a_path_is_a_path():
    with pytest.raises(TypeError, match="Received: LSTM"):
        tg.load(keras.layers.LSTM(2))
