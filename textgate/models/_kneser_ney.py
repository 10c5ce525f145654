"""An n-gram model with interpolated Kneser-Ney smoothing: what counting alone can do.

For words w_1 … w_k with the context c = w_1 … w_{k-1},

    P_k(w_k | c) = max(u(c w_k) − D_k, 0) / Σ_w u(c w) + D_k T(c) / Σ_w u(c w) · P_{k-1}(w_k | c')

where c' is c without its first word, T(c) the number of different words seen after c, and u the
number of times that an n-gram of the highest order occurs, but for lower orders the number of
different words that it occurs behind (*Francisco* is frequent, but only behind *San*). N-grams that
begin a text have nothing before them: their occurrences are counted. The discount of an order is D
= n_1 / (n_1 + 2 n_2), with n_1 and n_2 the numbers of n-grams with u = 1 and 2 (½ if there is
none with u = 1). Below the single words lies the uniform distribution over all words but padding
and `<bos>`. A context that was never seen leaves it to the shorter one.

References:
    Kneser & Ney 1995, Improved backing-off for m-gram language modeling. In this interpolated form:
    Chen & Goodman 1999, An empirical study of smoothing techniques for language modeling.
"""

from typing import Any

import keras
import numpy as np

from textgate import tokenizers
from textgate._special_tokens import PAD
from textgate.models._text_model import TextModel

_NOTHING = -1  # the number of an n-gram that was never seen


