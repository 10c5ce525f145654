"""What the page has to play with: pairs for the tally, sentences to search, words to exchange.

All of it is made from textgate's own tables, and cut down to what the models know.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from textgate.datasets import counterparts, minimal_pairs, sentences
from textgate.datasets.features import FEATURES, contrasting
from textgate.datasets.lexicon import GENDERS, PRONOUNS, load

_PAIRS = 60  # of each feature
_DRAWN = 400  # items from which they are taken
_SENTENCES = 1500
_WORDS = 24  # of a group
_COLUMNS = ("good", "bad", "target", "prefix", "counterpart_prefix")


def pairs_for(tokenizers: Sequence[Any], size: int = _PAIRS) -> list[dict[str, str]]:
    """Return held-out pairs of every feature whose words all models know.

    Args:
        tokenizers: Those of the models.
        size: How many of each feature at most, half of them of each class.

    Returns:
        For each `text` and `twin` (both up to the word that decides), the words `good` and `bad`,
        and `group`, the feature.
    """
    found = []
    for feature in FEATURES.values():
        if feature.pairs is None:
            continue
        table = contrasting(minimal_pairs(feature.pairs, "test", size=_DRAWN), feature)
        usable: dict[str, list[dict[str, str]]] = {name: [] for name in feature.classes or ("",)}
        for row in table.drop_duplicates("prefix").to_dict("records"):
            pair = _pair(row, feature.name, tokenizers)
            if pair is not None:
                usable[str(row["good_class"])].append(pair)
        many = min(size // len(usable), *map(len, usable.values()))
        found += [pair for pairs in usable.values() for pair in pairs[:many]]
    return found


def own_pairs(table: pd.DataFrame, tokenizers: Sequence[Any], group: str) -> list[dict[str, str]]:
    """Return a user's minimal pairs, as `pairs_for` returns ours.

    Raises:
        ValueError: If columns are missing, or no pair is left.
    """
    missing = [name for name in _COLUMNS if name not in table]
    if missing:
        raise ValueError(
            f"pairs for the tally need the columns {', '.join(_COLUMNS)}; {missing[0]!r} is "
            f"missing. Received: columns {list(table.columns)}"
        )
    rows = table.to_dict("records")
    found = [p for row in rows if (p := _pair(row, group, tokenizers)) is not None]
    if not found:
        raise ValueError(
            "no pair is left for the tally; give pairs in words that the models know, with a "
            f"counterpart as long as the prefix. Received: {len(table)} rows"
        )
    return found


def _pair(row: Mapping[Any, Any], group: str, tokenizers: Sequence[Any]) -> dict[str, str] | None:
    """Return a pair, if all models know its words and text and twin have as many."""
    target = int(row["target"])
    words: list[str] = []
    for tokenizer in tokenizers:
        good, bad = (tokenizer.split(str(row[name])) for name in ("good", "bad"))
        text, twin = (tokenizer.split(str(row[n])) for n in ("prefix", "counterpart_prefix"))
        # With other tokens than words the target stands elsewhere, or is several.
        if not len(text) == len(twin) == target < min(len(good), len(bad)) or text == twin:
            return None
        words = [good[target], bad[target]]
        if not _knows(tokenizer, [*text, *twin, *words]):
            return None
    if not words:
        return None
    return {
        "text": str(row["prefix"]),
        "twin": str(row["counterpart_prefix"]),
        "good": words[0],
        "bad": words[1],
        "group": group,
    }


def _knows(tokenizer: Any, words: Sequence[str]) -> bool:
    try:
        return tokenizer.unknown_id not in tokenizer.tokens_to_ids(words)
    except ValueError:  # a tokenizer without an id for unknown words
        return False


def corpus_for(size: int = _SENTENCES) -> list[str]:
    """Return generated sentences that no model was trained on, each once."""
    texts = [text for f in FEATURES.values() for text in _of_feature(f.pairs, size)]
    return list(dict.fromkeys(texts))[:size]


def _of_feature(source: str | None, size: int) -> list[str]:
    return [] if source is None else sentences(source, "validation", size=size)


def lexicon_for(tokenizers: Sequence[Any]) -> dict[str, Any]:
    """Return the words to exchange, each one's counterpart, and the gender of those that have one.

    Args:
        tokenizers: Those of the models; words that one of them doesn't know are left out.
    """

    def known(word: str) -> bool:
        return all(_knows(t, t.split(word)) for t in tokenizers)

    def some(words: Sequence[str]) -> list[str]:
        return [word for word in dict.fromkeys(words) if known(word)][:_WORDS]

    pool = load().common
    twins = {word: twin for word, twin in counterparts().items() if known(word) and known(twin)}
    classes = {form: gender for gender in GENDERS for form in PRONOUNS[gender].values()}
    groups = {"pronouns": some([forms["subject"] for forms in PRONOUNS.values()])}
    for gender, people in zip(GENDERS, ("women", "men"), strict=True):
        groups[f"names of {people}"] = some(pool.names[gender].words)
        groups[people] = some([noun.singular for noun in pool.nouns[gender].words])
        people_of = [*pool.names[gender].words, *(n.singular for n in pool.nouns[gender].words)]
        classes |= {word: gender for word in people_of if known(word)}
    groups["people"] = some([noun.singular for noun in pool.neutral.words])
    groups["things"] = some([noun.singular for noun in pool.neuters["thing"].words])
    return {
        "twins": twins,
        "groups": [{"name": name, "words": words} for name, words in groups.items() if words],
        "classes": classes,
    }
