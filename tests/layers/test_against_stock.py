"""Law 1: our layers are the stock ones, in outputs, states and gradients, in every setting."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from tests import reference
from textgate import layers

BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 3
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
KINDS = {
    "lstm": (keras.layers.LSTM, layers.LSTM, {}),
    "gru": (keras.layers.GRU, layers.GRU, {}),
    "gru, reset before": (keras.layers.GRU, layers.GRU, {"reset_after": False}),
}
SETTINGS = {
    "plain": {},
    "last output": {"return_sequences": False},
    "last output, zeros": {"return_sequences": False, "zero_output_for_mask": True},
    "no bias": {"use_bias": False},
    "unrolled": {"unroll": True},
    "linear": {"activation": None, "recurrent_activation": "hard_sigmoid"},
    "zeros at masked steps": {"zero_output_for_mask": True},
    "zeros at masked steps, unrolled": {"zero_output_for_mask": True, "unroll": True},
    "dropout": {"dropout": 0.4, "seed": 3},
    "recurrent dropout": {"recurrent_dropout": 0.4, "seed": 3},
    "both dropouts": {"dropout": 0.3, "recurrent_dropout": 0.4, "seed": 3},
    "separate dropout": {"dropout": 0.4, "implementation": 1, "use_cudnn": False, "seed": 3},
}


def pair(rng, kind, **options):
    """A stock layer and ours with the same random weights, biases included."""
    stock, ours, more = KINDS[kind]
    made = [layer(UNITS, **more, **options) for layer in (stock, ours)]
    shape = (BATCH if options.get("stateful") else None, TIME, FEATURES)
    for layer in made:
        layer.build(shape)
    weights = [rng.normal(size=w.shape) for w in made[0].get_weights()]
    for layer in made:
        layer.set_weights(weights)
    return made


def outputs_and_gradients(layer, inputs, signs, gradients, **call):
    """Outputs, states, and the gradients to inputs and weights of a random sum of them."""

    def loss(inputs, *weights):
        results, _ = layer.stateless_call(
            list(weights), [v.value for v in layer.non_trainable_variables], inputs, **call
        )
        return sum(ops.sum(r * s) for r, s in zip(keras.tree.flatten(results), signs, strict=True))

    before = [v.numpy().copy() for v in layer.non_trainable_variables]
    results = [np.asarray(r) for r in keras.tree.flatten(layer(inputs, **call))]
    for variable, value in zip(layer.non_trainable_variables, before, strict=True):
        variable.assign(value)  # the seed, so that dropout is the same
    found = gradients(loss, [inputs, *[np.asarray(w) for w in layer.trainable_variables]])
    return results, found


@pytest.mark.law(1)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", ["none", "left padding", "gaps", "a row all masked"])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("without_compiling")
def test_same_outputs_states_and_gradients(rng, gradients, kind, setting, mask, backwards):
    options = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    options.update(SETTINGS[setting])
    stock, ours = pair(rng, kind, **options)
    inputs = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    states = 2 if kind == "lstm" else 1
    call = {
        "training": "dropout" in setting,
        "initial_state": [
            ops.convert_to_tensor(rng.normal(size=(BATCH, UNITS)), "float32") for _ in range(states)
        ],
    }
    if mask != "none":
        call["mask"] = ops.convert_to_tensor(reference.mask_of(mask))
    steps = (TIME,) if options["return_sequences"] else ()
    signs = [rng.normal(size=(BATCH, *steps, UNITS)).astype("float32")]
    signs += [rng.normal(size=(BATCH, UNITS)).astype("float32")] * states
    expected = outputs_and_gradients(stock, inputs, signs, gradients, **call)
    found = outputs_and_gradients(ours, inputs, signs, gradients, **call)
    for a, b in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6)
    for a, b in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)


@pytest.mark.law(1)
@pytest.mark.parametrize("kind", KINDS)
def test_exchanged_gates_are_noticed(rng, kind):
    stock, ours = pair(rng, kind)
    kernel, *rest = ours.get_weights()
    columns = np.arange(kernel.shape[1])
    columns[:UNITS], columns[UNITS : 2 * UNITS] = columns[UNITS : 2 * UNITS], columns[:UNITS].copy()
    ours.set_weights([kernel[:, columns], *rest])
    inputs = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    assert np.abs(np.asarray(ours(inputs)) - np.asarray(stock(inputs))).max() > 0.01


@pytest.mark.parametrize(("sequences", "state"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("kind", KINDS)
def test_same_shapes_and_masks(rng, kind, sequences, state):
    stock, ours = pair(rng, kind, return_sequences=sequences, return_state=state)
    shape = (None, TIME, FEATURES)
    assert ours.compute_output_shape(shape) == stock.compute_output_shape(shape)
    inputs = keras.Input((None, FEATURES))
    masked = keras.layers.Masking()(inputs)
    a, b = (keras.tree.flatten(layer(masked)) for layer in (stock, ours))
    assert [t.shape for t in a] == [t.shape for t in b]
    has_mask = [[getattr(t, "_keras_mask", None) is not None for t in ts] for ts in (a, b)]
    assert has_mask[0] == has_mask[1]


@pytest.mark.parametrize("kind", KINDS)
def test_stateful_layers_carry_the_same_state(rng, kind):
    stock, ours = pair(rng, kind, stateful=True, return_sequences=True)
    for _ in range(3):
        inputs = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
        a, b = np.asarray(stock(inputs)), np.asarray(ours(inputs))
        np.testing.assert_allclose(b, a, rtol=0, atol=2e-6)
    for a, b in zip(stock.states, ours.states, strict=True):
        np.testing.assert_allclose(np.asarray(b), np.asarray(a), rtol=0, atol=2e-6)
    ours.reset_state()
    assert all(not np.any(np.asarray(state)) for state in ours.states)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_other_precisions(rng, kind, policy):
    if policy == "float64" and not ON_TENSORFLOW:
        pytest.skip("Keras's operations on JAX compute in float32")
    stock, ours = pair(rng, kind, return_sequences=True, dtype=policy)
    inputs = 0.3 * rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    a, b = stock(inputs), ours(inputs)
    assert keras.backend.standardize_dtype(b.dtype) == keras.backend.standardize_dtype(a.dtype)
    tolerance = {"float64": 1e-9, "mixed_float16": 5e-3}.get(policy, 5e-2)
    a, b = (
        np.asarray(ops.cast(x, "float64" if policy == "float64" else "float32")) for x in (a, b)
    )
    np.testing.assert_allclose(b, a, rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_regularizers_and_constraints(rng, kind):
    options = {
        name: keras.regularizers.L2(0.1 * (i + 1))
        for i, name in enumerate(
            [
                "kernel_regularizer",
                "recurrent_regularizer",
                "bias_regularizer",
                "activity_regularizer",
            ]
        )
    }
    stock, ours = pair(rng, kind, kernel_constraint="max_norm", return_state=True, **options)
    inputs = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    stock(inputs), ours(inputs)
    assert len(ours.losses) == len(stock.losses) > 3
    for a, b in zip(stock.losses, ours.losses, strict=True):
        assert float(b) == pytest.approx(float(a), rel=1e-5)
    assert isinstance(ours.cell.kernel.constraint, keras.constraints.MaxNorm)


@pytest.mark.parametrize("kind", KINDS)
def test_weight_files_interchange(rng, kind, tmp_path):
    _, _, more = KINDS[kind]
    models = []
    for layer in KINDS[kind][:2]:
        model = keras.Sequential([keras.Input((None, FEATURES)), layer(UNITS, name="rnn", **more)])
        model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
        models.append(model)
    inputs = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    for source, target in (models, models[::-1]):
        source.set_weights([rng.normal(size=w.shape) for w in source.get_weights()])
        source.save_weights(tmp_path / "x.weights.h5")
        target.load_weights(tmp_path / "x.weights.h5")
        np.testing.assert_allclose(
            np.asarray(target(inputs)), np.asarray(source(inputs)), rtol=0, atol=2e-6
        )


@pytest.mark.tensorflow_only
@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_training_takes_the_same_steps(rng, kind, jit):
    x = rng.normal(size=(8, TIME, FEATURES)).astype("float32")
    y = rng.normal(size=(8, UNITS)).astype("float32")
    weights = None
    results = []
    for layer in KINDS[kind][:2]:
        model = keras.Sequential(
            [keras.Input((None, FEATURES)), keras.layers.Masking(), layer(UNITS, **KINDS[kind][2])]
        )
        weights = weights or [rng.normal(size=w.shape) for w in model.get_weights()]
        model.set_weights(weights)
        model.compile("sgd", "mse", jit_compile=jit)
        model.fit(x, y, epochs=3, batch_size=4, shuffle=False, verbose=0)
        results.append(model.get_weights())
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5)
