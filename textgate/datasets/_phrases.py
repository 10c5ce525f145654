"""Noun phrases: the antecedent of a pronoun, and the other referents that stand around it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textgate.datasets.lexicon import GENDERS, PRONOUNS, Lexicon, Noun, Pool

# The share of pronouns where an antecedent may be one: from these few words a model learns first
# that there is an agreement.
_PRONOUNS = 0.5
# Determiners with their weights in the draw. "a" becomes "an" where it must.
_SINGULAR = (
    ("the", 10),
    ("a", 5),
    ("this", 2),
    ("that", 2),
    ("one", 1),
    ("some", 1),
)
_QUANTIFIED = ("every", "each", "no", "another")
_PLURAL = (
    ("the", 8),
    ("these", 2),
    ("those", 2),
    ("some", 2),
    ("many", 2),
    ("most", 1),
    ("all the", 1),
    ("two", 1),
    ("three", 1),
    ("several", 1),
    ("a few", 1),
    ("the other", 1),
)
_OWNERS = ("my", "your", "our")
_SINGULAR_DRAW = [word for word, weight in _SINGULAR for _ in range(weight)]
_PLURAL_DRAW = [word for word, weight in _PLURAL for _ in range(weight)]
_DEFINITE_PLURAL = ("the", "these", "those", "the", "the", "all the", "the other")
_TITLES = {"feminine": ("Miss", "Lady", "Aunt"), "masculine": ("Lord", "Sir", "Uncle")}
FIRST_NAMED = ("Aunt", "Uncle", "Sir")  # titles before a first name, not a surname
_ADJECTIVES = {
    "person": "person_adjective",
    "organization": "organization_adjective",
    "machine": "thing_adjective",
    "thing": "thing_adjective",
    "animal": "animal_adjective",
}


@dataclass(frozen=True)
class Phrase:
    """A noun phrase: its words, its kind, the word that makes it what it is."""

    words: tuple[str, ...]
    kind: str  # pronoun, name, shared name, title, noun, thing, group, neutral noun
    lexeme: str
    quantified: bool = False


def _pick(rng: random.Random, words: Sequence[str]) -> str:
    return words[int(rng.random() * len(words))]


def article(words: tuple[str, ...]) -> tuple[str, ...]:
    """Turn "a" before a vowel into "an"."""
    if words[0] != "a":
        return words
    follower = words[1]
    vowel = follower[0] in "aeiouAEIOU" and not follower.startswith(("uni", "use", "Eu"))
    silent = follower.startswith(("heir", "honest", "hour"))
    return ("an", *words[1:]) if vowel or silent else words


class Phrases:
    """Draws noun phrases from a lexicon.

    Args:
        lexicon: The lexicon.
        rng: Source of chance.
    """

    def __init__(self, lexicon: Lexicon, rng: random.Random):
        self.lexicon = lexicon
        self.rng = rng
        self._decks: dict[int, list[Any]] = {}

    def noun(
        self, noun: Noun, plural: bool = False, definite: bool = False, quantified: bool = False
    ) -> tuple[str, ...]:
        """Return determiner, perhaps an adjective, and the noun."""
        rng = self.rng
        if plural:
            determiner = _pick(rng, _DEFINITE_PLURAL if definite else _PLURAL_DRAW)
        elif quantified:
            determiner = _pick(rng, _QUANTIFIED)
        else:
            determiner = "the" if definite else _pick(rng, _SINGULAR_DRAW)
        if noun.kind == "kin" and not quantified and rng.random() < 0.8:
            spouse = noun.singular.endswith(("wife", "husband", "friend"))
            determiner = _pick(rng, _OWNERS[:2] if spouse and not plural else _OWNERS)
        words: tuple[str, ...] = tuple(determiner.split())
        if rng.random() < 0.2 and noun.kind != "kin":
            words += (self.lexicon.lists[_ADJECTIVES[noun.kind]].draw(rng),)
        return article(words + tuple((noun.plural if plural else noun.singular).split()))

    def name(self, sex: str, pool: Pool) -> str:
        """Return a first name, dealt from a shuffled deck.

        Draws that don't depend on each other would leave some rare names nearly out.
        """
        names = pool.names[sex]
        deck = self._decks.setdefault(id(names), [])
        if not deck:
            deck.extend(names.deck(self.rng, 2 * len(names.words)))
        return str(deck.pop())

    def antecedent(
        self, kind: str, gender: str, neuter: str, pool: Pool, quantified: bool, shared: bool
    ) -> Phrase:
        """Return an antecedent.

        Args:
            kind: `"any"` (pronouns too), `"main"` (name, or a definite noun), `"noun"` (a noun, for
                a restrictive clause or phrase to follow) or `"neutral"` (a noun of either gender).
            gender: One of `lexicon.CLASSES`.
            neuter: Kind of noun where the class is neuter.
            pool: What to draw from.
            quantified: *every girl*, not *the girl*, where the class and the kind allow it.
            shared: Names of both sexes are drawn too (in proportion).
        """
        rng = self.rng
        may = kind == "any" and not quantified and pool is self.lexicon.common
        if may and rng.random() < _PRONOUNS:
            word = PRONOUNS[gender]["subject"]
            return Phrase((word,), "pronoun", word)
        if kind == "neutral" and gender != "neuter":
            return self._neutral(gender, pool)
        if gender == "neuter":
            noun = pool.neuters[neuter].draw(rng)
            quantified = quantified and kind in ("any", "noun")
            words = self.noun(noun, definite=kind == "main", quantified=quantified)
            return Phrase(words, "thing", noun.singular, quantified)
        if gender == "they":
            return self._group(kind, pool)
        if kind in ("any", "main") and not quantified:
            chance = rng.random()
            if shared and chance < 0.1:
                name = str(self.lexicon.shared_names[gender].draw(rng))
                return Phrase((name,), "shared name", name)
            if chance < 0.72:
                name = self.name(gender, pool)
                return Phrase((name,), "name", name)
            if chance < 0.76 and pool is self.lexicon.common:
                return self._title(gender, pool)
        noun = pool.nouns[gender].draw(rng)
        quantified = quantified and kind in ("any", "noun")
        words = self.noun(noun, definite=kind == "main", quantified=quantified)
        return Phrase(words, "noun", noun.singular, quantified)

    def _title(self, gender: str, pool: Pool) -> Phrase:
        title = _pick(self.rng, _TITLES[gender])
        first = title in FIRST_NAMED
        name = self.name(gender, pool) if first else self.lexicon.surnames.draw(self.rng)
        return Phrase((title, name), "title", title)

    def _neutral(self, gender: str, pool: Pool) -> Phrase:
        rng = self.rng
        if gender != "they" and rng.random() < 0.3 and pool is self.lexicon.common:
            name = str(self.lexicon.shared_names[gender].draw(rng))
            return Phrase((name,), "shared name", name)
        noun = pool.neutral.draw(rng)
        words = self.noun(noun, plural=gender == "they", definite=True)
        return Phrase(words, "neutral noun", noun.singular)

    def _group(self, kind: str, pool: Pool) -> Phrase:
        rng = self.rng
        if kind in ("any", "main") and rng.random() < 0.4:
            first = self.name(_pick(rng, GENDERS), pool)
            second = self.name(_pick(rng, GENDERS), pool)
            if first != second:
                return Phrase((first, "and", second), "group", f"{first} and {second}")
        chance = rng.random()
        if chance < 0.35:
            noun = pool.nouns["feminine"].draw(rng)
        elif chance < 0.7:
            noun = pool.nouns["masculine"].draw(rng)
        else:
            noun = pool.neutral.draw(rng)
        words = self.noun(noun, plural=True, definite=kind == "main")
        return Phrase(words, "group", noun.plural)

    def referent(self, gender: str, place: str, pronoun: bool, shown: set[str]) -> Phrase:
        """Return another referent than the antecedent.

        Args:
            gender: Its class.
            place: `"s"` for a subject, `"o"` for an object, `"p"` within a phrase of place.
            pronoun: A pronoun may be drawn.
            shown: Words that were used already and are not to be repeated; the new one is added.
        """
        while True:
            phrase = self._referent(gender, place, pronoun)
            if phrase.lexeme not in shown:
                shown.add(phrase.lexeme)
                return phrase

    def _referent(self, gender: str, place: str, pronoun: bool) -> Phrase:
        rng = self.rng
        pool = self.lexicon.common
        if pronoun and gender != "neuter" and place in "so" and rng.random() < 0.12:
            word = PRONOUNS[gender]["subject" if place == "s" else "object"]
            return Phrase((word,), "pronoun", PRONOUNS[gender]["subject"])
        if gender == "neuter":
            kinds = ("animal", "animal", "organization") if place != "p" else ("thing", "animal")
            noun = pool.neuters[_pick(rng, kinds)].draw(rng)
            return Phrase(self.noun(noun), "thing", noun.singular)
        if gender == "they":
            # No two names: "the girl beside Ann and Bob" is one person, or three.
            return self._group("noun", pool)
        if rng.random() < 0.5:
            name = self.name(gender, pool)
            return Phrase((name,), "name", name)
        noun = pool.nouns[gender].draw(rng)
        return Phrase(self.noun(noun), "noun", noun.singular)
