"""From encoded text to batches: sentences in length buckets, and running text in windows.

A language model reads `<bos> w1 … wn` and predicts `w1 … wn <eos>`, or reads and predicts what else
its tokenizer begins and ends with. Both pipelines make these pairs of (inputs, targets) from an
`EncodedText`, and differ in what a row of a batch is:

- `SentenceBatches`: a sentence a row, with sentences of like length together, so that little is
  padded. The model starts each row with fresh states.
- `WindowBatches`: the sentences one after another, cut into parallel streams (one a row), and each
  stream into windows. The model carries its states from a window to the next, so that it learns
  from text longer than a window.

**Resuming.** What an epoch holds, in which order, and which of its words are dropped is a function
of (seed, epoch) alone. So `epoch(3, start=200)` gives exactly what an undisturbed run would have
seen next, without going through the first 200 batches.

Example:
    >>> from textgate.datasets import EncodedText, SentenceBatches
    >>> from textgate.tokenizers import WordTokenizer
    >>> texts = ["the dog slept", "she fed the dog"]
    >>> text = EncodedText.encode(texts, WordTokenizer.train(texts))
    >>> batches = SentenceBatches(text, batch_size=2, seed=0)
    >>> for batch in batches.epoch(0, start=0):
    ...     print(batch.inputs.shape, batch.targets.shape)
    (2, 5) (2, 5)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from textgate._special_tokens import PAD
from textgate.datasets._encoded import EncodedText, SpecialIds, check_whole

if TYPE_CHECKING:
    import tensorflow as tf

# What a generator of random numbers is for, so that no two uses share their numbers.
_ORDER, _DROPOUT, _RESTARTS = 0, 1, 2


class SentenceBatch(NamedTuple):
    """A batch of sentences, each array of shape `(batch, time)`.

    Attributes:
        inputs: `<bos> w1 … wn`, int32, then 0.
        targets: `w1 … wn <eos>`, int32, then 0.
        weights: 1 where there is a target, 0 in the padding; float32.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


