"""Gradients by finite differences, through every signal, and gradients of gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import reference
from textgate import recurrence
from textgate.recurrence import Edit, Spec, Weights, fast

# Keras's operations on JAX compute in float32 whatever they are given: a longer step there.
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
STEP, TOLERANCE = (1e-5, 1e-6) if ON_TENSORFLOW else (1e-2, 5e-3)
pytestmark = pytest.mark.usefixtures("without_compiling")
KINDS = [("lstm", True), ("gru", True), ("gru", False), ("simple_rnn", True)]


def arguments(rng, kind, reset_after, bias=True):
    weights = reference.random_weights(rng, kind, 3, 2, bias, reset_after)
    states = [rng.normal(size=(3, 2)) for _ in recurrence.CELLS[kind].states]
    return [rng.normal(size=(3, 5, 3)), *(w for w in weights if w is not None), *states]


def loss_of(rng, spec, mask=None, backwards=False, edits=(), bias=True, signals_in_loss=True):
    """A random linear function of all signals and final states."""
    cell = spec.cell
    signs = {name: rng.normal(size=(3, 5, spec.units)) for name in cell.signals}
    ends = [rng.normal(size=(3, spec.units)) for _ in cell.states]
    count = 3 if bias else 2

    def loss(inputs, *rest):
        weights, states = Weights(*rest[:count]), rest[count:]
        signals, final = recurrence.sequence(
            spec, inputs, weights, states, mask=mask, go_backwards=backwards, edits=edits
        )
        total = sum(ops.sum(a * b) for a, b in zip(final, ends, strict=True))
        wanted = cell.signals if signals_in_loss else ["hidden_state"]
        return total + sum(ops.sum(signals[name] * signs[name]) for name in wanted)

    return loss


def assert_gradient(rng, gradients, loss, arguments):
    """Compare with central differences along random directions, one argument at a time."""
    found = gradients(loss, arguments)
    for index, gradient in enumerate(found):
        direction = rng.normal(size=arguments[index].shape)
        values = []
        for step in (STEP, -STEP):
            moved = list(arguments)
            moved[index] = arguments[index] + step * direction
            values.append(float(loss(*moved)))
        expected = (values[0] - values[1]) / (2 * STEP)
        found_here = np.sum(gradient * direction)
        assert found_here == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE), index


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", ["none", "left padding", "gaps", "a row all masked"])
@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_gradients_through_all_signals(rng, gradients, kind, reset_after, mask, backwards):
    spec = Spec(kind, 2, reset_after=reset_after)
    loss = loss_of(rng, spec, reference.mask_of(mask), backwards)
    assert_gradient(rng, gradients, loss, arguments(rng, kind, reset_after))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("kind", "reset_after"), KINDS[:3])
def test_gradients_of_a_loss_on_outputs_alone(rng, gradients, kind, reset_after, bias):
    spec = Spec(kind, 2, reset_after=reset_after)
    loss = loss_of(rng, spec, bias=bias, signals_in_loss=False)
    assert_gradient(rng, gradients, loss, arguments(rng, kind, reset_after, bias))


@pytest.mark.parametrize("name", ["forget_gate", "candidate", "cell_state", "hidden_state"])
def test_gradients_through_edits(rng, gradients, name):
    edits = [
        Edit(name, mask=rng.random((3, 5, 2)) < 0.3, value=rng.normal(size=2)),
        Edit(name, mask=rng.random((1, 5, 1)) < 0.5, matrix=rng.normal(size=(2, 2)), offset=0.3),
    ]
    loss = loss_of(rng, Spec("lstm", 2), reference.mask_of("gaps"), edits=edits)
    assert_gradient(rng, gradients, loss, arguments(rng, "lstm", True))


@pytest.mark.tensorflow_only
@pytest.mark.parametrize("mask", ["none", "gaps"])
@pytest.mark.parametrize("signals_in_loss", [False, True])
@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize(("kind", "reset_after"), KINDS[:3])
def test_gradients_of_gradients(
    rng, monkeypatch, kind, reset_after, in_graph, signals_in_loss, mask
):
    import tensorflow as tf

    spec = Spec(kind, 2, reset_after=reset_after)
    loss = loss_of(rng, spec, reference.mask_of(mask), signals_in_loss=signals_in_loss)
    given = [tf.constant(a) for a in arguments(rng, kind, reset_after)]
    directions = [tf.constant(rng.normal(size=a.shape)) for a in given]

    def second(*given):
        with tf.GradientTape() as outer:
            outer.watch(given)
            with tf.GradientTape() as inner:
                inner.watch(given)
                value = loss(*given)
            first = inner.gradient(value, given)
            total = sum(tf.reduce_sum(f * d) for f, d in zip(first, directions, strict=True))
        return outer.gradient(total, given, unconnected_gradients="zero")

    found = (tf.function(second) if in_graph else second)(*given)
    monkeypatch.setattr(fast, "supports", lambda spec: False)
    for a, b in zip(found, second(*given), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


@pytest.mark.tensorflow_only
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_under_xla_with_unknown_shapes(rng, gradients, kind):
    import tensorflow as tf

    loss = loss_of(rng, Spec(kind, 2), reference.mask_of("gaps"))
    given = [tf.constant(a) for a in arguments(rng, kind, True)]

    def step(*given):
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = loss(*given)
        return tape.gradient(value, given)

    for options in (
        {"jit_compile": True},
        {
            "input_signature": [
                tf.TensorSpec([None] * len(a.shape), a.dtype)
                if i == 0
                else tf.TensorSpec(a.shape, a.dtype)
                for i, a in enumerate(given)
            ]
        },
    ):
        for a, b in zip(tf.function(step, **options)(*given), step(*given), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9)


def test_only_tensorflow_has_a_fast_loop():
    assert fast.supports(Spec("lstm", 2)) == (keras.backend.backend() == "tensorflow")
