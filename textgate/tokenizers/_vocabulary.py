"""What tokenizers with a vocabulary of their own share: the table of ids, files, a graph."""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from textgate.tokenizers._split import check_unicode

if TYPE_CHECKING:
    import tensorflow as tf

    from textgate.tokenizers._graph import TokenGraph

# How padding is spelled: no text has an empty token.
PADDING = ""
_NAMED = 3  # words that a message names


class VocabularyTokenizer:
    """A tokenizer whose vocabulary is given, in the order of a model's rows.

    Args:
        vocabulary: The tokens in the order of the weights' rows. They have the ids from 1 on; 0 is
            padding, as everywhere in textgate.
        unknown: The token that stands for all others; `None` if unknown tokens are an error.
        begin: The token that is read before a text; `None` for none.
        end: The token that is predicted after a text; `None` for none.

    Attributes:
        unknown_id: The id of `unknown`, or `None`.
        begin_id: The id of `begin`, or `None`.
        end_id: The id of `end`, or `None`.

    Raises:
        ValueError: If a token is empty, stands there twice, or is one that no text can give; or if
            `unknown`, `begin` or `end` isn't in the vocabulary.
        TypeError: If the vocabulary is no list of strings.
    """

    kind: ClassVar[str]
    pieces: ClassVar[bool]

    def __init__(
        self,
        vocabulary: Iterable[str],
        unknown: str | None = None,
        begin: str | None = None,
        end: str | None = None,
    ) -> None:
        words = checked(vocabulary)
        self._vocabulary = (PADDING, *words)
        self._ids = ids_of(self._vocabulary)
        self._special = {"unknown": unknown, "begin": begin, "end": end}
        for name, token in self._special.items():
            if token is not None and (not token or self._ids.get(token) is None):
                raise ValueError(
                    f"`{name}` must be a token of the vocabulary, or None if the model has none. "
                    f"Received: {name}={token!r}, and a vocabulary of {len(words)} without it"
                )
        self.unknown_id = None if unknown is None else self._ids[unknown]
        self.begin_id = None if begin is None else self._ids[begin]
        self.end_id = None if end is None else self._ids[end]
        silent = {token for token in self._special.values() if token is not None}
        self._check_producible([word for word in words if word not in silent])
        self._graph: TokenGraph | None = None

    def _check_producible(self, words: Sequence[str]) -> None:
        """Raise `ValueError` if there are words that no text gives."""
        raise NotImplementedError

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text, without beginning and end."""
        raise NotImplementedError

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens in the order of their ids: padding (`""`), then the vocabulary as given."""
        return self._vocabulary

    def __len__(self) -> int:
        return len(self._vocabulary)

    def __contains__(self, token: object) -> bool:
        return token in self._ids and token != PADDING

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.get_config() == other.get_config()

    def __hash__(self) -> int:
        return hash((self.kind, self._vocabulary))

    def __repr__(self) -> str:
        special = ", ".join(f"{name}={token!r}" for name, token in self._special.items())
        return f"{type(self).__name__}(<{len(self) - 1} tokens>, {special})"

    def encode(self, text: str) -> list[int]:
        """Return the ids of the tokens of a text.

        Raises:
            ValueError: If a token is unknown and there is no `unknown`.
        """
        return self.tokens_to_ids(self.split(text))

    def tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of tokens; unlike text, they may be `begin` and `end`."""
        ids = []
        for token in tokens:
            index = self._ids.get(token, self.unknown_id)
            if index is None:
                raise ValueError(
                    "The vocabulary lacks a token and has none for unknown ones; give text in its "
                    f"tokens, or a tokenizer with `unknown`. Received: {token!r}"
                )
            ids.append(index)
        return ids

    def ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens with these ids; of padding, the empty string.

        Raises:
            ValueError: If an id is not one of the vocabulary's.
        """
        tokens = []
        for index in map(int, ids):
            if not 0 <= index < len(self):
                raise ValueError(f"Ids must be from 0 to {len(self) - 1}. Received: {index}")
            tokens.append(self._vocabulary[index])
        return tokens

    @property
    def rules(self) -> dict[str, Any]:
        """What makes tokens of a text, for programs in other languages, ready for JSON."""
        return {}

    @property
    def graph(self) -> "TokenGraph":
        """The tokenizer as a `tf.Module` that owns its lookup table."""
        if self._graph is None:
            self._graph = self._new_graph()
        return self._graph

    def _new_graph(self) -> "TokenGraph":
        raise NotImplementedError

    def __call__(self, texts: Any) -> "tf.RaggedTensor":
        """Return the ids of a string tensor of texts `(batch,)`, by TensorFlow operations only."""
        return self.graph(texts)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, ready for JSON."""
        return {"kind": self.kind, "vocabulary": list(self._vocabulary[1:]), **self._special}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make the tokenizer that `get_config` described."""
        if not isinstance(config.get("vocabulary"), list):
            raise ValueError(
                f"A saved tokenizer must have a vocabulary, a list. Received: {sorted(config)}"
            )
        return cls(**{name: value for name, value in config.items() if name != "kind"})

    def __getstate__(self) -> dict[str, Any]:
        return self.get_config()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(  # type: ignore[misc]
            **{name: value for name, value in state.items() if name != "kind"}
        )


def checked(vocabulary: Iterable[str], taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Return a vocabulary's words after a check of each.

    Args:
        vocabulary: The words.
        taken: Words that it must not have, because they are there already.
    """
    if isinstance(vocabulary, str | bytes):
        raise TypeError(f"A vocabulary must be a list of words. Received: {vocabulary[:40]!r}")
    words = tuple(vocabulary)
    seen = set(taken)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"A vocabulary's words must be strings. Received: {word!r}")
        if not word:
            raise ValueError("A vocabulary's words must have a character. Received: ''")
        if word in seen:
            raise ValueError(f"A vocabulary must have each word once. Received: {word!r} again")
        check_unicode(word)
        seen.add(word)
    return words


def refuse_unproducible(words: Sequence[str], rule: str) -> None:
    """Raise `ValueError` if there are words that a tokenizer's own rule never gives.

    Args:
        words: Those words.
        rule: What the rule does to them, and what to take instead.
    """
    if words:
        named = ", ".join(map(repr, words[:_NAMED]))
        more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
        raise ValueError(f"{rule} Received: {named}{more}")


def ids_of(vocabulary: Sequence[str]) -> dict[str, int]:
    """Return the id of each word, also of its canonically equal spellings.

    A letter with an accent may be one character (NFC) or two (NFD). Both spellings of a word have
    its id, unless the vocabulary has both.
    """
    ids = {word: index for index, word in enumerate(vocabulary)}
    for index, word in enumerate(vocabulary):
        if not word.isascii():
            ids.setdefault(unicodedata.normalize("NFC", word), index)
            ids.setdefault(unicodedata.normalize("NFD", word), index)
    return ids
