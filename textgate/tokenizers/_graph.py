"""Tokenizers as TensorFlow operations: the rules of their Python forms, run by RE2.

A `TokenGraph` is a `tf.Module` made of plain string operations and one lookup table, without
`py_function`, so it goes wherever a graph goes: into `tf.data`, into a `keras.Model`, into a
SavedModel that is served by a program without Python. The object that is exported must hold it as
an attribute, because it owns the table.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from textgate._special_tokens import BOS, UNK
from textgate.tokenizers._table import LOWER, RULES

# The code points that `_LOWERED` covers; those above have no case in the table.
_CASED = max(LOWER) + 1
_LOWERED = np.arange(_CASED, dtype=np.int32)
_LOWERED[list(LOWER)] = list(LOWER.values())

INVALID_TEXT = (
    "The text is not valid UTF-8; decode it from its own encoding and encode it as UTF-8."
)
UNKNOWN_TOKEN = "The vocabulary lacks a token and has none for unknown ones."


class TokenGraph(tf.Module):
    """The tokenizer of one vocabulary, in TensorFlow.

    Args:
        vocabulary: All tokens in the order of their ids, padding first.
        ids: The id of each spelling of a token.
        unknown_id: The id of unknown tokens; `None` if they are an error.
        begin_id: The id that stands before a text; `None` for none.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        ids: Mapping[str, int],
        unknown_id: int | None,
        begin_id: int | None,
    ) -> None:
        super().__init__(name="token_graph")
        self.unknown_id, self.begin_id = unknown_id, begin_id
        self.unknown = "" if unknown_id is None else vocabulary[unknown_id]
        self.begin = "" if begin_id is None else vocabulary[begin_id]
        # Made outside of any graph that is just being traced, so that it outlives it.
        with tf.init_scope(), tf.device("CPU"):
            self._tokens = tf.constant(list(vocabulary), tf.string)
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    tf.constant(list(ids), tf.string), tf.constant(list(ids.values()), tf.int32)
                ),
                default_value=-1,
            )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of the tokens of `texts` of shape (batch,), as int32 of (batch, None)."""
        return self.tokens_to_ids(self.split(texts))

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the tokens of `texts` of shape (batch,), as strings of shape (batch, None).

        Raises:
            tf.errors.InvalidArgumentError: When run on text that is not valid UTF-8.
        """
        texts = tf.convert_to_tensor(texts, tf.string)
        if texts.shape.rank != 1:
            raise ValueError(
                "Texts must be a vector of strings, of shape (batch,); reshape them or wrap a "
                f"single text in a list. Received: shape {texts.shape}"
            )
        return self._split(check_utf8(texts))

    def _split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Split valid UTF-8."""
        raise NotImplementedError

    def tokens_to_ids(self, tokens: tf.Tensor | tf.RaggedTensor) -> tf.Tensor | tf.RaggedTensor:
        """Return int32 ids in the shape of `tokens`.

        Raises:
            tf.errors.InvalidArgumentError: When run on an unknown token, if there is no id for it.
        """
        if isinstance(tokens, tf.RaggedTensor):
            return tokens.with_flat_values(self.tokens_to_ids(tokens.flat_values))
        flat = tf.reshape(tokens, (-1,))
        ids = self._found(flat)
        if self.unknown_id is None:
            known = ids >= 0
            assertion = tf.debugging.Assert(
                tf.reduce_all(known),
                [UNKNOWN_TOKEN, "Received:", tf.boolean_mask(flat, ~known)[:1]],
                summarize=1,
            )
            with tf.control_dependencies([] if assertion is None else [assertion]):
                ids = tf.identity(ids)
        else:
            ids = tf.where(ids < 0, self.unknown_id, ids)
        return tf.reshape(ids, tf.shape(tokens))

    def _found(self, tokens: tf.Tensor) -> tf.Tensor:
        """Return the ids of tokens of shape (n,), -1 of unknown ones."""
        return self._table.lookup(tokens)

    def ids_to_tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """Return the tokens of int32 or int64 `ids`, in their shape."""
        return tf.gather(self._tokens, ids)


class WordGraph(TokenGraph):
    """The word tokenizer: `textgate.tokenizers._table`'s rules. Made by `WordTokenizer.graph`.

    Args:
        vocabulary: All tokens in the order of their ids, the special ones first.
        ids: The id of each spelling of a token.
    """

    def __init__(self, vocabulary: Sequence[str], ids: Mapping[str, int]) -> None:
        super().__init__(vocabulary, ids, UNK, BOS)

    def _split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        texts = tf.strings.join([" ", texts, " "])
        for pattern, to in RULES:
            texts = tf.strings.regex_replace(texts, pattern, to)
        return tf.strings.split(texts)

    def _found(self, tokens: tf.Tensor) -> tf.Tensor:
        """Return ids, of unknown words their lower-cased forms'."""
        ids = self._table.lookup(tokens)
        # Few words are not found as they are, so only those are taken apart and lower-cased.
        missing = tf.where(ids < 0)  # (unknown, 1)
        found = self._table.lookup(lower(tf.gather_nd(tokens, missing)))
        return tf.tensor_scatter_nd_update(ids, missing, found)


class WhitespaceGraph(TokenGraph):
    """Pretokenised text: what stands between ASCII's white space."""

    def _split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return tf.strings.split(texts)


class CharacterGraph(TokenGraph):
    """Characters, after some replacements.

    Args:
        vocabulary: All tokens in the order of their ids, padding first.
        ids: The id of each spelling of a token.
        unknown_id: The id of unknown tokens; `None` if they are an error.
        begin_id: The id that stands before a text; `None` for none.
        replacements: What is put in place of what, before the text is split.
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        ids: Mapping[str, int],
        unknown_id: int | None,
        begin_id: int | None,
        replacements: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(vocabulary, ids, unknown_id, begin_id)
        self._replacements = tuple(replacements)

    def _split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        for spelling, other in self._replacements:
            texts = tf.strings.regex_replace(texts, spelling, other)
        return tf.strings.unicode_split(texts, "UTF-8")


def check_utf8(texts: tf.Tensor) -> tf.Tensor:
    """Return `texts` unchanged, after an assertion that they are valid UTF-8."""
    replaced = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    valid = tf.equal(replaced, texts)
    # What is shown has the invalid bytes replaced: an error message must be valid UTF-8 itself.
    first = tf.boolean_mask(replaced, ~valid)[:1]
    first = tf.strings.substr(first, 0, 60, unit="UTF8_CHAR")
    assertion = tf.debugging.Assert(
        tf.reduce_all(valid), [INVALID_TEXT, "Received:", first], summarize=1
    )
    with tf.control_dependencies([] if assertion is None else [assertion]):
        return tf.identity(texts)


def lower(tokens: tf.Tensor) -> tf.Tensor:
    """Return `tokens` of shape (n,) lower-cased by the table."""
    codes = tf.strings.unicode_decode(tokens, "UTF-8")  # (n, None)
    flat = codes.flat_values
    lowered = tf.gather(tf.constant(_LOWERED), tf.minimum(flat, _CASED - 1))
    lowered = tf.where(flat < _CASED, lowered, flat)
    return tf.strings.unicode_encode(codes.with_flat_values(lowered), "UTF-8")
