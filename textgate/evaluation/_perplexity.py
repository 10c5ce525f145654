"""Perplexity: e to the mean negative log-probability of a word."""

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import EOS, PAD, UNK
from textgate.models.scoring import token_logprobs

_AT_ONCE = 1024  # texts in memory at a time


def perplexity(
    lm: Any, texts: Iterable[str], running: bool = False, batch_size: int = 64
) -> pd.Series:
    """Return how well a model predicts text, word by word.

    The end of each text, `<eos>`, is predicted as well and counts as a word; an unknown word is
    predicted as `<unk>`. Perplexities are comparable only between models of one vocabulary.

    Args:
        lm: A language model.
        texts: Sentences or paragraphs; read once, and not held in memory together.
        running: Whether the texts go on one another and the model reads them with its states
            carried on, as it does in training on running text.
        batch_size: How many texts are read at a time; with `running`, in how many parallel streams
            the text is cut.

    Returns:
        A series with `words` (predicted), `unknown` (the share of them that is `<unk>`), `loss`
        (nats a word) and `perplexity`.

    Raises:
        ValueError: If there are no words.
    """
    if isinstance(texts, str):
        raise TypeError(f"`texts` must be a list of strings. Received: texts={texts!r}")
    loss, words, unknown = (
        _running(lm, texts, batch_size) if running else _each(lm, texts, batch_size)
    )
    if not words:
        raise ValueError("there are no words to predict. Received: texts without words")
    mean = loss / words
    return pd.Series(
        {
            "words": words,
            "unknown": unknown / words,
            "loss": mean,
            "perplexity": math.exp(min(mean, 700.0)),
        }
    )


def _each(lm: Any, texts: Iterable[str], batch_size: int) -> tuple[float, int, int]:
    loss, words, unknown = 0.0, 0, 0
    everything = iter(texts)
    while chunk := list(itertools.islice(everything, _AT_ONCE)):
        plain = lm.encode(chunk)
        lengths = (plain != PAD).sum(axis=1)
        ids = np.pad(plain, ((0, 0), (0, 1)))
        ids[np.arange(len(ids)), lengths] = EOS
        ids = ids[lengths > 1]
        loss -= float(np.nansum(token_logprobs(lm, ids, batch_size).astype(np.float64)))
        words += int((ids[:, 1:] != PAD).sum())
        unknown += int((ids == UNK).sum())
    return loss, words, unknown


def _running(lm: Any, texts: Iterable[str], streams: int) -> tuple[float, int, int]:
    from textgate.datasets import EncodedText, WindowBatches
    from textgate.training.step import Steps

    text = EncodedText.encode(texts, lm.tokenizer)
    words = len(text.ids) + len(text)
    streams = max(1, min(streams, words // 256))
    batches = WindowBatches(text, streams, shuffle=False)
    loss = Steps(lm, None, rows=streams).validate(batches.epoch(0))
    return loss * words, words, int(text.counts[UNK])
