"""The study: its directory, what is done is not done again, findings that the data carry."""

import dataclasses
import json
import sys

import numpy as np
import pandas as pd
import pytest

import textgate as tg
from textgate import cli
from textgate._files import CannotWriteError
from textgate.report import read, three_lines
from textgate.study import Settings, study
from textgate.study import _gallery as gallery
from textgate.study import _model_stages as model_stages
from textgate.study._commands import commands
from textgate.study._corpus_check import pronouns_in
from textgate.study._default_gender import default_gender
from textgate.study._mechanics import _retention
from textgate.study._model_stages import ModelStages
from textgate.study._pairs import first_pairs

pytestmark = pytest.mark.tensorflow_only

SMALL = {"units": (4,), "embedding": 4, "epochs": 1, "batch_size": 16, "running": False,
         "sampled": None, "unknown": 0.0, "dropout": 0.0, "warmup": 0}  # fmt: skip
NAMES = {"her": ("Mary", "Anna", "Linda"), "his": ("John", "Peter", "James")}
ENDS = ("way .", "temper .", "own dog .")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    lines = [
        f"{name} {middle} {form} {end}"
        for form, names in NAMES.items()
        for name in (*names, "She" if form == "her" else "He")
        for middle in ("came out and lost", "played with", "lost")
        for end in ENDS
    ]
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("\n".join(lines * 3) + "\n")
    return path


@pytest.fixture(scope="module")
def few():
    """Fewer items everywhere, for the whole module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_stages, "_ON_TEXT", 24)
        patch.setattr(model_stages, "_TEXTS", 12)
        patch.setattr(model_stages, "_PAIRS", 60)
        patch.setattr(model_stages, "GENERATED", (("pronoun_agreement", "test", None),))
        patch.setattr(model_stages, "_HELD", 8)
        yield


@pytest.fixture(scope="module")
def done(text, few, tmp_path_factory):
    """A finished study of a model that can't have learned anything."""
    place = tmp_path_factory.mktemp("work") / "runs" / "small"
    pairs = text.parent / "pairs.csv"
    rows = ["prefix,good,bad"]
    rows += [
        f"{name} lost,{f},{'his' if f == 'her' else 'her'}" for f in NAMES for name in NAMES[f]
    ]
    pairs.write_text("\n".join(rows) + "\n")
    settings = Settings(
        text=(str(text),), validation=(str(text),), pairs=(str(pairs),), recipe=SMALL
    )
    return place, settings, study(place, settings, progress=False)


def test_it_writes_everything_into_its_directory(done):
    place, _, findings = done
    assert sorted(path.name for path in place.parent.parent.rglob("*") if path.is_dir())
    assert [path.name for path in place.parent.iterdir()] == ["small"]
    for cell in ("lstm", "gru"):
        for name in (
            *("model.keras", "evaluation/pairs/summary.csv", "evaluation/text/perplexity.csv"),
            *("gallery/sentences.csv", "gallery/traces.zarr", "mechanics/ledger.csv"),
            *("mechanics/gradients.csv", "mechanics/held_gates.csv", "saved_model/saved_model.pb"),
        ):
            assert (place / cell / name).exists(), name
    assert not [p.name for p in place.rglob("*") if p.name.endswith(".partial")]
    assert [model.name for model in findings.models] == ["lstm", "gru"]
    assert findings.models[0].config["parameters"] == tg.load(place).count_params()
    assert tg.load(place).cell == "lstm"


def test_it_claims_nothing_that_the_data_do_not_carry(done):
    place, _, findings = done
    page = (place / "report.html").read_text(encoding="utf-8")
    assert "It has not learned the agreement" in page
    for model in findings.models:
        assert model.finding is None
        assert "has not learned agreement" in model.skipped["units"]
    lines = three_lines(findings)
    assert len(lines) == 3
    assert "not learned" in lines[0]
    assert "not looked for" in lines[1]


