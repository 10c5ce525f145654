"""Counterparts: the same sentence about the other gender, of another number, in the other tense.

An intervention needs a second run to take values from, that differs from the first in one thing
only. All of a generated sentence but its antecedent is drawn before the class is, so its
counterpart is the same sentence with another antecedent of as many words:

- a noun becomes its partner (*the actress*, *the actor*), a title likewise;
- a name becomes the name of like rank among the other sex's, by births: how well a model knows a
  name depends on how often it is read;
- a noun of either gender stays, and so does a name of both sexes: the pronoun that settles it
  changes.

Where there is no such sentence (another referent bears the name; *a few girls* has no singular of
as many words), there is no counterpart.
"""

import dataclasses
import functools

from textgate.datasets import lexicon
from textgate.datasets import tables as _tables
from textgate.datasets._grammar import Item, capitalized
from textgate.datasets._phrases import FIRST_NAMED, article
from textgate.datasets.lexicon import GENDERS, OTHER_TENSE, PRONOUNS

_OTHER_GENDER = dict(zip(GENDERS, reversed(GENDERS), strict=True))
_TITLES = {
    "Miss": "Lord",
    "Lady": "Lord",
    "Aunt": "Uncle",
    "Lord": "Lady",
    "Sir": "Uncle",
    "Uncle": "Aunt",
}
# Determiners of as many words in the other number.
_MANY = {
    "the": "the",
    "this": "these",
    "that": "those",
    "a": "some",
    "an": "some",
    "some": "several",
    "one": "two",
    "every": "most",
    "each": "many",
    "another": "three",
    "no": "no",
    "my": "my",
    "your": "your",
    "our": "our",
}
_ONE = {
    "the": "the",
    "these": "this",
    "those": "that",
    "some": "one",
    "many": "each",
    "most": "every",
    "two": "one",
    "three": "another",
    "several": "some",
    "my": "my",
    "your": "your",
    "our": "our",
}


