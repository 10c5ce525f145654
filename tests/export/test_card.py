"""A model card says what is in the run directory, and the command that made it."""

import json

import pandas as pd
import pytest

import textgate as tg
from textgate.export._card import command_of
from textgate.training import Recipe, presets


def row(by, group, accuracy):
    interval = {"low": accuracy - 0.02, "high": accuracy + 0.02}
    return {"by": by, "group": group, "items": 1200, "accuracy": accuracy, **interval} | {
        "margin": 3.25,
        "unknown": 0,
    }


@pytest.fixture
def run(tmp_path):
    config = Recipe(cell="gru", units=(64,), seed=3).to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.keras").touch()
    (tmp_path / "versions.json").write_text('{"keras": "3.15.1"}')
    (tmp_path / "history.csv").write_text("words,validation_loss\n1000,3.5\n2000,2.5\n3000,2.6\n")
    for split, accuracy in (("test_distances", 0.71), ("test", 0.93)):
        folder = tmp_path / "evaluation" / f"pronoun_agreement-{split}"
        folder.mkdir(parents=True)
        rows = [row("all", "all", accuracy), row("direction", "she→her", accuracy + 0.01)]
        pd.DataFrame(rows).to_csv(folder / "summary.csv", index=False)
    return tmp_path


def test_it_says_what_the_run_directory_holds(run):
    text = tg.export.card(run, "she-her/gru")
    assert text.startswith("# she-her/gru\n")
    assert "    textgate train RUN --cell gru --units 64 --seed 3\n" in text
    assert "2,000 words and punctuation marks" in text  # those of the best validation
    assert "2.500 nats" in text
    assert "keras 3.15.1" in text
    overall = [line for line in text.splitlines() if line.startswith("| test")]
    assert "| 1,200 | 93.0 % | 91.0–95.0 | 3.25 | 0 |" in overall[0]
    assert "| 71.0 % |" in overall[1]
    assert "| she→her | 1,200 | 94.0 %" in text
    assert "she→her | 1,200 | 72.0 %" not in text  # details are those of the split `test`
    for part in ("## Data", "## Training", "## Results", "## Intended use", "## Limits"):
        assert f"\n{part}\n" in text
    for limit in ("grammatical", "US birth records", "a class of its own"):
        assert limit in text


def test_a_model_of_text_says_so_and_stands_beside_the_rule(run):
    recipe = Recipe(data="novels.txt", **presets.PRESETS["text"])
    (run / "config.json").write_text(json.dumps(recipe.to_dict()))
    folder = run / "evaluation" / "contexts"
    folder.mkdir()
    pd.DataFrame([row("all", "all", 0.87)]).to_csv(folder / "summary.csv", index=False)
    rule = {"by": "with attractors", "group": "all", "items": 1886, "accuracy": 0.66, "rule": 0.589}
    rule |= {"difference": 0.071, "difference_low": 0.04, "difference_high": 0.1}
    pd.DataFrame([rule]).to_csv(folder / "rule.csv", index=False)
    (run / "evaluation" / "text").mkdir()
    (run / "evaluation" / "text" / "perplexity.csv").write_text(
        "words,unknown,loss,perplexity\n5000,0.03,4.3,73.7\n"
    )
    text = tg.export.card(run, about="Books by the sea.")
    assert "is 73.7 (5,000 words and punctuation marks, 3.0 % of them unknown)" in text
    assert "textgate train RUN --preset text --data novels.txt" in text
    assert "\nBooks by the sea.\n" in text
    assert "| contexts |  | 1,200 | 87.0 %" in text
    assert "| with attractors | all | 1,886 | 66.0 | 58.9 | +7.1 (4.0 to 10.0) |" in text
    assert "US birth records" not in text  # what only the generated data have
    assert "the constructions and words of training" not in text


def test_a_run_without_an_evaluation_has_no_card(run):
    (run / "evaluation" / "pronoun_agreement-test" / "summary.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"textgate evaluate.*Received: "):
        tg.export.card(run)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(),
        Recipe(**presets.PRESETS["text"]),
        Recipe(**{**presets.PRESETS["text"], "data": ("a b.txt", "c/*.txt"), "seed": 2}),
        Recipe(units=(32, 16), tied=True, learning_rate=2e-3, validate=10, dropout=0.25, epochs=2),
        Recipe(vocabulary=500, data="text.txt", validation="other.txt", running=True, wrapped=True),
    ],
)
def test_the_command_gives_the_recipe_again(recipe, monkeypatch, tmp_path):
    import shlex
    import sys

    from textgate import cli

    given = []

    def train(recipe, run, **options):
        given.append((recipe, str(run)))

    monkeypatch.setattr("textgate.training.train", train)
    command = shlex.split(command_of(recipe.to_dict(), "runs/r"))
    monkeypatch.setattr(sys, "argv", [*command, "--quiet"])
    with pytest.raises(SystemExit):
        cli.main()
    assert given == [(recipe, "runs/r")]


def test_what_has_no_option_is_given_in_python():
    command = command_of(Recipe(warmup=5, cell="gru").to_dict())
    expected = "textgate.training.train(textgate.training.Recipe(cell='gru', warmup=5), 'RUN')"
    assert command == expected
