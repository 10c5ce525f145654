"""The word tokenizer: one definition of words, in Python and inside a TensorFlow graph.

    text   "She hasn't fed Zoë's dog."
    words  She  has  n't  fed  Zoë  's  dog  .
    ids     87   24   31  202    1   13  55  4

A word keeps its case. One that the vocabulary lacks is looked up in lower case, and is `<unk>` if
that is unknown too. What a word is, and what lower case is, stands in one explicit table of
characters (`textgate.tokenizers._table`), so that a model gives the same answer in Python and
served from a SavedModel.
"""

import os
import pathlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from textgate._reading import read_json
from textgate._special_tokens import BOS, EOS, PAD, TOKENS, UNK
from textgate.tokenizers import _registry, _split
from textgate.tokenizers._table import CAPITALS, LOWER, RULES
from textgate.tokenizers._vocabulary import checked, ids_of, refuse_unproducible

if TYPE_CHECKING:
    import tensorflow as tf

    from textgate.tokenizers._graph import WordGraph

# Of the table and the rules: a vocabulary made with others would name other words.
_RULES_VERSION = 1

# What training counts with: pieces of text before they are split, and words. Past these, the pieces
# are split and the rarest words forgotten, so that memory stays bounded however long the text.
_MOST_PIECES, _MOST_WORDS = 1 << 18, 1 << 21


