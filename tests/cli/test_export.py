"""`textgate export` writes a SavedModel; mistakes give one line and exit code 2."""

import keras
import numpy as np
import tensorflow as tf

import textgate as tg
from tests.cli.running import command

SENTENCE = "She came out and played with her dog."


run = command("export")


def test_exports_and_asks_before_overwriting(monkeypatch, tmp_path, capsys):
    path = tmp_path / "run" / "model.keras"
    path.parent.mkdir()
    tokenizer = tg.tokenizers.WordTokenizer.train([SENTENCE])
    tg.models.LanguageModel(tokenizer, cell="simple_rnn", units=(3,)).save(path)
    assert run(monkeypatch, path.parent) == 0
    written = path.parent / "saved_model"
    assert capsys.readouterr().out.split() == ["wrote", str(written)]
    loaded = tf.saved_model.load(str(written))
    gates = loaded.gates(tf.constant([SENTENCE]))
    assert gates["simple_rnn/hidden_state"].shape == (1, 10, 3)
    assert run(monkeypatch, path.parent) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("textgate: error: ")
    assert "--overwrite" in error
    assert "\n" not in error
    given = []
    monkeypatch.setattr(tg.export, "saved_model", lambda lm, to, **options: given.append(options))
    assert run(monkeypatch, path, "--overwrite") == 0
    assert run(monkeypatch, path, "--overwrite", "--half") == 0
    assert given == [{"overwrite": True, "half": False}, {"overwrite": True, "half": True}]


def test_there_must_be_a_model(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path / "none", "--to", tmp_path / "out") == 2
    assert "Received: " in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_any_model_is_exported(monkeypatch, tmp_path, capsys):
    layers = [keras.Input((None, 2), name="x"), keras.layers.GRU(2, name="gru")]
    keras.Sequential(layers).save(tmp_path / "other.keras")
    assert run(monkeypatch, tmp_path / "other.keras", "--to", tmp_path / "out") == 0
    gates = tf.saved_model.load(str(tmp_path / "out")).signatures["gates"](x=tf.ones((1, 3, 2)))
    assert gates["gru/update_gate"].shape == (1, 3, 2)
    assert run(monkeypatch, tmp_path / "out", "--to", tmp_path / "again") == 2
    assert "not a textgate language model" in capsys.readouterr().err


def test_an_exported_model_needs_another_place(monkeypatch, tmp_path, capsys):
    tokenizer = tg.tokenizers.WordTokenizer.train([SENTENCE])
    lm = tg.models.LanguageModel(tokenizer, cell="simple_rnn", units=(3,))
    first = tg.export.saved_model(lm, tmp_path / "first")
    assert run(monkeypatch, first) == 2
    assert "--to" in capsys.readouterr().err
    assert run(monkeypatch, first, "--half", "--to", tmp_path / "second") == 0
    second = tg.export.restore(tmp_path / "second")
    np.testing.assert_allclose(second.get_weights()[0], lm.get_weights()[0], rtol=1e-3)
