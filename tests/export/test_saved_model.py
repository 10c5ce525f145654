"""Writing a SavedModel: whole or not at all, never over something else; and back again."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

import textgate as tg
from tests.export.conftest import TEXTS, randomised
from textgate import CannotWriteError

pytestmark = pytest.mark.usefixtures("directory")


@pytest.fixture(scope="module")
def small():
    return keras.Sequential([keras.Input((None, 2), name="x"), keras.layers.GRU(2, name="gru")])


def everything(path):
    return sorted(p.relative_to(path) for p in path.rglob("*"))


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_export_leaves_nothing(small, tmp_path, monkeypatch, error):
    original = tf.saved_model.save

    def interrupted(*arguments, **options):
        original(*arguments, **options)
        raise error

    monkeypatch.setattr(tf.saved_model, "save", interrupted)
    expected = CannotWriteError if isinstance(error, OSError) else error
    with pytest.raises(expected, match="No space left.*Received:" if expected != error else None):
        tg.export.saved_model(small, tmp_path / "model")
    assert everything(tmp_path) == []


def test_what_is_there_is_kept_unless_overwriting_is_asked_for(small, tmp_path, monkeypatch):
    path = tg.export.saved_model(small, tmp_path / "in" / "model", card="# First\n")
    before = (path / "saved_model.pb").read_bytes()
    with pytest.raises(FileExistsError, match=r"--overwrite.*Received: .*model"):
        tg.export.saved_model(small, path)
    original = tf.saved_model.save
    with monkeypatch.context() as patched:

        def fails(*arguments, **options):
            original(*arguments, **options)
            raise KeyboardInterrupt

        patched.setattr(tf.saved_model, "save", fails)
        with pytest.raises(KeyboardInterrupt):
            tg.export.saved_model(small, path, overwrite=True)
    assert (path / "saved_model.pb").read_bytes() == before
    assert (path / "README.md").read_text() == "# First\n"
    tg.export.saved_model(small, path, overwrite=True)
    assert not (path / "README.md").exists()  # nothing of the old one is left
    assert [p.name for p in path.parent.iterdir()] == ["model"]


def test_only_a_saved_model_is_ever_overwritten(small, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("irreplaceable")
    (tmp_path / "file").write_text("irreplaceable")
    for name in ("thesis", "file"):
        with pytest.raises(FileExistsError, match=r"never overwritten.*Received: "):
            tg.export.saved_model(small, tmp_path / name, overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "irreplaceable"


@pytest.mark.parametrize(
    ("model", "error", "said"),
    [
        (lambda: "lstm", TypeError, "must be a Keras model.*Received: str"),
        (lambda: keras.layers.LSTM(2), TypeError, "must be a Keras model.*Received: LSTM"),
        (lambda: keras.Sequential([keras.layers.LSTM(2)]), ValueError, "not built"),
        (
            lambda: keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="d")]),
            ValueError,
            "no recurrent layer",
        ),
        (lambda: Subclassed(), ValueError, "`inputs=`.*Received: inputs=None"),
    ],
)
def test_mistakes(tmp_path, model, error, said):
    with pytest.raises(error, match=said):
        tg.export.saved_model(model(), tmp_path / "model")
    assert everything(tmp_path) == []


def test_an_edited_model_is_refused_with_the_way(small, tmp_path):
    edited = tg.intervene(small, [tg.Apply("gru", "hidden_state", keras.ops.tanh)])
    with pytest.raises(TypeError, match=r"export its `model`.*Received: 1 interventions"):
        tg.export.saved_model(edited, tmp_path / "model")
    assert everything(tmp_path) == []


class Subclassed(keras.Model):
    """A model that doesn't say what its inputs are."""

    def __init__(self):
        super().__init__()
        self.rnn = keras.layers.LSTM(2, name="lstm")
        self.rnn.build((None, None, 3))
        self.built = True

    def call(self, inputs):
        return {"last": self.rnn(inputs["features"], mask=inputs["kept"])}


