"""Where the word in which two sentences differ stands among a tokenizer's tokens.

Minimal pairs say which word it is by its number among the words of `WordTokenizer`. Other
tokenizers have other tokens: pretokenised text keeps `U.S.` whole, word pieces take *criticizes*
apart. So for them the word is looked for in the text.
"""

from collections.abc import Sequence
from typing import Any

from textgate.tokenizers._word_tokenizer import WordTokenizer


def target_pieces(tokenizer: Any, good: str, bad: str, target: int) -> tuple[range, range]:
    """Return which tokens of two sentences are the word in which they differ.

    Args:
        tokenizer: A `Tokenizer`.
        good: A sentence.
        bad: The same sentence with another word.
        target: The number of that word among the words of a `WordTokenizer`, or among the tokens.

    Returns:
        Their numbers among the tokens of `good` and of `bad`, without a beginning. With word
        pieces each is one or several; a blank before a word belongs to it.

    Raises:
        ValueError: If the sentences are the same.

    Example:
        >>> from textgate.tokenizers import CharacterTokenizer, WhitespaceTokenizer
        >>> tokenizer = WhitespaceTokenizer(["U.S.", "the", "is", "are"], None, None, None)
        >>> target_pieces(tokenizer, "the U.S. is", "the U.S. are", 4)
        (range(2, 3), range(2, 3))
        >>> target_pieces(CharacterTokenizer(" abcdehirs"), "bad hers", "bad his", 1)
        (range(3, 8), range(3, 7))
    """
    if isinstance(tokenizer, WordTokenizer):
        return range(target, target + 1), range(target, target + 1)
    if good == bad:
        raise ValueError(
            f"The two sentences of a pair must differ. Received: {good!r} twice, target={target}"
        )
    if tokenizer.pieces:
        first, last, last_of_bad = _differing_word(good, bad)
        before = good[:first].rstrip()
        span = _span(tokenizer, good, before, good[:last])
        other = _span(tokenizer, bad, before, bad[:last_of_bad])
        if span is not None and other is not None:
            return span, other
    tokens, others = tokenizer.split(good), tokenizer.split(bad)
    start = shared_length(tokens, others)
    if not tokenizer.pieces:
        return range(start, start + 1), range(start, start + 1)
    # Pieces that depend on what follows: those that differ, and one that both have after them.
    after = shared_length(tokens[start:][::-1], others[start:][::-1])
    ends = [max(start, len(of) - after) for of in (tokens, others)]
    return range(start, max(ends[0], start + 1)), range(start, max(ends[1], start + 1))


def shared_length(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Return how many items two sequences begin with alike."""
    shorter = min(len(one), len(other))
    return next((place for place in range(shorter) if one[place] != other[place]), shorter)


def _differing_word(good: str, bad: str) -> tuple[int, int, int]:
    """Return where the first word that differs begins, and where it ends in `good` and `bad`."""
    same = shared_length(good, bad)
    after = shared_length(good[same:][::-1], bad[same:][::-1])
    first = same
    while first and not good[first - 1].isspace():
        first -= 1

    def end(text: str) -> int:
        place = len(text) - after
        while place < len(text) and text[place].isalnum():
            place += 1
        return place

    return first, end(good), end(bad)


def _span(tokenizer: Any, text: str, before: str, through: str) -> range | None:
    """Return the tokens of `through` that `before` lacks; `None` if they are cut otherwise."""
    whole, first, last = (tokenizer.encode(part) for part in (text, before, through))
    if whole[: len(first)] != first or whole[: len(last)] != last or len(last) <= len(first):
        return None
    return range(len(first), len(last))
