"""What an edited model is good for: data sets, `evaluate`, language models, compiled functions."""

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg
from tests.interventions import models
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

X = models.inputs()
TEXTS = [
    "She fed her dog .",
    "He fed his cat .",
    "She ran",
    "He fed her dog .",
    "She ran",
    "",
    "He fed his dog and ran .",
]


@pytest.fixture(scope="module")
def model():
    return models.model_of("lstm")


@pytest.fixture(scope="module")
def aligned(model):
    """Interventions with values and steps of their own for each example."""
    own = tg.trace(model, X)
    rows = np.random.default_rng(2).random((6, 5)) < 0.5
    return tg.intervene(
        model,
        [
            tg.ResampleAblation("low", "cell_state", [1, 2], reference=own),
            tg.Clamp("top", "forget_gate", [0], value=0.9, steps=rows),
        ],
    )


@pytest.mark.tensorflow_only
def test_data_sets_and_generators_come_in_their_own_batches(aligned):
    import tensorflow as tf

    expected = aligned.predict(X)
    dataset = tf.data.Dataset.from_tensor_slices(X).batch(4)
    np.testing.assert_allclose(aligned.predict(dataset), expected, atol=1e-6)
    parts = (X[start : start + 1] for start in range(6))
    np.testing.assert_allclose(aligned.predict(parts), expected, atol=1e-6)
    first = aligned.predict(dataset, steps=1)
    np.testing.assert_allclose(first, expected[:4], atol=1e-6)
    with pytest.raises(ValueError, match=r"number of examples.*6 examples for 4 of the inputs"):
        aligned.predict(dataset.take(1))
    with pytest.raises(ValueError, match=r"for 6 examples.*Received: at least 10"):
        aligned.predict(dataset.repeat(2))


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_evaluate_is_keras_on_the_edited_outputs(kind):
    cell = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind]
    model = keras.Sequential([keras.Input((None, 3)), cell(4, name="low"), keras.layers.Dense(2)])
    metrics = ["mae", keras.metrics.MeanSquaredError(name="mse")]
    model.compile(loss="mse", metrics=metrics, run_eagerly=kind == "gru")
    own = tg.trace(model, X)
    rows = np.random.default_rng(2).random((6, 5)) < 0.5
    edited = tg.intervene(
        model,
        [
            tg.Patch("low", "candidate", [1, 2], source=own),
            tg.Clamp("low", "hidden_state", value=0.9, steps=rows),
            tg.Affine("low", "hidden_state", [1, 3], matrix=[[0, 1], [1, 0]], offset=0.5),
            tg.Patch("low", "candidate", source=own, subspace=np.full((4, 1), 0.5)),
        ],
    )
    y = np.random.default_rng(1).normal(size=(6, 2)).astype("float32")
    weight = np.arange(1.0, 7.0)
    before = model.evaluate(X, y, verbose=0, return_dict=True)
    kept = [np.array(keras.ops.convert_to_numpy(v)) for v in model.metrics_variables]
    found = edited.evaluate(X, y, batch_size=4, return_dict=True)
    outputs = edited.predict(X)
    np.testing.assert_allclose(found["mae"], np.abs(outputs - y).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["loss"], ((outputs - y) ** 2).mean(), rtol=1e-5)
    np.testing.assert_allclose(found["mse"], found["loss"], rtol=1e-5)
    assert found["loss"] != pytest.approx(before["loss"], rel=1e-3)
    for a, b in zip(kept, model.metrics_variables, strict=True):
        np.testing.assert_array_equal(a, keras.ops.convert_to_numpy(b))
    loss = edited.evaluate(X, y, sample_weight=weight, batch_size=6)[0]
    expected = (((outputs - y) ** 2).mean(-1) * weight).mean()
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    same = tg.intervene(model, []).evaluate(X, y, return_dict=True)
    assert same == pytest.approx(before, rel=1e-5)
    with pytest.raises(ValueError, match=r"6 examples for 4 of the inputs"):
        edited.evaluate(X[:4], y[:4])
    with pytest.raises(ValueError, match=r"5 values for 6 examples"):
        edited.evaluate(X, y[:5])