@functools.cache
def names() -> dict[str, str]:
    """Return the counterpart of every name of one sex.

    The k-th of the F feminine names goes with the (k·M/F)-th of the M masculine ones, and each of
    these with the first feminine name that goes with it; reserved names keep to themselves.
    """
    partners = {}
    rows = _tables.read("first_names")
    for reserved in (False, True):
        ranked = {
            sex: sorted(
                (row for row in rows if row["sex"] == column and _reserved(row) == reserved),
                key=lambda row: (-int(row[row["sex"]]), row["name"]),
            )
            for sex, column in (("feminine", "female"), ("masculine", "male"))
        }
        feminine, masculine = ranked["feminine"], ranked["masculine"]
        for k, row in reversed(list(enumerate(feminine))):
            partner = masculine[k * len(masculine) // len(feminine)]["name"]
            partners[row["name"]] = partner
            partners[partner] = row["name"]
    return partners


def _reserved(row: dict[str, str]) -> bool:
    return lexicon.is_reserved(row["name"], int(row[row["sex"]]))


@functools.cache
def _nouns() -> dict[str, str]:
    partners = {}
    for row in _tables.read("nouns_gendered"):
        partners[row["feminine"]] = row["masculine"]
        partners[row["masculine"]] = row["feminine"]
    return partners


@functools.cache
def _numbers() -> dict[str, str]:
    """Return the plural of every singular noun, and the other way round."""
    forms = {}
    for row in _tables.read("nouns_gendered"):
        for sex in ("feminine", "masculine"):
            forms[row[sex]] = row[f"{sex}_plural"]
    for table in ("nouns_neutral", "nouns_neuter"):
        forms.update({row["noun"]: row["plural"] for row in _tables.read(table)})
    return forms | {plural: singular for singular, plural in forms.items()}


def counterparts() -> dict[str, str]:
    """Return the counterpart of each word about a woman or a man, as *he* for *she*.

    Pronouns, names and nouns in lower case but for names. Where a form has two counterparts (*her*
    is *him* or *his*), it has that which is more frequent, the possessive one.

    Example:

    >>> from textgate import datasets
    >>> words = datasets.counterparts()
    >>> words["she"], words["actor"], words["her"]
    ('he', 'actress', 'his')
    """
    feminine, masculine = (PRONOUNS[gender] for gender in GENDERS)
    pronouns = {}
    for form in ("subject", "object", "possessive", "reflexive"):
        pronouns[feminine[form]] = masculine[form]
        pronouns[masculine[form]] = feminine[form]
    return names() | _nouns() | pronouns


def _replaced(item: Item, words: tuple[str, ...] | None, lexeme: str, gender: str) -> Item | None:
    """Return an item with other words (as many) for its antecedent."""
    old = item.phrase.words
    if words is None or len(words) != len(old):
        return None
    elsewhere = {word for i, word in enumerate(item.words) if i not in item.antecedent}
    changed = {word for word, before in zip(words, old, strict=True) if word != before}
    if changed & elsewhere - {"the", "a", "an", "some"}:
        return None  # somebody else bears the name
    sentence = list(item.words)
    for index, word in zip(item.antecedent, words, strict=False):
        sentence[index] = word
    return dataclasses.replace(
        item,
        words=capitalized(sentence),
        gender=gender,
        phrase=dataclasses.replace(item.phrase, words=words, lexeme=lexeme),
    )


def of_tense(item: Item) -> Item:
    """Return a sentence of tense agreement in the other tense."""
    assert item.other_tense is not None
    words = list(item.words)
    for index, word in zip(item.antecedent, item.other_tense.words, strict=True):
        words[index] = word
    words[item.target] = item.swapped
    return dataclasses.replace(
        item,
        words=capitalized(words),
        swapped=item.words[item.target],
        tense=OTHER_TENSE[item.tense],
        phrase=item.other_tense,
        other_tense=item.phrase,
    )


def _noun(item: Item, partner: str | None) -> tuple[str, ...] | None:
    """Return the antecedent's words with the noun's partner in place of it."""
    words, noun = item.phrase.words, item.phrase.lexeme.split()
    if partner is None or len(partner.split()) != len(noun):
        return None
    words = (*words[: len(words) - len(noun)], *partner.split())
    return article(("a", *words[1:])) if words[0] == "an" else article(words)


def of_gender(item: Item) -> Item | None:
    """Return the sentence with the other gender: feminine for masculine, masculine for feminine.

    Returns:
        The counterpart, with its own target; None if there is none, or if the antecedent is
        neither feminine nor masculine.

    Example:

    >>> from textgate.datasets import _counterparts as counterparts
    >>> from textgate.datasets import _pronoun_items as pronoun_items
    >>> found = (counterparts.of_gender(item) for item in pronoun_items.items("test", size=8))
    >>> {item.words[item.target].lower() for item in found if item} <= {
    ...     "he", "him", "his", "himself", "she", "her", "herself",
    ... }
    True
    """
    gender = _OTHER_GENDER.get(item.gender)
    if gender is None:
        return None
    phrase = item.phrase
    words: tuple[str, ...] | None = phrase.words
    lexeme = phrase.lexeme
    if phrase.kind == "pronoun":
        lexeme = PRONOUNS[gender]["subject"]
        words = (lexeme,)
    elif phrase.kind == "name":
        lexeme = names()[phrase.lexeme]
        words = (lexeme,)
    elif phrase.kind == "title":
        title, name = phrase.words
        lexeme = _TITLES[title]
        words = (lexeme, names()[name] if title in FIRST_NAMED else name)
    elif phrase.kind == "noun":
        lexeme = _nouns()[phrase.lexeme]
        words = _noun(item, lexeme)
    other = _replaced(item, words, lexeme, gender)
    if other is None:
        return None
    forms = [*zip(item.antecedent[len(phrase.words) :], item.settled, strict=True)]
    for index, form in [*forms, (item.target, item.form)]:
        old, new = other.words[index], PRONOUNS[gender][form]
        other.words[index] = new.capitalize() if old[0].isupper() else new
    return other


def of_number(item: Item) -> Item | None:
    """Return a sentence of number agreement with its subject in the other number.

    Only the words up to the target are those of an English sentence: what agrees after it stays.

    Returns:
        The counterpart, its target the verb in the other number; None if there is none.
    """
    phrase = item.phrase
    gender = "neuter" if item.gender == "they" else "they"
    partner = _numbers().get(phrase.lexeme)
    determiners = _ONE if item.gender == "they" else _MANY
    words = _noun(item, partner)
    determiner = determiners.get(phrase.words[0].lower()) if phrase.words else None
    same = partner == phrase.lexeme  # one deer, two deer
    if words is None or determiner is None or same or phrase.words[1] == "other":
        return None
    assert partner is not None  # _noun is None without it
    other = _replaced(item, article((determiner, *words[1:])), partner, gender)
    if other is not None:
        other.words[item.target] = item.swapped
    return other
