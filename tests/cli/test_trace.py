"""`textgate trace` draws, stores and prints; mistakes give one line and exit code 2."""

import subprocess
import sys

import pytest

import textgate as tg
from textgate import cli

SENTENCE = "She came out and played with her dog."


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.keras"
    tokenizer = tg.tokenizers.WordTokenizer.train([SENTENCE])
    tg.models.LanguageModel(tokenizer, cell="gru", units=(5,)).save(path)
    return path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textgate", "trace", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0


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
    assert lines[0] == "gru: mean over 1 units"
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


def test_help_imports_nothing_heavy():
    script = (
        "import sys, textgate.cli\n"
        "assert 'trace' in [c.name for c in textgate.cli.app.registered_commands]\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'xarray', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
