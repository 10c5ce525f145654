"""The tables of words: how rich they are, and that they hold together."""

import random
import subprocess
import sys
from collections import Counter

import pytest

from textgate.datasets import _generated as generated
from textgate.datasets import _grammar as grammar
from textgate.datasets import lexicon
from textgate.datasets import tables as _tables


def test_names_follow_the_rule_on_births():
    rows = _tables.read("first_names")
    sexes = Counter(row["sex"] for row in rows)
    assert sexes["female"] >= 800
    assert sexes["male"] >= 800
    for row in rows:
        female, male = int(row["female"]), int(row["male"])
        assert female + male >= 10_000 or int(row["born_to_1930"]) >= 2_000
        minority = min(female, male) / (female + male)
        if minority >= 0.02:
            assert row["sex"] == "both"
        else:
            assert row["sex"] == ("female" if female > male else "male")


def test_names_of_both_sexes_are_drawn_in_proportion():
    shared = lexicon.load().shared_names
    rows = {row["name"]: row for row in _tables.read("first_names")}
    rng = random.Random(0)
    draws = {sex: Counter(shared[sex].draw(rng) for _ in range(200_000)) for sex in shared}
    total = {sex: shared[sex]._cumulative[-1] for sex in shared}
    for name in ("Jordan", "Casey", "Willie"):
        female, male = (
            draws[sex][name] / 200_000 * total[sex] for sex in ("feminine", "masculine")
        )
        row = rows[name]
        share = int(row["female"]) / (int(row["female"]) + int(row["male"]))
        assert female / (female + male) == pytest.approx(share, abs=0.05)


def test_there_are_enough_verbs_and_constructions():
    used = {row["verb"] for row in _tables.read("predicates")}
    verbs = {row["verb"] for row in _tables.read("verbs")}
    assert used <= verbs
    assert len(used) >= 300
    patterns = {template.pattern for template in grammar.templates()}
    assert len(patterns) == len(grammar.templates())
    assert sum(template.use in ("train", "unseen") for template in grammar.templates()) >= 60


def test_training_text_has_four_thousand_words():
    words = Counter(
        word.strip(".,?").lower()
        for text in generated.sentences("pronoun_agreement", "train")
        for word in text.split()
    )
    assert len([word for word, count in words.items() if count >= 2]) >= 4_000


@pytest.mark.parametrize("table", ["nouns_gendered", "nouns_neuter", "nouns_neutral", "verbs"])
def test_no_entry_stands_twice(table):
    firsts = [next(iter(row.values())) for row in _tables.read(table)]
    assert len(firsts) == len(set(firsts))


def test_gendered_lists_do_not_meet():
    gendered = _tables.read("nouns_gendered")
    feminine = {row["feminine"] for row in gendered}
    masculine = {row["masculine"] for row in gendered}
    neutral = {row["noun"] for row in _tables.read("nouns_neutral")}
    neuter = {row["noun"] for row in _tables.read("nouns_neuter")}
    assert not feminine & masculine
    assert not (feminine | masculine) & (neutral | neuter)
    assert not neutral & neuter


def test_the_room_is_light():
    code = (
        "import sys, textgate.datasets; from textgate.datasets import minimal_pairs, sentences; "
        "sentences('pronoun_agreement', 'test', size=4); "
        "assert not {'tensorflow', 'keras', 'tensorflow_datasets'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
