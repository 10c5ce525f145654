"""Agreement of a verb, from the same lexicon: the tasks that have no gender in them.

- `number_agreement`, with the subject: "The girl beside the boys is/are tired." Subjects are
  singular as often as plural, and so are the nouns between subject and verb.
- `tense_agreement`, with an adverb of time or the verb of another clause: "Yesterday, the doctor
  beside the king walked/walks slowly", "Whenever the girl arrives, the doctor leaves/left". The
  past is as often right as the present, and a relative clause between is in either tense. What
  tells the tense rules the other one out ("every day" would not: "Every day she walked").

Splits are `train`, `validation` and `test`, told apart by the checksum of the text as those of
pronoun agreement are.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pandas as pd

from textgate.datasets import _counterparts as counterparts
from textgate.datasets import _grammar as grammar
from textgate.datasets import _pronoun_items as pronoun_items
from textgate.datasets import _pronoun_pairs as pronoun_pairs
from textgate.datasets import lexicon
from textgate.datasets._grammar import Item
from textgate.datasets.lexicon import CLASSES, NUMBERS, TENSES, Weighted

COLUMNS = [
    "item",
    "good",
    "bad",
    "target",
    "good_class",
    "bad_class",
    "direction",
    "form",
    "antecedent",
    "antecedent_kind",
    "distance",
    "attractors",
    "incongruent_attractors",
    "attractor_kind",
    "template",
    "lexeme",
    "verbs",
    "split",
    "prefix",
    "counterpart_prefix",
    "counterpart_lexeme",
]


@dataclass(frozen=True)
class Agreement:
    """A kind of agreement of the verb.

    Attributes:
        use: What its constructions are called in `data/templates.tsv`.
        classes: Its two classes, which take turns.
        sizes: How many items each split has.
        class_of: From the class of something in an item (a gender, a tense) to one of `classes`.
        counterpart: Returns the same sentence in the other class.
    """

    use: str
    classes: tuple[str, str]
    sizes: dict[str, int]
    class_of: Callable[[str], str]
    counterpart: Callable[[Item], Item | None]

    def write(self, writer: grammar.Writer, template: grammar.Template, turn: int) -> Item:
        """Return a sentence of the class whose turn it is."""
        gender = CLASSES[turn // 2 % 3]
        if self.use == "tense":
            return writer.write(template, gender, tense=TENSES[turn % 2])
        return writer.write(template, "they" if turn % 2 else gender)


def _number(gender: str) -> str:
    return NUMBERS[gender == "they"]


AGREEMENTS = {
    "number_agreement": Agreement(
        "number",
        NUMBERS,
        {"train": 6_000, "validation": 1_200, "test": 2_400},
        _number,
        counterparts.of_number,
    ),
    "tense_agreement": Agreement(
        "tense",
        TENSES,
        {"train": 48_000, "validation": 1_200, "test": 2_400},
        str,
        counterparts.of_tense,
    ),
}


def items(source: str, split: str, size: int | None = None, seed: int = 0) -> Iterator[Item]:
    """Yield the sentences of a split; `Item.target` is the verb, `Item.swapped` its other form.

    Args:
        source: One of `AGREEMENTS`.
        split: `train`, `validation` or `test`.
        size: How many; the split's own size if None.
        seed: Seed.

    Raises:
        ValueError: If there is no such split.
    """
    kind = AGREEMENTS[source]
    if not isinstance(split, str) or split not in kind.sizes:
        raise ValueError(
            f"{source} has the splits {', '.join(kind.sizes)}. Received: split={split!r}"
        )
    count = kind.sizes[split] if size is None else size
    rng = random.Random(f"{source} {split} {seed}")
    writer = grammar.Writer(lexicon.load(), rng)
    constructions = [t for t in grammar.templates() if t.use == kind.use]
    draw = Weighted(constructions, [t.weight for t in constructions])
    seen: set[str] = set()
    while len(seen) < count:
        item = kind.write(writer, draw.draw(rng), len(seen))
        text = grammar.text_of(item.words)
        if text not in seen and pronoun_items.share(text) == split:
            seen.add(text)
            yield item


def pairs(source: str, split: str, size: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Return the minimal pairs of a split, one row a pair, with the columns of `COLUMNS`.

    Args:
        source: One of `AGREEMENTS`.
        split: `train`, `validation` or `test`.
        size: How many; the split's own size if None.
        seed: Seed.

    Raises:
        ValueError: If there is no such split.

    Example:

    >>> from textgate.datasets import _verb_agreement as verb_agreement
    >>> verb_agreement.pairs("number_agreement", "test", size=2).good_class.tolist()
    ['singular', 'plural']
    >>> verb_agreement.pairs("tense_agreement", "test", size=2).good_class.tolist()
    ['past', 'present']
    """
    kind = AGREEMENTS[source]
    rows = []
    for number, item in enumerate(items(source, split, size, seed)):
        good_class = kind.class_of(item.tense or item.gender)
        (bad_class,) = set(kind.classes) - {good_class}
        attractors = [kind.class_of(other) for other, _, _ in item.others]
        places = sorted({f"{where} {place}" for _, place, where in item.others})
        words = list(item.words)
        words[item.target] = item.swapped
        counterpart = pronoun_pairs.counterpart(kind.counterpart(item))
        del counterpart["counterpart"]  # what agrees after the verb would be wrong
        rows.append(
            {
                "item": number,
                "good": grammar.text_of(item.words),
                "bad": grammar.text_of(words),
                "target": pronoun_items.positions(item)[1][item.target],
                "good_class": good_class,
                "bad_class": bad_class,
                "direction": f"{good_class}→{good_class}",
                "form": "verb",
                "antecedent": " ".join(item.words[index] for index in item.antecedent),
                "antecedent_kind": item.phrase.kind,
                "distance": pronoun_items.distance(item),
                "attractors": len(attractors),
                "incongruent_attractors": attractors.count(bad_class),
                "attractor_kind": "+".join(places) if places else "none",
                "template": item.template,
                "lexeme": item.phrase.lexeme,
                "verbs": ";".join(item.verbs),
                "split": split,
                "prefix": grammar.text_of(item.words[: item.target]),
                **counterpart,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
