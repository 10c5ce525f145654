"""The data on which the ladder of models is compared: small enough to learn in half a minute.

The default data (`textgate.datasets.sentences`) take an LSTM minutes, because there are thousands
of words to learn before the pronouns. Here are the same dependencies with few words (16 names and
12 nouns of each gender, some 60 verbs, from the project's lexicon), two classes (*she*, *he*), and
more of what keeps a simple model from getting by:

- **distance**: up to 40 words between antecedent and pronoun in training, and 41 to 80 in the split
  `far`, which no training sentence reaches;
- **other referents** between them, of either gender with the same chance, so that they are no help;
- antecedents that are **not the first** referent (*After Ann had left, John blamed himself*);
- **nested** clauses with a pronoun of their own (*The boy that the girl who hurt herself met blamed
  himself*);
- **several to remember**: up to four are introduced, and any of them may be asked for (*Ann met the
  boy and Carl. Then everybody slept badly. The third hurt himself*);
- **earlier sentences**, up to two, about somebody else: what a model remembers must go.

The classes take turns within a construction and everything else is drawn without regard to them, so
that each class is right in half of the items, whatever stands around.
"""

import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from textgate.datasets.lexicon import GENDERS, PRONOUNS, load

SPLITS = ("train", "validation", "test", "far")
LONGEST = 40  # words from antecedent to pronoun in all splits but `far`
_NAMES, _NOUNS = 16, 12
_EARLIER = (0, 0, 0, 0, 1, 2)  # sentences before, with equal chances
# Constructions: a pattern, and how often it comes. A is the antecedent (N: a noun, for a clause to
# follow), O another referent (P: a noun), and R the reflexive of the referent just before it.
# [chain] is several verb phrases, [objects] the same with other referents; [act], [meet] and
# [refl] are verbs. Of several Q one is the antecedent, and [which] says which; [then] is a sentence
# about nobody, or nothing.
_PATTERNS = {
    "simple": ("A", 3),
    "chain": ("A [chain] and", 5),
    "objects": ("A [objects] and", 4),
    "met": ("A [meet] O and", 2),
    "met.two": ("A [meet] O and O and", 1),
    "relative.object": ("N that O [meet]", 2),
    "relative.subject": ("N that had [meet] O", 2),
    "relative.two": ("N that O and O [meet]", 1),
    "beside": ("N beside O", 2),
    "beside.two": ("N beside both O and O", 1),
    "aside": ("A , like O ,", 2),
    "after": ("After O [act] , A", 2),
    "said": ("O said that A", 2),
    "nested": ("N that P who [refl] R [meet]", 2),
    "nested.subject": ("N that had [meet] P who [refl] R", 2),
    "nested.two": ("N that P that P who [refl] R [meet] [meet]", 1),
    "nested.chain": ("N that P who [refl] R [meet] [chain] and", 1),
    "order.two": ("Q [meet] Q . [then] The [which]", 4),
    "order.three": ("Q [meet] Q and Q . [then] The [which]", 4),
    "order.four": ("Q and Q [meet] Q and Q . [then] The [which]", 3),
}
_ORDINALS = ("first", "second", "third", "fourth")
# How the sentence ends: the form of the pronoun, and what stands around it.
_ENDS = {
    "reflexive": ("[refl] T .", 2),
    "possessive": ("[idiom] T [after] .", 2),
    "subject": ("[act] , didn't T ?", 1),
}


@dataclass(frozen=True)
class _Words:
    """The words that the sentences are made of."""

    names: dict[str, list[str]]
    nouns: dict[str, list[str]]
    verbs: dict[str, list[tuple[str, str]]]  # by list: the verb with its rest, and what follows


def _words() -> _Words:
    lexicon = load()

    def verbs(name: str, count: int, after: bool = False) -> list[tuple[str, str]]:
        entries: dict[str, tuple[str, str]] = {}
        for predicates in lexicon.predicates[name].values():
            for predicate in predicates.words:
                past, rest = predicate.forms["past"], " ".join(predicate.rest)
                fits = bool(predicate.after) == after and " " not in predicate.after
                if fits and not predicate.is_copula and len(predicate.rest) < 3:
                    entries.setdefault(past, (f"{past} {rest}".strip(), predicate.after))
        return list(entries.values())[:count]

    return _Words(
        names={sex: [str(name) for name in lexicon.common.names[sex].words] for sex in GENDERS},
        nouns={sex: [noun.singular for noun in lexicon.common.nouns[sex].words] for sex in GENDERS},
        verbs={
            "act": verbs("act", 16),
            "meet": verbs("meet", 12),
            "refl": verbs("refl", 16),
            "idiom": verbs("idiom", 12, after=True),
        },
    )