@_registry.register
class WordTokenizer:
    """Text to ids of words and back.

    The ids 0 to 3 are `<pad>` (padding), `<unk>` (any unknown word), `<bos>` and `<eos>` (beginning
    and end of a sentence). Of these, text can only name `<unk>`.

    Args:
        vocabulary: The words in the order of their ids, with or without the four special tokens
            before them.

    Call arguments:
        texts: A string tensor (or list of strings) of shape `(batch,)`. The call is made of
            TensorFlow operations only and returns a `tf.RaggedTensor` of int32 ids of shape
            `(batch, None)`, the same ids as `encode`. Text that is not valid UTF-8 raises
            `tf.errors.InvalidArgumentError` when the operations run.

    Raises:
        ValueError: If a word is empty, is no valid Unicode, stands there twice, or is one that no
            text can give, because this tokenizer splits it (`U.S.`, `re-elected`).
        TypeError: If a word is not a string.

    Example:
        >>> tokenizer = WordTokenizer(["she", "dog", "n't", "."])
        >>> tokenizer.encode("She isn't a dog.")
        [4, 1, 6, 1, 5, 7]
        >>> tokenizer.ids_to_tokens([4, 1, 6])
        ['she', '<unk>', "n't"]
    """

    kind: ClassVar[str] = "words"
    pieces: ClassVar[bool] = False
    pad_id, unknown_id, begin_id, end_id = PAD, UNK, BOS, EOS

    def __init__(self, vocabulary: Iterable[str]) -> None:
        words = _with_special(vocabulary)
        refuse_unproducible(
            [word for word in words[len(TOKENS) :] if _split.split_piece(word) != (word,)],
            "This tokenizer splits words with marks in them, so no text gives such words of the "
            "vocabulary; use textgate.tokenizers.WhitespaceTokenizer for pretokenised text.",
        )
        self._take(words)

    def _take(self, words: tuple[str, ...]) -> None:
        self._vocabulary = words
        self._ids = ids_of(words)
        self._encoded = _Encoded(self)
        self._graph: WordGraph | None = None

    @classmethod
    def _of(cls, vocabulary: Iterable[str]) -> "WordTokenizer":
        """Return the tokenizer of words that came from texts, or from a tokenizer of before."""
        tokenizer = cls.__new__(cls)
        tokenizer._take(_with_special(vocabulary))
        return tokenizer

    @classmethod
    def train(
        cls, texts: Iterable[str], size: int | None = None, min_count: int = 1
    ) -> "WordTokenizer":
        """Make a vocabulary of the most frequent words of `texts`.

        The texts are read once and not kept; memory is bounded (past two million different words
        the rarest are forgotten). Equally frequent words stand in the order of their characters, so
        the same texts give the same vocabulary.

        Args:
            texts: Any iterable of strings, such as `textgate.datasets.Corpus(...)`.
            size: How many tokens the vocabulary has in all, with the four special ones. `None`
                takes every word.
            min_count: Leave out the words that occur less often than this.

        Raises:
            ValueError: If the texts have no words, or if `size` is larger than what they offer.

        Example:
            >>> WordTokenizer.train(["a dog and a cat"], size=6).vocabulary[4:]
            ('a', 'and')
        """
        _check_count("size", size, len(TOKENS) + 1, optional=True)
        _check_count("min_count", min_count, 1)
        counts = count_words(texts)
        counts.pop(TOKENS[UNK], None)
        _merge_spellings(counts)
        if not counts:
            raise ValueError("The texts have no words to make a vocabulary of. Received: no words")
        words = [word for word, count in counts.items() if count >= min_count]
        words.sort(key=lambda word: (-counts[word], word))
        wanted = len(words) if size is None else size - len(TOKENS)
        if wanted > len(words) or not words:
            raise ValueError(
                f"A vocabulary of size={size} was asked for, but the texts have only {len(words)} "
                f"different words that occur at least min_count={min_count} times (and "
                f"{len(TOKENS)} special tokens); ask for less, or give more text. "
                f"Received: size={size}, min_count={min_count}"
            )
        return cls._of(words[:wanted])

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """All tokens in the order of their ids, the special ones first."""
        return self._vocabulary

    def __len__(self) -> int:
        return len(self._vocabulary)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WordTokenizer) and self._vocabulary == other._vocabulary

    def __hash__(self) -> int:
        return hash(self._vocabulary)

    def __repr__(self) -> str:
        return f"WordTokenizer(<{len(self)} tokens>)"

    def split(self, text: str) -> list[str]:
        """Return the words of `text`, clitics and marks of punctuation apart."""
        return _split.split(text)

    def encode(self, text: str) -> list[int]:
        """Return the ids of the words of `text`, without `<bos>` and `<eos>`."""
        if not isinstance(text, str):
            raise TypeError(f"A text must be a string. Received: {text!r} of {type(text).__name__}")
        return list(chain.from_iterable(map(self._encoded.__getitem__, text.split(" "))))

    def tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of `tokens`; of an unknown one its lower-cased form's, or that of <unk>.

        Unlike text, tokens may be special ones: `"<bos>"` is 2.
        """
        ids = self._ids
        found = [ids.get(token) for token in tokens]
        if None not in found:
            return found  # type: ignore[return-value]
        return [
            ids.get(token.translate(LOWER), self.unknown_id) if index is None else index
            for token, index in zip(tokens, found, strict=True)
        ]

    def ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens with these ids.

        Raises:
            ValueError: If an id is not one of the vocabulary's.
        """
        words = self._vocabulary
        indices = [int(index) for index in ids]
        for index in indices:
            if not 0 <= index < len(words):
                raise ValueError(f"Ids must be from 0 to {len(words) - 1}. Received: {index}")
        return [words[index] for index in indices]

    def detokenize(self, tokens: Iterable[str]) -> str:
        """Write tokens as text that `split` splits into the same tokens again.

        Padding, `<bos>` and `<eos>` are left out, as they are no part of a text.
        """
        silent = [TOKENS[PAD], TOKENS[BOS], TOKENS[EOS]]
        return _split.detokenize(token for token in tokens if token not in silent)

    @property
    def rules(self) -> dict[str, Any]:
        r"""What makes words of a text, for programs in other languages, ready for JSON.

        `rules` are pairs of a regular expression and what takes the place of each match (`\0` for
        the match, `\1` for its first group), applied in their order to each piece between blanks
        with a blank on either side; then words stand between blanks. `capitals` are ranges of
        capital letters, as first and last code point, step, and what to add for the small ones.
        """
        return {"rules": [list(rule) for rule in RULES], "capitals": [list(r) for r in CAPITALS]}

    @property
    def graph(self) -> "WordGraph":
        """The tokenizer as a `tf.Module` that owns its lookup table.

        What is exported as a SavedModel must have it as an attribute
        (`module.tokenizer = tokenizer.graph`), or TensorFlow reports an untracked resource.
        """
        if self._graph is None:
            from textgate.tokenizers._graph import WordGraph

            self._graph = WordGraph(self._vocabulary, self._ids)
        return self._graph

    def __call__(self, texts: Any) -> "tf.RaggedTensor":
        """Return the ids of a string tensor of texts (see the class)."""
        return self.graph(texts)

    def split_graph(self, texts: Any) -> "tf.RaggedTensor":
        """Return the words of `texts`, a string tensor of shape (batch,), by TensorFlow only."""
        return self.graph.split(texts)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, ready for JSON."""
        return {"vocabulary": list(self._vocabulary), "rules": _RULES_VERSION}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "WordTokenizer":
        """Make the tokenizer that `get_config` described."""
        if config.get("rules") != _RULES_VERSION:
            raise ValueError(
                "The tokenizer was made with other rules for words than this version's "
                f"({_RULES_VERSION}); use the version of textgate that made it. "
                f"Received: rules={config.get('rules')!r}"
            )
        return cls._of(config["vocabulary"])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the tokenizer to a JSON file. An old one stays whole until the new one is."""
        _registry.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "WordTokenizer":
        """Read a tokenizer that `save` wrote.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is no tokenizer.
        """
        path = pathlib.Path(path)
        if not os.path.isfile(path):
            raise FileNotFoundError(f"There is no tokenizer file. Received: {str(path)!r}")
        try:
            config = read_json(path)
        except ValueError:
            config = {}
        if not isinstance(config.get("vocabulary"), list):
            raise ValueError(
                "The file is not a tokenizer written by WordTokenizer.save. "
                f"Received: {str(path)!r}"
            )
        try:
            return cls.from_config(config)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{error}, in the file {str(path)!r}") from None

    def __getstate__(self) -> dict[str, Any]:
        return self.get_config()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._take(_with_special(state["vocabulary"]))