@pytest.mark.tensorflow_only
def test_evaluate_takes_data_sets_and_the_models_own_test_step():
    import tensorflow as tf

    class Own(keras.Model):
        def test_step(self, data):
            x, y = data[0], data[1]
            outputs = self(x, training=False)
            return {"worst": tf.reduce_max(tf.abs(outputs - y)), **super().test_step(data)}

    plain = models.model_of("lstm")
    model = Own(plain.inputs, plain.outputs)
    y = np.ones((6, 2), "float32")
    edited = tg.intervene(model, [tg.ZeroAblation("low", "cell_state", [1])])
    with pytest.raises(ValueError, match=r"model.compile.*Received: "):
        edited.evaluate(X, y)
    model.compile(loss="mse")
    found = edited.evaluate(tf.data.Dataset.from_tensor_slices((X, y)).batch(6), return_dict=True)
    outputs = edited.predict(X)
    assert found["worst"] == pytest.approx(np.abs(outputs - y).max(), rel=1e-5)
    assert found["loss"] == pytest.approx(((outputs - y) ** 2).mean(), rel=1e-5)


def test_a_trace_of_an_edited_model_can_be_a_source(model):
    edited = tg.intervene(model, [tg.Clamp("low", "cell_state", [1], value=2.0)])
    source = tg.trace(edited, X)
    assert source.attrs["interventions"] == "Clamp('low', 'cell_state', units=[1], value=2.0)"
    again = tg.intervene(
        model, [tg.Patch("low", name, source=source) for name in models.STATES["lstm"]]
    )
    np.testing.assert_allclose(again.predict(X), edited.predict(X), atol=1e-6)


def test_a_streamed_trace_of_few_units_and_steps_can_be_a_source(model, tmp_path):
    full = tg.trace(model, X)
    tg.trace(model, X, layers="low", signals="cell_state", units=[1, 3], steps=slice(1, 4),
             batch_size=4, to=tmp_path / "few.zarr")  # fmt: skip
    options = {"units": [1, 3], "steps": slice(1, 4)}
    for kind, name in ((tg.Patch, "source"), (tg.MeanAblation, "reference")):
        of_whole, of_few, of_path = (
            tg.intervene(model, [kind("low", "cell_state", **{name: source}, **options)]).predict(X)
            for source in (full, tg.tracing.open(tmp_path / "few.zarr"), str(tmp_path / "few.zarr"))
        )
        np.testing.assert_array_equal(of_few, of_path)
        if kind is tg.Patch:  # the mean is over the steps that are there
            np.testing.assert_array_equal(of_whole, of_few)


@pytest.mark.tensorflow_only
def test_inside_of_a_compiled_function(model, aligned):
    import tensorflow as tf

    plain = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(3, name="low")])
    plain.run_eagerly = True
    edited = tg.intervene(plain, [tg.ZeroAblation("low", "cell_state", [1])])
    inside = tf.function(lambda x: edited(x))
    np.testing.assert_allclose(inside(X), edited.predict(X), atol=1e-6)
    with pytest.raises(ValueError, match=r"which examples.*Received: "):
        tf.function(lambda x: aligned(x))(X)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(edited(X))
    gradients = tape.gradient(total, plain.trainable_variables)
    assert all(g is not None and np.isfinite(g).all() for g in gradients)


@pytest.fixture(scope="module")
def lm():
    tokenizer = WordTokenizer.train(TEXTS)
    model = LanguageModel(tokenizer, cell="gru", units=(4, 3), seed=0, dropout=0.1)
    model.run_eagerly = True
    return model


