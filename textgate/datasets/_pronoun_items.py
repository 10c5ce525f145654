"""Pronoun agreement: the generated sentences of each split.

`items(split)` yields `grammar.Item`s, always the same for the same split, size and seed.

| split | what is in it |
|---|---|
| `train`, `validation`, `test` | the same constructions, words and distances (1 to 40 words) |
| `test_templates` | constructions that training doesn't have |
| `test_distances` | 41 to 80 words between antecedent and pronoun |
| `test_lexemes` | names and nouns that training shows in one construction, in all the others |

No sentence stands in two splits: a checksum of its text says which of the first three it is in,
and the constructions, distances and lexemes of the rest occur in no other test split (and only in
sentences that training can't have). The classes
take turns within a construction, and the forms from construction to construction, so that both are
equally many.
"""

import random
import zlib
from collections.abc import Iterator

from textgate.datasets import _grammar as grammar
from textgate.datasets import lexicon
from textgate.datasets._grammar import Item, Template
from textgate.datasets.lexicon import CLASSES, FORMS, Weighted
from textgate.datasets.words import split as split_words

SIZES = {
    "train": 80_000,
    "validation": 2_400,
    "test": 4_800,
    "test_templates": 2_400,
    "test_distances": 2_400,
    "test_lexemes": 2_400,
}
SPLITS = tuple(SIZES)
LONGEST = 40  # words from antecedent to target in training
_SHARES = {"train": range(0, 84), "validation": range(84, 90), "test": range(90, 100)}
_LONG_CHAIN = (7, 17)
# How often the antecedent is a reserved lexeme, in the construction that shows these.
_RESERVED_SHARE = 0.5


def check_split(split: str, source: str = "pronoun_agreement") -> None:
    """Refuse an unknown split.

    Raises:
        ValueError: If there is no such split.
    """
    if not isinstance(split, str) or split not in SIZES:
        known = ", ".join(SPLITS)
        raise ValueError(f"{source} has the splits {known}. Received: split={split!r}")


def _constructions(split: str) -> list[Template]:
    everything = grammar.templates()
    if split == "test_templates":
        return [template for template in everything if template.use == "unseen"]
    train = [template for template in everything if template.use == "train"]
    if split == "test_distances":
        return [t for t in train if "[chain]" in t.pattern or "[ochain]" in t.pattern]
    if split == "test_lexemes":
        return [t for t in train if t.name != grammar.HOME and "{N}" not in t.pattern]
    return train


def _draws(split: str) -> list[Weighted]:
    """Return what to draw constructions from, for each form of the pronoun."""
    constructions = _constructions(split)
    # Tests draw half by weight and half alike, so that they see every construction often enough.
    mean = 0.0 if split == "train" else sum(t.weight for t in constructions) / len(constructions)
    draws = []
    for form in FORMS:
        chosen = [template for template in constructions if template.form == form]
        draws.append(Weighted(chosen, [template.weight + mean for template in chosen]))
    return draws


def positions(item: Item) -> tuple[list[str], list[int]]:
    """Return an item's tokens, and at which of them each of its words begins."""
    tokens: list[str] = []
    begins: list[int] = []
    for word in item.words:
        begins.append(len(tokens))
        tokens.extend(_tokens(word))
    return tokens, begins


_MEMORY: dict[str, tuple[str, ...]] = {}


def _tokens(word: str) -> tuple[str, ...]:
    if word not in _MEMORY:
        _MEMORY[word] = tuple(split_words(word))
    return _MEMORY[word]


def distance(item: Item) -> int:
    """Return how many words the target stands after the antecedent (1: right after it)."""
    last = max(index for index in item.antecedent if index < item.target)
    between = item.words[last + 1 : item.target]
    return 1 + sum(len(_tokens(word)) for word in between)


def share(text: str) -> str:
    """Return which of train, validation and test a sentence belongs to."""
    number = zlib.crc32(text.encode()) % 100
    return next(split for split, numbers in _SHARES.items() if number in numbers)


def items(split: str, size: int | None = None, seed: int = 0) -> Iterator[Item]:
    """Yield the sentences of a split, each with a target.

    Args:
        split: One of `SPLITS`.
        size: How many; the split's own size if None.
        seed: Seed. With another seed, another sample of the same split.

    Raises:
        ValueError: If there is no such split.

    Example:

    >>> from textgate.datasets import _pronoun_items as pronoun_items
    >>> item = next(pronoun_items.items("test"))
    >>> item.words[item.target].lower() in ("she", "her", "herself")
    True
    """
    check_split(split)
    count = SIZES[split] if size is None else size
    words = lexicon.load()
    rng = random.Random(f"pronoun_agreement {split} {seed}")
    far = split == "test_distances"
    writer = grammar.Writer(words, rng, _LONG_CHAIN) if far else grammar.Writer(words, rng)
    draws = _draws(split)
    seen: set[str] = set()
    round_number = -1
    while len(seen) < count:
        if len(seen) // len(CLASSES) != round_number:  # one construction for the four classes
            round_number = len(seen) // len(CLASSES)
            template = draws[round_number % len(draws)].draw(rng)
            is_home = template.name == grammar.HOME
            reserved = split == "test_lexemes" or (is_home and rng.random() < _RESERVED_SHARE)
        item = writer.write(template, CLASSES[len(seen) % len(CLASSES)], reserved)
        text = grammar.text_of(item.words)
        if text in seen or share(text) != (split if split in _SHARES else "test"):
            continue
        words_between = distance(item)
        if (LONGEST < words_between <= 2 * LONGEST) != far or words_between > 2 * LONGEST:
            continue
        seen.add(text)
        yield item
