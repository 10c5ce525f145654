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
    (last|next) [list.tense]  a word or a verb in past or present, as the sentence is (of tense
                            agreement): the last one is the target, those before tell the tense
    [list.either]           a verb in the past or the present, whichever the sentence is in

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
from textgate.datasets.lexicon import (
    CLASSES,
    GENDERS,
    OTHER_TENSE,
    PRONOUNS,
    TENSES,
    Lexicon,
    Pool,
    Predicate,
)

# The template in which training shows the reserved lexemes.
HOME = "refl.simple"
_PLACES = {"s": "subject", "o": "object", "p": "prepositional"}
_ANTECEDENTS = {"A": "any", "An": "noun", "Ap": "noun", "Am": "main", "N": "neutral"}
# Kinds of neuter nouns; a company stands in no phrase of place.
_KINDS = ("organization", "machine", "animal")
_PLACED_KINDS = ("machine", "animal")
# What the other referents of a sentence are drawn from: of two classes, or of all.
_RIVALS = (GENDERS,) * 3 + (CLASSES[2:],) + (CLASSES,) * 3
_RIVALS_OF = {
    "number": tuple((gender, "they") for gender in CLASSES[:3]),  # one or several
    "tense": (GENDERS,),  # persons, who may be the subject of any verb
}
_NEGATIONS = frozenset(["not", "never", "cannot", "hardly", "nothing", "nobody", "without", "no"])
_MARKS = frozenset([".", ",", "?", "!"])


@dataclass(frozen=True)
class Template:
    """One construction: its name, the form of its target, its use, its weight, its slots."""

    name: str
    form: str
    use: str  # train, unseen, background, number, tense
    weight: float
    pattern: tuple[str, ...]


@dataclass
class Item:
    """A sentence with a target, and all that is known of it.

    What decides the target is called the antecedent in all kinds of agreement: of a pronoun, the
    noun phrase; of number, the subject; of tense, the words that tell it (*yesterday*).
    """

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
    swapped: str = ""  # the target's form in the other number or tense
    settled: tuple[str, ...] = ()  # forms of the pronouns that settle the antecedent's gender
    verbs: tuple[str, ...] = ()  # verbs of the predicates before the target
    tense: str = ""  # tense agreement: past or present
    other_tense: Phrase | None = None  # the words that tell the other tense


@dataclass(frozen=True)
class _Slot:
    """What waits for the class: filled last."""

    kind: str
    first: str  # of agreement the singular or the past; else what the kind needs
    second: str = ""  # the plural or the present; another referent's place
    lexeme: str = ""  # the verb, if it is one in a tense

    def in_tense(self, tense: str) -> str:
        """Return the word in a tense."""
        return self.first if tense == TENSES[0] else self.second


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

    def write(
        self, template: Template, gender: str, reserved: bool = False, tense: str = ""
    ) -> Item:
        """Return a sentence of a construction.

        Args:
            template: The construction.
            gender: Class of the antecedent.
            reserved: The antecedent is one of the reserved lexemes.
            tense: One of `lexicon.TENSES`, for constructions of tense agreement.
        """
        while True:
            try:
                self._draw(template)
                break
            except LookupError:  # a list without predicates for this kind of neuter: another kind
                continue
        quantified = self.rng.random() < 0.12
        pool = self.lexicon.reserved if reserved else self.lexicon.common
        filling = _Filling(self, template, gender, tense)
        place = next((i for i, p in enumerate(self.pieces) if _is(p, "antecedent")), -1)
        if place >= 0:
            filling.draw_antecedent(place, pool, quantified)
        for index, piece in enumerate(self.pieces):
            filling.add(index, piece)
        return filling.item()

    def _draw(self, template: Template) -> None:
        self.pieces: list[str | _Slot] = []
        self.verbs: list[tuple[int, str]] = []  # piece, verb
        self._last: dict[str, Predicate] = {}
        self._form = template.form
        kinds = _PLACED_KINDS if "{Ap}" in template.pattern else _KINDS
        self.neuter = kinds[int(self.rng.random() * len(kinds))]
        if template.name.startswith("thing."):
            self.neuter = "thing"
        rivals = _RIVALS_OF.get(template.use, _RIVALS)
        self.rivals = rivals[int(self.rng.random() * len(rivals))]
        self._expand(template.pattern)

    def _expand(self, parts: tuple[str, ...]) -> None:
        for part in parts:
            head = part[0]
            if head == "[":
                self._expand_symbol(part[1:-1])
            elif head == "{":
                self._expand_slot(part[1:-1])
            elif head in "<(":
                kind = "agree" if head == "<" else "tense"
                self.pieces.append(_Slot(kind, *part[1:-1].split("|")))
            else:
                self.pieces.append(part)

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
            self.pieces.append(_Slot("agree", last.after, last.after_plural))
            return
        choices = self.lexicon.predicates[name][self.neuter]
        predicate = choices.draw(self.rng)
        while form not in ("base", "part") and predicate.is_copula:  # "was" would agree
            predicate = choices.draw(self.rng)
        self._last[name] = predicate
        self.verbs.append((len(self.pieces), predicate.forms["base"]))
        past, present, base = (predicate.forms[name] for name in ("past", "pres", "base"))
        if form == "pres":
            self.pieces.append(_Slot("agree", present, base))
        elif form == "tense":
            self.pieces.append(_Slot("tense", past, present, base))
        elif form == "either":
            tense = TENSES[int(self.rng.random() * len(TENSES))]
            self.pieces.append(_Slot("rival", tense, past if tense == TENSES[0] else present))
        else:
            self.pieces.append(predicate.forms[form])
        self.pieces.extend(predicate.rest)

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
            self.pieces.append(_Slot("antecedent", _ANTECEDENTS[name]))
        elif name == "T":
            self.pieces.append(_Slot("target", self._form))
        elif name.startswith("C:"):
            self.pieces.append(_Slot("settle", name[2:]))
        else:
            gender = self.rivals[int(self.rng.random() * len(self.rivals))]
            self.pieces.append(_Slot("other", gender, name[1]))


