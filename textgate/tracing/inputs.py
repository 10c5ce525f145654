"""From whatever a model takes to batches: arrays, data sets, generators, texts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import keras
import numpy as np
from keras import tree

from textgate._backend import backend
from textgate._received import check_plain
from textgate._special_tokens import PAD


@runtime_checkable
class TextReader(Protocol):
    """A model that texts can be given to, as textgate's language models are."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return what the model takes: ids of shape `(example, time)`, padded with 0."""

    def tokens(self, texts: Sequence[str]) -> np.ndarray:
        """Return the word that stands at each step, `(example, time)`; `""` where padded."""


class Batch(NamedTuple):
    """One batch: the model's inputs, the number of examples, and their tokens where known."""

    inputs: Any
    size: int
    tokens: np.ndarray | None = None


@dataclass(frozen=True)
class Source:
    """Inputs in batches.

    Attributes:
        batches: Starts over and gives one batch after the other.
        examples: Number of examples; `None` where only the end tells.
        steps: Length of the longest example, where it is known.
    """

    batches: Callable[[], Iterator[Batch]]
    examples: int | None
    steps: int | None = None


def source_of(
    model: keras.Model, inputs: Any, batch_size: int, tokens: Any = None, whole: bool = False
) -> Source:
    """Prepare inputs for a model.

    Args:
        model: The model.
        inputs: An array or a list, tuple or dictionary of arrays; a `tf.data.Dataset`, a
            `keras.utils.PyDataset` or a generator, whose batches are taken as they come (of
            tuples, the first part); or texts, for a textgate language model.
        batch_size: Number of examples a batch; without meaning for inputs that come in batches.
        tokens: The words of each example, of shape `(example, time)` or as a list of lists.
        whole: Whether texts keep their common length in every batch, instead of being cut to the
            longest of the batch.

    Raises:
        ValueError: If the inputs have no examples or different numbers of them.
        TypeError: If they are of a kind that no model takes.
    """
    if is_text(inputs) and isinstance(model, TextReader):
        if isinstance(inputs, str):
            raise TypeError(
                f"texts come as a list, also a single one: [{inputs[:40]!r}]. "
                f"Received: {inputs[:40]!r}"
            )
        return _texts(model, list(inputs), batch_size, whole)
    check_plain(inputs)
    words = None if tokens is None else _word_array(tokens)
    if isinstance(inputs, keras.utils.PyDataset):
        count = inputs.num_batches
        if count is None:
            raise ValueError(
                "A PyDataset without end cannot be traced; give it a `num_batches`. "
                f"Received: {type(inputs).__name__}"
            )
        dataset = inputs
        return Source(lambda: _in_batches((dataset[index] for index in range(count)), words), None)
    if hasattr(inputs, "element_spec") or hasattr(inputs, "__next__"):
        if getattr(inputs, "cardinality", None) is not None and int(inputs.cardinality()) == -1:
            raise ValueError(
                "A data set that repeats without end cannot be traced; take a part of it with "
                "`dataset.take(n)`. Received: a tf.data.Dataset of infinite cardinality"
            )
        return Source(lambda: _in_batches(iter(inputs), words), None)
    return _arrays(inputs, batch_size, words)


def words_of(model: Any, inputs: Any) -> np.ndarray | None:
    """Return the tokens of texts, `(example, time)`; `None` where the inputs are no texts."""
    if not (is_text(inputs) and isinstance(model, TextReader)):
        return None
    return np.asarray(model.tokens([inputs] if isinstance(inputs, str) else list(inputs)))


def is_text(inputs: Any) -> bool:
    """Whether these are texts: a string, or a sequence of nothing but strings."""
    if isinstance(inputs, str):
        return True
    if isinstance(inputs, np.ndarray):
        return inputs.ndim == 1 and inputs.dtype.kind in "UOT" and is_text(inputs.tolist())
    if hasattr(inputs, "tolist") and hasattr(inputs, "index") and not isinstance(inputs, list):
        inputs = inputs.tolist()  # a pandas Series
    return (
        isinstance(inputs, list | tuple)
        and bool(inputs)
        and all(isinstance(text, str) for text in inputs)
    )


