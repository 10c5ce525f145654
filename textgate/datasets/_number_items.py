"""Subject-verb number agreement, from the same lexicon: the task that has no gender in it.

"The girl beside the boys is/are tired." Subjects are singular as often as plural, and so are the
nouns between subject and verb. Splits are `train`, `validation` and `test`, told apart by the
checksum of the text as those of pronoun agreement are.
"""

import random
from collections.abc import Iterator

import pandas as pd

from textgate.datasets import _counterparts as counterparts
from textgate.datasets import _grammar as grammar
from textgate.datasets import _pronoun_items as pronoun_items
from textgate.datasets import _pronoun_pairs as pronoun_pairs
from textgate.datasets import lexicon
from textgate.datasets._grammar import Item
from textgate.datasets.lexicon import CLASSES, Weighted

SIZES = {"train": 6_000, "validation": 1_200, "test": 2_400}
SPLITS = tuple(SIZES)
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


def items(split: str, size: int | None = None, seed: int = 0) -> Iterator[Item]:
    """Yield the sentences of a split; `Item.target` is the verb, `Item.swapped` its other number.

    Raises:
        ValueError: If there is no such split.
    """
    if split not in SIZES:
        known = ", ".join(SPLITS)
        raise ValueError(f"number_agreement has the splits {known}. Received: split={split!r}")
    count = SIZES[split] if size is None else size
    rng = random.Random(f"number_agreement {split} {seed}")
    writer = grammar.Writer(lexicon.load(), rng)
    constructions = [t for t in grammar.templates() if t.use == "number"]
    draw = Weighted(constructions, [t.weight for t in constructions])
    seen: set[str] = set()
    while len(seen) < count:
        plural = len(seen) % 2 == 1
        gender = "they" if plural else CLASSES[len(seen) // 2 % 3]
        item = writer.write(draw.draw(rng), gender)
        text = grammar.text_of(item.words)
        if text not in seen and pronoun_items.share(text) == split:
            seen.add(text)
            yield item


def pairs(split: str, size: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Return the minimal pairs of a split, one row a pair, with the columns of `COLUMNS`.

    Raises:
        ValueError: If there is no such split.

    Example:

    >>> from textgate.datasets import _number_items as number_items
    >>> number_items.pairs("test", size=2).good_class.tolist()
    ['singular', 'plural']
    """
    rows = []
    for number, item in enumerate(items(split, size, seed)):
        good_class = "plural" if item.gender == "they" else "singular"
        bad_class = "singular" if good_class == "plural" else "plural"
        numbers = ["plural" if gender == "they" else "singular" for gender, _, _ in item.others]
        kinds = sorted({f"{where} {place}" for _, place, where in item.others})
        words = list(item.words)
        words[item.target] = item.swapped
        other = pronoun_pairs.counterpart(counterparts.of_number(item))
        del other["counterpart"]  # what agrees after the verb would be wrong
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
                "attractors": len(numbers),
                "incongruent_attractors": numbers.count(bad_class),
                "attractor_kind": "+".join(kinds) if kinds else "none",
                "template": item.template,
                "lexeme": item.phrase.lexeme,
                "verbs": ";".join(item.verbs),
                "split": split,
                "prefix": grammar.text_of(item.words[: item.target]),
                **other,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
