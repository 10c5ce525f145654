"""Pretokenised text: what stands between blanks is a token, whatever it looks like.

Most published language models were trained on such text (`the U.S. @-@ led force did n't <unk>`).
To split its words again would make every number incomparable with theirs.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textgate.tokenizers._registry import register
from textgate.tokenizers._split import check_unicode
from textgate.tokenizers._vocabulary import PADDING, VocabularyTokenizer, refuse_unproducible

if TYPE_CHECKING:
    from textgate.tokenizers._graph import TokenGraph

# What separates tokens: ASCII's white space, as in TensorFlow; a no-break space is part of a token.
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")


@register
class WhitespaceTokenizer(VocabularyTokenizer):
    """Text to ids by splitting at white space, for pretokenised text and published models.

    Args:
        vocabulary: The tokens in the order of the weights' rows. They have the ids from 1 on; 0 is
            padding.
        unknown: The token that stands for all others; `None` if unknown tokens are an error.
        begin: The token that is read before a text; `None` for none. Models without `<bos>` read
            `<eos>`.
        end: The token that is predicted after a text; `None` for none.

    Raises:
        ValueError: If a token is empty, stands there twice or has white space in it; or if
            `unknown`, `begin` or `end` isn't in the vocabulary.
        TypeError: If the vocabulary is no list of strings.

    Example:
        >>> tokenizer = WhitespaceTokenizer(["<unk>", "<eos>", "the", "U.S.", "@-@"])
        >>> tokenizer.encode("the U.S. @-@ led")
        [3, 4, 5, 1]
        >>> tokenizer.begin_id, tokenizer.vocabulary[:3]
        (2, ('', '<unk>', '<eos>'))
    """

    kind: ClassVar[str] = "whitespace"
    pieces: ClassVar[bool] = False

    def __init__(
        self,
        vocabulary: Iterable[str],
        unknown: str | None = "<unk>",
        begin: str | None = "<eos>",
        end: str | None = "<eos>",
    ) -> None:
        super().__init__(vocabulary, unknown, begin, end)

    @classmethod
    def train(
        cls,
        texts: Iterable[str],
        size: int | None = None,
        min_count: int = 1,
        unknown: str = "<unk>",
        end: str = "<eos>",
    ) -> "WhitespaceTokenizer":
        """Make a vocabulary of the tokens of texts, each of which ends with `end`.

        The tokens stand in the order of how often they occur, equally frequent ones in the order of
        their characters.

        Args:
            texts: Any iterable of strings, such as the lines of a file.
            size: How many tokens the vocabulary has at most, `unknown` and `end` among them.
                `None` takes every token.
            min_count: Leave out the tokens that occur less often than this.
            unknown: The token for all others. It is put in if the texts don't have it.
            end: The token at the end of each text, also read before it.

        Raises:
            ValueError: If the texts have no tokens, or `size` leaves no room for them.

        Example:
            >>> WhitespaceTokenizer.train(["a dog <unk>", "a cat"]).vocabulary
            ('', '<eos>', 'a', '<unk>', 'cat', 'dog')
        """
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_split(text))
            counts[end] += 1
        if len(counts) < 2:
            raise ValueError(
                "The texts have no tokens to make a vocabulary of. Received: no tokens"
            )
        special = dict.fromkeys((unknown, end))
        if size is not None and size <= len(special):
            raise ValueError(
                f"A vocabulary needs room for tokens besides {' and '.join(special)}. "
                f"Received: size={size}"
            )
        counts.setdefault(unknown, 0)
        words = sorted(counts, key=lambda word: (-counts[word], word))
        words = [word for word in words if counts[word] >= min_count or word in special]
        if size is not None:
            room = size - len(special)
            common = [word for word in words if word not in special][:room]
            words = [word for word in words if word in special or word in set(common)]
        return cls(words, unknown, end, end)

    def split(self, text: str) -> list[str]:
        """Return what stands between white space."""
        return _split(text)

    def detokenize(self, tokens: Iterable[str]) -> str:
        """Write tokens as text, blanks between them, without padding, beginning and end."""
        silent = {PADDING, self._special["begin"], self._special["end"]}
        return " ".join(token for token in tokens if token not in silent)

    def _check_producible(self, words: Sequence[str]) -> None:
        refuse_unproducible(
            [word for word in words if _BLANKS.search(word)],
            "Text is split at white space, so no text gives a token with white space in it.",
        )

    def _new_graph(self) -> "TokenGraph":
        from textgate.tokenizers._graph import WhitespaceGraph

        return WhitespaceGraph(self._vocabulary, self._ids, self.unknown_id, self.begin_id)


def _split(text: str) -> list[str]:
    if not isinstance(text, str):
        raise TypeError(f"A text must be a string. Received: {text!r} of {type(text).__name__}")
    if not text.isascii():
        check_unicode(text)
    return [token for token in _BLANKS.split(text) if token]
