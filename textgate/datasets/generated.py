"""Training sentences of the generated data: the items' sentences, and others around them."""

from textgate.datasets import grammar, pronoun_items

_SOURCES = ("pronoun_agreement", "number_agreement")


def sentences(
    source: str, split: str = "train", size: int | None = None, seed: int = 0
) -> list[str]:
    """Return the sentences of a split of generated data.

    Args:
        source: `"pronoun_agreement"`.
        split: One of `pronoun_items.SPLITS`.
        size: How many items; the split's own size if None.
        seed: Seed.

    Raises:
        ValueError: If there is no such source or split.

    Example:

    >>> from textgate import datasets
    >>> len(datasets.sentences("pronoun_agreement", split="test", size=8)) >= 8
    True
    """
    if source not in _SOURCES:
        known = ", ".join(_SOURCES)
        raise ValueError(f"Sentences are generated for {known}. Received: source={source!r}")
    return [grammar.text_of(item.words) for item in pronoun_items.items(split, size, seed)]
