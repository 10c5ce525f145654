"""Every example in a docstring runs and shows what it says."""

import doctest
import importlib
import pkgutil

import pytest

import textgate

MODULES = sorted(
    module.name for module in pkgutil.walk_packages(textgate.__path__, prefix="textgate.")
)
pytestmark = [
    pytest.mark.tensorflow_only,  # the examples show TensorFlow's shapes
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0
