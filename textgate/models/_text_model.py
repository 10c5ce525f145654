"""What every language model of textgate has besides its equations: texts in, probabilities out."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from textgate._special_tokens import padded
from textgate.models._next_words import NextWords
from textgate.models.scoring import next_logprobs, token_logprobs
from textgate.tokenizers import Tokenizer, beginning


class TextModel(NextWords):
    """Mixin of a model from word ids to probabilities, with its tokenizer.

    Attributes:
        tokenizer: A `textgate.tokenizers.Tokenizer`.
    """

    tokenizer: Tokenizer

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model on ids, as `keras.Model` does."""
        _refuse_texts(
            args[:1], "give ids, `lm(lm.encode(texts))`, or ask `lm.next_logprobs(texts)`"
        )
        return super().__call__(*args, **kwargs)  # type: ignore[misc]

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the logits after each word, of ids as `keras.Model.predict` does, or of texts."""
        return super().predict(self._ids(x), *args, **kwargs)  # type: ignore[misc]

    def fit(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Fit the model to ids, as `keras.Model.fit` does."""
        _refuse_texts([x], "train by textgate.training.train, or `textgate train` on a file")
        return super().fit(x, *args, **kwargs)  # type: ignore[misc]

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the model on ids, as `keras.Model.evaluate` does."""
        _refuse_texts([x], "ask textgate.evaluation.perplexity, or `lm.token_logprobs(texts)`")
        return super().evaluate(x, *args, **kwargs)  # type: ignore[misc]

    def _ids(self, x: Any) -> Any:
        """Return texts as ids, and anything else as it is."""
        if isinstance(x, str):
            raise TypeError(f"texts come as a list, also a single one. Received: {x[:40]!r}")
        return self.encode(x) if _is_text(x) else x

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the tokens of each text as ids, the beginning before them, right-padded with 0.

        Args:
            texts: Strings.

        Returns:
            `int32` of shape `(batch, time)`, where time is the longest text's. The first id of each
            row is the tokenizer's `begin_id`, `<bos>` for one; without one, that of the first
            token.

        Raises:
            ValueError: If a text is empty and the tokenizer has no beginning.
        """
        if isinstance(texts, str):
            raise TypeError(f"`texts` must be a list of strings. Received: texts={texts!r}")
        first = beginning(self.tokenizer)
        rows = [[*first, *self.tokenizer.encode(text)] for text in texts]
        if not all(rows):
            raise ValueError(
                "A text must have a token, since the model's tokenizer has none that stands before "
                f"a text. Received: {texts[[bool(row) for row in rows].index(False)]!r}"
            )
        return padded(rows)

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the words of each text as they stand in it, in the shape of `encode`.

        The first is `<bos>`, or what else the tokenizer begins with; padding is the empty string.
        """
        if isinstance(texts, str):
            raise TypeError(f"`texts` must be a list of strings. Received: texts={texts!r}")
        first = self.tokenizer.ids_to_tokens(beginning(self.tokenizer))
        rows = [[*first, *self.tokenizer.split(text)] for text in texts]
        width = max(map(len, rows), default=1)
        return np.array([row + [""] * (width - len(row)) for row in rows], dtype=np.str_)

    def token_logprobs(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Return the log-probability of each word given the words before it.

        Args:
            texts: Strings.
            batch_size: How many texts are read at a time; it changes nothing but the memory.

        Returns:
            `float32` in the shape `(batch, time)` of `encode`: natural logarithms, and NaN where
            there is nothing to predict, at the first step and at padding.
        """
        return token_logprobs(self, self.encode(texts), batch_size)

    def next_logprobs(self, texts: Sequence[str], batch_size: int = 64) -> np.ndarray:
        """Return the log-probabilities of all words after each text.

        Args:
            texts: Strings; the empty string is a beginning, too, if the tokenizer has one.
            batch_size: How many texts are read at a time.

        Returns:
            `float32` of shape `(batch, vocabulary)`: natural logarithms.
        """
        return next_logprobs(self, self.encode(texts), batch_size)


def _is_text(x: Any) -> bool:
    """Whether something is a text or several."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "UT" or (x.dtype == object and x.size > 0 and _is_text(x.flat[0]))
    return isinstance(x, str) or (isinstance(x, list | tuple) and bool(x) and isinstance(x[0], str))


def _refuse_texts(x: Sequence[Any], way: str) -> None:
    """Raise a `TypeError` for texts where a model takes ids."""
    if any(map(_is_text, x)):
        raise TypeError(f"the model computes with ids; {way}. Received: {str(x[0])[:60]!r}")
