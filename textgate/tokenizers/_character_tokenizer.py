"""Characters: each is a token, blanks and line ends too.

A letter with an accent is one character in NFC and two or more in NFD. Text in either form gives
the same tokens: the spelling that the vocabulary has is put in the place of the other, by a few
replacements that run in Python and in a TensorFlow graph alike.
"""

import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from textgate.tokenizers._registry import register
from textgate.tokenizers._split import check_unicode
from textgate.tokenizers._vocabulary import PADDING, VocabularyTokenizer, refuse_unproducible

if TYPE_CHECKING:
    from textgate.tokenizers._graph import TokenGraph


@register
class CharacterTokenizer(VocabularyTokenizer):
    r"""Text to ids of its characters (Unicode's code points).

    Args:
        vocabulary: The characters in the order of the weights' rows, as a list or a string, and
            the tokens that the arguments below name. They have the ids from 1 on; 0 is padding.
        unknown: The token that stands for all other characters; `None` if they are an error.
        begin: The token that is read before a text; `None` for none.
        end: The token that is predicted after a text; `None` for none.

    Raises:
        ValueError: If a token stands there twice, or has several characters and is none of the
            three; or if one of the three isn't in the vocabulary.
        TypeError: If the vocabulary is no list of strings.

    Example:
        >>> tokenizer = CharacterTokenizer(["\n", " ", "a", "b"], begin="\n")
        >>> tokenizer.encode("a bab")
        [3, 2, 4, 3, 4]
        >>> tokenizer.detokenize(tokenizer.ids_to_tokens([1, 3, 2, 4]))
        'a b'
    """

    kind: ClassVar[str] = "characters"
    pieces: ClassVar[bool] = True

    def __init__(
        self,
        vocabulary: Iterable[str],
        unknown: str | None = None,
        begin: str | None = None,
        end: str | None = None,
    ) -> None:
        characters = list(vocabulary)  # of a string, too
        super().__init__(characters, unknown, begin, end)
        self._rules = _spellings(frozenset(self._vocabulary[1:]))

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        size: int | None = None,
        min_count: int = 1,
        unknown: str = "<unk>",
        end: str = "<eos>",
    ) -> "CharacterTokenizer":
        """Make a vocabulary of the characters of texts, the most frequent first.

        Args:
            texts: Any iterable of strings.
            size: How many tokens the vocabulary has at most, `unknown` and `end` among them.
            min_count: Leave out the characters that occur less often than this.
            unknown: The token for all others.
            end: The token at the end of each text, also read before it.

        Raises:
            ValueError: If the texts have no characters.

        Example:
            >>> CharacterTokenizer.train(["abba", "b"]).vocabulary
            ('', '<unk>', '<eos>', 'b', 'a')
        """
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(unicodedata.normalize("NFC", _checked(text)))
        found = [c for c in sorted(counts, key=lambda c: (-counts[c], c)) if counts[c] >= min_count]
        if not found:
            raise ValueError(
                "The texts have no characters to make a vocabulary of. Received: no characters"
            )
        special = list(dict.fromkeys((unknown, end)))
        if size is not None and size <= len(special):
            raise ValueError(
                f"A vocabulary needs room for characters besides {' and '.join(special)}. "
                f"Received: size={size}"
            )
        room = None if size is None else size - len(special)
        return cls([*special, *found[:room]], unknown, end, end)

    @property
    def rules(self) -> dict[str, Any]:
        """What makes characters of a text: `spellings`, and what takes the place of each."""
        return {"spellings": [list(rule) for rule in self._rules]}

    def split(self, text: str) -> list[str]:
        """Return the characters."""
        text = _checked(text)
        for spelling, other in self._rules:
            text = text.replace(spelling, other)
        return list(text)

    def detokenize(self, tokens: Iterable[str]) -> str:
        """Write characters as text.

        A beginning or end that is a character itself is part of a text, but not where it begins.
        """
        begin, end = self._special["begin"], self._special["end"]
        silent = {PADDING, *(token for token in (begin, end) if token and len(token) > 1)}
        written = [token for token in tokens if token not in silent]
        return "".join(written[1:] if written[:1] == [begin] else written)

    def _check_producible(self, words: Sequence[str]) -> None:
        refuse_unproducible(
            [word for word in words if len(word) > 1],
            "Text is split into characters, so no text gives a token of several; use a "
            "WhitespaceTokenizer for words.",
        )

    def _new_graph(self) -> "TokenGraph":
        from textgate.tokenizers._graph import CharacterGraph

        return CharacterGraph(
            self._vocabulary, self._ids, self.unknown_id, self.begin_id, self._rules
        )


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"A text must be a string. Received: {text!r} of {type(text).__name__}")
    if not text.isascii():
        check_unicode(text)
    return text


def _spellings(characters: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Return what is put in place of what, so that the vocabulary's spelling is met.

    Longest first, because a letter with two accents begins like one with the first of them.
    """
    rules = {}
    for character in characters:
        parts = unicodedata.normalize("NFD", character)
        if len(character) == 1 and len(parts) > 1:
            rules[parts] = character
    if any(len(c) == 1 and unicodedata.combining(c) for c in characters):
        for character, parts in _decompositions():
            if character not in characters and characters.issuperset(parts):
                rules[character] = parts
    return tuple(sorted(rules.items(), key=lambda rule: (-len(rule[0]), rule)))


@cache
def _decompositions() -> tuple[tuple[str, str], ...]:
    """Return every character that NFD takes apart, with its parts."""
    pairs = ((c, unicodedata.normalize("NFD", c)) for c in map(chr, range(sys.maxunicode + 1)))
    return tuple((c, parts) for c, parts in pairs if len(parts) > 1)