class WindowBatch(NamedTuple):
    """A window of each stream: the attributes of `SentenceBatch`, and where streams begin.

    Attributes:
        begins: Whether the stream begins with this window, so that its states must be reset; bool,
            of shape `(batch,)`.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    begins: np.ndarray


@dataclass(frozen=True)
class UnknownDropout:
    """Replaces some words of the training text by `<unk>`, so that a model learns what that means.

    By count, the rare words go more often: a word that occurs c times is dropped with probability
    rate / (rate + c) (Kiperwasser & Goldberg 2016, "Simple and Accurate Dependency Parsing Using
    Bidirectional LSTM Feature Representations", who use rate 0.25). So a word that occurs once
    becomes `<unk>` in every fifth epoch, and *the* practically never. By a constant, every word
    goes with probability `rate`.

    A dropped word is unknown both where the model reads it and where it should predict it, as in
    new text. With `targets=False` the model must predict the word itself.

    Attributes:
        rate: See above. By a constant, from 0 to less than 1.
        by_count: Whether rare words go more often.
        targets: Whether the word is dropped from the targets too.
    """

    rate: float = 0.25
    by_count: bool = True
    targets: bool = True

    def __post_init__(self) -> None:
        highest = math.inf if self.by_count else 1.0
        if not 0 <= self.rate < highest:
            raise ValueError(
                "The rate of unknown-word dropout must be at least 0, and without by_count below "
                f"1. Received: rate={self.rate!r}, by_count={self.by_count}"
            )

    def probabilities(
        self,
        counts: np.ndarray,
        special: SpecialIds = SpecialIds(),  # noqa: B008 (it can't be changed)
    ) -> np.ndarray:
        """Return the probability of each id to be dropped, float64 of the shape of `counts`."""
        if self.by_count:
            drop = np.divide(
                self.rate, self.rate + counts, out=np.zeros(len(counts)), where=counts > 0
            )
        else:
            drop = np.full(len(counts), float(self.rate))
        drop[[PAD, *(index for index in special if index is not None)]] = 0.0
        return drop


class _Batches:
    """What the two pipelines share: their arguments, dropout, and the way into `tf.data`."""

    _batch: Any

    def __init__(
        self,
        text: EncodedText,
        batch_size: int,
        seed: int,
        dropout: UnknownDropout | None,
        shuffle: bool,
    ) -> None:
        if not isinstance(text, EncodedText):
            raise TypeError(
                "Batches are made of an EncodedText; make one with EncodedText.encode(texts, "
                f"tokenizer). Received: {type(text).__name__}"
            )
        check_whole("batch_size", batch_size, 1)
        check_whole("seed", seed, 0)
        self.text, self.batch_size, self.seed = text, batch_size, seed
        self.dropout, self.shuffle = dropout, shuffle
        if dropout is not None and text.special.unknown is None:
            raise ValueError(
                "Words can be dropped only if the tokenizer has a token for unknown ones; give it "
                f"one, or no dropout. Received: {dropout}"
            )
        self._drop = None if dropout is None else dropout.probabilities(text.counts, text.special)

    def batches_per_epoch(self) -> int:
        """Return the number of batches of an epoch, the same for every epoch."""
        raise NotImplementedError

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Yield the batches of an epoch (see the class)."""
        raise NotImplementedError

    def dataset(self, epoch: int, start: int = 0, prefetch: int = 8) -> "tf.data.Dataset":
        """Return `epoch(epoch, start)` as a `tf.data.Dataset` of tuples of the same arrays.

        Batches are made in the background, `prefetch` ahead. A dataset of `SentenceBatches` has
        what `keras.Model.fit` takes: inputs, targets, sample weights.
        """
        import tensorflow as tf

        fields = {"begins": tf.TensorSpec([None], tf.bool)}
        fields["inputs"] = fields["targets"] = tf.TensorSpec([None, None], tf.int32)
        fields["weights"] = tf.TensorSpec([None, None], tf.float32)
        count = self.batches_per_epoch() - self._checked(epoch, start)
        data = tf.data.Dataset.from_generator(
            lambda: map(tuple, self.epoch(epoch, start)),
            output_signature=tuple(fields[name] for name in self._batch._fields),
        )
        return data.apply(tf.data.experimental.assert_cardinality(count)).prefetch(prefetch)

    def _random(self, purpose: int, *which: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, purpose, *which])

    def _dropped(self, epoch: int, words: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Say which words are dropped in an epoch: a function of their places in the text alone.

        Args:
            epoch: Which epoch.
            words: Ids, of any shape.
            places: Where in `text.ids` they stand, of the same shape.
        """
        if self._drop is None:
            return np.zeros(words.shape, bool)
        key = np.random.SeedSequence([self.seed, _DROPOUT, epoch]).generate_state(1, np.uint64)
        return uniform(places, key) < self._drop[words]

    def _checked(self, epoch: int, start: int) -> int:
        check_whole("epoch", epoch, 0)
        check_whole("start", start, 0)
        count = self.batches_per_epoch()
        if start > count:
            raise ValueError(
                f"An epoch has {count} batches, so it cannot start later. Received: start={start}"
            )
        return start


class SentenceBatches(_Batches):
    """Sentences in batches of like length, in an order that is a function of (seed, epoch).

    Each epoch, the sentences are shuffled, put into buckets by length, cut into batches, and the
    batches shuffled. Every sentence stands in one batch; the last batch made may be smaller.
    Iterate over `epoch(number)`, or hand `dataset(number)` to TensorFlow.

    Args:
        text: The encoded sentences.
        batch_size: Sentences in a batch.
        seed: Of the order and the dropout.
        dropout: For training; `None` for none.
        shuffle: With `False`, as for validation, each epoch has the sentences by length, and those
            of a bucket in the order of the text.
        bucket: How many neighbouring lengths make a bucket: 1 pads least and mixes least.
        max_length: The columns of a batch at most. A longer sentence is cut there: its last target
            is its next word, not `<eos>`. `None` cuts nothing.

    Attributes:
        cut: How many sentences are longer than `max_length` allows.
    """

    _batch = SentenceBatch

    def __init__(
        self,
        text: EncodedText,
        batch_size: int = 64,
        seed: int = 0,
        dropout: UnknownDropout | None = None,
        shuffle: bool = True,
        bucket: int = 4,
        max_length: int | None = None,
    ) -> None:
        super().__init__(text, batch_size, seed, dropout, shuffle)
        check_whole("bucket", bucket, 1)
        if max_length is not None:
            check_whole("max_length", max_length, 2)
        self.bucket, self.max_length = bucket, max_length
        self._lengths = np.diff(text.offsets)
        self.cut = 0 if max_length is None else int((self._lengths >= max_length).sum())

    def batches_per_epoch(self) -> int:
        """Return the number of batches of an epoch, the same for every epoch."""
        return math.ceil(len(self._lengths) / self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[SentenceBatch]:
        """Yield the batches of an epoch, from batch `start` on.

        Raises:
            ValueError: If the epoch has fewer than `start` batches.
        """
        start = self._checked(epoch, start)
        order, batches = self._plan(epoch)
        return (
            self._make(epoch, order[index * self.batch_size : (index + 1) * self.batch_size])
            for index in batches[start:]
        )

    def _plan(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the sentences, in the order in which they are cut into batches, and the batches'.

        Takes about 0.2 s for a million sentences.
        """
        random = self._random(_ORDER, epoch)
        count = len(self._lengths)
        order = random.permutation(count) if self.shuffle else np.arange(count)
        # A sort that keeps the order of equals, and is fast on so short integers.
        buckets = np.minimum(self._lengths // self.bucket, 0xFFFF).astype(np.uint16)
        order = order[np.argsort(buckets[order], kind="stable")]
        batches = np.arange(self.batches_per_epoch())
        return order, random.permutation(batches) if self.shuffle else batches

    def _make(self, epoch: int, sentences: np.ndarray) -> SentenceBatch:
        lengths = self._lengths[sentences][:, None]  # (batch, 1)
        width = int(lengths.max()) + 1
        if self.max_length is not None:
            width = min(width, self.max_length)
        columns = np.arange(width)[None]  # (1, time)
        places = self.text.offsets[sentences][:, None] + columns
        words = self.text.ids[np.minimum(places, len(self.text.ids) - 1)]
        words = np.where(columns < lengths, words, np.int32(PAD))
        special = self.text.special
        ends = np.where(columns == lengths, np.int32(special.end or PAD), np.int32(PAD))
        read = words
        if special.unknown is not None:
            read = np.where(self._dropped(epoch, words, places), np.int32(special.unknown), words)
        inputs = np.empty_like(words)
        inputs[:, 0] = special.begin or PAD
        inputs[:, 1:] = read[:, :-1]
        targets = (read if self.dropout is None or self.dropout.targets else words) + ends
        inputs = np.where(columns < lengths + self.text.ends, inputs, np.int32(PAD))
        if special.begin is None:  # the first word is given
            inputs, targets = inputs[:, 1:], targets[:, 1:]
        return SentenceBatch(inputs, targets, (targets != PAD).astype(np.float32))


class WindowBatches(_Batches):
    """Running text: parallel streams, read window after window, for models that carry their states.

    The sentences follow one another, each as in `SentenceBatches`: where one ends, the target is
    `<eos>` and the next input `<bos>` (or `<eos>` itself, if the tokenizer begins with that). This
    text is cut into `batch_size` streams of equal length,
    and row b of every batch goes on where row b of the batch before stopped. Each epoch begins at
    another place of the text (a function of seed and epoch) and goes round once, so that the
    windows do not always fall the same. Nothing is left out; the last stream is padded.

    Reset the states of the rows where `begins` is true: those of the epoch's first window, and with
    `restarts` some others. Such a row is given `<bos>` first, if there is one, like any
    text whose past isn't known. To go on in the middle of an epoch, with `start`, the states must
    come from a checkpoint.

    A model that never begins anew in training knows only states that have been carried for long;
    read from zeros, it may run into states it has never seen, and stay there.

    Args:
        text: The encoded text. Give whole paragraphs instead of sentences to have `<eos>` only at
            the ends of paragraphs.
        batch_size: The number of streams.
        window: Columns of a batch; the last one of an epoch may be narrower.
        seed: Of the beginning and the dropout.
        dropout: For training; `None` for none.
        shuffle: With `False`, as for validation, every epoch begins where the text does.
        restarts: The chance that a row of a window begins anew.
    """

    _batch = WindowBatch

    def __init__(
        self,
        text: EncodedText,
        batch_size: int = 32,
        window: int = 64,
        seed: int = 0,
        dropout: UnknownDropout | None = None,
        shuffle: bool = True,
        restarts: float = 0.0,
    ) -> None:
        super().__init__(text, batch_size, seed, dropout, shuffle)
        check_whole("window", window, 1)
        if not 0 <= restarts <= 1:
            raise ValueError(f"restarts must be from 0 to 1. Received: restarts={restarts!r}")
        self.window, self.restarts = window, restarts
        # A sentence of n words has n + 1 targets, its end among them. Where each one's begin:
        self._starts = text.offsets + text.ends * np.arange(len(text.offsets))
        self._total = int(self._starts[-1])
        self._stream = math.ceil(self._total / batch_size)

    def batches_per_epoch(self) -> int:
        """Return the number of batches of an epoch, the same for every epoch."""
        return math.ceil(self._stream / self.window)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[WindowBatch]:
        """Yield the batches of an epoch, from batch `start` on.

        Raises:
            ValueError: If the epoch has fewer than `start` batches.
        """
        start = self._checked(epoch, start)
        shift = int(self._random(_ORDER, epoch).integers(self._total)) if self.shuffle else 0
        return (self._make(epoch, shift, index) for index in range(start, self.batches_per_epoch()))

    def _make(self, epoch: int, shift: int, index: int) -> WindowBatch:
        first, last = index * self.window, min((index + 1) * self.window, self._stream)
        rows = np.arange(self.batch_size)[:, None] * self._stream  # (batch, 1)
        at = rows + np.arange(first, last)[None]  # (batch, time)
        padding = at >= self._total
        at = (at + shift) % self._total
        sentences = np.searchsorted(self._starts, at, side="right") - 1
        begin = at == self._starts[sentences]
        # Each sentence before has one target more than it has words, its end.
        places = at - sentences * self.text.ends
        special = self.text.special
        targets = self._words(epoch, places, self.dropout is None or self.dropout.targets)
        inputs = self._words(epoch, places - 1, True)
        if special.end is not None:
            end = at == self._starts[sentences + 1] - 1
            targets = np.where(end, np.int32(special.end), targets)
        # What is read before a sentence; without a beginning, what the one before ended with.
        before = special.end if special.begin is None else special.begin
        if before is not None:
            inputs = np.where(begin, np.int32(before), inputs)
        inputs, targets = (np.where(padding, np.int32(PAD), x) for x in (inputs, targets))
        random = self._random(_RESTARTS, epoch if self.shuffle else 0, index)
        begins = (random.random(self.batch_size) < self.restarts) | (index == 0)
        if special.begin is not None:
            inputs[begins & ~padding[:, 0], 0] = special.begin
        return WindowBatch(inputs, targets, (targets != PAD).astype(np.float32), begins)

    def _words(self, epoch: int, places: np.ndarray, drop: bool) -> np.ndarray:
        words = self.text.ids[places % len(self.text.ids)]  # before the first stands the last
        if not drop or self._drop is None:
            return words
        dropped = self._dropped(epoch, words, places)
        return np.where(dropped, np.int32(self.text.special.unknown or PAD), words)


def uniform(places: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return a random number in [0, 1) for each place, float64: a function of place and key.

    The finalizer of SplitMix64 (Steele, Lea & Flood 2014, "Fast Splittable Pseudorandom Number
    Generators"), so that the number of any place is had without those before it.

    Args:
        places: Whole numbers, of any shape.
        key: uint64 of shape (1,).
    """
    x = (places.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + key
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53