def _texts(model: TextReader, texts: Sequence[str], batch_size: int, whole: bool) -> Source:
    ids = np.asarray(model.encode(texts))
    # Position after the last token: whatever stands to the right of it is padding.
    lengths = ids.shape[1] - np.argmax(ids[:, ::-1] != PAD, axis=1)
    lengths[~np.any(ids != PAD, axis=1)] = 1
    # A compilation costs more than the padding.
    trimmed = not (backend().compiles_each_length or whole)

    def batches() -> Iterator[Batch]:
        for start in range(0, len(texts), batch_size):
            rows = slice(start, start + batch_size)
            length = int(lengths[rows].max()) if trimmed else ids.shape[1]
            words = np.asarray(model.tokens(texts[rows]))
            padded = np.full((len(words), length), "", dtype=words.dtype)
            padded[:, : words.shape[1]] = words[:, :length]
            yield Batch(ids[rows, :length], len(words), padded)

    return Source(batches, len(texts), ids.shape[1])


def _in_batches(elements: Iterator[Any], words: np.ndarray | None) -> Iterator[Batch]:
    start = 0
    for element in elements:
        x = keras.utils.unpack_x_y_sample_weight(element)[0]
        check_plain(x)
        leaves = tree.flatten(x)
        if not leaves or any(len(getattr(leaf, "shape", ())) == 0 for leaf in leaves):
            raise ValueError(
                "A data set must give batches; call `dataset.batch(n)` on it. "
                f"Received: an element with the parts {[type(leaf).__name__ for leaf in leaves]}"
            )
        size = int(leaves[0].shape[0])
        yield Batch(x, size, None if words is None else words[start : start + size])
        start += size


def _arrays(inputs: Any, batch_size: int, words: np.ndarray | None) -> Source:
    if isinstance(inputs, list | tuple) and not any(hasattr(x, "shape") for x in inputs):
        if inputs and all(isinstance(x, dict) for x in inputs):
            raise TypeError("`inputs` must be arrays, not a list of dictionaries; stack them.")
        inputs = _array(inputs)  # numbers in nested lists are one array
    arrays = tree.map_structure(_array, inputs)
    leaves = tree.flatten(arrays)
    sizes = {int(leaf.shape[0]) if len(leaf.shape) else 0 for leaf in leaves}
    if len(sizes) != 1 or sizes == {0}:
        raise ValueError(
            "All inputs must have the same number of examples, and at least one. Received: inputs "
            f"of shape {[tuple(leaf.shape) for leaf in leaves]}"
        )
    (examples,) = sizes
    steps = max((int(leaf.shape[1]) for leaf in leaves if len(leaf.shape) > 1), default=None)
    if words is not None and words.shape != (examples, steps):
        raise ValueError(
            "`tokens` must have a word for every step, '' where the inputs are padded: shape "
            f"(example, time), here {(examples, steps)}. Received: shape {words.shape}"
        )

    def batches() -> Iterator[Batch]:
        for start in range(0, examples, batch_size):
            rows = slice(start, start + batch_size)
            part = tree.map_structure(lambda x, rows=rows: x[rows], arrays)
            size = min(batch_size, examples - start)
            yield Batch(part, size, None if words is None else words[rows])

    return Source(batches, examples, steps)


def _array(x: Any) -> Any:
    if hasattr(x, "shape") and hasattr(x, "dtype") and not hasattr(x, "to_numpy"):
        return x  # NumPy, TensorFlow, JAX
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(
            "`inputs` must be arrays; pad sequences of different lengths first, as with "
            "keras.utils.pad_sequences. Received: lists of different lengths"
        ) from None
    if array.dtype == object and not all(isinstance(v, str) for v in array.flat):
        raise TypeError(
            "`inputs` must be whatever `model.predict` takes: arrays, a data set, or texts for a "
            f"language model of textgate. Received: {type(x).__name__}"
        )
    return array


def _word_array(tokens: Any) -> np.ndarray:
    if isinstance(tokens, np.ndarray) and tokens.ndim == 2:
        return tokens.astype(str)
    rows = [list(row) for row in tokens]
    array = np.full((len(rows), max(map(len, rows), default=0)), "", dtype=object)
    for at, row in enumerate(rows):
        array[at, : len(row)] = row
    return array.astype(str)
