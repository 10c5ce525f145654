"""`textgate evaluate` prints, writes tables, and refuses what it should in one line."""

import keras
import pandas as pd
import pytest

import textgate as tg
from tests.cli.running import command

SENTENCES = ["She fed her dog .", "He fed his dog ."]


run = command("evaluate")


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "small.keras"
    tokenizer = tg.tokenizers.WordTokenizer.train(SENTENCES)
    tg.models.LanguageModel(tokenizer, cell="gru", units=(5,)).save(path)
    return path


def test_prints_and_writes(monkeypatch, tmp_path, model_file, capsys):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("prefix,good,bad\nShe fed,her,his\nHe fed a zebra with,his,her\n")
    (tmp_path / "text.txt").write_text("\n".join(SENTENCES))
    arguments = [model_file, "--pairs", pairs, "--text", tmp_path / "text.txt"]
    assert run(monkeypatch, *arguments, "--out", tmp_path / "out") == 0
    printed = capsys.readouterr().out
    assert "she→her" in printed
    assert "zebra" in printed
    assert "Perplexity" in printed
    written = tmp_path / "out" / "pairs"
    assert {path.name for path in written.iterdir()} == {
        "items.csv",
        "summary.csv",
        "unknown.csv",
        "perplexity.csv",
        "report.md",
    }
    assert pd.read_csv(written / "items.csv")["correct"].dtype == bool
    assert "| direction |" in (written / "report.md").read_text()


def test_generated_pairs(monkeypatch, tmp_path, model_file, capsys):
    arguments = [model_file, "--size", 8, "--split", "test", "--split", "validation"]
    assert run(monkeypatch, *arguments) == 0
    assert "direction" in capsys.readouterr().out
    names = {path.name for path in (tmp_path / "evaluation").iterdir()}
    assert names == {"pronoun_agreement-test", "pronoun_agreement-validation"}


def test_a_part_does_not_replace_what_the_report_shows(monkeypatch, tmp_path, model_file, capsys):
    assert run(monkeypatch, model_file, "--size", 12) == 0
    table = tmp_path / "evaluation" / "pronoun_agreement-test" / "items.csv"
    before = table.read_bytes()
    assert run(monkeypatch, model_file, "--size", 4) == 2
    error = capsys.readouterr().err
    assert "--out" in error
    assert error.endswith("Received: --size 4\n")
    assert table.read_bytes() == before
    assert run(monkeypatch, model_file, "--size", 4, "--out", tmp_path / "part") == 0
    part = pd.read_csv(tmp_path / "part" / "pronoun_agreement-test" / "items.csv")
    assert part["item"].nunique() == 4
    assert run(monkeypatch, model_file, "--size", 16) == 0
    assert table.read_bytes() != before


@pytest.mark.tensorflow_only
def test_exported_models(monkeypatch, tmp_path, model_file, capsys):
    exported = tg.export.saved_model(tg.load(model_file), tmp_path / "exported")
    files = {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    assert run(monkeypatch, exported, "--size", 8) == 0
    printed = capsys.readouterr().out
    assert "direction" in printed
    assert "wrote" not in printed
    assert {path: path.read_bytes() for path in exported.rglob("*") if path.is_file()} == files
    assert not (tmp_path / "evaluation").exists()


def test_a_model_without_words(monkeypatch, tmp_path, capsys):
    layers = [keras.Input((None, 2)), keras.layers.GRU(2, name="gru")]
    keras.Sequential(layers).save(tmp_path / "other.keras")
    assert run(monkeypatch, tmp_path / "other.keras") == 2
    error = capsys.readouterr().err
    assert "language model of textgate with its tokenizer" in error
    assert len(error.splitlines()) == 1


def test_contexts_with_a_gold_pronoun(monkeypatch, tmp_path, model_file, capsys):
    contexts = tmp_path / "contexts.tsv"
    contexts.write_text(
        "doc\tpronoun\tgender\tprefix\tattractors\nd\ther\tf\tShe fed\t0\ne\this\tm\tHe fed\t1\n"
    )
    assert run(monkeypatch, model_file, "--pairs", contexts) == 0
    assert "he→his" in capsys.readouterr().out


def test_pairs_of_equal_sentences_are_ties_and_said(monkeypatch, tmp_path, model_file, capsys):
    (tmp_path / "pairs.csv").write_text("prefix,good,bad\nShe fed,her,his\nShe fed,her,her\n")
    assert run(monkeypatch, model_file, "--pairs", tmp_path / "pairs.csv") == 0
    assert "a tie, which counts as wrong" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("prefix,right,wrong\nShe fed,her,his\n", "missing"),
        ("", "empty"),
    ],
)
def test_wrong_files_give_one_line(monkeypatch, tmp_path, model_file, capsys, content, message):
    (tmp_path / "pairs.csv").write_text(content)
    assert run(monkeypatch, model_file, "--pairs", tmp_path / "pairs.csv") == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "evaluation").exists()


def test_no_run(monkeypatch, tmp_path, capsys):
    assert run(monkeypatch, tmp_path / "nothing") == 2
    assert "there is no model" in capsys.readouterr().err
