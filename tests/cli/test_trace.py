"""`textgate trace` draws, stores and prints; mistakes give one line and exit code 2."""

import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import textgate as tg
from tests.cli.running import command
from textgate.cli._twins import twin_of

SENTENCE = "She came out and played with her dog."
TWIN = "He came out and played with his dog."


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    tokenizer = tg.tokenizers.WordTokenizer.train([SENTENCE, TWIN])
    tg.models.LanguageModel(tokenizer, cell="gru", units=(5,), embedding_scale=1.0).save(path)
    return path


@pytest.fixture(scope="module")
def other_model(tmp_path_factory):
    """A model of two inputs without words, and inputs for it."""
    place = tmp_path_factory.mktemp("other")
    a, b = keras.Input((None, 2), name="a"), keras.Input((3, 2), name="b")
    outputs = keras.layers.LSTM(4, name="lstm")(a) + keras.layers.LSTM(4, name="second")(b)
    keras.Model([a, b], outputs).save(place / "other.keras")
    rng = np.random.default_rng(0)
    np.savez(place / "x.npz", b=rng.normal(size=(2, 3, 2)), a=rng.normal(size=(2, 5, 2)))
    np.save(place / "x.npy", rng.normal(size=(2, 5, 2)))
    np.savez(place / "c.npz", a=np.zeros((1, 2, 2)), c=np.zeros((1, 3, 2)))
    return place


run = command("trace")


