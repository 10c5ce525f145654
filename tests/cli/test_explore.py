"""`textgate explore` writes a page; mistakes give one line and exit code 2."""

import keras
import numpy as np
import pytest

import textgate as tg
from tests.cli.running import command

pytestmark = pytest.mark.tensorflow_only


run = command("explore")


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    tokenizer = tg.tokenizers.WordTokenizer.train(["She fed her dog."])
    tg.models.LanguageModel(tokenizer, cell="gru", units=(5,)).save(path)
    return path


def test_writes_a_page(monkeypatch, model_file, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert run(monkeypatch, model_file, "--to", page, "--precision", "float32") == 0
    assert '"name":"small"' in page.read_text(encoding="utf-8")
    assert capsys.readouterr().out.startswith(f"wrote {page} (")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_opens_the_browser(monkeypatch, model_file, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert run(monkeypatch, model_file) == 0
    assert opened[0].startswith("file://")


def test_puts_a_server_behind_any_other_model(monkeypatch, tmp_path, capsys):
    model, inputs = tmp_path / "other.keras", tmp_path / "x.npy"
    keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")]).save(model)
    np.save(inputs, np.ones((2, 5, 3)))
    opened, ran = [], []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(tg.explorer.Server, "run", lambda self: ran.append(self.url))
    assert run(monkeypatch, model, "--inputs", inputs) == 0
    assert capsys.readouterr().out.startswith(f"{ran[0]}  ")
    assert opened == ran
    assert run(monkeypatch, model) == 2
    assert "--tokenizer" in capsys.readouterr().err


def test_says_what_is_wrong(monkeypatch, model_file, tmp_path, capsys):
    other = tmp_path / "other.keras"
    keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")]).save(other)
    page = tmp_path / "page.html"
    for arguments, says in (
        ([tmp_path / "none"], "there is no model"),
        ([model_file, "--precision", "int8"], "`precision` must be one of"),
        ([model_file, model_file], "names of their own"),
        ([other], "local server"),
    ):
        assert run(monkeypatch, *arguments, "--to", page) == 2
        error = capsys.readouterr().err
        assert error.startswith("textgate: error: ")
        assert says in error
        assert error.count("\n") == 1
    assert not page.exists()
