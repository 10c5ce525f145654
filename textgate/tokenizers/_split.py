"""Text to words and back, in Python: the rules of `textgate.tokenizers._table`, run with `re`.

The words of a text are those of its pieces between blanks, because no rule looks across one. Text
repeats itself, so a piece once split is remembered, and a million words cost well under a second.
"""

import re
from collections.abc import Iterable
from typing import Any

from textgate.tokenizers._table import LOWER, RULES

_RULES = tuple((re.compile(pattern), to.replace(r"\0", r"\g<0>")) for pattern, to in RULES)

# What is remembered at most: so many pieces, none longer than this many characters.
_MOST_PIECES, _LONGEST_PIECE = 1 << 17, 48

# Marks that stand close to the word before, to the word after, and to both, when text is written.
_CLOSE_BEFORE = frozenset([".", ",", ";", ":", "!", "?", ")", "]", "}", "%", "...", "»"])
_CLOSE_AFTER = frozenset(["(", "[", "{", "$", "£", "€", "#", "¿", "¡", "@", "«"])
_CLOSE_BOTH = frozenset(["-", "—", "/", "_"])
_CLITICS = frozenset(["'s", "'d", "'m", "'ll", "'re", "'ve", "n't"])
# Longer runs of words without a blank are not written (each is split again to prove it right).
_LONGEST_RUN = 24


class Pieces(dict[str, tuple[str, ...]]):
    """The words of each piece of text seen lately; `pieces[piece]` splits a piece it hasn't."""

    def __missing__(self, piece: str) -> tuple[str, ...]:
        words = split_piece(piece)
        remember(self, piece, words)
        return words


def remember(memory: dict[str, Any], piece: str, value: Any) -> None:
    """Put a piece's value into a memory of bounded size."""
    if len(piece) <= _LONGEST_PIECE:
        if len(memory) >= _MOST_PIECES:
            memory.clear()
        memory[piece] = value


def split_piece(piece: str) -> tuple[str, ...]:
    """Return the words of one piece of text, by the rules, remembering nothing.

    Raises:
        ValueError: If the text has half of a surrogate pair, which no UTF-8 text can have.
    """
    if piece.isascii():
        if piece.isalnum():
            return (piece,)
    else:
        check_unicode(piece)
    text = f" {piece} "
    for pattern, to in _RULES:
        text = pattern.sub(to, text)
    return tuple(word for word in text.split(" ") if word)


def check_unicode(text: str) -> None:
    """Raise `ValueError` if a string has half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            "The text is not valid Unicode: it has half of a surrogate pair; read the file as "
            f"UTF-8. Received: {text[max(0, error.start - 10) : error.end + 10]!r}"
        ) from None


_PIECES = Pieces()


def split(text: str) -> list[str]:
    """Split a text into words, clitics, numbers and marks of punctuation.

    Example:
        >>> split("She can't have Anna's dog, which cost 1,500.")
        ['She', 'ca', "n't", 'have', 'Anna', "'s", 'dog', ',', 'which', 'cost', '1,500', '.']
    """
    if not isinstance(text, str):
        raise TypeError(f"A text must be a string. Received: {text!r} of {type(text).__name__}")
    pieces = _PIECES
    return [word for piece in text.split(" ") for word in pieces[piece]]


def detokenize(tokens: Iterable[str]) -> str:
    r"""Write words as text, spaced as English is, so that `split` gives the same words again.

    A word is set close to the one before only if the two are split there again; otherwise a blank
    stands between them.

    Example:
        >>> detokenize(["She", "said", ":", '"', "I", "ca", "n't", ".", '"'])
        'She said: "I can\'t."'
    """
    runs: list[str] = []  # the text, in pieces without blanks
    words: tuple[str, ...] = ()  # those of the last run, as `split` will give them
    quotes: set[str] = set()  # the quotation marks that are open
    close = False  # whether the next word should stand close to the last
    before = ""
    for token in tokens:
        close_before, close_after = _spacing(token, before, quotes)
        expected = _PIECES[token] if " " not in token else tuple(split(token))
        if (close or close_before) and runs and len(words) < _LONGEST_RUN:
            run = runs[-1] + token
            if split_piece(run) == words + expected:
                runs[-1], words = run, words + expected
            else:
                runs.append(token)
                words = expected
        else:
            runs.append(token)
            words = expected
        close, before = close_after, token
    return " ".join(runs)


def _spacing(token: str, before: str, quotes: set[str]) -> tuple[bool, bool]:
    """Say whether `token` stands close to the word before it, and to the word after it."""
    if token in ('"', "'"):
        if token in quotes:
            quotes.remove(token)
            return True, False
        if token == "'" and before[-1:] in ("s", "S"):
            return True, False  # the girls' dogs
        quotes.add(token)
        return False, True
    if token in _CLOSE_BOTH:
        return True, True
    return token in _CLOSE_BEFORE or token.translate(LOWER) in _CLITICS, token in _CLOSE_AFTER
