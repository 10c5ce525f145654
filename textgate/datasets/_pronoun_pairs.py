"""Minimal pairs of pronoun agreement, from the generated sentences.

An item is a sentence with the right pronoun; a pair sets it against one wrong class. A wrong class
is left out where English allows it after all: *it* and *he* or *she* for an animal, *they* for a
company or for *every girl*, and so are the same classes turned round, so that the classes compared
in a context are as often right as wrong.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from textgate.datasets import _counterparts as counterparts
from textgate.datasets import _grammar as grammar
from textgate.datasets import _pronoun_items as pronoun_items
from textgate.datasets._grammar import Item
from textgate.datasets.lexicon import CLASSES, PRONOUNS

_EXCLUDED = {
    "organization": ({"neuter", "they"},),
    "machine": (),
    "animal": ({"neuter", "feminine"}, {"neuter", "masculine"}),
}


def wrong_classes(item: Item) -> list[str]:
    """Return the classes whose pronoun is wrong in the place of the item's target."""
    wrong = []
    for other in CLASSES:
        if other == item.gender or {other, item.gender} in _EXCLUDED[item.neuter]:
            continue
        if item.others and (other in item.rivals) != (item.gender in item.rivals):
            continue  # referents of one of the two classes only: they would give the answer away
        if item.phrase.quantified and other == "they":
            continue
        wrong.append(other)
    return wrong


def describe(item: Item) -> dict[str, Any]:
    """Return what is known of an item, apart from any wrong form.

    Example:

    >>> from textgate.datasets import _pronoun_items as pronoun_items
    >>> from textgate.datasets import _pronoun_pairs as pronoun_pairs
    >>> item = next(pronoun_items.items("test"))
    >>> pronoun_pairs.describe(item)["good_class"]
    'feminine'
    """
    tokens, begins = pronoun_items.positions(item)
    antecedent = [index for index in item.antecedent if index < item.target]
    prefix = item.words[: item.target]
    return {
        "good": grammar.text_of(item.words),
        "tokens": tokens,
        "target": begins[item.target],
        "good_class": item.gender,
        "form": item.form,
        "antecedent": " ".join(item.words[index] for index in antecedent),
        "antecedent_position": begins[antecedent[0]],
        "antecedent_kind": item.phrase.kind,
        "neuter_kind": item.neuter,
        "distance": pronoun_items.distance(item),
        "referents": ";".join(":".join(other) for other in item.others),
        "template": item.template,
        "lexeme": item.phrase.lexeme,
        "verbs": ";".join(item.verbs),
        "prefix": grammar.text_of(prefix),
    }


def counterpart(item: Item | None) -> dict[str, str]:
    """Return the columns that describe an item's counterpart, empty if there is none."""
    if item is None:
        return {"counterpart": "", "counterpart_prefix": "", "counterpart_lexeme": ""}
    return {
        "counterpart": grammar.text_of(item.words),
        "counterpart_prefix": grammar.text_of(item.words[: item.target]),
        "counterpart_lexeme": item.phrase.lexeme,
    }


def _attractors(item: Item, wrong: str) -> dict[str, Any]:
    rivals = [other for other in item.others if other[0] in (item.gender, wrong)]
    kinds = sorted({f"{where} {place}" for _, place, where in rivals})
    return {
        "attractors": len(rivals),
        "incongruent_attractors": sum(gender == wrong for gender, _, _ in rivals),
        "attractor_kind": "+".join(kinds) if kinds else "none",
    }


def rows(split: str, size: int | None = None, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the pairs of a split, one dictionary a pair: see `pairs` for the columns."""
    for number, item in enumerate(pronoun_items.items(split, size, seed)):
        known = describe(item)
        del known["tokens"]
        other = counterparts.of_gender(item)
        for wrong in wrong_classes(item):
            words = list(item.words)
            bad_form = PRONOUNS[wrong][item.form]
            if words[item.target][0].isupper():
                bad_form = bad_form.capitalize()
            words[item.target] = bad_form
            good_form = PRONOUNS[item.gender][item.form]
            if bad_form.lower() == good_form:
                continue
            yield {
                "item": number,
                **known,
                "bad": grammar.text_of(words),
                "bad_class": wrong,
                "direction": f"{PRONOUNS[item.gender]['subject']}→{good_form}",
                **_attractors(item, wrong),
                "split": split,
                **counterpart(other if other and wrong == other.gender else None),
            }


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
    "antecedent_position",
    "antecedent_kind",
    "neuter_kind",
    "distance",
    "attractors",
    "incongruent_attractors",
    "attractor_kind",
    "referents",
    "template",
    "lexeme",
    "verbs",
    "split",
    "prefix",
    "counterpart",
    "counterpart_prefix",
    "counterpart_lexeme",
]


def pairs(split: str, size: int | None = None, seed: int = 0) -> pd.DataFrame:
    """Return the pairs of a split, one row a pair.

    Args:
        split: One of `pronoun_items.SPLITS`.
        size: How many items (each has one to three pairs); the split's own size if None.
        seed: Seed.

    Returns:
        Columns: `item` (rows that differ only in the wrong form), `good`, `bad`, `target` (index
        of the pronoun among the words), `good_class`, `bad_class`, `direction` (pronoun of the
        antecedent → right form), `form`, `antecedent` (its words, with those of an earlier pronoun
        that settles its gender), `antecedent_position`, `antecedent_kind`, `neuter_kind`,
        `distance` (in words from the antecedent), `attractors` (other referents before the target
        of the right or the wrong class), `incongruent_attractors` (of the wrong class),
        `attractor_kind` (where they stand), `referents` (all others, as class:role:place),
        `template`, `lexeme`, `verbs` (before the target), `split`, `prefix` (the text before the
        target), and of pairs of feminine and masculine `counterpart` (the same sentence with the
        other gender: `counterparts`), `counterpart_prefix`, `counterpart_lexeme`, which are empty
        elsewhere.

    Raises:
        ValueError: If there is no such split.
    """
    return pd.DataFrame(list(rows(split, size, seed)), columns=COLUMNS)
