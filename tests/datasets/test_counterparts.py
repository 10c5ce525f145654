"""The same sentence with the other gender, and with a subject in the other number."""

import pytest

from textgate.datasets import _counterparts as counterparts
from textgate.datasets import _pronoun_items as pronoun_items
from textgate.datasets import lexicon, minimal_pairs
from textgate.datasets.lexicon import PRONOUNS
from textgate.datasets.words import split

SWAPPED = {"feminine": "masculine", "masculine": "feminine"}


@pytest.fixture(scope="module")
def items():
    return [
        item
        for part in ("test", "test_lexemes", "test_templates")
        for item in pronoun_items.items(part, size=1200)
    ]


def test_only_the_antecedent_and_its_pronouns_change(items):
    compared = 0
    for item in items:
        other = counterparts.of_gender(item)
        if other is None:  # neither gender, or somebody else bears the partner's name
            assert item.gender in ("neuter", "they") or item.others
            continue
        compared += 1
        assert other.gender == SWAPPED[item.gender]
        assert other.words[other.target].lower() == PRONOUNS[other.gender][item.form]
        mine = {*item.antecedent, item.target}
        for index, (old, new) in enumerate(zip(item.words, other.words, strict=True)):
            assert old == new or index in mine
        if item.phrase.kind not in ("neutral noun", "shared name"):
            assert item.phrase.lexeme != other.phrase.lexeme
        first, second = pronoun_items.positions(item), pronoun_items.positions(other)
        assert first[1] == second[1]
    assert compared > 1000


def test_the_antecedent_of_a_counterpart_has_its_gender(items):
    words = lexicon.load()
    bearers = {
        gender: {
            *words.common.names[gender].words,
            *words.reserved.names[gender].words,
            *(noun.singular for noun in words.common.nouns[gender].words),
            *(noun.singular for noun in words.reserved.nouns[gender].words),
        }
        for gender in SWAPPED
    }
    kinds = set()
    for item in items:
        other = counterparts.of_gender(item)
        if other and item.phrase.kind in ("name", "noun"):
            kinds.add(item.phrase.kind)
            assert other.phrase.lexeme in bearers[other.gender] - bearers[item.gender]
            assert other.phrase.lexeme in " ".join(other.words)
    assert kinds == {"name", "noun"}


def test_names_meet_in_small_groups():
    # Else a split of the items by name and counterpart would be no split at all.
    partners = counterparts.names()
    words = lexicon.load()
    for pool in (words.common, words.reserved):
        for sex, other in SWAPPED.items():
            assert {partners[name] for name in pool.names[sex].words} <= {*pool.names[other].words}
    groups = {}
    for name, partner in partners.items():
        groups.setdefault(frozenset((name, partner)), set()).add(name)
    masculine = set(words.common.names["masculine"].words)
    for name in masculine:
        assert sum(partner == name for partner in partners.values()) <= 2


def test_pairs_have_aligned_counterparts_between_the_two_genders_only():
    pairs = minimal_pairs("pronoun_agreement", "test", size=400)
    both = pairs.good_class.isin(SWAPPED) & pairs.bad_class.isin(SWAPPED)
    assert (pairs.counterpart[~both] == "").all()
    found = pairs[both & (pairs.counterpart != "")]
    assert len(found) > 0.9 * both.sum()
    for row in found.itertuples():
        good, bad, other = split(row.good), split(row.bad), split(row.counterpart)
        assert len(good) == len(other)
        assert len(split(row.prefix)) == len(split(row.counterpart_prefix)) == row.target
        assert other[row.target] == bad[row.target] != good[row.target]
        assert row.counterpart.startswith(row.counterpart_prefix)


def test_subjects_of_the_other_number():
    pairs = minimal_pairs("number_agreement", "test", size=400)
    found = pairs[pairs.counterpart_prefix != ""]
    assert len(found) > 300
    for row in found.itertuples():
        mine, other = split(row.prefix), split(row.counterpart_prefix)
        assert len(mine) == len(other) == row.target
        changed = [
            index for index, pair in enumerate(zip(mine, other, strict=True)) if len({*pair}) > 1
        ]
        assert 1 <= len(changed) <= 2  # the noun, and its determiner
        assert row.lexeme != row.counterpart_lexeme


def test_no_girl_is_not_negated_twice():
    negative = {"n't", "not", "never", "hardly", "cannot", "nothing", "nobody", "without"}
    seen = 0
    for item in pronoun_items.items("train", size=6000):
        if item.phrase.words[0] == "no":
            seen += 1
            assert not negative & {word.lower() for word in split(" ".join(item.words))}
    assert seen > 20