def test_draws_and_stores(monkeypatch, model_file, tmp_path, capsys):
    figure, store = tmp_path / "out.png", tmp_path / "out.zarr"
    assert run(monkeypatch, model_file, SENTENCE, "--plot", figure, "--to", store) == 0
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert tg.tracing.open(store)["gru"].sizes["unit"] == 5
    assert capsys.readouterr().out.split() == ["wrote", str(figure), "wrote", str(store)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.png", "out.zarr"]


def test_prints_a_table_without_options(monkeypatch, model_file, capsys):
    assert run(monkeypatch, model_file, SENTENCE, "--signal", "update_gate", "--unit", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "gru: unit 3 of 5, as asked for"
    assert lines[1].split() == ["z", "3"]
    assert [line.split()[0] for line in lines[2:]] == ["<bos>", *SENTENCE[:-1].split(), "."]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/run", SENTENCE], "no/such/run"),
        (["MODEL", SENTENCE, "--plot", "out.bmp"], "out.bmp"),
        (["MODEL", SENTENCE, "--plot", "no/such/out.png"], "no/such/out.png"),
        (["MODEL", SENTENCE, "--layer", "lstm"], "'lstm'"),
        (["MODEL", SENTENCE, "--signal", "forget_gate"], "forget_gate"),
        (["MODEL", SENTENCE, "--unit", "5"], "5"),
        (["MODEL", SENTENCE, "--to", "MODEL"], "exists"),
        (["MODEL", "She", "came", "out"], "in quotes"),
        (["MODEL", ""], "must have words"),
        (["MODEL", "Xyz zyx"], "no word"),
        (["MODEL", SENTENCE, "--example", "1"], "--example 1"),
        (["MODEL", SENTENCE, "--inputs", "x.npy"], "not both"),
    ],
)
def test_mistakes(monkeypatch, model_file, arguments, said, capsys):
    arguments = [model_file if part == "MODEL" else part for part in arguments]
    assert run(monkeypatch, *arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("textgate: error: ")
    assert "\n" not in error
    assert said in error
    assert "Received: " in error


def numbers(lines, title):
    """The columns below a title, by word."""
    at = next(n for n, line in enumerate(lines) if line.split()[:2] == title.split())
    rows = []
    for line in lines[at + 1 :]:
        _, *values = line.split()
        if line.startswith((" ", "twin:", "`")) or not values:
            break
        rows.append([float(value) for value in values])
    return np.array(rows)


def test_prints_the_units_that_tell_a_text_from_its_twin(monkeypatch, model_file, capsys):
    assert run(monkeypatch, model_file, SENTENCE) == 0
    lines = capsys.readouterr().out.splitlines()
    both = tg.trace(tg.load(model_file), [SENTENCE, TWIN])["gru"]
    states = both["hidden_state"].values
    least = np.abs(states[0, 1:] - states[1, 1:]).min(axis=0)
    first = int(np.argmax(least))
    shown = numbers(lines, f"h {first}")
    np.testing.assert_allclose(shown[:, 0], states[0, :, first], atol=6e-4)
    np.testing.assert_allclose(shown[:, 1], states[1, :, first], atol=6e-4)
    np.testing.assert_allclose(shown[:, 2], both["update_gate"].values[0, :, first], atol=6e-4)
    assert f"twin: {TWIN}" in lines


@pytest.mark.parametrize("unknown", ["<unk>", None])
def test_a_twin_has_words_that_the_model_knows(unknown):
    words = ["<eos>", "she", "he", "the", "queen", "lost", "her", "his", "way"]
    words += [] if unknown is None else [unknown]
    tokenizer = tg.tokenizers.WhitespaceTokenizer(words, unknown=unknown, begin=None)
    lm = tg.models.LanguageModel(tokenizer, cell="simple_rnn", units=(2,))
    assert twin_of(lm, "she lost her way") == "he lost his way"
    assert twin_of(lm, "the queen lost her way") == "the queen lost his way"  # no "king"
    assert twin_of(lm, "the way") is None


def test_prints_and_draws_the_units_found(monkeypatch, model_file, tmp_path, capsys):
    place = tmp_path / "run"
    (place / "units").mkdir(parents=True)
    (place / "model.keras").write_bytes(model_file.read_bytes())
    facts = {"feature": "gender", "layer": "gru", "both": [], "sufficient": [4, 2]}
    (place / "units" / "finding.json").write_text(json.dumps({**facts, "necessary": [4]}))
    assert run(monkeypatch, place, SENTENCE) == 0
    assert capsys.readouterr().out.startswith("gru: units 4, 2 of 5, found to hold gender (")
    drawn = []
    monkeypatch.setattr(tg.plots, "heatmap", lambda *_, **options: drawn.append(options))
    monkeypatch.setattr("textgate._files.write_figure", lambda *_: None)
    assert run(monkeypatch, place, SENTENCE, "--plot", tmp_path / "a.png") == 0
    assert drawn == [{"layer": "gru", "highlight": [4, 2]}]


def test_says_which_words_are_unknown(monkeypatch, model_file, capsys):
    assert run(monkeypatch, model_file, "She fed her zebra and Xyz") == 0
    assert capsys.readouterr().err.strip().endswith("<unk>: fed, zebra, Xyz")


def test_single_words_from_stdin_are_texts(monkeypatch, model_file, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("She\nHe\n"))
    assert run(monkeypatch, model_file, "--example", "1") == 0
    assert "\nHe " in capsys.readouterr().out


def test_any_model_is_traced_on_inputs(monkeypatch, other_model, tmp_path, capsys):
    model = other_model / "other.keras"
    store = tmp_path / "out.zarr"
    assert run(monkeypatch, model, "--inputs", other_model / "x.npz", "--to", store) == 0
    stored, inputs = tg.tracing.open(store), np.load(other_model / "x.npz")
    expected = tg.trace(keras.saving.load_model(model), [inputs["a"], inputs["b"]])
    for name in ("lstm", "second"):
        np.testing.assert_allclose(
            stored[name]["cell_state"].values, expected[name]["cell_state"].values, rtol=1e-5
        )
    capsys.readouterr()
    arguments = ["--inputs", other_model / "x.npz", "--layer", "lstm", "--example", "1"]
    assert run(monkeypatch, model, *arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    states = expected["lstm"]["cell_state"].values[1]
    unit = int(np.argmax(states.std(axis=0)))
    shown = numbers(lines, f"c {unit}")
    np.testing.assert_allclose(shown[:, 0], states[:, unit], atol=6e-4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["She came"], "--inputs file.npy"),
        (["--inputs", "nothing.npy"], "no such file"),
        (["--inputs", "other.keras"], ".npy or .npz"),
        (["--inputs", "c.npz"], "each input of the model, a, b"),
        (["--inputs", "x.npy"], "Received"),
    ],
)
def test_mistakes_with_any_model(monkeypatch, other_model, arguments, said, capsys):
    named = [other_model / part if "." in part else part for part in arguments]
    assert run(monkeypatch, other_model / "other.keras", *named) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert "Received: " in error
    assert len(error.splitlines()) == 1


def test_help_imports_nothing_heavy():
    script = (
        "import sys, textgate.cli\n"
        "assert 'trace' in [c.name for c in textgate.cli.app.registered_commands]\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'xarray', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