@pytest.mark.tensorflow_only
def test_a_language_model_without_interventions_scores_as_it_does(lm):
    edited = tg.intervene(lm, [])
    np.testing.assert_allclose(edited.token_logprobs(TEXTS), lm.token_logprobs(TEXTS), atol=1e-5)
    np.testing.assert_allclose(edited.next_logprobs(TEXTS), lm.next_logprobs(TEXTS), atol=1e-5)
    np.testing.assert_array_equal(edited.encode(TEXTS), lm.encode(TEXTS))
    np.testing.assert_array_equal(edited.tokens(TEXTS), lm.tokens(TEXTS))
    assert edited.tokenizer is lm.tokenizer
    np.testing.assert_allclose(
        edited.predict(TEXTS), lm.predict(lm.encode(TEXTS), verbose=0), atol=1e-5
    )
    assert edited.next_logprobs([]).shape == (0, len(lm.tokenizer))
    assert np.isnan(edited.token_logprobs(["", ""])).all()


def logprobs_of(edited, ids):
    """Return what `token_logprobs` should be, from `predict` and in NumPy."""
    logits = edited.predict(ids).astype("float64")
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    found = np.full(ids.shape, np.nan)
    found[:, 1:] = np.take_along_axis(logs[:, :-1], ids[:, 1:, None], -1)[..., 0]
    return np.where(ids == 0, np.nan, found), logs[np.arange(len(ids)), (ids != 0).sum(1) - 1]


@pytest.mark.tensorflow_only
@pytest.mark.parametrize("per_example", [False, True])
def test_scores_of_texts_follow_their_own_interventions(lm, per_example):
    ids = lm.encode(TEXTS)
    steps = (lm.tokens(TEXTS) == "fed").cumsum(1) > 0 if per_example else slice(2, None)
    edited = tg.intervene(
        lm,
        [
            tg.Clamp("gru", "update_gate", [0, 1], value=1.0, steps=steps),
            tg.Steer("gru_1", "hidden_state", direction=[3.0, -3.0, 2.0]),
            tg.Affine("gru_1", "candidate", matrix=np.full((3, 3), 0.5), offset=-0.5),
            tg.ZeroAblation("gru", "hidden_state", subspace=np.full((4, 1), 0.5)),
        ],
    )
    tokens, following = logprobs_of(edited, ids)
    for size in (2, 64):
        np.testing.assert_allclose(edited.token_logprobs(TEXTS, size), tokens, atol=1e-5)
        np.testing.assert_allclose(edited.next_logprobs(TEXTS, size), following, atol=1e-5)
    assert np.nanmax(np.abs(tokens - lm.token_logprobs(TEXTS))) > 1e-3
    if per_example:  # in the other order, the steps would be others' steps
        with pytest.raises(ValueError, match="7 examples for 2"):
            edited.token_logprobs(TEXTS[:2])


@pytest.mark.tensorflow_only
def test_agreement_of_an_edited_language_model(lm):
    pairs = pd.DataFrame(
        {
            "good": ["She fed her dog .", "He fed his dog ."],
            "bad": ["She fed his dog .", "He fed her dog ."],
            "target": [2, 2],
        }
    )
    swapped = pairs["good"].tolist()[::-1] + pairs["bad"].tolist()[::-1]
    source = tg.trace(lm, swapped)
    everything = [tg.Patch(layer, "hidden_state", source=source) for layer in ("gru", "gru_1")]
    plain = tg.evaluation.agreement(lm, pairs)
    patched = tg.evaluation.agreement(tg.intervene(lm, everything), pairs)
    # With all states from the other sentence, "her" is as likely as it is there.
    np.testing.assert_allclose(
        patched["target_logprob_good"], plain["target_logprob_bad"][::-1], atol=1e-5
    )
    ablated = tg.intervene(lm, [tg.ZeroAblation("gru_1", "hidden_state")])
    items = tg.evaluation.agreement(ablated, pairs)
    her, his = (np.asarray(items["target_logprob_good"]), np.asarray(items["target_logprob_bad"]))
    np.testing.assert_allclose(her, his[::-1], atol=1e-6)
    found = tg.evaluation.perplexity(ablated, pairs["good"])
    assert np.isfinite(found["perplexity"])
    assert found["perplexity"] != tg.evaluation.perplexity(lm, pairs["good"])["perplexity"]
