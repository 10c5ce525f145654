"""The grammar: constructions of English, from `data/templates.tsv` and `data/rules.tsv`.

A construction (template) is a line of words and slots:

    {A} {An} {Am} {Ap} {N}  the antecedent: anything; a noun that a modifier follows; a name or a
                            definite noun; a noun for a phrase of place to follow; a noun of either
                            gender (*the doctor*), whose gender a pronoun settles later
    {T}                     the target, in the form that the table names
    {C:possessive}          an earlier pronoun that settles the gender
    {Os} {Oo} {Op}          another referent: as a subject, an object, within a phrase of place
    [list.past]             a predicate of `predicates.tsv` in a form of its verb (base, pres, past,
                            part, ing); [list.after] is what follows the pronoun
    [V:list]                a rule of `rules.tsv` with the list put in: all tenses and auxiliaries
    [rule] [list]           a rule, or a list of `words.tsv`
    [chain] [ochain]        several verb phrases (the latter with objects: other referents)
    <is|are>                agrees with the antecedent (background sentences only)

**Nothing but the antecedent gives the answer away.** All but the antecedent (and the pronoun that
settles its gender) is drawn before the class is, and fits all four classes: verbs don't agree
(past tenses and auxiliaries), every predicate takes persons and the kind of neuter noun chosen for
the sentence, and other referents are of each of two classes (or of all four) with the same chance.
So of the referents that have the class of the right or of the wrong form, half are congruent, in
every number and position.

**The answer is forced.** Where another referent stands before the target, the target is a
reflexive, a possessive in an idiom of the subject's (*lost her temper*, *on her own*), the object
in *had a long day ahead of her*, or the subject of a tag.
"""

import dataclasses
import functools
import random
from dataclasses import dataclass, field

from textgate.datasets import tables as _tables
from textgate.datasets._phrases import Phrase, Phrases
from textgate.datasets.lexicon import CLASSES, GENDERS, PRONOUNS, Lexicon, Pool, Predicate

# The template in which training shows the reserved lexemes.
HOME = "refl.simple"
_PLACES = {"s": "subject", "o": "object", "p": "prepositional"}
_ANTECEDENTS = {"A": "any", "An": "noun", "Ap": "noun", "Am": "main", "N": "neutral"}
# Kinds of neuter nouns; a company stands in no phrase of place.
_KINDS = ("organization", "machine", "animal")
_PLACED_KINDS = ("machine", "animal")
# What the other referents of a sentence are drawn from: of two classes, or of all.
_RIVALS = (GENDERS,) * 3 + (CLASSES[2:],) + (CLASSES,) * 3
# For number agreement: one or several.
_NUMBER_RIVALS = tuple((gender, "they") for gender in CLASSES[:3])
_NEGATIONS = frozenset(["not", "never", "cannot", "hardly", "nothing", "nobody", "without", "no"])
_MARKS = frozenset([".", ",", "?", "!"])


@dataclass(frozen=True)
class Template:
    """One construction: its name, the form of its target, its use, its weight, its slots."""

    name: str
    form: str
    use: str  # train, unseen, background, number
    weight: float
    pattern: tuple[str, ...]


@dataclass
class Item:
    """A sentence with a target, and all that is known of it."""

    words: list[str]  # blank-separated, marks apart
    target: int  # index into words; -1 without a target
    form: str
    gender: str
    antecedent: tuple[int, ...]  # indices into words: the phrase, and the pronoun that settles it
    phrase: Phrase
    neuter: str
    template: str
    rivals: tuple[str, ...]  # classes that other referents were drawn from
    others: list[tuple[str, str, str]] = field(default_factory=list)  # class, place, before/between
    swapped: str = ""  # number agreement: the target's form in the other number
    settled: tuple[str, ...] = ()  # forms of the pronouns that settle the antecedent's gender
    verbs: tuple[str, ...] = ()  # verbs of the predicates before the target


@dataclass(frozen=True)
class _Slot:
    """What waits for the class: filled last."""

    kind: str
    argument: str
    plural: str = ""


@functools.cache
def templates() -> tuple[Template, ...]:
    """Return all constructions."""
    return tuple(
        Template(
            row["template"],
            row["form"],
            row["use"],
            float(row["weight"]),
            tuple(row["pattern"].split()),
        )
        for row in _tables.read("templates")
    )