def test_the_language_model_comes_back(lstm, tmp_path):
    again = tg.export.restore(lstm.path)
    assert again.tokenizer == lstm.lm.tokenizer
    assert tg.tracing.fingerprint(again) == tg.tracing.fingerprint(lstm.lm)
    np.testing.assert_array_equal(again.token_logprobs(TEXTS), lstm.lm.token_logprobs(TEXTS))


def test_what_cannot_come_back_is_said(small, lstm, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"saved_model\.pb\. Received: .*nothing"):
        tg.export.restore(tmp_path / "nothing")
    path = tg.export.saved_model(small, tmp_path / "other")
    with pytest.raises(ValueError, match=r"not a textgate language model.*Received: "):
        tg.export.restore(path)
    damaged = tmp_path / "damaged"
    shutil.copytree(lstm.path, damaged)
    (weights,) = damaged.glob("variables/variables.data*")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"damaged.*Received: "):
        tg.export.restore(damaged)
    (damaged / "assets.extra" / "textgate.json").write_text("[]")
    with pytest.raises(ValueError, match=r"damaged.*Received: "):
        tg.export.restore(damaged)


def test_the_note_beside_it_is_plain_json(lstm):
    note = json.loads((lstm.path / "assets.extra" / "textgate.json").read_text(encoding="utf-8"))
    assert note["fingerprint"] == tg.tracing.fingerprint(lstm.lm)
    assert note["textgate"] == tg.__version__


@pytest.mark.parametrize("kind", [{"units": (5, 4), "tied": True}, {"cell": "gru", "units": 6}])
def test_half_precision_takes_half_the_room_and_says_the_same_of_its_own_weights(kind, tmp_path):
    tokenizer = tg.tokenizers.WordTokenizer.train(TEXTS)
    lm = randomised(tg.models.LanguageModel(tokenizer, **kind), seed=1)
    path = tg.export.saved_model(lm, tmp_path / "model", half=True)
    whole = tg.export.saved_model(lm, tmp_path / "whole")
    sizes = [sum(f.stat().st_size for f in (p / "variables").iterdir()) for p in (path, whole)]
    assert sizes[0] < sizes[1]
    back = tg.export.restore(path)
    note = json.loads((path / "assets.extra" / "textgate.json").read_text(encoding="utf-8"))
    assert note["fingerprint"] == tg.tracing.fingerprint(back)  # of what is in it, rounded
    for kept, given in zip(back.get_weights(), lm.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, given.astype(np.float16).astype(np.float32))
    loaded, texts = tf.saved_model.load(str(path)), TEXTS[:2]
    found = loaded.score(tf.constant(texts))["token_logprobs"].numpy()
    np.testing.assert_allclose(found, np.nan_to_num(back.token_logprobs(texts)), atol=1e-5)
    site = lm.recurrent_layers[0].name
    gates = loaded.gates(tf.constant(texts))[f"{site}/hidden_state"].numpy()
    trace = tg.trace(back, texts)[site]["hidden_state"].values
    np.testing.assert_allclose(gates, np.nan_to_num(trace), atol=1e-5)
    assert np.abs(gates).max() > 0
    assert "half precision" in loaded.describe()["description"].numpy().decode()


def test_what_does_not_fit_half_precision_is_refused(small, tmp_path):
    with pytest.raises(ValueError, match=r"only language models.*Received: half=True"):
        tg.export.saved_model(small, tmp_path / "model", half=True)
    lm = tg.models.LanguageModel(tg.tokenizers.WordTokenizer.train(TEXTS), units=3)
    lm.weights[0].assign(1e6 * np.ones(lm.weights[0].shape))
    with pytest.raises(ValueError, match=r"too large for half precision.*Received: "):
        tg.export.saved_model(lm, tmp_path / "model", half=True)
    lm.weights[0].assign(np.nan * np.ones(lm.weights[0].shape))
    with pytest.raises(ValueError, match=r"infinite or not a number"):
        tg.export.saved_model(lm, tmp_path / "model", half=True)
    assert everything(tmp_path) == []
