"""What all tests share: a random generator each, and gradients on either backend."""

import keras
import numpy as np
import pytest


def pytest_collection_modifyitems(items):
    if keras.backend.backend() != "tensorflow":
        skip = pytest.mark.skip(reason="needs Keras's TensorFlow backend")
        for item in items:
            if "tensorflow_only" in item.keywords:
                item.add_marker(skip)


@pytest.fixture
def rng(request):
    """A generator seeded by the test's name, so that a test doesn't depend on its neighbours."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def without_compiling():
    """On JAX, run loops step by step: hundreds of small settings take longer to compile."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    with jax.disable_jit():
        yield


@pytest.fixture(scope="session")
def gradients():
    """`gradients(function, arguments)`: d function / d each argument, function returning a sum."""

    def with_tensorflow(function, arguments):
        import tensorflow as tf

        arguments = [tf.convert_to_tensor(a) for a in arguments]
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            value = function(*arguments)
        return [np.asarray(g) for g in tape.gradient(value, arguments)]

    def with_jax(function, arguments):
        import jax

        found = jax.grad(lambda a: function(*a))([jax.numpy.asarray(a) for a in arguments])
        return [np.asarray(g) for g in found]

    return {"tensorflow": with_tensorflow, "jax": with_jax}[keras.backend.backend()]