class _Encoded(dict[str, tuple[int, ...]]):
    """The ids of each piece of text seen lately, as `textgate.tokenizers._split.Pieces`."""

    def __init__(self, tokenizer: WordTokenizer) -> None:
        super().__init__()
        self._tokens_to_ids = tokenizer.tokens_to_ids

    def __missing__(self, piece: str) -> tuple[int, ...]:
        ids = tuple(self._tokens_to_ids(_split.split_piece(piece)))
        _split.remember(self, piece, ids)
        return ids


def count_words(texts: Iterable[str]) -> Counter[str]:
    """Count the words of `texts` in one pass and bounded memory.

    Pieces between blanks are counted first and split later, each different one once.

    Raises:
        TypeError: If `texts` is a single string, or something in it is no string.
    """
    if isinstance(texts, str | bytes):
        raise TypeError(
            f"Texts must be several strings, not one; wrap it in a list. Received: {texts[:40]!r}"
        )
    pieces: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"A text must be a string. Received: {text!r} of {type(text).__name__}")
        pieces.update(text.split(" "))
        if len(pieces) > _MOST_PIECES:
            _move(pieces, words)
    _move(pieces, words)
    return words


def _merge_spellings(counts: Counter[str]) -> None:
    """Count canonically equal spellings of a word as one, that of NFC."""
    for word in [w for w in counts if not unicodedata.is_normalized("NFC", w)]:
        counts[unicodedata.normalize("NFC", word)] += counts.pop(word)


def _move(pieces: Counter[str], words: Counter[str]) -> None:
    """Split the counted pieces and add them to the counted words."""
    for piece, count in pieces.items():
        for word in _split.split_piece(piece):
            words[word] += count
    pieces.clear()
    rare = 1
    while len(words) > _MOST_WORDS:
        for word in [word for word, count in words.items() if count <= rare]:
            del words[word]
        rare += 1


def _with_special(vocabulary: Iterable[str]) -> tuple[str, ...]:
    """Return the vocabulary with the special tokens first, after a check of each word."""
    if not isinstance(vocabulary, str | bytes):
        vocabulary = tuple(vocabulary)
        if vocabulary[: len(TOKENS)] == TOKENS:
            vocabulary = vocabulary[len(TOKENS) :]
    return (*TOKENS, *checked(vocabulary, TOKENS))


def _check_count(name: str, value: Any, least: int, optional: bool = False) -> None:
    if optional and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number. Received: {name}={value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}. Received: {name}={value}")