def test_the_command_says_what_was_found_and_where_the_page_is(done, monkeypatch, capsys):
    place, _, findings = done
    monkeypatch.setattr("textgate.study.study", lambda *_, **__: findings)
    assert run(monkeypatch, "study", place) == 0
    assert capsys.readouterr().out.splitlines() == [
        *three_lines(findings), str(place / "report.html")
    ]  # fmt: skip


def test_what_is_done_is_not_done_again(done, capsys):
    place, settings, _ = done
    model = place / "lstm" / "model.keras"
    before = model.stat().st_mtime_ns
    study(place, settings)
    said = capsys.readouterr().err
    assert model.stat().st_mtime_ns == before
    assert said.count("done before") == 1 + 6 * 2  # the data, and six stages of two models
    (place / "gru" / "evaluation" / "pairs" / "summary.csv").unlink()
    study(place, settings, ["evaluate"])
    said = capsys.readouterr().err
    assert "evaluate lstm: done before" in said
    assert "evaluate gru …" in said


def test_the_report_is_rebuilt_from_the_disk(done, monkeypatch, capsys):
    place, *_ = done
    (place / "report.html").unlink()
    assert run(monkeypatch, "report", place) == 0
    assert (place / "report.html").is_file()
    # One run alone has a report, too.
    assert run(monkeypatch, "report", place / "gru") == 0
    assert "GRU" in (place / "gru" / "report.html").read_text(encoding="utf-8")
    for name in ("report.html", "tables"):
        path = place / "gru" / name
        path.unlink() if path.is_file() else None
    capsys.readouterr()


def test_the_texts_for_validation_and_for_the_perplexity_are_apart(text, few, tmp_path):
    """The one goes into the recipe, and its command; the other is only measured."""
    settings = Settings(
        text=(str(text),), validation=("v.txt",), test=("other.txt",), cells=("gru",)
    )
    assert settings.recipe_of("gru").validation == "v.txt"
    assert "--validation v.txt" in commands(settings, tmp_path)[1]
    assert "other.txt" not in str(settings.recipe_of("gru")) + commands(settings, tmp_path)[1]
    assert "--test other.txt" in settings.command(tmp_path)
    assert Settings(validation=("v.txt",)).recipe_of("lstm").validation is None  # generated data
    tokenizer = tg.tokenizers.WordTokenizer.train(["Mary lost her way ."])
    short = tmp_path / "short.txt"
    short.write_text("Mary lost her way .\n")
    words = []
    for test in ((), (str(short),)):
        chosen = dataclasses.replace(settings, validation=(str(text),), test=test)
        model = ModelStages(chosen, tmp_path, "gru", False)
        model._lm = tg.models.LanguageModel(tokenizer, cell="gru", units=3, seed=0)
        model._perplexity(tmp_path)
        words.append(int(pd.read_csv(tmp_path / "text" / "perplexity.csv")["words"].iloc[0]))
    assert words[0] > 100 > words[1] > 0


def test_other_settings_and_other_directories_are_refused(done, tmp_path):
    place, settings, _ = done
    with pytest.raises(FileExistsError, match="its seed is 0, not 1"):
        study(place, Settings(text=settings.text, pairs=settings.pairs, recipe=SMALL, seed=1,
                              validation=settings.validation))  # fmt: skip
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(FileExistsError, match=r"thesis\.doc"):
        study(tmp_path, settings, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.doc"]


def test_a_mistyped_path_leaves_the_directory_free(tmp_path):
    place = tmp_path / "new"
    with pytest.raises(FileNotFoundError, match=r"nothing\.txt"):
        study(place, Settings(text=("nothing.txt",)), progress=False)
    assert study(place, Settings(seed=1), ["data"], progress=False) is None
    with pytest.raises(FileExistsError, match="its seed is 1, not 2"):
        study(place, Settings(seed=2), progress=False)
    assert json.loads((place / "study.json").read_text())["seed"] == 1


def test_a_stage_needs_the_one_before(tmp_path):
    with pytest.raises(FileNotFoundError, match="do the stage 'train' before"):
        study(tmp_path / "new", Settings(), ["evaluate"], progress=False)


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["textgate", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return left.value.code or 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cells", "lstm,transformer"], "a study is of one or more of the cells"),
        (["--cells", ""], "a study is of one or more of the cells"),
        (["--preset", "huge"], "presets are"),
        (["--stage", "dream"], "the stages are"),
        (["--text", "nothing.txt"], "nothing.txt"),
        (["--pairs", "nothing.csv"], "nothing.csv"),
    ],
)
def test_wrong_options_give_one_line(monkeypatch, tmp_path, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "study", "new", "--quiet", *arguments) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.rglob("model.keras"))


