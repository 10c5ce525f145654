"""A graph that nobody has any more is gone, though its loops had gradients of their own."""

import gc
import weakref

import numpy as np
import pytest

import textgate as tg

pytestmark = pytest.mark.tensorflow_only


def layer_of():
    layer = tg.layers.LSTM(2, name="lstm")
    layer.build((None, None, 3))
    return layer


def test_a_graph_goes_with_its_function():
    import tensorflow as tf

    layer = layer_of()
    x = tf.ones((2, 4, 3))
    function = tf.function(lambda x: layer(x), autograph=False)
    graph = weakref.ref(function.get_concrete_function(x).graph)
    assert graph() is not None
    del function
    gc.collect()
    assert graph() is None


def test_gradients_go_through_loops_and_functions_within_functions():
    import tensorflow as tf

    layer = layer_of()
    x = tf.constant(np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32"))
    inner = tf.function(lambda x: tf.reduce_sum(layer(x)), autograph=False)

    def twice(x):
        steps = lambda n, total: (n + 1, total + inner(x) + tf.reduce_sum(layer(2 * x)))  # noqa: E731
        return tf.while_loop(lambda n, total: n < 2, steps, (0, 0.0))[1]

    def gradient(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = function(x)
        gc.collect()
        return tape.gradient(value, x)

    wanted = gradient(lambda x: 2 * (tf.reduce_sum(layer(x)) + tf.reduce_sum(layer(2 * x))))
    np.testing.assert_allclose(gradient(tf.function(twice, autograph=False)), wanted, atol=1e-5)
    gc.collect()
    np.testing.assert_allclose(
        gradient(inner), gradient(lambda x: tf.reduce_sum(layer(x))), atol=1e-5
    )