@functools.cache
def _rules() -> dict[str, tuple[tuple[str, ...], ...]]:
    rules: dict[str, list[tuple[str, ...]]] = {}
    for row in _tables.read("rules"):
        expansion = tuple(row["expansion"].split())
        rules.setdefault(row["rule"], []).extend([expansion] * int(row["weight"]))
    return {name: tuple(expansions) for name, expansions in rules.items()}


@functools.cache
def _rule(name: str) -> tuple[tuple[str, ...], ...] | None:
    rules = _rules()
    if ":" not in name:
        return rules.get(name)
    macro, argument = name.split(":")
    return tuple(
        tuple(part.replace("[X.", f"[{argument}.") for part in expansion)
        for expansion in rules[f"{macro}:X"]
    )


class Writer:
    """Writes sentences.

    Args:
        lexicon: The lexicon.
        rng: Source of chance.
        chain: Least and greatest number of verb phrases in a chain.
    """

    def __init__(self, lexicon: Lexicon, rng: random.Random, chain: tuple[int, int] = (1, 7)):
        self.lexicon = lexicon
        self.rng = rng
        self.phrases = Phrases(lexicon, rng)
        self.chain = chain

    def write(self, template: Template, gender: str, reserved: bool = False) -> Item:
        """Return a sentence of a construction.

        Args:
            template: The construction.
            gender: Class of the antecedent.
            reserved: The antecedent is one of the reserved lexemes.
        """
        while True:
            try:
                self._draw(template)
                break
            except LookupError:  # a list without predicates for this kind of neuter: another kind
                continue
        rng = self.rng
        background = template.use == "background"
        quantified = rng.random() < 0.12
        pool = self.lexicon.reserved if reserved else self.lexicon.common
        return self._fill(template, gender, quantified, pool, background)

    def _draw(self, template: Template) -> None:
        self._pieces: list[str | _Slot] = []
        self._last: dict[str, Predicate] = {}
        self._verbs: list[tuple[int, str]] = []  # piece, verb
        self._form = template.form
        self._shown: set[str] = set()
        kinds = _PLACED_KINDS if "{Ap}" in template.pattern else _KINDS
        self._neuter = kinds[int(self.rng.random() * len(kinds))]
        if template.name.startswith("thing."):
            self._neuter = "thing"
        rivals = _NUMBER_RIVALS if template.use == "number" else _RIVALS
        self._rivals = rivals[int(self.rng.random() * len(rivals))]
        self._expand(template.pattern)

    def _expand(self, parts: tuple[str, ...]) -> None:
        for part in parts:
            head = part[0]
            if head == "[":
                self._expand_symbol(part[1:-1])
            elif head == "{":
                self._expand_slot(part[1:-1])
            elif head == "<":
                singular, plural = part[1:-1].split("|")
                self._pieces.append(_Slot("agree", singular, plural))
            else:
                self._pieces.append(part)

    def _expand_symbol(self, name: str) -> None:
        if name in ("chain", "ochain"):
            self._expand_chain(with_objects=name == "ochain")
            return
        rule = _rule(name)
        if rule is not None:
            self._expand(rule[int(self.rng.random() * len(rule))])
            return
        entries = self.lexicon.lists.get(name)
        if entries is not None:
            self._expand(tuple(entries.draw(self.rng).replace(".", " .").split()))
            return
        self._expand_predicate(*name.split("."))

    def _expand_predicate(self, name: str, form: str) -> None:
        if form == "after":
            last = self._last[name]
            self._pieces.append(_Slot("agree", last.after, last.after_plural))
            return
        choices = self.lexicon.predicates[name][self._neuter]
        predicate = choices.draw(self.rng)
        while form in ("past", "pres", "ing") and predicate.is_copula:  # "was" would agree
            predicate = choices.draw(self.rng)
        self._last[name] = predicate
        self._verbs.append((len(self._pieces), predicate.forms["base"]))
        if form == "pres":
            self._pieces.append(_Slot("agree", predicate.forms["pres"], predicate.forms["base"]))
        else:
            self._pieces.append(predicate.forms[form])
        self._pieces.extend(predicate.rest)

    def _expand_chain(self, with_objects: bool) -> None:
        least, most = self.chain
        count = least + int((most - least + 1) * self.rng.random() ** 1.4)  # more short ones
        must = int(count * self.rng.random())  # one at least of the phrases has an object
        for index in range(count):
            if with_objects and (index == must or self.rng.random() < 0.3):
                self._expand(("[meet.past]", "{Oo}", ","))
            else:
                self._expand(("[act.past]", "[mid]", ","))

    def _expand_slot(self, name: str) -> None:
        if name in _ANTECEDENTS:
            self._pieces.append(_Slot("antecedent", _ANTECEDENTS[name]))
        elif name == "T":
            self._pieces.append(_Slot("target", self._form))
        elif name.startswith("C:"):
            self._pieces.append(_Slot("settle", name[2:]))
        else:
            gender = self._rivals[int(self.rng.random() * len(self._rivals))]
            self._pieces.append(_Slot("other", gender, name[1]))

    def _fill(
        self, template: Template, gender: str, quantified: bool, pool: Pool, background: bool
    ) -> Item:
        plural = gender == "they"
        words: list[str] = []
        mine: list[int] = []
        others: list[tuple[str, str, str]] = []
        settled: list[str] = []
        target, target_piece, swapped = -1, len(self._pieces), ""
        phrase = Phrase((), "none", "")
        place = next(
            (
                i
                for i, piece in enumerate(self._pieces)
                if isinstance(piece, _Slot) and piece.kind == "antecedent"
            ),
            -1,
        )
        if place >= 0:
            slot = self._pieces[place]
            assert isinstance(slot, _Slot)
            phrase = self.phrases.antecedent(
                slot.argument, gender, self._neuter, pool, quantified, background
            )
            asks = "question" in template.name
            if phrase.words[0] == "no" and (asks or _negates(self._pieces)):
                phrase = dataclasses.replace(phrase, words=("every", *phrase.words[1:]))
            self._shown.update((phrase.lexeme, *phrase.words))
        for index, piece in enumerate(self._pieces):
            if isinstance(piece, str):
                words.append(piece)
                continue
            if piece.kind == "antecedent":
                mine.extend(range(len(words), len(words) + len(phrase.words)))
                words.extend(phrase.words)
            elif piece.kind == "target":
                target, target_piece = len(words), index
                words.append(PRONOUNS[gender][piece.argument])
            elif piece.kind == "settle":
                mine.append(len(words))
                settled.append(piece.argument)
                words.append(PRONOUNS[gender][piece.argument])
            elif piece.kind == "agree":
                if template.use == "number" and target < 0:
                    target, target_piece = len(words), index
                    swapped = piece.argument if plural else piece.plural
                words.extend((piece.plural if plural else piece.argument).split())
            else:
                where = "before" if index < place else "between"
                other = self.phrases.referent(
                    piece.argument, piece.plural, where == "between", self._shown
                )
                words.extend(other.words)
                others.append((piece.argument, _PLACES[piece.plural], where))
        return Item(
            words=capitalized(words),
            target=target,
            form=template.form,
            gender=gender,
            antecedent=tuple(mine),
            phrase=phrase,
            neuter=self._neuter,
            template=template.name,
            rivals=self._rivals,
            others=others,
            swapped=swapped,
            settled=tuple(settled),
            verbs=tuple(verb for index, verb in self._verbs if index < target_piece),
        )


def _negates(pieces: list[str | _Slot]) -> bool:
    """Say whether "no girl" before these words would be negated twice."""
    words = (word for piece in pieces if isinstance(piece, str) for word in piece.split())
    return any(word.endswith("n't") or word in _NEGATIONS for word in words)


def capitalized(words: list[str]) -> list[str]:
    """Write the first word of every sentence with a capital, in place."""
    start = True
    for index, word in enumerate(words):
        if start and word not in _MARKS:
            words[index] = word[0].upper() + word[1:]
        start = word in (".", "?", "!")
    return words


def text_of(words: list[str] | tuple[str, ...]) -> str:
    """Write words with marks close to the word before."""
    text = " ".join(words)
    for mark in _MARKS:
        text = text.replace(f" {mark}", mark)
    return text
