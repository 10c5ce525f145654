"""Minimal pairs from files, from BLiMP and from the generator of number agreement."""

import gzip
import json
import random

import pandas as pd
import pytest

from textgate.datasets import _counterparts as counterparts
from textgate.datasets import _grammar as grammar
from textgate.datasets import _verb_agreement as verb_agreement
from textgate.datasets import lexicon, minimal_pairs, tables
from textgate.datasets import words as _words
from textgate.datasets.lexicon import CLASSES, TENSES


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def blimp_lines(*pairs):
    rows = [
        {"sentence_good": good, "sentence_bad": bad, "UID": "made_up", "pair_id": str(number)}
        for number, (good, bad) in enumerate(pairs)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_blimp_format(tmp_path):
    pairs = [
        ("Karen can't trust herself.", "Karen can't trust himself."),
        ("The boys sing.", "The boys sings loudly now."),
    ]
    found = minimal_pairs(write(tmp_path / "made.jsonl", blimp_lines(*pairs)))
    assert found.good.tolist() == [good for good, _ in pairs]
    assert found.bad.tolist() == [bad for _, bad in pairs]
    assert found.target.tolist() == [4, -1]
    assert found.good_class[0] == "feminine"
    assert found.bad_class[0] == "masculine"
    assert found.direction[0] == "she→herself"
    assert found.UID.tolist() == ["made_up", "made_up"]


@pytest.mark.parametrize("whole", [False, True])
def test_csv(tmp_path, whole):
    good, bad = ("himself", "herself")
    if whole:
        good, bad = f"Paul hurt {good}", f"Paul hurt {bad}"
    text = f'prefix,good,bad,source\n"Paul hurt",{good},{bad},mine\n'
    found = minimal_pairs(write(tmp_path / "made.csv", text))
    assert found.good[0] == "Paul hurt himself"
    assert found.bad[0] == "Paul hurt herself"
    assert found.target[0] == 2
    assert found.source[0] == "mine"


def test_contexts_with_a_gold_pronoun(tmp_path):
    path = tmp_path / "contexts.tsv.gz"
    text = (
        "doc\tpronoun\tgender\tnominal_tok_dist\tattractors\tprefix\tcontinuation\n"
        'book\ther\tf\t4\t1\tThe queen said " come " and took\tcrown .\n'
        "book\tHe\tm\t\t0\tThe king did n't sleep .\tsat .\n"
    )
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)
    found = minimal_pairs(str(path))
    assert found.good_class.tolist() == ["feminine", "masculine"]
    assert found.prefix[0] == 'The queen said " come " and took'
    assert found.target.tolist() == [8, 6]
    assert found.bad[1].endswith("She")
    assert found.distance[0] == 4
    assert found.attractors.tolist() == [1, 0]
    she = {"she", "her", "hers", "herself", "She", "Her", "Hers", "Herself"}
    assert set(found.good_forms[0]) == she == set(found.bad_forms[1])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "empty"),
        ("a.csv", "prefix,good\nI,am\n", "bad missing"),
        ("a.csv", "prefix,good,bad\n", "no rows"),
        ("a.csv", "prefix,good,bad\nPaul\n", "Line 2"),
        ("a.jsonl", "[1]\n", "Line 1"),
        ("a.jsonl", "{nonsense\n", "Line 1"),
        ("a.jsonl", '{"sentence_good": "x"}\n', "sentence_bad"),
        ("a.md", "hello\n", "ends in"),
        ("a.txt", "hello\n", "table without a heading"),
        ("a.txt", "A b\tsingular\tcorrect\tid1\n", "only 'A b' of 'id1'"),
        ("a.txt", "A b\tsingular\tcorrect\tid1\nA bs\tsingular\tid1\n", "Line 2.*4 cells"),
        ("a.txt", "A b\tsingular\tcorrect\tid1\n" * 2, "Line 2 is the second correct"),
        ("a.tsv", "prefix\tpronoun\tgender\nThe king\tshe\tm\n", "form of she"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, message):
    path = write(tmp_path / name, text)
    with pytest.raises(ValueError, match=message) as caught:
        minimal_pairs(path)
    assert "Received: " in str(caught.value)
    assert name in str(caught.value)


