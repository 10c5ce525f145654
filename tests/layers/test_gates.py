"""The gates as outputs: in every kind of model, saved and loaded, at masked steps, in variants."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import reference
from textgate import layers

FEATURES, UNITS = 4, 3
LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU}


def randomize(rng, model):
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def assert_equations(kind, layer, inputs, gates, **options):
    expected, _ = reference.run(kind, inputs, *layer.get_weights(), **options)
    assert list(gates) == list(expected)
    for name, found in gates.items():
        np.testing.assert_allclose(np.asarray(found), expected[name], rtol=0, atol=2e-6)


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("state", [False, True])
@pytest.mark.parametrize("kind", LAYERS)
def test_outputs_then_states_then_gates(rng, kind, state, sequences):
    options = {"return_sequences": sequences, "return_state": state}
    layer = LAYERS[kind](UNITS, return_gates=True, **options)
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    layer.build(inputs.shape)
    randomize(rng, layer)
    outputs, *states, gates = layer(inputs)
    assert len(states) == (len(layer.cell.get_initial_state(1)) if state else 0)
    assert_equations(kind, layer, inputs, gates)
    hidden = np.asarray(gates["hidden_state"])
    np.testing.assert_array_equal(np.asarray(outputs), hidden if sequences else hidden[:, -1])
    shapes = layer.compute_output_shape((3, 5, FEATURES))
    assert shapes[-1] == {name: tuple(gate.shape) for name, gate in gates.items()}
    assert len(shapes) == 2 + len(states)


@pytest.mark.parametrize("mask", ["gaps", "a row all masked", "left padding"])
@pytest.mark.parametrize("kind", LAYERS)
def test_at_masked_steps_gates_are_zero_and_states_repeat(rng, kind, mask):
    layer = LAYERS[kind](UNITS, return_gates=True)
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    mask = reference.mask_of(mask)
    layer.build(inputs.shape)
    randomize(rng, layer)
    _, gates = layer(inputs, mask=ops.convert_to_tensor(mask))
    assert_equations(kind, layer, inputs, gates, mask=mask)
    for name in layer.spec.cell.columns:
        assert not np.any(np.asarray(gates[name])[~mask])


@pytest.mark.parametrize("kind", LAYERS)
def test_gates_have_the_order_of_the_outputs(rng, kind):
    layer = LAYERS[kind](UNITS, return_gates=True, return_sequences=True, go_backwards=True)
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    outputs, gates = layer(inputs)
    np.testing.assert_array_equal(np.asarray(outputs), np.asarray(gates["hidden_state"]))
    in_input_order = {name: np.asarray(gate)[:, ::-1] for name, gate in gates.items()}
    assert_equations(kind, layer, inputs, in_input_order, go_backwards=True)


@keras.saving.register_keras_serializable(package="tests")
class Subclassed(keras.Model):
    def __init__(self, kind, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind
        self.rnn = LAYERS[kind](UNITS, return_gates=True)

    def build(self, shape):
        self.rnn.build(shape)

    def call(self, inputs):
        outputs, gates = self.rnn(inputs)
        return outputs, gates

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


def model_of(form, kind):
    if form == "subclassed":
        model = Subclassed(kind)
        model.build((None, 5, FEATURES))
        return model
    rnn = LAYERS[kind](UNITS, return_gates=True, name="rnn")
    if form == "sequential":
        return keras.Sequential([keras.Input((None, FEATURES)), rnn])
    inputs = keras.Input((None, FEATURES))
    return keras.Model(inputs, rnn(keras.layers.Masking()(inputs)))


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("form", ["functional", "sequential", "subclassed"])
@pytest.mark.parametrize("kind", LAYERS)
def test_in_every_kind_of_model_compiled_saved_and_loaded(rng, tmp_path, kind, form, jit):
    model = randomize(rng, model_of(form, kind))
    model.save(tmp_path / "model.keras")
    model.compile(jit_compile=jit)
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    _, gates = model.predict(inputs, verbose=0)
    rnn = model.rnn if form == "subclassed" else model.get_layer("rnn")
    ordered = {name: gates[name] for name in rnn.spec.cell.signals}
    assert_equations(kind, rnn, inputs, ordered)
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    _, again = loaded.predict(inputs, verbose=0)
    for name in gates:
        np.testing.assert_allclose(again[name], gates[name], rtol=0, atol=1e-6)


def test_a_loss_on_a_gate_trains_it(rng):
    inputs = keras.Input((5, FEATURES))
    _, gates = layers.LSTM(UNITS, return_gates=True)(inputs)
    model = keras.Model(inputs, gates["forget_gate"])
    model.compile(keras.optimizers.Adam(0.05), "mse")
    x = rng.normal(size=(16, 5, FEATURES)).astype("float32")
    history = model.fit(x, np.ones((16, 5, UNITS)), epochs=20, verbose=0).history["loss"]
    assert history[-1] < 0.2 * history[0]


def test_the_activity_regularizer_sees_outputs_but_no_gates(rng):
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    losses = []
    for gates in (False, True):
        layer = layers.GRU(UNITS, activity_regularizer="l2", seed=1, return_gates=gates)
        layer.build(inputs.shape)
        layer.set_weights([np.full(w.shape, 0.1) for w in layer.get_weights()])
        layer(inputs)
        losses.append([float(loss) for loss in layer.losses])
        restored = type(layer).from_config(layer.get_config())
        assert restored.get_config() == layer.get_config()
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.parametrize("wrapper", [keras.layers.Bidirectional, keras.layers.TimeDistributed])
def test_a_wrapper_that_cannot_pass_gates_on_says_so(wrapper):
    inputs = np.zeros((2, 3, 4, FEATURES) if wrapper is keras.layers.TimeDistributed else (2, 4, 3))
    with pytest.raises(ValueError, match=r"textgate\.trace.*Received: return_gates=True"):
        wrapper(layers.LSTM(UNITS, return_gates=True))(inputs)
    shape = (None, *inputs.shape[1:])
    for use in (lambda built: built.build(shape), lambda built: built(keras.Input(shape[1:]))):
        with pytest.raises(ValueError, match=r"textgate\.trace.*Received: return_gates=True"):
            use(wrapper(layers.LSTM(UNITS, return_gates=True)))


def test_a_wrapper_of_a_model_that_passes_on_the_outputs_alone_is_no_obstacle():
    inner = keras.Input((4, FEATURES))
    outputs, _ = layers.LSTM(UNITS, return_gates=True)(inner)
    inputs = np.zeros((2, 3, 4, FEATURES), "float32")
    found = keras.layers.TimeDistributed(keras.Model(inner, outputs))(inputs)
    assert found.shape == (2, 3, UNITS)


VARIANTS = [
    (layers.LSTM, {"fixed_gates": {"forget_gate": 1.0}}),
    (layers.LSTM, {"fixed_gates": {"input_gate": 0.5, "output_gate": 1.0}}),
    (layers.LSTM, {"coupled": True}),
    (layers.GRU, {"fixed_gates": {"reset_gate": 0.0}}),
    (layers.GRU, {"leak": False, "reset_after": False}),
]


@pytest.mark.parametrize(("layer", "variant"), VARIANTS)
def test_variants_hold_in_training_and_serialise(rng, tmp_path, layer, variant):
    inputs = keras.Input((5, FEATURES))
    outputs, gates = layer(UNITS, return_gates=True, **variant)(inputs)
    model = keras.Model(inputs, [outputs, gates])
    x = rng.normal(size=(8, 5, FEATURES)).astype("float32")
    training = keras.Model(inputs, outputs)
    training.compile("sgd", "mse")
    before = training.get_weights()
    training.fit(x, rng.normal(size=(8, UNITS)), epochs=1, verbose=0)
    assert not np.allclose(before[1], training.get_weights()[1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    (_, found), (_, again) = model.predict(x, verbose=0), loaded.predict(x, verbose=0)
    for name, value in variant.get("fixed_gates", {}).items():
        assert np.all(found[name] == value)
    if variant.get("coupled"):
        np.testing.assert_allclose(found["input_gate"], 1 - found["forget_gate"], atol=1e-6)
    if not variant.get("leak", True):
        expected = (1 - found["update_gate"]) * found["candidate"]
        np.testing.assert_allclose(found["hidden_state"], expected, atol=1e-6)
    for name in found:
        np.testing.assert_allclose(again[name], found[name], rtol=0, atol=1e-6)


def test_a_fixed_gate_has_no_gradient(rng, gradients):
    layer = layers.LSTM(UNITS, fixed_gates={"forget_gate": 0.5})
    inputs = rng.normal(size=(2, 5, FEATURES)).astype("float32")
    layer.build(inputs.shape)

    def loss(kernel):
        rest = [v.value for v in layer.trainable_variables[1:]]
        fixed = [v.value for v in layer.non_trainable_variables]
        return ops.sum(layer.stateless_call([kernel, *rest], fixed, inputs)[0])

    (found,) = gradients(loss, [layer.get_weights()[0]])
    assert not np.any(found[:, UNITS : 2 * UNITS])
    assert np.all(np.any(found[:, :UNITS], axis=0))


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: layers.LSTM(3, fixed_gates={"reset_gate": 1.0}), "reset_gate"),
        (lambda: layers.LSTM(3, fixed_gates={"forget_gate": -0.1}), "-0.1"),
        (lambda: layers.GRU(3, fixed_gates={"update_gate": "open"}), "open"),
        (lambda: layers.LSTM(3, coupled=True, fixed_gates={"input_gate": 0.1}), "coupled"),
        (lambda: layers.LSTM(3, return_gates="yes"), "return_gates='yes'"),
        (lambda: layers.LSTM(3)(np.zeros((2, 3))), r"ndim=3"),
        (lambda: layers.LSTM(3)(np.zeros((2, 5, 3)), mask=np.ones((2, 4), bool)), "`mask`"),
    ],
)
def test_bad_arguments_are_named(make, part):
    with pytest.raises(ValueError, match=part):
        make()
