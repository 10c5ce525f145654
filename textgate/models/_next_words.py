"""How a language model goes on with a text: the likeliest next words, and words drawn from it.

    lm.next_words("She came out and")                         a table: word, probability
    lm.generate("She came out and", words=12, seed=0)         the text, gone on with

Both rest on `next_logprobs`, so they are there for models with interventions as well.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import PAD
from textgate.models.scoring import next_logprobs


class NextWords:
    """Mixin of whatever has a tokenizer, `encode`, `tokens` and probabilities of next words."""

    tokenizer: Any

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return each text as ids, right-padded."""
        raise NotImplementedError

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the words of each text, in the shape of `encode`."""
        raise NotImplementedError

    def next_words(self, text: str, k: int = 10) -> pd.DataFrame:
        """Return the likeliest words after a text, the likeliest first.

        Args:
            text: The text; the empty string is a beginning, too.
            k: How many words; all there are, if there are fewer.

        Returns:
            A table with the columns `word` and `probability` (among all words of the vocabulary).
            `table.attrs["unknown"]` lists the words of the text that the model doesn't know.

        Raises:
            TypeError: If `text` is not a string.
            ValueError: If `k` is not a whole number above 0.

        Example:

        >>> from textgate.models import LanguageModel
        >>> from textgate.tokenizers import WordTokenizer
        >>> lm = LanguageModel(WordTokenizer.train(["She fed her dog ."]), units=(8,), seed=0)
        >>> lm.next_words("She fed", k=3).columns.tolist()
        ['word', 'probability']
        """
        _check_text(text)
        _check_count("k", k)
        [logprobs] = next_logprobs(self, self.encode([text]))
        likeliest = np.argsort(-logprobs, kind="stable")[:k]
        table = pd.DataFrame(
            {
                "word": self.tokenizer.ids_to_tokens(likeliest.tolist()),
                "probability": np.exp(logprobs[likeliest].astype(np.float64)),
            }
        )
        table.attrs["unknown"] = self.unknown_words(text)
        return table

    def generate(
        self, text: str = "", words: int = 12, temperature: float = 0.8, seed: int | None = 0
    ) -> str:
        """Go on with a text, word by word, each drawn from the model's own probabilities.

        The words for padding, for the beginning of a text and for unknown words are never drawn.

        Args:
            text: What to go on with; by default from the beginning of a text.
            words: The most words that are added; fewer, if the text ends before.
            temperature: What logits are divided by (natural logarithm of the odds): 1 is the model
                as it is, below 1 likely words get likelier, and at 0 the likeliest is taken.
            seed: Seed of what is drawn; `None` for another text each time.

        Returns:
            The text, with what was added.

        Raises:
            TypeError: If `text` is not a string.
            ValueError: If `words` is not a whole number above 0, or `temperature` is below 0.

        Example:

        >>> from textgate.models import LanguageModel
        >>> from textgate.tokenizers import WordTokenizer
        >>> lm = LanguageModel(WordTokenizer.train(["She fed her dog ."]), units=(8,), seed=0)
        >>> lm.generate("She fed", words=4, seed=1).startswith("She fed")
        True
        """
        _check_text(text)
        _check_count("words", words)
        if not (isinstance(temperature, int | float) and 0 <= temperature < float("inf")):
            raise ValueError(
                f"`temperature` must be a number from 0. Received: temperature={temperature!r}"
            )
        random, tokenizer = np.random.default_rng(seed), self.tokenizer
        given = self.encode([text])
        ids, added = given, []
        for _ in range(words):
            [logprobs] = next_logprobs(self, ids)
            drawn = _drawn(logprobs, self._never, temperature, random)
            if drawn == tokenizer.end_id:
                break
            added.append(drawn)
            ids = np.concatenate([given, np.array([added], given.dtype)], axis=1)
        return _joined(tokenizer, text, tokenizer.ids_to_tokens(added))

    def unknown_words(self, text: str) -> list[str]:
        """Return the words of a text that the model doesn't know, each once, in their order.

        Whoever writes `<unk>` means it; that isn't counted.
        """
        _check_text(text)
        unknown = self.tokenizer.unknown_id
        if unknown is None:
            return []
        [spelled] = self.tokenizer.ids_to_tokens([unknown])
        pairs = zip(self.tokens([text])[0], self.encode([text])[0], strict=True)
        words = [str(word) for word, index in pairs if index == unknown]
        return list(dict.fromkeys(word for word in words if word != spelled))

    @property
    def _never(self) -> list[int]:
        """The ids that no text goes on with."""
        tokenizer = self.tokenizer
        return list({PAD, tokenizer.unknown_id, tokenizer.begin_id} - {None, tokenizer.end_id})


def _drawn(logprobs: np.ndarray, never: list[int], temperature: float, random: Any) -> int:
    """Return an id, drawn at a temperature from log-probabilities."""
    logits = logprobs.astype(np.float64)
    logits[never] = -np.inf
    if temperature == 0:
        return int(np.argmax(logits))
    scaled = (logits - logits.max()) / temperature
    weights = np.exp(scaled)
    return int(random.choice(len(weights), p=weights / weights.sum()))


def _joined(tokenizer: Any, text: str, added: list[str]) -> str:
    """Return the text as it stands, with more words behind it, spaced as the tokenizer spaces."""
    before = tokenizer.split(text)
    start, whole = tokenizer.detokenize(before), tokenizer.detokenize([*before, *added])
    rest = whole[len(start) :]
    return (text.rstrip() if rest[:1].isspace() else text) + rest


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise TypeError(f"`text` must be one string. Received: text={text!r}")


def _check_count(name: str, count: Any) -> None:
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise ValueError(f"`{name}` must be a whole number above 0. Received: {name}={count!r}")
