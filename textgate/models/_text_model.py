"""What every language model of textgate has besides its equations: texts in, probabilities out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from textgate._special_tokens import BOS, TOKENS, padded
from textgate.models._next_words import NextWords
from textgate.models.scoring import next_logprobs, token_logprobs


class TextModel(NextWords):
    """Mixin of a model from word ids to probabilities, with its tokenizer.

    Attributes:
        tokenizer: A `textgate.tokenizers.WordTokenizer`, or anything with its methods.
    """

    tokenizer: Any

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return `<bos>` and the words of each text as ids, right-padded with 0.

        Args:
            texts: Strings.

        Returns:
            `int32` of shape `(batch, time)`, where time is the longest text's.
        """
        if isinstance(texts, str):
            raise TypeError(f"`texts` must be a list of strings. Received: texts={texts!r}")
        return padded([[BOS, *self.tokenizer.encode(text)] for text in texts])

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the words of each text as they stand in it, in the shape of `encode`.

        The first is `<bos>`; padding is the empty string.
        """
        if isinstance(texts, str):
            raise TypeError(f"`texts` must be a list of strings. Received: texts={texts!r}")
        rows = [[TOKENS[BOS], *self.tokenizer.split(text)] for text in texts]
        width = max(map(len, rows), default=1)
        return np.array([row + [""] * (width - len(row)) for row in rows], dtype=np.str_)

    def token_logprobs(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Return the log-probability of each word given the words before it.

        Args:
            texts: Strings.
            batch_size: How many texts are read at a time; it changes nothing but the memory.

        Returns:
            `float32` in the shape `(batch, time)` of `encode`: natural logarithms, and NaN where
            there is nothing to predict, at `<bos>` and at padding.
        """
        return token_logprobs(self, self.encode(texts), batch_size)

    def next_logprobs(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Return the log-probabilities of all words after each text.

        Args:
            texts: Strings; the empty string is a beginning, too.
            batch_size: How many texts are read at a time.

        Returns:
            `float32` of shape `(batch, vocabulary)`: natural logarithms.
        """
        return next_logprobs(self, self.encode(texts), batch_size)
