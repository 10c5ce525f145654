"""`import textgate` is quick and quiet, and still makes saved models load."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import textgate

HEAVY = ("tensorflow", "keras", "pandas", "xarray", "matplotlib", "sklearn", "scipy", "zarr")


def run(code, *arguments):
    """Run code in a fresh interpreter; return what it wrote to standard output and error."""
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("module", ["textgate", "textgate.cli"])
def test_nothing_heavy_is_imported_before_it_is_needed(module):
    out, err = run(f"import {module}, sys; print(*sys.modules)")
    assert not set(HEAVY) & set(out.split())
    assert err == ""


@pytest.mark.parametrize("order", ["textgate, keras", "keras, textgate"])
def test_a_saved_model_loads_through_plain_keras(tmp_path, order):
    model = keras.Sequential([keras.Input((5, 3)), textgate.layers.LSTM(2)])
    model.save(tmp_path / "model.keras")
    inputs = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
    np.save(tmp_path / "inputs.npy", inputs)
    code = f"""
import {order}, sys
import numpy as np
model = keras.saving.load_model(sys.argv[1] + "/model.keras")
outputs = model.predict(np.load(sys.argv[1] + "/inputs.npy"), verbose=0)
np.save(sys.argv[1] + "/outputs.npy", outputs)
"""
    out, err = run(code, str(tmp_path))
    assert out == ""
    if order.startswith("textgate"):
        assert err == ""
    outputs = np.load(tmp_path / "outputs.npy")
    np.testing.assert_allclose(outputs, np.asarray(model(inputs)), rtol=0, atol=1e-6)


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nothing"):
        textgate.nothing  # noqa: B018


def test_every_public_name_is_there():
    for name in textgate.__all__:
        assert getattr(textgate, name) is not None


@pytest.mark.parametrize("room", ["recurrence", "layers", "models", "interventions"])
def test_every_room_can_be_the_first_import(room):
    code = (
        f"import textgate.{room}, keras\n"
        "assert keras.saving.get_registered_object('textgate>LSTM') is not None\n"
    )
    run(code)
