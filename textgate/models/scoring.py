"""Log-probabilities of words, computed with memory for a few texts at a time.

Texts are read in the order of their lengths, so that little is padding, and equal texts are read
once; the results come back in the order of the texts. On TensorFlow the reading is compiled.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import keras
import numpy as np

from textgate._backend import Tensor, backend
from textgate._special_tokens import PAD

# The shapes and types of ids, and of the places of the last ones.
_IDS, _LAST = ((None, None), "int32"), ((None,), "int32")


@runtime_checkable
class IdScorer(Protocol):
    """A language model that scores ids by itself: because it counts, or carries out edits."""

    def score_tokens(self, ids: np.ndarray) -> np.ndarray:
        """Return what `token_logprobs` returns."""

    def score_next(self, ids: np.ndarray) -> np.ndarray:
        """Return what `next_logprobs` returns."""


@runtime_checkable
class HiddenReader(Protocol):
    """A language model whose output layer can be computed at some positions alone."""

    def hidden(self, ids: Tensor) -> tuple[Tensor, Any]:
        """Return what the output layer is given at each position, and anything else."""

    def readout(self, hidden: Tensor) -> Tensor:
        """Return the logits for what `hidden` returned, or for rows of it."""


def token_logprobs(lm: Any, ids: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Return log p(id | ids before it) for each position of `ids`.

    Args:
        lm: A `LanguageModel`, or any Keras model from ids to logits.
        ids: Of shape `(batch, time)`, right-padded with 0.
        batch_size: How many rows are read at a time.

    Returns:
        `float32` of the same shape; NaN in the first column and at padding.
    """
    if isinstance(lm, IdScorer):
        return lm.score_tokens(ids)
    result = np.full(ids.shape, np.nan, np.float32)
    score = _compiled(lm, _score_tokens, _IDS)
    for rows, batch in distinct_batches(ids, batch_size):
        if batch.shape[1] < 2:
            continue
        scores = np.asarray(score(keras.ops.convert_to_tensor(batch)))
        scores = np.where(batch[:, 1:] == PAD, np.nan, scores)
        for members, row in zip(rows, scores, strict=True):
            result[members, 1 : batch.shape[1]] = row
    return result


def next_logprobs(lm: Any, ids: np.ndarray, batch_size: int = 64) -> np.ndarray:
    """Return log p(· | row) for each row of `ids`.

    Args:
        lm: A `LanguageModel`, or any Keras model from ids to logits.
        ids: Of shape `(batch, time)`, right-padded with 0, at least one id a row.
        batch_size: How many rows are read at a time.

    Returns:
        `float32` of shape `(batch, vocabulary)`.
    """
    if isinstance(lm, IdScorer):
        return lm.score_next(ids)
    score = _compiled(lm, _score_next, _IDS, _LAST)
    result: np.ndarray | None = None
    for rows, batch in distinct_batches(ids, batch_size):
        last = (batch != PAD).sum(axis=1).astype("int32") - 1
        scores = np.asarray(
            score(keras.ops.convert_to_tensor(batch), keras.ops.convert_to_tensor(last))
        )
        if result is None:
            result = np.empty((len(ids), scores.shape[-1]), np.float32)
        for members, row in zip(rows, scores, strict=True):
            result[members] = row
    if result is None:
        return np.empty((0, lm.output_shape[-1]), np.float32)
    return result


def distinct_batches(
    ids: np.ndarray, batch_size: int
) -> Iterator[tuple[list[np.ndarray], np.ndarray]]:
    """Yield `(places, rows)`: distinct rows, cut to the longest, and where each one belongs."""
    if not len(ids):
        return
    distinct, inverse = np.unique(ids, axis=0, return_inverse=True)
    order = np.argsort(inverse.reshape(-1), kind="stable")
    places = np.split(order, np.cumsum(np.bincount(inverse.reshape(-1)))[:-1])
    lengths = (distinct != PAD).sum(axis=1)
    by_length = np.argsort(lengths, kind="stable")
    for start in range(0, len(by_length), batch_size):
        members = by_length[start : start + batch_size]
        width = max(int(lengths[members].max()), 1)
        yield [places[m] for m in members], distinct[members, :width]


def logprobs_of(logits: Tensor, ids: Tensor) -> Tensor:
    """Return log p of each id `(batch, time)`, given the logits `(batch, time, vocabulary)`."""
    logits = keras.ops.cast(logits, "float32")
    chosen = keras.ops.take_along_axis(logits, ids[..., None], axis=-1)[..., 0]
    return chosen - keras.ops.logsumexp(logits, axis=-1)


def _hidden(lm: Any, ids: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return features at each position and what turns them into logits."""
    if isinstance(lm, HiddenReader):
        return lm.hidden(ids)[0], lm.readout
    return lm(ids, training=False), lambda logits: logits


def _score_tokens(lm: Any, ids: Tensor) -> Tensor:
    features, readout = _hidden(lm, ids)
    return logprobs_of(readout(features[:, :-1]), ids[:, 1:])


def _score_next(lm: Any, ids: Tensor, last: Tensor) -> Tensor:
    features, readout = _hidden(lm, ids)
    chosen = keras.ops.take_along_axis(features, last[:, None, None], axis=1)[:, 0]
    return keras.ops.log_softmax(keras.ops.cast(readout(chosen), "float32"), axis=-1)


def _compiled(lm: Any, function: Callable[..., Any], *signature: Any) -> Callable[..., Any]:
    """Return `function(lm, …)` compiled for its further arguments, made once for each model."""
    compiled = lm.__dict__.get("_textgate_scoring")
    if compiled is None:
        compiled = {}
        # Past Keras's tracking, which would wrap what it takes for a container of layers.
        object.__setattr__(lm, "_textgate_scoring", compiled)
    if function not in compiled:
        compiled[function] = backend().compiled_for_all(functools.partial(function, lm), signature)
    return compiled[function]
