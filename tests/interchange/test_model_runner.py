"""Any Keras model runs with sets of units changed, and decides as it would by itself."""

import keras
import numpy as np
import pandas as pd
import pytest

from textgate.interchange import ModelRunner, StackRunner, contrasts, runner_for
from textgate.interchange import _passes as passes
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

layers = keras.layers
WORDS = [f"w{number}" for number in range(20)]
TIME = 6


def shaken(model, seed=0):
    """The model with larger weights, so that decisions are far from nothing."""
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(np.asarray(variable) + random.normal(0, 0.5, variable.shape))
    return model


def texts(count=12, seed=0):
    """Ids and their counterparts, some right-padded; they differ at one step."""
    random = np.random.default_rng(seed)
    base = random.integers(1, 20, (count, TIME))
    base[::3, 4:] = 0
    source = base.copy()
    at = random.integers(0, 4, count)
    source[np.arange(count), at] = 1 + source[np.arange(count), at] % 19
    return base, source


def functional(body, outputs, activation="softmax", mask=True):
    inputs = keras.Input((None,), dtype="int32")
    x = body(layers.Embedding(20, 5, mask_zero=mask)(inputs))
    return shaken(keras.Model(inputs, layers.Dense(outputs, activation=activation)(x)))


def classifier(recurrent, outputs=3, activation="softmax"):
    return functional(recurrent, outputs, activation)


def nested():
    encoder = keras.Sequential(
        [keras.Input((None, 5)), layers.Bidirectional(layers.GRU(4), name="both")], name="encoder"
    )
    return functional(encoder, 3, mask=False)


def encoder_decoder():
    """An encoder whose only way to the output is its last state."""
    first = keras.Input((None,), dtype="int32")
    embedded = layers.Embedding(20, 5, mask_zero=True)(first)
    _, state = layers.GRU(4, return_state=True, name="encoder")(embedded)
    second = keras.Input((3, 2))
    x = layers.GRU(4, return_sequences=True, name="decoder")(second, initial_state=state)
    return shaken(keras.Model([first, second], layers.Dense(3, activation="softmax")(x)))


def pairs(count=14, seed=1):
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        prefix = random.choice(WORDS, random.integers(1, 8)).tolist()
        twin = list(prefix)
        twin[random.integers(len(prefix))] = "w0" if prefix[0] != "w0" else "w1"
        right, wrong = ("her", "his") if number % 2 else ("his", "her")
        rows.append(
            {
                "good": " ".join([*prefix, right]),
                "bad": " ".join([*prefix, wrong]),
                "target": len(prefix),
                "good_class": right,
                "bad_class": wrong,
                "counterpart_prefix": " ".join(twin),
            }
        )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
@pytest.mark.parametrize("units", [5, (4, 3)])
def test_both_runners_agree_on_a_plain_stack(cell, units):
    lm = shaken(LanguageModel(WordTokenizer([*WORDS, "her", "his"]), cell=cell, units=units))
    items = contrasts(lm, pairs(), "words")
    random = np.random.default_rng(0)
    for layer in lm.recurrent_layers:
        signal = layer.cell and ("cell_state" if cell == "lstm" else "hidden_state")
        fast = StackRunner(lm, items, layer.name, signal)
        general = ModelRunner(lm, items, layer.name, signal)
        assert isinstance(runner_for(lm, items, layer.name, signal), StackRunner)
        sets = random.random((4, fast.units)) < 0.5
        bases = np.linalg.qr(random.normal(size=(2, fast.units, 2)))[0]
        for mine, its in (
            (general.clean(), fast.clean()),
            (general.source(), fast.source()),
            (general.activity(), fast.activity()),
            (general.run_subspace(bases), fast.run_subspace(bases)),
            *(
                (general.run(sets, kind, seed=3, by_position=by), fast.run(sets, kind, None, 3, by))
                for kind in ("interchange", "zero", "mean", "resample")
                for by in (False, True)
            ),
        ):
            np.testing.assert_allclose(mine, its, rtol=0, atol=1e-4)


