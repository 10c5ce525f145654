"""From texts to ids inside the graph: the tokenizer, its beginning, padding, the texts' limits."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import tensorflow as tf

from textgate._special_tokens import PAD
from textgate.export._demands import CALL_BYTES, CALL_VALUES, TEXT_BYTES, demand


@runtime_checkable
class GraphTokenizer(Protocol):
    """A tokenizer that runs inside TensorFlow as well."""

    @property
    def graph(self) -> Any:
        """The operations: a `tf.Module` like `textgate.tokenizers._graph.TokenGraph`."""


class Texts(NamedTuple):
    """Texts made ready for a language model, each with the beginning before its words.

    Attributes:
        tokens: The words as they stand in the texts, strings of shape `(batch, time)`, padded
            with the empty string.
        ids: Their ids, `int32`, padded with 0.
        lengths: How many tokens each text has, the beginning among them: `int32` of shape
            `(batch,)`.
        unknown: How many of its words the model doesn't know, likewise.
        lost: Whether it has words and the model knows none, so that nothing can be said of it.
    """

    tokens: tf.Tensor
    ids: tf.Tensor
    lengths: tf.Tensor
    unknown: tf.Tensor
    lost: tf.Tensor

    def answered(self, values: tf.Tensor) -> tf.Tensor:
        """Return numbers or words of each text, NaN or empty where nothing can be said of it."""
        lost = tf.reshape(self.lost, (-1, *[1] * (len(values.shape) - 1)))
        nothing = "" if values.dtype == tf.string else np.nan
        return tf.where(lost, tf.constant(nothing, values.dtype), values)


def read(text: tf.Tensor, tokenizer: Any, width: int, vocabulary: int) -> Texts:
    """Split texts into words and look them up.

    Args:
        text: Strings of shape `(batch,)`.
        tokenizer: A tokenizer's `graph`.
        width: How many numbers the signals of one step are.
        vocabulary: How many words the model knows.

    Raises:
        tf.errors.InvalidArgumentError: When run on texts that are too long, or too many, or not
            UTF-8, or all of unknown words only, or of which one has no words where nothing stands
            before them.
    """
    text = _of_fair_size(text)
    words = tokenizer.split(text)
    ids = tokenizer.tokens_to_ids(words)
    # Whoever writes <unk> means it; only words that became <unk> are counted.
    unknown_id = -1 if tokenizer.unknown_id is None else tokenizer.unknown_id
    missing = tf.logical_and(ids.flat_values == unknown_id, words.flat_values != tokenizer.unknown)
    counts = tf.cast(words.row_lengths(), tf.int32)
    unknown = tf.math.unsorted_segment_sum(
        tf.cast(missing, tf.int32), words.value_rowids(), words.nrows()
    )
    lost = tf.logical_and(counts > 0, unknown == counts)
    # One text among others that can be read has no answer; it doesn't take theirs away.
    examples = tf.boolean_mask(text, lost)[:1]
    counts = demand(
        counts,
        tf.logical_not(tf.reduce_any(lost) & tf.reduce_all(lost)),
        "The model knows no word of a text, so nothing it says would be about that text; use words "
        f"of its vocabulary, or write {tokenizer.unknown} where you mean an unknown word.",
        tf.strings.substr(examples, 0, 60, unit="UTF8_CHAR"),
    )
    first = 0 if tokenizer.begin_id is None else 1
    counts = demand(
        counts,
        tf.reduce_all(counts + first > 0),
        "A text must have a word, since the model has no token that stands before a text.",
        "texts:",
        tf.shape(counts)[0],
    )
    longest = tf.reduce_max(tf.concat([counts, [0]], axis=0)) + first
    batch = tf.shape(counts)[0]
    values = tf.cast(batch, tf.int64) * tf.cast(tf.maximum(longest * width, vocabulary), tf.int64)
    counts = demand(
        counts,
        values <= CALL_VALUES,
        "The texts are too many, or too long, for one call; call with fewer at a time.",
        "texts:",
        batch,
        "words of the longest:",
        longest - first,
    )
    with tf.control_dependencies([counts]):
        padded, tokens = ids.to_tensor(PAD), words.to_tensor("")
        if first:
            padded = tf.concat([tf.fill((batch, 1), tokenizer.begin_id), padded], axis=1)
            tokens = tf.concat([tf.fill((batch, 1), tokenizer.begin), tokens], axis=1)
        shape = (None, None)
    return Texts(
        tf.ensure_shape(tokens, shape),
        tf.ensure_shape(padded, shape),
        counts + first,
        unknown,
        lost,
    )


def _of_fair_size(text: tf.Tensor) -> tf.Tensor:
    """Return texts unchanged, after a demand that none is too long, nor all together."""
    sizes = tf.strings.length(text)
    text = demand(
        text,
        tf.reduce_all(sizes <= TEXT_BYTES),
        f"A text may have at most {TEXT_BYTES} bytes; cut it into sentences or paragraphs.",
        "a text of this many bytes:",
        tf.reduce_max(sizes),
    )
    total = tf.reduce_sum(tf.cast(sizes, tf.int64))
    return demand(
        text,
        total <= CALL_BYTES,
        f"The texts of one call may have at most {CALL_BYTES} bytes in all; call with fewer.",
        "this many bytes:",
        total,
    )
