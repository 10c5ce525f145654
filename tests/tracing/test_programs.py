"""Compiled programs are kept, never stale, don't keep models alive; the model is left alone."""

import gc
import threading
import weakref

import keras
import numpy as np
import pytest
from keras import layers

import textgate as tg
from tests.tracing import kinds, reference
from textgate import recurrence
from textgate.tracing import program as programs
from textgate.tracing._sites import find_sites, resolve
from textgate.tracing.interception import intercept


def small(**options):
    model = keras.Sequential(
        [keras.Input((None, 3)), layers.LSTM(4, name="lstm", **options), layers.Dense(2)]
    )
    return kinds.randomise(model)


def hidden(model, x):
    return tg.trace(model, x)["lstm"]["hidden_state"].values


@pytest.fixture
def traced(monkeypatch):
    """Counts how often a model's Python code is run by a trace."""
    count = []
    body = programs.Program._body
    monkeypatch.setattr(
        programs.Program, "_body", lambda self, *args: (count.append(1), body(self, *args))[1]
    )
    return count


def test_a_model_is_compiled_once(traced):
    model, x = small(dropout=0.5), kinds.features()
    tg.trace(model, x)
    once = len(traced)
    tg.trace(model, kinds.features(seed=5))
    model.predict(x, verbose=0)
    tg.trace(model, x)
    assert len(traced) == once


@pytest.mark.tensorflow_only
def test_a_model_is_compiled_once_for_all_sizes(traced):
    model = small()
    for batch, time in ((7, 5), (3, 6), (1, 1), (9, 20)):
        tg.trace(model, kinds.features(batch=batch, time=time), batch_size=4)
    assert len(traced) <= 2  # for the first length, then for all


def test_new_weights_count():
    model, x = small(), kinds.features()
    tg.trace(model, x)
    kinds.randomise(model, seed=9)
    np.testing.assert_allclose(
        hidden(model, x),
        reference.run(model.get_layer("lstm").cell, x)["hidden_state"],
        atol=2e-6,
    )
    model.compile("sgd", "mse")
    model.fit(x, np.ones((7, 2)), verbose=0)
    np.testing.assert_allclose(
        hidden(model, x),
        reference.run(model.get_layer("lstm").cell, x)["hidden_state"],
        atol=2e-6,
    )


def test_a_changed_structure_counts():
    x = kinds.features()

    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.lstm, self.scale = layers.LSTM(4, name="lstm"), 1.0

        def call(self, x):
            return self.lstm(x * self.scale)

    model = Two()
    model(x)
    cell = lambda: model.lstm.cell  # noqa: E731

    def check(**options):
        expected = reference.run(cell(), x * model.scale, **options)["hidden_state"]
        np.testing.assert_allclose(hidden(model, x), expected, atol=2e-6)

    check()
    model.scale = 2.0
    check()
    model.lstm.go_backwards = True
    check(backwards=True)
    for factor in (2.0, 3.0):  # functions that may well have the same address
        model.lstm.cell.activation = lambda x, factor=factor: x / factor
        check(backwards=True, activation=lambda x, factor=factor: x / factor)


def test_an_added_layer_counts():
    model = keras.Sequential([keras.Input((None, 3)), layers.LSTM(4, name="lstm")])
    x = kinds.features()
    model.get_layer("lstm").return_sequences = True
    assert [leaf.name for leaf in tg.trace(model, x).leaves] == ["lstm"]
    model.add(layers.GRU(2, name="gru"))
    trace = tg.trace(model, x)
    assert [leaf.name for leaf in trace.leaves] == ["lstm", "gru"]
    below = reference.run(model.get_layer("lstm").cell, x)
    expected = reference.run(model.get_layer("gru").cell, below["last"])
    np.testing.assert_allclose(
        trace["gru"]["hidden_state"].values, expected["hidden_state"], atol=2e-6
    )


def test_models_are_not_kept_alive():
    model = small()
    layer = weakref.ref(model.get_layer("lstm"))
    there = weakref.ref(model)
    trace = tg.trace(model, kinds.features())
    del model
    gc.collect()
    assert there() is None
    assert layer() is None
    assert np.isfinite(trace["lstm"]["cell_state"].values).all()


