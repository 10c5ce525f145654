"""The compiled loops: halves of a large batch side by side, or as XLA likes them."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import reference
from textgate import recurrence
from textgate.recurrence import Spec, Weights, fast

if keras.backend.backend() != "tensorflow":
    pytest.skip("only TensorFlow has such loops", allow_module_level=True)

import tensorflow as tf

from textgate.recurrence.fast.tensorflow_common import compiled_by_xla

FEATURES, UNITS, STEPS = 4, 3, 5
KINDS = [("lstm", True), ("gru", True), ("gru", False)]
# Too few to be halved, just enough, and an odd number; compiled for any batch, for this one, or for
# it by XLA.
BATCHES = [(1, "any"), (15, "any"), (16, "this"), (33, "any"), (17, "xla")]


def setting(rng, kind, reset_after, batch):
    weights = reference.random_weights(rng, kind, FEATURES, UNITS, True, reset_after)
    inputs = rng.normal(size=(batch, STEPS, FEATURES))
    states = [rng.normal(size=(batch, UNITS)) for _ in recurrence.CELLS[kind].states]
    mask = rng.random((batch, STEPS)) < 0.7
    mask[-1] = False
    return inputs, weights, states, mask


def compiled(function, arguments, compiled_for):
    if compiled_for != "any":
        return tf.function(function, autograph=False, jit_compile=compiled_for == "xla")
    signature = [tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in arguments]
    return tf.function(function, input_signature=signature, autograph=False)


def test_it_is_known_who_compiles():
    seen = []

    def function(x):
        seen.append(compiled_by_xla())
        branch = tf.function(lambda: seen.append(compiled_by_xla()) or x)
        return tf.cond(tf.reduce_sum(x) > 0, branch, lambda: x + 1)

    tf.function(function, autograph=False)(tf.ones(2))
    assert not any(seen)
    del seen[:]
    tf.function(function, autograph=False, jit_compile=True)(tf.ones(2))
    assert seen
    assert all(seen)
    assert not compiled_by_xla()


@pytest.mark.parametrize(("batch", "compiled_for"), BATCHES)
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_signals_and_states_satisfy_the_equations(
    rng, kind, reset_after, backwards, batch, compiled_for
):
    inputs, weights, states, mask = setting(rng, kind, reset_after, batch)
    expected, final = reference.run(
        kind, inputs, *weights, states, mask, backwards, reset_after=reset_after
    )

    def function(inputs, mask, *states):
        return recurrence.sequence(
            Spec(kind, UNITS, reset_after=reset_after),
            inputs,
            Weights(*weights),
            states,
            mask=mask,
            go_backwards=backwards,
        )

    arguments = [tf.constant(a) for a in (inputs, mask, *states)]
    signals, found = compiled(function, arguments, compiled_for)(*arguments)
    for name in signals:
        np.testing.assert_allclose(signals[name], expected[name], rtol=0, atol=1e-12)
    for state, reference_state in zip(found, final, strict=True):
        np.testing.assert_allclose(state, reference_state, rtol=0, atol=1e-12)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(("batch", "compiled_for"), BATCHES)
@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_gradients_are_those_of_the_plain_loop(
    rng, monkeypatch, kind, reset_after, batch, masked, compiled_for
):
    inputs, weights, states, mask = setting(rng, kind, reset_after, batch)
    spec = Spec(kind, UNITS, reset_after=reset_after)
    signs = {name: rng.normal(size=(batch, STEPS, UNITS)) for name in spec.cell.signals}
    ends = [rng.normal(size=(batch, UNITS)) for _ in states]
    watched = [tf.constant(w) for w in weights]

    def function(inputs, mask, *states):
        with tf.GradientTape() as tape:
            tape.watch([inputs, *watched, *states])
            signals, final = recurrence.sequence(
                spec, inputs, Weights(*watched), states, mask=mask if masked else None
            )
            loss = sum(ops.sum(a * b) for a, b in zip(final, ends, strict=True))
            loss += sum(ops.sum(signals[name] * signs[name]) for name in signals)
        return tape.gradient(loss, [inputs, *watched, *states])

    arguments = [tf.constant(a) for a in (inputs, mask, *states)]
    found = compiled(function, arguments, compiled_for)(*arguments)
    monkeypatch.setattr(fast, "supports", lambda spec: False)
    expected = tf.function(function, autograph=False)(*arguments)
    for gradient, plain in zip(found, expected, strict=True):
        np.testing.assert_allclose(gradient, plain, rtol=0, atol=1e-10)