@keras.saving.register_keras_serializable(package="textgate")
class KneserNey(TextModel, keras.Model):
    """An interpolated Kneser-Ney n-gram model, with its tokenizer.

    Saved and loaded like a `LanguageModel` (`save`, `textgate.load`); its counts are not weights.

    Args:
        tokenizer: A `textgate.tokenizers.Tokenizer`, such as a `WordTokenizer`.
        order: The longest n-gram.
        name: Name of the model.
        **kwargs: As for `keras.Model`.

    Raises:
        ValueError: If the order is less than 1.

    Example:

    >>> from textgate.datasets import EncodedText
    >>> from textgate.tokenizers import WordTokenizer
    >>> texts = ["She fed her dog .", "She fed her cat .", "He fed his dog ."]
    >>> tokenizer = WordTokenizer.train(texts)
    >>> lm = KneserNey(tokenizer, order=3).count(EncodedText.encode(texts, tokenizer))
    >>> her, him = lm.token_logprobs(["She fed her", "She fed his"])[:, 3]
    >>> bool(her > him)
    True
    """

    def __init__(
        self, tokenizer: Any, order: int = 5, name: str = "kneser_ney", **kwargs: Any
    ) -> None:
        if not isinstance(order, int) or order < 1:
            raise ValueError(f"`order` must be a whole number from 1. Received: order={order!r}")
        super().__init__(name=name, **kwargs)
        self.order = order
        # Past Keras's tracking, which would wrap what it takes for containers of layers.
        object.__setattr__(self, "tokenizer", tokenizer)
        object.__setattr__(self, "_tables", [])
        self.built = True

    @property
    def ngrams(self) -> int:
        """How many n-grams of all orders it has counted."""
        return sum(len(table["keys"]) for table in self._counted())

    def count(self, text: Any) -> "KneserNey":
        """Count the n-grams of a text, in place of what was counted before.

        Args:
            text: A `textgate.datasets.EncodedText`; each of its sentences gets its tokenizer's
                beginning and end.

        Returns:
            The model itself.
        """
        first, last = self.tokenizer.begin_id, self.tokenizer.end_id
        lengths = np.diff(text.offsets) + (first is not None) + (last is not None)
        line = np.empty(int(lengths.sum()), np.int64)
        ends = np.cumsum(lengths)
        starts = ends - lengths
        is_word = np.ones(len(line), bool)
        for places, token in ((starts, first), (ends - 1, last)):
            if token is not None:
                is_word[places], line[places] = False, token
        line[is_word] = text.ids
        place = np.arange(len(line)) - np.repeat(starts, lengths)  # within the sentence
        tables = _tables(line, place, self.order, len(self.tokenizer), first)
        object.__setattr__(self, "_tables", tables)
        return self

    @property
    def _impossible(self) -> set[int]:
        """The ids that are never predicted: padding, and a beginning that isn't an end, too."""
        first, last = self.tokenizer.begin_id, self.tokenizer.end_id
        return {PAD} if first is None or first == last else {PAD, first}

    def _counted(self) -> list[dict[str, np.ndarray]]:
        if not self._tables:
            raise ValueError(
                "nothing has been counted yet; call `count` with an EncodedText. "
                f"Received: {self.name!r}"
            )
        return self._tables

    # -- scores --------------------------------------------------------------------------------

    def score_tokens(self, ids: np.ndarray) -> np.ndarray:
        """Return log p(id | ids before it), as `textgate.models.scoring.token_logprobs` does."""
        tables, size = self._counted(), len(self.tokenizer)
        words = ids.astype(np.int64)
        probabilities = np.full(ids.shape, 1.0 / (size - len(self._impossible)))
        # The number of the k-gram that ends at each place; at first the empty one's, 0.
        numbers = np.zeros(ids.shape, np.int64)
        for k, table in enumerate(tables, 1):
            context = numbers if k == 1 else _shifted(numbers)
            numbers = _lookup(table, context, words, size)
            probabilities = _interpolated(table, context, numbers, probabilities)
        with np.errstate(divide="ignore"):
            logs = np.log(probabilities).astype(np.float32)
        logs[:, 0] = np.nan
        logs[ids == PAD] = np.nan
        return logs

    def score_next(self, ids: np.ndarray) -> np.ndarray:
        """Return log p(· | row), as `textgate.models.scoring.next_logprobs` does."""
        tables, size = self._counted(), len(self.tokenizer)
        result = np.full((len(ids), size), -np.inf, np.float32)
        impossible = self._impossible
        every = np.array([word for word in range(size) if word not in impossible])
        for number, row in enumerate(ids):
            words = row[row != PAD].astype(np.int64)
            contexts = _contexts(tables, words[max(0, len(words) - self.order + 1) :], size)
            probabilities = np.full(len(every), 1.0 / len(every))
            for table, context in zip(tables, contexts, strict=False):
                context_of = np.full(len(every), context)
                numbers = _lookup(table, context_of, every, size)
                probabilities = _interpolated(table, context_of, numbers, probabilities)
            with np.errstate(divide="ignore"):
                result[number, every] = np.log(probabilities)
        return result

    # -- saving --------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor, the tokenizer as its own configuration."""
        return {
            "name": self.name,
            "order": self.order,
            "tokenizer": self.tokenizer.get_config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "KneserNey":
        """Return the model that `get_config` describes, without its counts."""
        config = dict(config)
        return cls(tokenizers.from_config(config.pop("tokenizer")), **config)

    def save_own_variables(self, store: Any) -> None:
        """Put the counts into a Keras file."""
        for k, table in enumerate(self._tables, 1):
            for name, values in table.items():
                store[f"{k}_{name}"] = values

    def load_own_variables(self, store: Any) -> None:
        """Take the counts out of a Keras file."""
        names = ("keys", "used", "total", "kinds", "discount")
        tables = []
        for k in range(1, self.order + 1):
            if f"{k}_keys" in store:
                tables.append({name: np.asarray(store[f"{k}_{name}"]) for name in names})
        object.__setattr__(self, "_tables", tables)


def _tables(
    line: np.ndarray, place: np.ndarray, order: int, size: int, begin: int | None
) -> list[dict[str, np.ndarray]]:
    """Return, for each order, the n-grams and what is counted of them.

    A k-gram's key is (number of its first k − 1 words) · size + last word; its number is its place
    among the sorted keys. `used` is u; `total` and `kinds` are Σ_w u(c w) and T(c) of contexts.
    """
    numbers = [np.zeros(len(line), np.int64)]  # of the k-gram that ends at each place
    keys: list[np.ndarray] = []
    for k in range(1, order + 1):
        is_ngram = place >= k - 1
        before = numbers[-1] if k == 1 else np.concatenate([[0], numbers[-1][:-1]])
        distinct, inverse = np.unique((before * size + line)[is_ngram], return_inverse=True)
        ends = np.full(len(line), _NOTHING, np.int64)
        ends[is_ngram] = inverse
        keys.append(distinct)
        numbers.append(ends)
    tables = []
    for k in range(1, order + 1):
        ends = numbers[k]
        begins_text = place == k - 1
        if k == order:
            used = np.bincount(ends[ends >= 0], minlength=len(keys[k - 1]))
        else:
            # Each (k + 1)-gram once: one more word before the k-gram that it ends with.
            longer = numbers[k + 1]
            _, first = np.unique(longer[longer >= 0], return_index=True)
            used = np.bincount(ends[longer >= 0][first], minlength=len(keys[k - 1]))
            used += np.bincount(ends[begins_text], minlength=len(used))
        if k == 1 and begin is not None:
            used[keys[0] == begin] -= int(begins_text.sum())  # there it isn't predicted
        contexts = keys[k - 1] // size
        count = 1 if k == 1 else len(keys[k - 2])
        once, twice = int((used == 1).sum()), int((used == 2).sum())
        discount = once / (once + 2 * twice) if once else 0.5
        tables.append(
            {
                "keys": keys[k - 1],
                "used": used.astype(np.int64),
                "total": np.bincount(contexts, weights=used, minlength=count),
                "kinds": np.bincount(contexts, weights=used > 0, minlength=count),
                "discount": np.array(discount),
            }
        )
    return tables


def _shifted(numbers: np.ndarray) -> np.ndarray:
    """Return, at each place of a row, what stood at the place before."""
    before = np.full_like(numbers, _NOTHING)
    before[:, 1:] = numbers[:, :-1]
    return before


def _lookup(
    table: dict[str, np.ndarray], context: np.ndarray, words: np.ndarray, size: int
) -> np.ndarray:
    """Return the numbers of n-grams, or -1 of those never seen."""
    keys = table["keys"]
    key = context * size + words
    place = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    return np.where((context >= 0) & (keys[place] == key), place, _NOTHING)


def _interpolated(
    table: dict[str, np.ndarray], context: np.ndarray, numbers: np.ndarray, lower: np.ndarray
) -> np.ndarray:
    """Return P_k, given P_{k-1}."""
    total = np.where(context >= 0, table["total"][context], 0.0)
    kinds = table["kinds"][context]
    used = np.where(numbers >= 0, table["used"][numbers], 0)
    discount = float(table["discount"])
    safe = np.maximum(total, 1.0)
    probabilities = np.maximum(used - discount, 0.0) / safe + discount * kinds / safe * lower
    return np.where(total > 0, probabilities, lower)


def _contexts(tables: list[dict[str, np.ndarray]], words: np.ndarray, size: int) -> list[int]:
    """Return the numbers of a text's last 0, 1, 2, … words as n-grams."""
    contexts = [0]
    for k in range(1, len(words) + 1):
        number = np.zeros(1, np.int64)
        for table, word in zip(tables, words[len(words) - k :], strict=False):
            number = _lookup(table, number, np.array([word]), size)
        contexts.append(int(number[0]))
    return contexts
