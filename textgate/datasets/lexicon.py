"""The lexicon: pronouns, names, nouns and predicates of the generated data, from `data/`.

Four classes of antecedent are told apart by the pronoun they take: feminine (*she*), masculine
(*he*), neuter (*it*) and they (*they*). First names come with their births by sex (US Social
Security Administration); names borne by both sexes are kept apart as "both".

A small part of the names and nouns is *reserved* (`Lexicon.reserved`): training shows these in one
construction only and the split `test_lexemes` in all the others. They are chosen by a checksum of
the word, among names with fewer than 50,000 births.
"""

import bisect
import functools
import itertools
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from textgate.datasets import tables as _tables

GENDERS = ("feminine", "masculine")
CLASSES = (*GENDERS, "neuter", "they")
FORMS = ("subject", "object", "possessive", "reflexive")
NUMBERS = ("singular", "plural")
TENSES = ("past", "present")
OTHER_TENSE = dict(zip(TENSES, reversed(TENSES), strict=True))

# The pronoun of each class in each form.
PRONOUNS = {
    "feminine": {"subject": "she", "object": "her", "possessive": "her", "reflexive": "herself"},
    "masculine": {"subject": "he", "object": "him", "possessive": "his", "reflexive": "himself"},
    "neuter": {"subject": "it", "object": "it", "possessive": "its", "reflexive": "itself"},
    "they": {
        "subject": "they",
        "object": "them",
        "possessive": "their",
        "reflexive": "themselves",
    },
}

# The letters by which the table of predicates names the kinds of neuter nouns.
NEUTERS = {"o": "organization", "m": "machine", "a": "animal", "t": "thing"}
_SEX = {"feminine": "female", "masculine": "male"}
_FORM_COLUMNS = {
    "base": "verb",
    "pres": "third",
    "past": "past",
    "part": "participle",
    "ing": "ing",
}


class Weighted:
    """Words drawn in proportion to weights."""

    def __init__(self, words: Sequence[Any], weights: Sequence[float]):
        if not words:
            raise ValueError("A list of words must not be empty. Received: []")
        self.words = tuple(words)
        self._cumulative = list(itertools.accumulate(weights))

    def draw(self, rng: random.Random) -> Any:
        """Return one word."""
        point = rng.random() * self._cumulative[-1]
        return self._at(point)

    def deck(self, rng: random.Random, size: int) -> list[Any]:
        """Return `size` words in an order of chance, each as often as its weight says, or so.

        How often a word is in it differs from its share by less than one (systematic sampling).
        """
        start, step = rng.random(), self._cumulative[-1] / size
        words = [self._at((start + index) * step) for index in range(size)]
        rng.shuffle(words)
        return words

    def _at(self, point: float) -> Any:
        return self.words[min(bisect.bisect(self._cumulative, point), len(self.words) - 1)]


class Even(Weighted):
    """Words drawn with equal chances."""

    def __init__(self, words: Sequence[Any]):
        super().__init__(words, [1.0] * len(words))

    def draw(self, rng: random.Random) -> Any:
        """Return one word."""
        return self.words[int(rng.random() * len(self.words))]


@dataclass(frozen=True)
class Noun:
    """A noun: its singular, its plural, and the kind of its table."""

    singular: str
    plural: str
    kind: str


@dataclass(frozen=True)
class Predicate:
    """A verb with what follows it, up to the pronoun and after it."""

    forms: dict[str, str]  # base, pres, past, part, ing
    rest: tuple[str, ...]
    after: str
    after_plural: str
    is_copula: bool


@dataclass
class Pool:
    """What antecedents are drawn from: names and nouns of each class."""

    names: dict[str, Weighted] = field(default_factory=dict)
    nouns: dict[str, Even] = field(default_factory=dict)  # feminine, masculine
    neuters: dict[str, Even] = field(default_factory=dict)  # by kind
    neutral: Even = field(default_factory=lambda: Even(["?"]))