def test_every_column_of_blimp_is_kept_and_equal_sentences_are_pairs(tmp_path):
    known = {
        "sentence_good": "Paul hurt himself .",
        "sentence_bad": "Paul hurt herself .",
        "field": "morphology",
        "UID": "anaphor_gender_agreement",
        "simple_LM_method": True,
        "one_prefix_word_1": "himself",
        "lexically_identical": False,
        "pairID": "0",
    }
    same = known | {"sentence_bad": known["sentence_good"], "pairID": "1"}
    path = tmp_path / "blimp.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (known, same)), encoding="utf-8")
    pairs = minimal_pairs(path)
    assert pairs["pairID"].tolist() == ["0", "1"]
    for column in set(known) - {"sentence_good", "sentence_bad", "pairID"}:
        assert pairs[column].tolist() == [known[column]] * 2
    assert pairs["target"].tolist() == [2, -1]
    assert pairs["good"][1] == pairs["bad"][1] == known["sentence_good"]


NUMBER_TASK = """\
The baker near the carts sings\tsingular_plural\tcorrect\tid1
The baker near the carts sing\tsingular_plural\twrong\tid1
The bakers near the cart dances\tplural_singular\twrong\tid1
The bakers near the cart dance\tplural_singular\tcorrect\tid1
The woman near the cart sings\tsingular_singular\tcorrect\tid2
The woman near the cart sing\tsingular_singular\twrong\tid2
The women near the carts sing\tplural_plural\tcorrect\tid3
The women near the carts sings\tplural_plural\twrong\tid3
The fox near the cart hides\tsingular_singular\tcorrect\tid4
The fox near the cart hide\tsingular_singular\twrong\tid4
"""


@pytest.mark.parametrize("name", ["nounpp.txt", "nounpp.tsv"])
def test_number_tasks_have_no_heading_and_get_counterparts(tmp_path, name):
    pairs = minimal_pairs(write(tmp_path / name, NUMBER_TASK))
    assert pairs["good"].tolist()[:2] == [
        "The baker near the carts sings",
        "The bakers near the cart dance",
    ]
    assert pairs["bad"][1] == "The bakers near the cart dances"
    assert pairs["condition"].tolist()[:2] == ["singular_plural", "plural_singular"]
    assert pairs["id"].tolist() == ["id1", "id1", "id2", "id3", "id4"]
    assert pairs["good_class"].tolist() == ["singular", "plural", "singular", "plural", "singular"]
    assert (pairs["bad_class"] != pairs["good_class"]).all()
    assert pairs["target"].tolist() == [5] * 5
    # The subject alone is exchanged, and only where the file has its other number.
    assert pairs["counterpart_prefix"].tolist() == [
        "The bakers near the carts",
        "The baker near the cart",
        "The women near the cart",
        "The woman near the carts",
        "",
    ]
    assert pairs["lexeme"].tolist()[:4] == ["baker", "baker", "woman", "woman"]
    assert pairs["verbs"].tolist() == ["sing", "dance", "sing", "sing", "hide"]
    assert pairs["incongruent_attractors"].tolist() == [1, 1, 0, 0, 0]


def test_what_agrees_with_the_subject_changes_with_it(tmp_path):
    lines = [
        f"The {noun} that {verb} the {other} {main}\t{number}_{between}\t{verdict}\t{number}{i}"
        for number, nouns, verb in (
            ("singular", ("baker", "nurse"), "likes"),
            ("plural", ("bakers", "nurses"), "like"),
        )
        for i, noun in enumerate(nouns)
        for other, between in (("poet", "singular"), ("poets", "plural"))
        for main, verdict in (
            ("sings", "correct" if number == "singular" else "wrong"),
            ("sing", "wrong" if number == "singular" else "correct"),
        )
    ]
    pairs = minimal_pairs(write(tmp_path / "relative.txt", "\n".join(lines)))
    assert pairs["counterpart_prefix"][0] == "The bakers that like the poet"
    assert len(pairs) == 8
    assert (pairs["counterpart_prefix"] != "").all()