KINDS = {
    "softmax": (lambda: classifier(layers.GRU(4, name="rnn")), "rnn"),
    "sigmoid": (lambda: classifier(layers.GRU(4, name="rnn"), 1, "sigmoid"), "rnn"),
    "logits": (lambda: classifier(layers.GRU(4, name="rnn"), 3, None), "rnn"),
    "both directions": (lambda: classifier(layers.Bidirectional(layers.GRU(4), name="b")), "b"),
    "nested": (nested, "encoder/both"),
    "backwards": (lambda: classifier(layers.GRU(4, go_backwards=True, name="rnn")), "rnn"),
}


def tagger():
    """Two layers, the lower one masked, and an output at each step."""
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(20, 5, mask_zero=True)(inputs)
    skip = layers.Dropout(0.5)(layers.Dense(3)(x))
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="low")(x)
    x = layers.LSTM(4, return_sequences=True, name="rnn")(layers.Concatenate()([x, skip]))
    return shaken(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


MANY = {**KINDS, "upper": (tagger, "rnn"), "lower": (tagger, "low")}


@pytest.mark.parametrize("kind", ["softmax", "both directions", "nested", "upper", "lower"])
def test_many_rows_give_what_few_do(kind, monkeypatch):
    """Compiled by XLA, for what the layer can influence alone."""
    make, layer = MANY[kind]
    model = make()
    base, source = texts()
    step = 3 if make is tagger else None
    items = contrasts(model, base=base, source=source, good=1, bad=0, step=step)

    def decisions():
        runner = ModelRunner(model, items, layer, "hidden_state")
        sets = np.random.default_rng(0).random((5, runner.units)) < 0.5
        of_all = ["zero"] if kind == "softmax" else []
        return runner, [runner.run(sets, each) for each in ["interchange", *of_all]]

    _, few = decisions()
    monkeypatch.setattr(passes, "_MANY", 1)
    monkeypatch.setattr(passes, "_MANY_ROWS", 16)
    runner, many = decisions()
    np.testing.assert_allclose(many, few, rtol=0, atol=1e-5)
    assert np.abs(many[0] - runner.clean()).max() > 1e-3
    assert runner._passes._for_shape
    assert runner._passes._between is not None
    assert len(model.layers[-1]._inbound_nodes) == 1  # the model's graph is as it was


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_is_what_predict_says_and_all_units_make_the_source(kind):
    make, layer = KINDS[kind]
    model = make()
    base, source = texts()
    good = np.arange(12) % 2
    items = contrasts(model, base=base, source=source, good=good, bad=1 - good)
    before = model.predict(base, verbose=0)
    runner = runner_for(model, items, layer, "hidden_state")
    assert isinstance(runner, ModelRunner)
    p = before.astype(np.float64)
    if kind == "sigmoid":
        expected = np.log(p / (1 - p))[:, 0] * np.where(good == 1, 1, -1)
    else:
        logits = p if kind == "logits" else np.log(p)
        expected = logits[np.arange(12), good] - logits[np.arange(12), 1 - good]
    np.testing.assert_allclose(runner.clean(), expected, rtol=0, atol=1e-5)
    none_and_all = np.array([[False] * runner.units, [True] * runner.units])
    decisions = runner.run(none_and_all)
    np.testing.assert_allclose(decisions, [runner.clean(), runner.source()], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(model.predict(base, verbose=0), before)


def test_half_of_a_bidirectional_layer_is_half_of_the_container():
    model = classifier(layers.Bidirectional(layers.LSTM(3, name="lstm"), name="b"))
    base, source = texts()
    items = contrasts(model, base=base, source=source, good=1, bad=0)
    whole = ModelRunner(model, items, "b", "cell_state")
    forward = ModelRunner(model, items, "b/forward_lstm", "cell_state")
    backward = ModelRunner(model, items, "b/backward_lstm", "cell_state")
    assert whole.units == 6
    singles = whole.run(np.eye(6, dtype=bool), "mean")
    np.testing.assert_allclose(singles[:3], forward.run(np.eye(3, dtype=bool), "mean"), atol=1e-6)
    np.testing.assert_allclose(singles[3:], backward.run(np.eye(3, dtype=bool), "mean"), atol=1e-6)
    with pytest.raises(ValueError, match="a subspace lies within one layer"):
        whole.run_subspace(np.eye(6)[:, :1])


def test_an_encoder_reaches_the_output_by_its_state_alone():
    model = encoder_decoder()
    base, source = texts()
    decoder = np.random.default_rng(0).normal(size=(12, 3, 2)).astype("float32")
    step = np.arange(12) % 3
    items = contrasts(
        model, base=[base, decoder], source=[source, decoder], good=1, bad=0, step=step
    )
    assert len(items) == 24  # each the other way round as well
    runner = ModelRunner(model, items, "encoder", "hidden_state")
    everything = np.ones((1, 4), bool)
    np.testing.assert_allclose(runner.run(everything)[0], runner.source(), atol=1e-5)
    p = np.log(model.predict([base, decoder], verbose=0).astype(np.float64))
    expected = p[np.arange(12), step, 1] - p[np.arange(12), step, 0]
    np.testing.assert_allclose(runner.clean()[:12], expected, atol=1e-5)
    back = ModelRunner(model, items, "decoder", "hidden_state")
    assert np.abs(back.run(everything)[0] - back.clean()).max() > 1e-3


def test_padding_on_the_left_changes_nothing():
    model = classifier(layers.LSTM(4, name="rnn"))
    base, source = texts()
    sets = np.eye(4, dtype=bool)

    def moved(ids):
        return np.array([np.roll(row, (row == 0).sum()) for row in ids])

    def decisions(left):
        inputs = (moved(base), moved(source)) if left else (base, source)
        items = contrasts(model, base=inputs[0], source=inputs[1], good=1, bad=0)
        runner = ModelRunner(model, items, "rnn", "cell_state")
        return [
            runner.run(sets, kind, seed=1, by_position=by)
            for kind in ("interchange", "zero", "mean", "resample")
            for by in (False, True)
        ]

    for right, left in zip(decisions(False), decisions(True), strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-5)


def test_a_saturated_output_is_read_before_its_activation():
    model = classifier(layers.GRU(4, name="rnn"), 1, "sigmoid")
    dense = model.layers[-1]
    dense.kernel.assign(np.full((4, 1), 30.0))
    dense.bias.assign([60.0])
    base, source = texts()
    items = contrasts(model, base=base, source=source, good=1, bad=0)
    assert (model.predict(base, verbose=0) == 1.0).any()
    clean = ModelRunner(model, items, "rnn", "hidden_state").clean()
    hidden = keras.Model(model.inputs, model.layers[-2].output).predict(base, verbose=0)
    np.testing.assert_allclose(clean[:12], 30 * hidden.sum(axis=1) + 60, rtol=1e-5)


def test_a_readout_sees_all_items_and_is_turned_round_with_them():
    model = classifier(layers.GRU(4, name="rnn"))
    base, source = texts()

    def readout(outputs):
        return outputs[:, 2] - outputs[:, 0]

    items = contrasts(model, base=base, source=source, readout=readout)
    runner = ModelRunner(model, items, "rnn", "hidden_state")
    p, q = (model.predict(inputs, verbose=0) for inputs in (base, source))
    expected = np.concatenate([p[:, 2] - p[:, 0], q[:, 0] - q[:, 2]])
    np.testing.assert_allclose(runner.clean(), expected, atol=1e-6)
    decisions = runner.run(np.array([[False] * 4, [True] * 4]))
    np.testing.assert_allclose(decisions, [runner.clean(), runner.source()], atol=1e-6)


def test_a_readout_with_classes_is_positive_for_the_greater():
    model = classifier(layers.GRU(4, name="rnn"))
    base, source = texts()
    good = np.arange(len(base)) % 2
    items = contrasts(model, base=base, source=source, good=good, bad=1 - good,
                      readout=lambda outputs: outputs[:, 2] - outputs[:, 0])  # fmt: skip
    p = model.predict(base, verbose=0)
    expected = np.where(good, 1, -1) * (p[:, 2] - p[:, 0])
    runner = ModelRunner(model, items, "rnn", "hidden_state")
    np.testing.assert_allclose(runner.clean(), expected, atol=1e-6)
    some = ModelRunner(model, items.select(np.arange(3, 8)), "rnn", "hidden_state")
    np.testing.assert_allclose(some.clean(), expected[3:8], atol=1e-6)


@pytest.mark.parametrize(
    ("readout", "message"),
    [
        (lambda signs: lambda outputs: signs * outputs[:, 0], "goes into `good` and `bad`"),
        (lambda signs: lambda outputs: signs[:-1] * outputs[:, 0], "of any number of examples"),
        (lambda signs: lambda outputs: outputs, "one number for each example"),
    ],
)
def test_a_readout_that_knows_its_items_is_refused(readout, message):
    model = classifier(layers.GRU(4, name="rnn"))
    base, source = texts()
    good = np.arange(len(base)) % 2  # of both classes, so that no item is there both ways
    items = contrasts(model, base=base, source=source, good=good, bad=1 - good,
                      readout=readout(np.arange(len(base)) - 4.0))  # fmt: skip
    with pytest.raises(ValueError, match=message):
        ModelRunner(model, items, "rnn", "hidden_state").clean()


def test_items_of_a_stateful_model_are_examples_on_their_own():
    inputs = keras.Input(batch_shape=(4, 5, 2))
    x = layers.GRU(3, stateful=True, name="rnn")(inputs)
    model = shaken(keras.Model(inputs, layers.Dense(1)(x)))
    random = np.random.default_rng(0)
    base = random.normal(size=(8, 5, 2)).astype("float32")
    source = base + random.normal(size=base.shape).astype("float32")
    state = random.normal(size=(4, 3)).astype("float32")
    model.get_layer("rnn").states[0].assign(state)
    items = contrasts(model, base=base, source=source, good=1, bad=0)
    runner = ModelRunner(model, items, "rnn", "hidden_state")
    np.testing.assert_array_equal(np.asarray(model.get_layer("rnn").states[0]), state)
    np.testing.assert_allclose(runner.run(np.ones((1, 3), bool))[0], runner.source(), atol=1e-5)
    backwards = runner_for(model, items.select(np.arange(16)[::-1]), "rnn", "hidden_state")
    np.testing.assert_allclose(backwards.clean()[::-1], runner.clean(), rtol=0, atol=1e-6)
    model.get_layer("rnn").reset_states()
    fresh = model.predict(base[:4], batch_size=4, verbose=0)
    np.testing.assert_allclose(runner.clean()[:4], fresh[:, 0], rtol=0, atol=1e-5)


def test_inputs_by_name_several_outputs_and_words(monkeypatch):
    words = ["so good", "not good", "so bad", "not bad", "so fine", "not fine"]
    split = layers.TextVectorization()
    split.adapt(words)
    text = keras.Input((), dtype="string", name="text")
    number = keras.Input((1,), name="number")
    x = layers.GRU(3, name="rnn")(layers.Embedding(9, 4)(split(text)))
    x = layers.Concatenate()([x, number])
    outputs = {
        "mood": layers.Dense(2, activation="softmax", name="mood")(x),
        "size": layers.Dense(1, name="size")(x),
    }
    model = shaken(keras.Model({"text": text, "number": number}, outputs))
    numbers = np.ones((3, 1), "float32")
    base = {"text": np.array(words[::2]), "number": numbers}
    source = {"text": np.array(words[1::2]), "number": numbers}
    with pytest.raises(ValueError, match=r"several outputs; name the one that decides"):
        contrasts(model, base=base, source=source, good=1, bad=0)
    items = contrasts(model, base=base, source=source, good=1, bad=0, output="mood")
    runner = ModelRunner(model, items, "rnn", "hidden_state")
    np.testing.assert_allclose(runner.run(np.ones((1, 3), bool))[0], runner.source(), atol=1e-5)
    monkeypatch.setattr(passes, "_MANY", 1)  # words are nothing for XLA
    np.testing.assert_allclose(runner.run(np.ones((1, 3), bool))[0], runner.source(), atol=1e-5)
    assert not runner._passes._for_shape
