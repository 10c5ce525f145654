"""`convert` exchanges the layers of a whole model and changes nothing else."""

import keras
import numpy as np
import pytest

from textgate import convert, layers

FEATURES = 4


@keras.saving.register_keras_serializable(package="tests")
class Looping(keras.Model):
    """A subclassed model that hands a layer's states on in a Python loop."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.rnn = keras.layers.LSTM(units, return_state=True)
        self.out = keras.layers.Dense(2)

    def build(self, shape):
        self.rnn.build(shape)
        self.out.build((None, self.units))

    def call(self, inputs):
        states = None
        for _ in range(2):
            outputs, *states = self.rnn(inputs, initial_state=states)
        return self.out(outputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def functional():
    inputs = keras.Input((5, FEATURES))
    shared = keras.layers.GRU(3, return_sequences=True, reset_after=False)
    x = keras.layers.Masking()(inputs)
    x = shared(x) + shared(keras.layers.Activation("relu")(x))
    x, *states = keras.layers.LSTM(2, return_sequences=True, return_state=True)(x)
    x = keras.layers.LSTM(2)(x, initial_state=states)
    return keras.Model(inputs, x)


def nested():
    inner = keras.Sequential(
        [keras.Input((5, FEATURES)), keras.layers.LSTM(3, return_sequences=True)]
    )
    inputs = keras.Input((5, FEATURES))
    x = keras.layers.Bidirectional(keras.layers.GRU(2))(inner(inputs))
    return keras.Model(inputs, keras.layers.BatchNormalization()(x))


def subclassed():
    model = Looping(3)
    model.build((None, 5, FEATURES))
    return model


def stateful():
    inputs = keras.Input(batch_shape=(3, 5, FEATURES))
    return keras.Model(inputs, keras.layers.LSTM(2, stateful=True)(inputs))


MODELS = {f.__name__: f for f in (functional, nested, subclassed, stateful)}


def recurrent(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN)]


@pytest.mark.parametrize("name", MODELS)
def test_there_and_back_gives_the_same_outputs(rng, name):
    model = MODELS[name]()
    model.set_weights([rng.normal(size=w.shape) ** 2 for w in model.get_weights()])
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    ours = convert(model, to="textgate")
    stock = convert(ours, to="keras")
    kinds = [type(layer).__module__ for layer in recurrent(ours)]
    assert kinds
    assert all(kind.startswith("textgate.") for kind in kinds)
    assert [type(a) for a in recurrent(stock)] == [type(a) for a in recurrent(model)]
    if name != "subclassed":  # its constructor names the layers anew
        names = [[layer.name for layer in m._flatten_layers()] for m in (model, ours, stock)]
        assert names[0] == names[1] == names[2]
    for _ in range(2):  # twice, for the stateful one
        expected = np.asarray(model(inputs))
        for other in (ours, stock):
            np.testing.assert_allclose(np.asarray(other(inputs)), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", MODELS)
def test_a_converted_model_can_be_saved(rng, tmp_path, name):
    ours = convert(MODELS[name](), to="textgate")
    inputs = rng.normal(size=(3, 5, FEATURES)).astype("float32")
    expected = np.asarray(ours(inputs))
    ours.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    if name == "stateful":
        loaded.layers[-1].reset_state()
    if name != "subclassed":  # its constructor makes stock layers
        assert all(isinstance(r, layers.LSTM | layers.GRU) for r in recurrent(loaded))
    np.testing.assert_allclose(np.asarray(loaded(inputs)), expected, rtol=0, atol=2e-6)


def test_the_model_itself_is_left_alone(rng):
    model = nested()
    before = model.get_weights()
    ours = convert(model, to="textgate")
    ours.set_weights([w + 1 for w in before])
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert all("textgate" not in type(layer).__module__ for layer in recurrent(model))


def test_a_compiled_model_stays_compiled():
    model = nested()
    model.compile(keras.optimizers.Adam(0.25), "mse")
    ours = convert(model, to="textgate")
    assert ours.compiled
    assert float(ours.optimizer.learning_rate) == 0.25


def test_subclasses_of_the_stock_layers_are_kept():
    class Own(keras.layers.LSTM):
        pass

    model = keras.Sequential([keras.Input((5, FEATURES)), Own(3)])
    assert type(convert(model, to="textgate").layers[0]) is Own


def test_what_cannot_be_converted_is_named():
    gated = keras.Sequential([keras.Input((5, 2)), layers.LSTM(2, coupled=True, name="tied")])
    for call, part in [
        (lambda: convert(nested(), to="torch"), "to='torch'"),
        (lambda: convert(keras.Sequential([layers.LSTM(2)]), to="keras"), "not built"),
        (lambda: convert("model", to="keras"), "str"),
        (lambda: convert(gated, to="keras"), "tied"),
    ]:
        with pytest.raises(ValueError, match=f"Received: .*{part}"):
            call()


@pytest.mark.parametrize("kind", [keras.layers.LSTM, keras.layers.GRU])
def test_the_copy_and_the_model_have_memory_of_their_own(kind):
    """JAX gives buffers away when it trains; neither may then lack its own."""
    model = keras.Sequential([keras.Input((3, 2)), kind(2, dropout=0.1), keras.layers.Dense(1)])
    x = np.ones((4, 3, 2), "float32")
    before = model.predict(x, verbose=0)
    copy = convert(model, to="textgate")
    for one in (copy, model):
        one.compile("adam", "mse")
        one.fit(x, np.ones((4, 1)), epochs=1, verbose=0)
        one.predict(x, verbose=0)
    again = convert(copy, to="keras")
    copy.fit(x, np.ones((4, 1)), verbose=0)
    assert again.predict(x, verbose=0).shape == before.shape
