"""`textgate next` prints what the model says, for every kind of model that reads text."""

import json

import keras
import pytest

import textgate as tg
from tests.cli.running import command

SENTENCES = ["She came out and played with her dog.", "He fed his cat."]


run = command("next")


@pytest.fixture(scope="module")
def lm():
    tokenizer = tg.tokenizers.WordTokenizer.train(SENTENCES)
    return tg.models.LanguageModel(tokenizer, cell="gru", units=(5,), embedding_scale=1.0)


@pytest.fixture(scope="module")
def model_file(lm, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    lm.save(path)
    return path


def test_json_is_the_table(monkeypatch, lm, model_file, capsys):
    assert run(monkeypatch, model_file, "She fed Xyz and", "--json", "-k", 4) == 0
    said = json.loads(capsys.readouterr().out)
    expected = lm.next_words("She fed Xyz and", 4)
    assert (said["text"], said["unknown"]) == ("She fed Xyz and", ["Xyz"])
    assert [row["word"] for row in said["next"]] == expected["word"].tolist()
    assert [row["probability"] for row in said["next"]] == pytest.approx(
        expected["probability"].tolist(), rel=1e-5
    )


def test_bars(monkeypatch, lm, model_file, capsys):
    assert run(monkeypatch, model_file, "She fed Xyz and", "-k", 3, "--words", 2) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    expected = lm.next_words("She fed Xyz and", 3)
    assert title == "'She fed Xyz and'"
    assert [line.split()[0] for line in lines[:3]] == expected["word"].tolist()
    assert lines[0].count("█") == 30  # the likeliest word's
    assert lines[3] == lm.generate("She fed Xyz and", 2)
    assert lines[4].endswith("<unk>: Xyz")


def test_interventions(monkeypatch, lm, model_file, tmp_path, capsys):
    change = tg.ZeroAblation("gru", "hidden_state")
    (tmp_path / "edits.json").write_text(change.to_json())
    arguments = (model_file, "She", "--edits", tmp_path / "edits.json", "--json", "--words", 1)
    assert run(monkeypatch, *arguments) == 0
    said = json.loads(capsys.readouterr().out)
    expected = tg.intervene(lm, [change]).next_words("She")
    assert [row["word"] for row in said["edited"]["next"]] == expected["word"].tolist()
    assert said["generated"] == lm.generate("She", 1)


@pytest.mark.tensorflow_only
def test_exported_models_are_read(monkeypatch, lm, tmp_path, capsys):
    tg.export.saved_model(lm, tmp_path / "exported")
    assert isinstance(tg.load(tmp_path / "exported"), tg.models.LanguageModel)
    assert run(monkeypatch, tmp_path / "exported", "", "--json") == 0
    assert json.loads(capsys.readouterr().out)["next"][0]["word"] == lm.next_words("")["word"][0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["MODEL", "She", "came"], "in quotes"),
        (["MODEL", "She", "-k", "0"], "k=0"),
        (["MODEL", "She", "--words", "-1"], "words=-1"),
        (["MODEL", "She", "--edits", "nothing.json"], "nothing.json"),
        (["MODEL", "She", "--edits", "MODEL"], "small.keras"),
        (["OTHER", "She"], "language model"),
        (["no/such/run", "She"], "no/such/run"),
    ],
)
def test_mistakes(monkeypatch, model_file, tmp_path, arguments, said, capsys):
    other = tmp_path / "other.keras"
    layers = [keras.Input((None, 2)), keras.layers.GRU(2, name="gru")]
    keras.Sequential(layers).save(other)
    places = {"MODEL": model_file, "OTHER": other}
    assert run(monkeypatch, *(places.get(part, part) for part in arguments)) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "Received: " in error
    assert len(error.splitlines()) == 1