def test_text_without_pronouns_is_refused(tmp_path, monkeypatch, capsys):
    path = tmp_path / "stones.txt"
    path.write_text("A stone lies by the road and he sees it .\n" * 80)
    assert run(monkeypatch, "study", tmp_path / "new", "--text", path, "--quiet") == 2
    assert "hardly any feminine pronouns (0 in" in capsys.readouterr().err


def test_pronouns_are_counted(text):
    table = pronouns_in([str(text)]).set_index("form")
    assert table.loc["her", "count"] == 4 * 9 * 3
    assert table.loc["she", "count"] == 9 * 3
    assert table.loc["herself", "count"] == 0
    assert (table["words"] == table["words"].iloc[0]).all()


# -- stages -------------------------------------------------------------------------------------


def test_a_model_of_text_that_knows_no_gendered_word_has_its_mechanics_all_the_same(
    few, tmp_path, monkeypatch
):
    monkeypatch.setattr(model_stages, "SPLIT_SIZE", 20)
    tokenizer = tg.tokenizers.WordTokenizer.train(
        ["the dog slept .", "a cat saw her and his dog ."]
    )
    model = ModelStages(Settings(text=("x.txt",)), tmp_path, "lstm", progress=False)
    model._lm = tg.models.LanguageModel(tokenizer, units=4, seed=0)
    with pytest.raises(ValueError, match="Received"):
        model.pairs()
    model._measure()
    assert (tmp_path / "lstm" / "mechanics" / "saturation.csv").is_file()


def test_units_that_hold_gender_are_those_that_carry_it(tmp_path, monkeypatch):
    model = ModelStages(Settings(text=("x.txt",)), tmp_path, "lstm", progress=False)
    finding = {"sufficient": [8, 35], "necessary": [4, 8, 35]}
    monkeypatch.setattr(ModelStages, "finding", lambda self: finding)
    assert model.holding_units() == (8, 35, 4)  # a finding of before
    finding["carriers"] = [8, 35]
    assert model.holding_units() == (8, 35)


def test_a_full_disk_is_no_reason_to_leave_something_out(done, monkeypatch):
    place, settings, _ = done
    model = ModelStages(settings, place, "gru", progress=False)
    before = (place / "gru" / "skipped.json").read_text()

    def full():
        raise OSError(28, "No space left on device")

    with pytest.raises(CannotWriteError, match="No space left"):
        model._try("probes", full)
    assert (place / "gru" / "skipped.json").read_text() == before

    def impossible():
        raise ValueError("too few items. Received: 3")

    model._try("export", impossible)
    assert json.loads((place / "gru" / "skipped.json").read_text())["export"].startswith("too few")
    model._try("export", lambda: None)
    assert (place / "gru" / "skipped.json").read_text() == before


# -- what is measured -----------------------------------------------------------------------------


def test_twins_are_word_for_word_as_long():
    patterns = [pattern for group in gallery.OWN.values() for pattern in group]
    assert len(patterns) >= 20
    for pattern in patterns:
        text, twin, good, bad = gallery.twins(pattern)
        assert text != twin
        assert len(text.split()) == len(twin.split())
        assert good != bad
        assert (good in text.lower()) == (bad in twin.lower()) == True  # noqa: E712


