"""An exported model needs TensorFlow and nothing else, in a process that can't import the rest."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import textgate as tg
from tests.export.conftest import TEXTS, randomised

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "scripts" / "client.py"

ALONE = """
import contextlib, importlib.machinery, io, runpy, sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("textgate", "keras", "tf_keras"):
            return importlib.machinery.ModuleSpec(name, self)  # TensorFlow asks for it only

    def create_module(self, spec):
        raise ImportError(f"{spec.name} is not here")

    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Refuse())
for name in ("textgate", "keras"):
    with contextlib.suppress(ImportError):
        __import__(name)
        raise SystemExit(f"{name} can be imported")
import numpy as np
import tensorflow as tf
from tensorflow.python.tools import saved_model_cli

out = {}
texts = tf.constant(TEXTS)
for name in ("lstm", "gru"):
    loaded = tf.saved_model.load(f"saved_models/{name}")
    for endpoint in ("gates", "score", "pronouns"):
        found = loaded.signatures[endpoint](text=texts)
        kept = {k: v.numpy() for k, v in found.items() if v.dtype != tf.string}
        out.update({f"{name}|{endpoint}|{k}": v for k, v in kept.items()})
both = tf.saved_model.load("saved_models/both")
found = both.signatures["gates"](ids=tf.constant(np.load("ids.npy")))
out.update({f"both|gates|{k}": v.numpy() for k, v in found.items()})

# As servers do: a session, and tensors by the names that the signature gives them.
v1 = tf.compat.v1
with v1.Session(graph=tf.Graph()) as session:
    meta = v1.saved_model.load(session, ["serve"], "saved_models/lstm")
    served = meta.signature_def["gates"]
    feed = {served.inputs["text"].name: TEXTS}
    fetch = {name: tensor.name for name, tensor in served.outputs.items()}
    out.update({f"session|gates|{k}": v for k, v in session.run(fetch, feed).items() if "/" in k})
    try:
        session.run(fetch, {served.inputs["text"].name: ["Zorblax"]})
    except tf.errors.InvalidArgumentError as error:
        assert "knows no word of a text" in str(error)
    else:
        raise SystemExit("no error")
np.savez("out.npz", **out)

with contextlib.chdir(ROOT):  # where the shipped models are
    runpy.run_path(CLIENT)
shown = io.StringIO()
sys.argv = ["saved_model_cli", "show", "--dir", "saved_models/lstm", "--all"]
with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
    saved_model_cli.main()
open("shown.txt", "w").write(shown.getvalue())
assert not {"textgate", "keras"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def alone(directory, lstm, gru, tmp_path_factory):
    """What a process without textgate and Keras got from three exported models."""
    here = tmp_path_factory.mktemp("alone")
    inputs = keras.Input((None,), dtype="int32", name="ids")
    x = keras.layers.Embedding(9, 3, mask_zero=True)(inputs)
    both = keras.layers.Bidirectional(keras.layers.LSTM(4, return_sequences=True), name="both")
    model = randomised(keras.Model(inputs, keras.layers.Dense(2)(both(x))))
    tg.export.saved_model(model, here / "saved_models" / "both")
    for name, other in (("lstm", lstm), ("gru", gru)):
        (here / "saved_models" / name).symlink_to(other.path)
    np.save(here / "ids.npy", np.array([[3, 1, 4, 1], [5, 0, 8, 0]], "int32"))
    code = f"TEXTS, ROOT, CLIENT = {TEXTS!r}, {str(ROOT)!r}, {str(CLIENT)!r}\n{ALONE}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, cwd=here, check=False
    )
    assert done.returncode == 0, done.stderr
    return here, model, done


def test_it_gives_what_textgate_gives(alone, lstm, gru):
    here, model, _ = alone
    with np.load(here / "out.npz") as file:
        found = dict(file)
    for name, exported in (("lstm", lstm), ("gru", gru)):
        trace = tg.trace(exported.lm, TEXTS)
        signals = [key for key in found if key.startswith(f"{name}|gates|") and "/" in key]
        assert len(signals) == sum(len(leaf.data_vars) for leaf in trace.leaves)
        for key in signals:
            expected = np.nan_to_num(trace[key.split("|")[-1]].values)
            np.testing.assert_allclose(found[key], expected, rtol=0, atol=1e-5)
            if name == "lstm":
                np.testing.assert_allclose(
                    found[key.replace("lstm", "session", 1)], expected, atol=1e-5
                )
        logprobs = exported.lm.token_logprobs(TEXTS)
        scored = found[f"{name}|score|token_logprobs"]
        np.testing.assert_allclose(scored, np.nan_to_num(logprobs), atol=1e-5)
    trace = tg.trace(model, np.load(here / "ids.npy"))
    for leaf in trace.leaves:
        node, path = leaf.to_dataset(), leaf.path.strip("/")
        np.testing.assert_array_equal(found[f"both|gates|{path}/mask"], node["mask"].values)
        for name in node:
            expected = np.nan_to_num(node[name].values)
            np.testing.assert_allclose(
                found[f"both|gates|{path}/{name}"], expected, rtol=0, atol=1e-5
            )


def test_the_tool_of_tensorflow_shows_its_signatures(alone):
    shown = (alone[0] / "shown.txt").read_text()
    names = {"serving_default", "serve", "score", "pronouns", "gates", "edit", "describe"}
    assert names <= set(re.findall(r"signature_def\['(\w+)'\]", shown))
    for name in ("text", "k", "layer", "signal", "units", "value", "steps"):
        assert f"inputs['{name}']" in shown
    for name in ("lstm/forget_gate", "lstm_1/cell_state", "tokens", "sentence_logprobs"):
        assert f"outputs['{name}']" in shown


def test_loading_says_nothing_of_gradients(alone):
    """TensorFlow warns of functions with custom gradients, which a SavedModel can't hold."""
    assert "gradient" not in alone[2].stderr.lower()


def test_the_client_has_ten_lines_and_runs(alone):
    code = CLIENT.read_text(encoding="utf-8").partition('"""\n\n')[2]
    assert len([line for line in code.splitlines() if line]) <= 11
    assert "LAYER/SIGNAL" in alone[2].stdout  # the description
    assert "(2, 7, 128)" in alone[2].stdout  # the gates
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    shown = [block for block in blocks if "tf.saved_model.load" in block]
    assert all(block.strip() == code.strip() for block in shown)