def is_reserved(word: str, births: int = 0) -> bool:
    """Say whether a word is kept for the split of lexemes in new constructions.

    Args:
        word: Name or noun.
        births: Of a name: how many bore it; 0 for a noun.
    """
    one_in = 32 if births else 16
    return births < 50_000 and zlib.crc32(f"reserved {word}".encode()) % one_in == 0


@dataclass(frozen=True)
class Lexicon:
    """All tables, ready to draw from. Made once by `load`."""

    common: Pool
    reserved: Pool
    shared_names: dict[str, Weighted]  # names of both sexes, in proportion to each sex's births
    surnames: Even
    lists: dict[str, Even]
    predicates: dict[str, dict[str, Even]]  # list -> kind of neuter -> predicates


def _names(rows: Sequence[dict[str, str]], column: str) -> Weighted:
    # Partly by the square root of the births, partly alike for all (1 to 3), so that common names
    # are common and rare ones are seen often enough to be learned.
    roots = [float(row[column]) ** 0.5 for row in rows]
    mean = sum(roots) / len(roots)
    return Weighted([row["name"] for row in rows], [root + 3.0 * mean for root in roots])


def _pool(keep: Any) -> Pool:
    names = _tables.read("first_names")
    gendered = _tables.read("nouns_gendered")
    pool = Pool()
    for sex in GENDERS:
        column = _SEX[sex]
        rows = [row for row in names if row["sex"] == column]
        kept = [row for row in rows if keep(row["name"], int(row[column]))]
        pool.names[sex] = _names(kept, column)
        nouns = [Noun(row[sex], row[f"{sex}_plural"], row["kind"]) for row in gendered]
        pool.nouns[sex] = Even([noun for noun in nouns if keep(noun.singular, 0)])
    for kind in NEUTERS.values():
        rows = [row for row in _tables.read("nouns_neuter") if row["kind"] == kind]
        nouns = [Noun(row["noun"], row["plural"], kind) for row in rows]
        pool.neuters[kind] = Even([noun for noun in nouns if keep(noun.singular, 0)])
    neutral = [Noun(row["noun"], row["plural"], "person") for row in _tables.read("nouns_neutral")]
    pool.neutral = Even([noun for noun in neutral if keep(noun.singular, 0)])
    return pool


def _predicates() -> dict[str, dict[str, Even]]:
    verbs = {row["verb"]: row for row in _tables.read("verbs")}
    lists: dict[str, dict[str, list[Predicate]]] = {}
    for row in _tables.read("predicates"):
        verb = verbs[row["verb"]]
        predicate = Predicate(
            forms={form: verb[column] for form, column in _FORM_COLUMNS.items()},
            rest=tuple(row["rest"].split()),
            after=row["after"],
            after_plural=row["after_plural"],
            is_copula=row["verb"] == "be",
        )
        kinds = lists.setdefault(row["list"], {})
        for letter in row["neuters"]:
            kinds.setdefault(NEUTERS[letter], []).append(predicate)
    return {
        name: {kind: Even(predicates) for kind, predicates in kinds.items()}
        for name, kinds in lists.items()
    }


@functools.cache
def load() -> Lexicon:
    """Read the tables of `data/` (once) and return the lexicon.

    Example:

    >>> import random
    >>> from textgate.datasets import lexicon
    >>> words = lexicon.load()
    >>> words.common.names["feminine"].draw(random.Random(0)) in words.common.names[
    ...     "feminine"
    ... ].words
    True
    """
    both = [row for row in _tables.read("first_names") if row["sex"] == "both"]
    lists: dict[str, list[str]] = {}
    for row in _tables.read("words"):
        lists.setdefault(row["list"], []).append(row["entry"])
    surnames = Even(lists.pop("surname"))
    return Lexicon(
        common=_pool(lambda word, births: not is_reserved(word, births)),
        reserved=_pool(is_reserved),
        shared_names={
            sex: Weighted(
                [row["name"] for row in both],
                [
                    float(row[column]) / (int(row["female"]) + int(row["male"])) ** 0.5
                    for row in both
                ],
            )
            for sex, column in _SEX.items()
        },
        surnames=surnames,
        lists={name: Even(entries) for name, entries in lists.items()},
        predicates=_predicates(),
    )
