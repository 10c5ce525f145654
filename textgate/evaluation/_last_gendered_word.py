"""A rule that needs no model: the gender of the last gendered word before the pronoun.

Most pronouns in running text take the gender of whatever gendered word came last, so that a model
may look good on contexts with a gold pronoun and have learned nothing but that. What it knows
beyond shows where it beats this rule, above all where somebody else stands between (attractors).

Gendered words are the pronouns, the titles (*Mrs*, *Sir*), and the gendered nouns of the lexicon in
`data/`, in the singular and the plural. First names are not: the rule knows a list of words, no
people. Where no such word was said, it answers *he*, which English novels use more often.
"""

import functools
from collections.abc import Sequence
from typing import Any

import pandas as pd

from textgate.datasets import tables as _tables
from textgate.datasets.lexicon import GENDERS, PRONOUNS
from textgate.datasets.words import split

DEFAULT = "masculine"
_REQUIRED = ("prefix", "good_class")
_MORE_PRONOUNS = {"feminine": ("hers",), "masculine": ()}
# Written so; small, "miss" is a verb and "sir" the same word.
_TITLES = {
    "feminine": ("Mrs", "Miss", "Misses", "Ms", "Madam", "Madame", "Ma'am", "Mademoiselle", "Dame"),
    "masculine": ("Mr", "Mister", "Messrs", "Sir", "Sirs", "Monsieur", "Lord", "Lords", "Master"),
}
_SMALL = {"feminine": ("madam", "ma'am"), "masculine": ("sir", "sirs", "lord", "lords")}


@functools.cache
def gendered_words() -> dict[str, str]:
    """Return the words of the rule with their genders; titles with a capital, all else small.

    Example:

    >>> words = gendered_words()
    >>> words["actress"], words["kings"], words["Mrs"], words["himself"]
    ('feminine', 'masculine', 'feminine', 'masculine')
    """
    words: dict[str, str] = {}
    for row in _tables.read("nouns_gendered"):
        for gender in GENDERS:
            for form in (row[gender], row[f"{gender}_plural"]):
                words[split(form)[-1].lower()] = gender  # "twin sister", "ex-wife"
    for gender in GENDERS:
        forms = (*PRONOUNS[gender].values(), *_MORE_PRONOUNS[gender])
        words |= dict.fromkeys((*forms, *_TITLES[gender], *_SMALL[gender]), gender)
    return words


def last_gendered_word(contexts: pd.DataFrame) -> pd.DataFrame:
    """Answer contexts with a gold pronoun by the gender of the last gendered word before it.

    Args:
        contexts: One row a context, as from `textgate.datasets.minimal_pairs` or
            `textgate.evaluation.pronouns`: the text before the pronoun, `prefix`, and the gender
            that is right, `good_class` ("feminine" or "masculine").

    Returns:
        The rows, in their order and with their columns, and `rule_word` (the word that the rule
        goes by; "" if there is none), `rule_class` (its gender, "masculine" without one) and
        `rule_correct`.

    Raises:
        ValueError: If a column is missing, or a context's gender is another.

    Example:

    >>> contexts = pd.DataFrame({
    ...     "prefix": ["Mrs Dale met the king and shook", "The old actress lost"],
    ...     "good_class": ["feminine", "feminine"],
    ... })
    >>> last_gendered_word(contexts)[["rule_word", "rule_correct"]].values.tolist()
    [['king', False], ['actress', True]]
    """
    missing = [name for name in _REQUIRED if name not in contexts]
    if missing:
        raise ValueError(
            f"contexts need the columns {' and '.join(_REQUIRED)}; {missing[0]!r} is missing. "
            f"Received: columns {list(contexts.columns)}"
        )
    other = sorted({str(name) for name in contexts["good_class"]} - set(GENDERS))
    if other:
        raise ValueError(
            f"the rule tells {' from '.join(GENDERS)}; leave other rows out. "
            f"Received: good_class={other[0]!r}"
        )
    last = [_last(split(prefix)) for prefix in contexts["prefix"]]
    words = gendered_words()
    answers = [_gender(words, word) or DEFAULT for word in last]
    right: Sequence[Any] = contexts["good_class"].tolist()
    return contexts.assign(
        rule_word=last,
        rule_class=answers,
        rule_correct=[one == other for one, other in zip(answers, right, strict=True)],
    )


def _last(words: Sequence[str]) -> str:
    known = gendered_words()
    return next((word for word in reversed(words) if _gender(known, word)), "")


def _gender(known: dict[str, str], word: str) -> str | None:
    return known.get(word) or known.get(word.lower())
