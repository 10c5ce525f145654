"""`textgate train` writes a run, goes on, and refuses what it should in one line."""

import json
import subprocess
import sys

import numpy as np
import pytest

import textgate as tg
from tests.cli.running import command
from textgate.training import Recipe, presets

run = command("train")


@pytest.fixture
def corpus(tmp_path):
    random = np.random.default_rng(0)
    words = ["she", "he", "her", "his", "dog", "fed", "saw", "the"]
    lines = [" ".join(random.choice(words, size=6)) for _ in range(120)]
    (tmp_path / "text.txt").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "text.txt"


TINY = ["--units", "4,3", "--epochs", 1, "--batch-size", 8, "--cell", "gru", "--dropout", 0]


def test_trains_and_says_so(monkeypatch, tmp_path, corpus, capsys):
    directory = tmp_path / "run"
    assert run(monkeypatch, directory, "--data", corpus, *TINY) == 0
    captured = capsys.readouterr()
    assert f"wrote {directory}: validation loss" in captured.out
    assert "perplexity" in captured.err
    config = json.loads((directory / "config.json").read_text())
    assert config["units"] == [4, 3]
    assert config["data"] == str(corpus)
    assert [layer.name for layer in tg.load(directory).recurrent_layers] == ["gru", "gru_1"]
    # The same command again finds it finished; another one is refused.
    assert run(monkeypatch, directory, "--data", corpus, *TINY, "--quiet") == 0
    assert run(monkeypatch, directory, "--data", corpus, *TINY, "--seed", 1) == 2
    error = capsys.readouterr().err
    assert "another configuration" in error
    assert "its seed is 0, not 1" in error
    assert len(error.strip().splitlines()) == 1


def test_every_setting_that_has_a_help_is_an_option(monkeypatch, tmp_path):
    recipes = []
    monkeypatch.setattr("textgate.training.train", lambda recipe, run, **_: recipes.append(recipe))
    words = {"data": ("a.txt", "b.txt"), "validation": "c.txt", "cell": "gru", "units": (3, 2)}
    words["tokens"] = "characters"
    arguments = ["--data", "a.txt", "--data", "b.txt", "--validation", "c.txt"]
    arguments += ["--cell", "gru", "--units", "3,2", "--tokens", "characters"]
    numbers = {}
    for name, field in Recipe.options().items():
        if name not in words:
            whole = field.default is None or isinstance(field.default, int)
            numbers[name] = True if field.type is bool else 7 if whole else 0.25
            arguments.append(f"--{name.replace('_', '-')}")
            arguments += [] if field.type is bool else [numbers[name]]
    assert run(monkeypatch, tmp_path / "run", *arguments, "--quiet") == 0
    assert recipes == [Recipe(**words, **numbers)]
    # What has none keeps the preset's value.
    assert run(monkeypatch, tmp_path / "run", "--preset", "text", "--no-tied", "--quiet") == 0
    assert recipes[1] == Recipe(**{**presets.PRESETS["text"], "tied": False})


def test_the_package_is_the_command():
    command = [sys.executable, "-m", "textgate", "--version"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed == f"textgate {tg.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--units", "many"], "Received: 'many'"),
        (["--data", "no/such/*.txt"], "Received: 'no/such/*.txt'"),
        (["--data", "tfds:no_such_set"], "tfds:no_such_set"),
        (["--preset", "huge"], "Received: 'huge'"),
        (["--epochs", 0], "Received: epochs=0"),
    ],
)
def test_mistakes_give_one_line(monkeypatch, tmp_path, capsys, arguments, message):
    assert run(monkeypatch, tmp_path / "run", *arguments, "--quiet") == 2
    error = capsys.readouterr().err
    assert error.startswith("textgate: error: ")
    assert message in error
    assert len(error.strip().splitlines()) == 1