def test_an_exception_leaves_the_model_as_it_was():
    model, x = small(dropout=0.5, recurrent_dropout=0.5), kinds.features()
    before = model.predict(x, verbose=0)
    attributes = dict(vars(model.get_layer("lstm")))
    state = [reference.numpy(v) for v in model.variables]

    def fail(call, signals):
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError), intercept(find_sites(model)[0], record=fail):
        model(x)
    for old, new in zip(state[:3], model.variables, strict=False):
        np.testing.assert_array_equal(old, reference.numpy(new))
    with pytest.raises(ValueError, match="cannot be called"):
        tg.trace(model, x[..., :2])
    now = vars(model.get_layer("lstm"))
    assert "inner_loop" not in now
    assert now["use_cudnn"] == attributes["use_cudnn"]
    assert model.get_layer("lstm").cell._dropout_mask is None
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    # A graph of its own, as a user would make one, must not meet what a failed one left behind.
    fresh = keras.Model(model.inputs, model.outputs)
    np.testing.assert_array_equal(fresh.predict(x, verbose=0), before)


def test_random_generators_are_left_alone():
    model = small(dropout=0.5, seed=3)
    seeds = [reference.numpy(v) for v in model.variables if "seed" in v.path]
    assert seeds
    tg.trace(model, kinds.features(), batch_size=2)
    after = [reference.numpy(v) for v in model.variables if "seed" in v.path]
    np.testing.assert_array_equal(seeds, after)


def test_losses_are_left_alone():
    model = keras.Sequential(
        [keras.Input((None, 3)), layers.LSTM(2, name="lstm", activity_regularizer="l2")]
    )
    x = kinds.features()
    model(x)
    before = [float(np.asarray(loss)) for loss in model.losses]
    assert before
    tg.trace(model, x)
    assert [float(np.asarray(loss)) for loss in model.losses] == before


def test_another_thread_gets_the_layers_own_loop():
    model, x = small(), kinds.features()
    before = reference.numpy(model(x))
    inside, results = [], []
    with intercept(find_sites(model)[0], record=lambda call, signals: inside.append(call.index)):
        thread = threading.Thread(target=lambda: results.append(reference.numpy(model(x))))
        thread.start()
        thread.join()
        assert inside == []
        model(x)
        model(x)
    assert inside == [0, 1]
    np.testing.assert_array_equal(results[0], before)


def test_traces_in_several_threads_are_the_same():
    model, x = small(), kinds.features()
    results = []
    threads = [threading.Thread(target=lambda: results.append(hidden(model, x))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_edits_act_inside_the_step():
    """What interventions need: an edited signal changes all that follows from it."""
    model, x = small(return_sequences=True), kinds.features()
    (site,) = find_sites(model)[0]
    closed = np.zeros((1, 1, 4), bool)
    closed[..., 2] = True
    edit = recurrence.Edit("forget_gate", mask=closed, value=0.0)
    seen = {}
    plain = reference.numpy(model(x))
    with intercept([site], edits=lambda call: [edit], record=lambda c, s: seen.update(s)):
        edited = reference.numpy(model(x))
    signals = {name: reference.numpy(s) for name, s in seen.items()}
    assert (signals["forget_gate"][..., 2] == 0).all()
    np.testing.assert_allclose(
        signals["cell_state"][..., 2],
        signals["input_gate"][..., 2] * signals["candidate"][..., 2],
        atol=1e-6,
    )
    assert not np.allclose(edited, plain)
    with intercept([site], edits=lambda call: []):
        np.testing.assert_allclose(reference.numpy(model(x)), plain, atol=1e-6)


def test_names_of_layers():
    sites = find_sites(kinds.nested().model)[0]
    assert [site.path for site in sites] == ["both/encoder/lstm", "both/decoder/lstm", "gru"]
    assert [s.path for s, _ in resolve("decoder/lstm", sites)] == ["both/decoder/lstm"]
    assert [s.path for s, _ in resolve("both", sites)] == ["both/encoder/lstm", "both/decoder/lstm"]
    assert [(s.path, call) for s, call in resolve("gru/call_2", sites)] == [("gru", 2)]
    with pytest.raises(ValueError, match=r"both/encoder/lstm.*give the path.*Received: 'lstm'"):
        resolve("lstm", sites)


def test_inputs_come_in_any_form_that_predict_takes_in_any_order():
    a, b = (keras.Input((3, 2), name=name) for name in "ab")
    y = keras.layers.LSTM(2, name="of_a")(a) + keras.layers.LSTM(2, name="of_b")(b)
    model = keras.Model([a, b], y)
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype("float32")
    forms = [list(x), {"a": x[0], "b": x[1]}, tuple(x), {"b": x[1], "a": x[0]}]
    expected = tg.trace(model, forms[0])
    for form in [*forms, *forms[::-1]]:
        for layer in ("of_a", "of_b"):
            found = tg.trace(model, form)[layer]["cell_state"].values
            np.testing.assert_array_equal(found, expected[layer]["cell_state"].values)
        np.testing.assert_allclose(
            tg.intervene(model, []).predict(form), model.predict(form, verbose=0), atol=1e-6
        )
