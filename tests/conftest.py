"""What all tests share: random numbers of their own, gradients on either backend, a browser."""

import random
import shutil
import zlib

import keras
import numpy as np
import pytest

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items):
    if keras.backend.backend() != "tensorflow":
        skip = pytest.mark.skip(reason="needs Keras's TensorFlow backend")
        for item in items:
            if "tensorflow_only" in item.keywords:
                item.add_marker(skip)


def _seed(what):
    """Seed what Keras draws its initialisers' seeds from.

    Weights are random and differ from test to test, yet are the same in every run, however the
    tests are dealt to processes: a test that fails once fails again.
    """
    random.seed(zlib.crc32(what.encode()))


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    parameter = getattr(request, "param_index", "")
    _seed(f"{request.node.nodeid} {fixturedef.argname} {parameter}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    _seed(item.nodeid)


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


@pytest.fixture(scope="module")
def browser():
    """The browser in which pages are tested, where there is one."""
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"needs a browser: none of {', '.join(_BROWSERS)}")
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
