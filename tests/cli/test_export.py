"""`textgate export` writes a SavedModel; mistakes give one line and exit code 2."""

import sys

import pytest
import tensorflow as tf

import textgate as tg
from textgate import cli

SENTENCE = "She came out and played with her dog."


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textgate", "export", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0


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
