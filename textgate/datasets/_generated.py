"""Training text of the generated data: the items' sentences, with ordinary ones among them.

The sentences with a pronoun to agree (`pronoun_items`) are made so that nothing else gives the
answer away. That takes freedom from English: no verb in them agrees with the antecedent. The other
sentences have what is missing there: the present tense, *was*, *has* and *doesn't* in agreement
(with other nouns between), nouns of either gender and names of both sexes (in proportion to their
births), things with *it*, and sentences without any pronoun. They keep the genders in balance.
"""

import random
from collections.abc import Iterable, Iterator, Sequence

from textgate.datasets import _grammar as grammar
from textgate.datasets import _pronoun_items as pronoun_items
from textgate.datasets import _verb_agreement as verb_agreement
from textgate.datasets import lexicon
from textgate.datasets._grammar import Item
from textgate.datasets.features import SOURCES
from textgate.datasets.lexicon import CLASSES, GENDERS, Weighted

# So many others for so many items.
_OTHERS, _ITEMS = 3, 7
# One in so many of the others is a sentence of number agreement.
_NUMBER = 4
# Names have to be learned one by one, so that of the others more have them.
_CLASSES = (*CLASSES, *GENDERS)


def _others(split: str, size: int, seed: int) -> Iterator[str]:
    rng = random.Random(f"others {split} {seed}")
    writer = grammar.Writer(lexicon.load(), rng)
    constructions = [t for t in grammar.templates() if t.use == "background"]
    draw = Weighted(constructions, [t.weight for t in constructions])
    made = 0
    while made < size:
        template = draw.draw(rng)
        thing = template.name.startswith("thing.")
        gender = "neuter" if thing else _CLASSES[made % len(_CLASSES)]
        text = grammar.text_of(writer.write(template, gender).words)
        if pronoun_items.share(text) == split:
            made += 1
            yield text


def is_generated(data: str | Sequence[str]) -> bool:
    """Return whether what a model is trained on is generated, all of it.

    Args:
        data: One source or several: names of generated data, or paths and names of text.

    Example:

    >>> is_generated("tense_agreement"), is_generated(["tense_agreement", "novels/*.txt"])
    (True, False)
    """
    return {data} <= set(SOURCES) if isinstance(data, str) else set(data) <= set(SOURCES)


def _texts(items: Iterable[Item]) -> list[str]:
    return [grammar.text_of(item.words) for item in items]


def sentences(
    source: str, split: str = "train", size: int | None = None, seed: int = 0
) -> list[str]:
    """Return the sentences of a split of generated data, in an order of chance.

    Args:
        source: `"pronoun_agreement"`, `"number_agreement"` or `"tense_agreement"`.
        split: For pronoun agreement one of `pronoun_items.SPLITS`; `train`, `validation` and
            `test` hold three other sentences for every seven items. For the agreement of verbs
            `train`, `validation` or `test`, which hold the items' sentences alone.
        size: How many items; the split's own size if None.
        seed: Seed.

    Raises:
        ValueError: If there is no such source or split.

    Example:

    >>> from textgate import datasets
    >>> len(datasets.sentences("pronoun_agreement", split="test", size=7))
    10
    """
    if source not in SOURCES:
        names = ", ".join(sorted(SOURCES))
        raise ValueError(f"Sentences are generated for {names}. Received: source={source!r}")
    if source in verb_agreement.AGREEMENTS:
        return _texts(verb_agreement.items(source, split, size, seed))
    texts = _texts(pronoun_items.items(split, size, seed))
    if split in ("train", "validation", "test"):
        count = len(texts) * _OTHERS // _ITEMS
        number = count // _NUMBER
        texts += _others(split, count - number, seed)
        texts += _texts(verb_agreement.items("number_agreement", split, number, seed))
    random.Random(f"order {split} {seed}").shuffle(texts)
    return texts
