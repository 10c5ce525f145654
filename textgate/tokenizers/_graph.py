"""The word tokenizer as TensorFlow operations: `textgate.tokenizers._table`'s rules, run by RE2.

`WordGraph` is a `tf.Module` made of plain string operations and one lookup table, without
`py_function`, so it goes wherever a graph goes: into `tf.data`, into a `keras.Model`, into a
SavedModel that is served by a program without Python. The object that is exported must hold it as
an attribute, because it owns the table.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from textgate._special_tokens import UNK
from textgate.tokenizers._table import LOWER, RULES

# The code points that `_LOWERED` covers; those above have no case in the table.
_CASED = max(LOWER) + 1
_LOWERED = np.arange(_CASED, dtype=np.int32)
_LOWERED[list(LOWER)] = list(LOWER.values())

INVALID_TEXT = (
    "The text is not valid UTF-8; decode it from its own encoding and encode it as UTF-8."
)


class WordGraph(tf.Module):
    """The tokenizer of one vocabulary, in TensorFlow. Made by `WordTokenizer.graph`.

    Args:
        vocabulary: All tokens in the order of their ids, the special ones first.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        super().__init__(name="word_graph")
        # Made outside of any graph that is just being traced, so that it outlives it.
        with tf.init_scope(), tf.device("CPU"):
            self._tokens = tf.constant(list(vocabulary), tf.string)
            self._table = tf.lookup.StaticHashTable(
                tf.lookup.KeyValueTensorInitializer(
                    self._tokens, tf.range(len(vocabulary), dtype=tf.int32)
                ),
                default_value=-1,
            )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the ids of the words of `texts` of shape (batch,), as int32 of (batch, None)."""
        return self.tokens_to_ids(self.split(texts))

    def split(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Return the words of `texts` of shape (batch,), as strings of shape (batch, None).

        Raises:
            tf.errors.InvalidArgumentError: When run on text that is not valid UTF-8.
        """
        texts = tf.convert_to_tensor(texts, tf.string)
        if texts.shape.rank != 1:
            raise ValueError(
                "Texts must be a vector of strings, of shape (batch,); reshape them or wrap a "
                f"single text in a list. Received: shape {texts.shape}"
            )
        texts = tf.strings.join([" ", check_utf8(texts), " "])
        for pattern, to in RULES:
            texts = tf.strings.regex_replace(texts, pattern, to)
        return tf.strings.split(texts)

    def tokens_to_ids(self, tokens: tf.Tensor | tf.RaggedTensor) -> tf.Tensor | tf.RaggedTensor:
        """Return int32 ids in the shape of `tokens`, of unknown words their lower-cased forms'."""
        if isinstance(tokens, tf.RaggedTensor):
            return tokens.with_flat_values(self.tokens_to_ids(tokens.flat_values))
        flat = tf.reshape(tokens, (-1,))
        ids = self._table.lookup(flat)
        # Few words are not found as they are, so only those are taken apart and lower-cased.
        missing = tf.where(ids < 0)  # (unknown, 1)
        found = self._table.lookup(lower(tf.gather_nd(flat, missing)))
        ids = tf.tensor_scatter_nd_update(ids, missing, tf.where(found < 0, UNK, found))
        return tf.reshape(ids, tf.shape(tokens))

    def ids_to_tokens(self, ids: tf.Tensor) -> tf.Tensor:
        """Return the tokens of int32 or int64 `ids`, in their shape."""
        return tf.gather(self._tokens, ids)


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