class _Writer:
    """Writes sentences."""

    def __init__(self, rng: random.Random, far: bool) -> None:
        self.rng, self.far = rng, far
        self.words = _words()
        self.patterns = [name for name, (_, often) in _PATTERNS.items() for _ in range(often)]
        if far:
            long = ("[chain] and", "[objects] and", "[which]")
            self.patterns = [n for n in self.patterns if _PATTERNS[n][0].endswith(long)]
        self.ends = [form for form, (_, often) in _ENDS.items() for _ in range(often)]

    def end(self, construction: str) -> str:
        """Return a form of the pronoun that fits a construction."""
        form = self.ends[int(len(self.ends) * self.rng.random())]
        # "Ann said that John left, didn't she?" asks about Ann.
        return "reflexive" if construction == "said" and form == "subject" else form

    def sentence(self, gender: str, construction: str, form: str) -> dict[str, Any]:
        """Return a sentence and what is known of it."""
        pattern, ending = _PATTERNS[construction][0], _ENDS[form][0]
        self.line: list[str] = []
        self.others: list[str] = []
        self.shown: set[str] = set()
        target, lexeme, end = -1, "", -1
        held = max(pattern.split().count("Q"), 1)
        asked, met = int(held * self.rng.random()), 0
        for symbol in f"{pattern} {ending}".split():
            met += symbol == "Q"
            if symbol in "AN" or (symbol == "Q" and met == asked + 1):
                lexeme = self._referent(gender, names=symbol != "N")
                end = len(self.line)
            elif symbol == "T":
                target = len(self.line)
                self.line.append(PRONOUNS[gender][form])
            elif symbol == "[which]":
                self.line.append(_ORDINALS[asked])
            else:
                self._write(symbol)
        self.line[0] = self.line[0][0].upper() + self.line[0][1:]
        return {
            "line": self.line,
            "target": target,
            "antecedent": lexeme,
            "held": held,
            "position": end - 1,
            "distance": target - end + 1,
            "lexeme": lexeme,
            "others": list(self.others),
        }

    def _write(self, symbol: str) -> None:
        rng = self.rng
        if symbol in "OPQ":
            gender = GENDERS[int(2 * rng.random())]
            self._referent(gender, names=symbol != "P")
            self.others.append(gender)
        elif symbol == "R":
            self.line.append(PRONOUNS[self.others[-1]]["reflexive"])
        elif symbol in ("[chain]", "[objects]"):
            count = 1 + int(10 * rng.random() ** 1.5) + (10 if self.far else 0)
            must = int(count * rng.random())
            for index in range(count):
                if symbol == "[objects]" and (index == must or rng.random() < 0.25):
                    self._verb("meet")
                    self._write("O")
                else:
                    self._verb("act")
                self.line.append(",")
        elif symbol == "[then]":
            count = int(9 * rng.random() ** 1.5) + (10 if self.far else 0)
            for index in range(count):
                self.line.extend(["Then", "everybody"] if index == 0 else [","])
                self._verb("act")
            self.line.extend(["."] if count else [])
        elif symbol == "[after]":
            self.line.extend(self.after.split())
        elif symbol.startswith("["):
            self._verb(symbol[1:-1])
        else:
            self.line.append(symbol)

    def _verb(self, name: str) -> None:
        entries = self.words.verbs[name]
        text, self.after = entries[int(len(entries) * self.rng.random())]
        self.line.extend(text.split())

    def _referent(self, gender: str, names: bool) -> str:
        """Write a name or a noun that the sentence doesn't have yet, and return it."""
        while True:
            named = names and self.rng.random() < 0.7
            words = (self.words.names if named else self.words.nouns)[gender]
            word = words[int((_NAMES if named else _NOUNS) * self.rng.random())]
            if word not in self.shown:
                break
        self.shown.add(word)
        self.line.extend([word] if named else ["the", word])
        return word


def _share(line: Sequence[str]) -> str:
    """Return which of train, validation and test a sentence belongs to, by its words."""
    number = zlib.crc32(" ".join(line).encode()) % 20
    return "test" if number < 2 else "validation" if number < 3 else "train"