class _Filling:
    """A sentence whose slots are being filled for a class, from the left.

    Args:
        writer: What has drawn the pieces.
        template: The construction.
        gender: Class of the antecedent.
        tense: Past or present, or "".
    """

    def __init__(self, writer: Writer, template: Template, gender: str, tense: str) -> None:
        self.writer, self.template, self.gender, self.tense = writer, template, gender, tense
        self.words: list[str] = []
        self.antecedent: list[int] = []
        self.phrase = Phrase((), "none", "")
        self.place = -1  # of the antecedent among the pieces
        self.others: list[tuple[str, str, str]] = []
        self.settled: list[str] = []
        self.shown: set[str] = set()
        self.target, self.target_piece, self.swapped = -1, len(writer.pieces), ""
        tensed = [i for i, piece in enumerate(writer.pieces) if _is(piece, "tense")]
        self.last_tensed = tensed[-1] if tensed else -1
        self.cues: list[_Slot] = []

    def draw_antecedent(self, place: int, pool: Pool, quantified: bool) -> None:
        """Draw the antecedent, before any other referent."""
        writer, slot = self.writer, self.writer.pieces[place]
        assert isinstance(slot, _Slot)
        background = self.template.use == "background"
        phrase = writer.phrases.antecedent(
            slot.first, self.gender, writer.neuter, pool, quantified, background
        )
        asks = "question" in self.template.name
        if phrase.words[0] == "no" and (asks or _negates(writer.pieces)):
            phrase = dataclasses.replace(phrase, words=("every", *phrase.words[1:]))
        self.shown.update((phrase.lexeme, *phrase.words))
        self.phrase, self.place = phrase, place

    def add(self, index: int, piece: str | _Slot) -> None:
        """Add the words of a piece."""
        if isinstance(piece, str):
            self.words.append(piece)
            return
        use, plural, here = self.template.use, self.gender == "they", len(self.words)
        match piece.kind:
            case "antecedent":
                if use != "tense":
                    self.antecedent.extend(range(here, here + len(self.phrase.words)))
                self.words.extend(self.phrase.words)
            case "target":
                self._aim(index)
                self.words.append(PRONOUNS[self.gender][piece.first])
            case "settle":
                self.antecedent.append(here)
                self.settled.append(piece.first)
                self.words.append(PRONOUNS[self.gender][piece.first])
            case "agree":
                if use == "number" and self.target < 0:
                    self._aim(index, piece.first if plural else piece.second)
                self.words.extend((piece.second if plural else piece.first).split())
            case "tense":
                if index == self.last_tensed:
                    self._aim(index, piece.in_tense(OTHER_TENSE[self.tense]))
                else:
                    self.antecedent.append(here)
                    self.cues.append(piece)
                self.words.append(piece.in_tense(self.tense))
            case "rival":
                self.others.append((piece.first, "verb", "between" if self.cues else "before"))
                self.words.append(piece.second)
            case "other":
                where = "before" if index < self.place else "between"
                other = self.writer.phrases.referent(
                    piece.first, piece.second, where == "between", self.shown
                )
                self.words.extend(other.words)
                if use != "tense":
                    self.others.append((piece.first, _PLACES[piece.second], where))

    def _aim(self, index: int, swapped: str = "") -> None:
        self.target, self.target_piece, self.swapped = len(self.words), index, swapped

    def _cue(self, tense: str) -> Phrase:
        """Return the words that tell a tense; their lexeme is themselves, or the verb."""
        words = tuple(slot.in_tense(tense) for slot in self.cues)
        verb = self.cues[0].lexeme
        return Phrase(words, "verb" if verb else "time", verb or " ".join(words))

    def item(self) -> Item:
        """Return the sentence."""
        tells = self.template.use == "tense"
        end = self.target_piece + tells  # the target's verb counts as well: it is what is asked for
        return Item(
            words=capitalized(self.words),
            target=self.target,
            form=self.template.form,
            gender=self.gender,
            antecedent=tuple(self.antecedent),
            phrase=self._cue(self.tense) if tells else self.phrase,
            neuter=self.writer.neuter,
            template=self.template.name,
            rivals=self.writer.rivals,
            others=self.others,
            swapped=self.swapped,
            settled=tuple(self.settled),
            verbs=tuple(verb for index, verb in self.writer.verbs if index < end),
            tense=self.tense,
            other_tense=self._cue(OTHER_TENSE[self.tense]) if tells else None,
        )


def _is(piece: str | _Slot, kind: str) -> bool:
    return isinstance(piece, _Slot) and piece.kind == kind


def _negates(pieces: list[str | _Slot]) -> bool:
    """Say whether "no girl" before these words would be negated twice."""
    texts = [piece for piece in pieces if isinstance(piece, str)]
    texts += [piece.first for piece in pieces if isinstance(piece, _Slot) and piece.kind == "tense"]
    words = (word for text in texts for word in text.split())
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