def test_binary_and_missing_files_are_named(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ValueError, match="UTF-8"):
        minimal_pairs(tmp_path / "a.csv")
    (tmp_path / "a.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="gzip"):
        minimal_pairs(tmp_path / "a.csv.gz")
    with pytest.raises(FileNotFoundError, match=r"Received: .*b\.jsonl"):
        minimal_pairs(tmp_path / "b.jsonl")


def test_unknown_sources_are_named():
    with pytest.raises(
        ValueError, match=r"number_agreement, pronoun_agreement, tense_agreement, .*Received"
    ):
        minimal_pairs("nothing")
    with pytest.raises(ValueError, match=r"blimp/CONFIG.*Received"):
        minimal_pairs("tfds:lm1b")
    with pytest.raises(ValueError, match=r"test_lexemes.*Received: split='dev'"):
        minimal_pairs("pronoun_agreement", split="dev")
    with pytest.raises(ValueError, match=r"train, validation, test.*Received: split='dev'"):
        minimal_pairs("tense_agreement", split="dev")
    with pytest.raises(ValueError, match="at least 1"):
        minimal_pairs("pronoun_agreement", size=0)


@pytest.mark.parametrize("source", sorted(verb_agreement.AGREEMENTS))
def test_verb_agreement_is_balanced_and_differs_in_the_verb(source):
    pairs = minimal_pairs(source, split="test")
    assert pairs.good_class.value_counts().nunique() == 1
    with_attractors = pairs[pairs.attractors > 0]
    share = with_attractors.incongruent_attractors.sum() / with_attractors.attractors.sum()
    assert share == pytest.approx(0.5, abs=0.04)
    for row in pairs.itertuples():
        good, bad = _words.split(row.good), _words.split(row.bad)
        assert good[row.target] != bad[row.target]
        assert good[: row.target] == bad[: row.target]
    texts = {
        split: {grammar.text_of(item.words) for item in verb_agreement.items(source, split)}
        for split in ("train", "validation", "test")
    }
    assert texts["test"] == set(pairs.good)
    assert not texts["train"] & texts["test"]
    assert not texts["train"] & texts["validation"]


def test_tense_is_told_before_the_verb_and_by_nothing_else():
    pairs = minimal_pairs("tense_agreement", split="test")
    forms = {(row["past"], row["third"]) for row in tables.read("verbs")}
    for row in tables.read("rules"):  # and those of rules: (began|begins) to leave
        if row["rule"] == "T:X" and "|" in row["expansion"]:
            past, present = row["expansion"].partition(")")[0].strip("(").split("|")
            forms.add((_words.split(past)[0], _words.split(present)[0]))
    for row in pairs.itertuples():
        good, bad = _words.split(row.good), _words.split(row.bad)
        both = good[row.target], bad[row.target]
        assert (both if row.good_class == "past" else both[::-1]) in forms
        # The counterpart tells the other tense in the same places, and is the same elsewhere.
        mine, other = _words.split(row.prefix), _words.split(row.counterpart_prefix)
        assert len(mine) == len(other) == row.target
        changed = [one for one, two in zip(mine, other, strict=True) if one != two]
        assert " ".join(changed) == row.antecedent
        assert row.distance <= row.target


def test_all_but_the_tense_is_drawn_before_it():
    templates = [template for template in grammar.templates() if template.use == "tense"]
    for number, template in enumerate(templates * 4):
        past, present = (
            grammar.Writer(lexicon.load(), random.Random(number)).write(
                template, CLASSES[number % 3], tense=tense
            )
            for tense in TENSES
        )
        assert past.words != present.words
        assert counterparts.of_tense(past) == present
        assert counterparts.of_tense(present) == past


def test_the_words_that_tell_the_tense_are_many():
    pairs = minimal_pairs("tense_agreement", split="test")
    told = pairs[pairs.antecedent_kind == "time"]
    assert 0.3 < len(told) / len(pairs) < 0.7
    assert told.lexeme.nunique() >= 30
    assert pairs[pairs.antecedent_kind == "verb"].lexeme.nunique() >= 80
    partners = set(zip(told.lexeme, told.counterpart_lexeme, strict=True))
    assert len(partners) == told.lexeme.nunique()  # each has one: else the halves would be linked
    assert partners == {(other, one) for one, other in partners}


def test_pairs_are_the_same_each_time():
    first, second = (minimal_pairs("pronoun_agreement", "test", size=50, seed=3) for _ in "ab")
    pd.testing.assert_frame_equal(first, second)


def test_positions_are_those_of_the_tokenizer():
    split = pytest.importorskip("textgate.tokenizers").split
    for text in (
        "The girl can't say it wasn't hers, can she?",
        "“Don’t!” said o'clock-watching O'Hara -- 'twas 3,000 miles... She's theirs.",
        "I should n't've gone; the girls' dogs 'll bark (or not): U.S. $5.50!",
        "He'd've done it ... the 1st ' time ' she n't .",
    ):
        assert len(_words.split(text)) == len(split(text)), text


def test_blimp_from_tfds(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    with pytest.raises(ValueError, match=r"anaphor_gender_agreement.*Received"):
        minimal_pairs("tfds:blimp/nothing", data_dir=tmp_path)
    with tfds.testing.mock_data(num_examples=3):
        found = minimal_pairs("tfds:blimp/anaphor_gender_agreement")
    assert len(found) == 3
    assert {"item", "good", "bad", "target", "UID"} <= set(found.columns)
    assert all(isinstance(text, str) for text in found.good)