def texts(split: str, size: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield texts of one to three sentences, the last with a pronoun to predict.

    Args:
        split: `"train"`, `"validation"`, `"test"`, or `"far"` (41 to 80 words away).
        size: How many.
        seed: Seed. Whatever it is, no sentence of one of the first three splits stands in another.

    Yields:
        `words` (the text), `target` (index of the pronoun), `gender`, `form`, `template`,
        `antecedent` and its last word's `position`, `distance` in words, `lexeme`, `others`
        (genders of the other referents in the construction), `held` (how many referents might be
        asked for), `earlier` (constructions before).

    Raises:
        ValueError: If there is no such split.
    """
    if split not in SPLITS:
        raise ValueError(f"the ladder's splits are {', '.join(SPLITS)}. Received: split={split!r}")
    rng = random.Random(f"ladder {split} {seed}")
    far = split == "far"
    writer, before = _Writer(rng, far), _Writer(rng, far=False)
    count = 0
    while count < size:
        if count % 2 == 0:  # one construction for the two classes
            template = writer.patterns[int(len(writer.patterns) * rng.random())]
            form = writer.end(template)
            earlier = _EARLIER[int(len(_EARLIER) * rng.random())]
        gender = GENDERS[count % 2]
        last = writer.sentence(gender, template, form)
        in_reach = (LONGEST if far else 0) < last["distance"] <= (2 * LONGEST if far else LONGEST)
        if not in_reach or (_share(last["line"]) != split and not far):
            continue
        words: list[str] = []
        for _ in range(earlier):
            name = before.patterns[int(len(before.patterns) * rng.random())]
            line: list[str] = []
            while not line or _share(line) != ("test" if far else split):
                somebody = GENDERS[int(2 * rng.random())]
                line = before.sentence(somebody, name, before.end(name))["line"]
            words += line
        count += 1
        yield {
            **last,
            "words": words + last["line"],
            "target": len(words) + last["target"],
            "position": len(words) + last["position"],
            "gender": gender,
            "form": form,
            "template": template,
            "earlier": earlier,
        }


def text_of(words: Sequence[str]) -> str:
    """Write words as a text, marks close to the word before."""
    text = " ".join(words)
    for mark in (",", ".", "?"):
        text = text.replace(f" {mark}", mark)
    return text


def sentences(split: str, size: int, seed: int = 0) -> list[str]:
    """Return the texts of a split.

    Example:

    >>> from textgate.study.ladder import _task as ladder_task
    >>> len(ladder_task.sentences("train", size=4))
    4
    """
    return [text_of(item["words"]) for item in texts(split, size, seed)]


def pairs(split: str, size: int, seed: int = 0) -> pd.DataFrame:
    """Return minimal pairs, one row an item, as `textgate.evaluation.agreement` takes them.

    Args:
        split: As for `texts`.
        size: How many items.
        seed: Seed.

    Returns:
        Columns: `item`, `good`, `bad`, `target` (index among the tokenizer's words), `good_class`,
        `bad_class`, `direction`, `form`, `antecedent`, `antecedent_position`, `distance`,
        `attractors` (other referents before the pronoun), `incongruent_attractors` (of the other
        gender), `held` (how many referents might be asked for), `earlier` (other such texts
        before), `nested` (a clause with a pronoun of its own stands between), `template`,
        `lexeme`, `split`, `prefix`.
    """
    rows = []
    for number, item in enumerate(texts(split, size, seed)):
        words, target, gender = item["words"], item["target"], item["gender"]
        wrong = GENDERS[1 - GENDERS.index(gender)]
        right, other = PRONOUNS[gender][item["form"]], PRONOUNS[wrong][item["form"]]
        shift = words[:target].count("didn't")  # two words to the tokenizer: did, n't
        rows.append(
            {
                "item": number,
                "good": text_of(words),
                "bad": text_of([*words[:target], other, *words[target + 1 :]]),
                "target": target + shift,
                "good_class": gender,
                "bad_class": wrong,
                "direction": f"{PRONOUNS[gender]['subject']}→{right}",
                "form": item["form"],
                "antecedent": item["antecedent"],
                "antecedent_position": item["position"] + words[: item["position"]].count("didn't"),
                "distance": item["distance"],
                "attractors": len(item["others"]),
                "incongruent_attractors": item["others"].count(wrong),
                "held": item["held"],
                "earlier": item["earlier"],
                "nested": item["template"].startswith("nested"),
                "template": item["template"],
                "lexeme": item["lexeme"],
                "split": split,
                "prefix": text_of(words[:target]),
            }
        )
    return pd.DataFrame(rows)