def test_the_gallery_keeps_to_words_that_the_model_knows(done):
    place, *_ = done
    rows = read(place).models[0].sentences
    lm = tg.load(place)
    assert rows["text"].iloc[0] == "She came out and played with her dog."
    for row in rows.to_dict("records"):
        here, there = (lm.tokens([row[name]])[0] for name in ("text", "twin"))
        assert here[row["target"]] == row["good"]
        assert there[row["target"]] == row["bad"]
    # Mary and John are known, the queen and the king are not.
    assert "Mary came out and played with her dog." in set(rows["text"])
    assert not rows["text"].str.contains("queen lost").any()
    chance = lm.next_logprobs(["Mary came out and played with"])[0]
    ids = lm.tokenizer.tokens_to_ids(["her", "his"])
    her, his = np.exp(chance[ids])
    mary = rows[rows["text"] == "Mary came out and played with her dog."].iloc[0]
    assert mary["p_good"] == pytest.approx(her / (her + his), abs=1e-4)


class Oracle:
    """Says he after a man, she after a woman, and he in three of four cases else."""

    def __init__(self):
        self.tokenizer = tg.tokenizers.WordTokenizer(
            [
                "The",
                "actress",
                "queen",
                "actor",
                "king",
                "doctor",
                "teacher",
                "lost",
                "his",
                "her",
                "he",
                "she",
            ]
        )

    def next_logprobs(self, texts, batch_size=64):
        words = list(self.tokenizer.vocabulary)
        logs = np.full((len(texts), len(words)), np.log(1e-6))
        for row, text in enumerate(texts):
            he = 0.75
            if {"actress", "queen"} & set(text.split()):
                he = 0.1
            if {"actor", "king"} & set(text.split()):
                he = 0.9
            # The forms share what their gender has; so do they half of everything.
            for form, share in (("he", he / 4), ("his", he / 4), ("she", 1 - he), ("her", 0)):
                if form in ("he", "his"):
                    logs[row, words.index(form)] = np.log(share)
                elif share:
                    logs[row, words.index(form)] = np.log(share / 2)
        return logs


def test_the_default_gender_is_the_share_of_all_forms():
    table = default_gender(Oracle()).set_index("cue")
    assert table.loc["none", "masculine"] == pytest.approx(0.75, abs=1e-4)
    assert table.loc["feminine", "masculine"] == pytest.approx(0.1, abs=1e-4)
    assert table.loc["masculine", "masculine"] == pytest.approx(0.9, abs=1e-4)
    assert table["subjects"].tolist() == [2, 2, 2]
    # In log-odds a woman's word moves it by log(3 · 9), a man's by log(9 / 3).
    assert table["moved_feminine"].tolist() == pytest.approx([np.log(27)] * 3, abs=1e-3)
    assert table["moved_masculine"].tolist() == pytest.approx([np.log(3)] * 3, abs=1e-3)
    for name in ("asymmetry", "asymmetry_low", "asymmetry_high"):  # no subject differs
        assert table[name].tolist() == pytest.approx([np.log(9)] * 3, abs=1e-3)


def test_retention_is_the_mean_of_the_gate_at_its_places():
    items = first_pairs(tg.datasets.minimal_pairs("pronoun_agreement", "test", size=24), 6)
    tokenizer = tg.tokenizers.WordTokenizer.train(items["good"])
    lm = tg.models.LanguageModel(tokenizer, cell="gru", units=(5,), seed=1)
    table = _retention(lm, items, "gru", [1, 3]).set_index(["units", "place"])
    gates = tg.trace(lm, items["good"].tolist())["gru"]["update_gate"].values
    sums = {"antecedent": [], "between": []}
    for row, item in enumerate(items.to_dict("records")):
        first, target = item["antecedent_position"] + 1, item["target"] + 1
        sums["antecedent"].append(gates[row, first])
        sums["between"] += list(gates[row, first + 1 : target])
    for place, values in sums.items():
        mean = np.mean(values, axis=0)
        assert table.loc[("found", place), "retention"] == pytest.approx(
            mean[[1, 3]].mean(), abs=1e-5
        )
        assert table.loc[("other", place), "retention"] == pytest.approx(
            mean[[0, 2, 4]].mean(), abs=1e-5
        )
    assert isinstance(table, pd.DataFrame)
