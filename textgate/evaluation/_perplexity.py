"""Perplexity: e to the mean negative log-probability of a word."""

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from textgate._special_tokens import PAD
from textgate.models.scoring import token_logprobs
from textgate.tokenizers import beginning

_AT_ONCE = 1024  # texts in memory at a time


def perplexity(
    lm: Any, texts: Iterable[str], running: bool = False, batch_size: int = 64
) -> pd.Series:
    """Return how well a model predicts text, word by word.

    The end of each text, `<eos>`, is predicted as well and counts as a word, if the tokenizer has
    one; an unknown word is predicted as `<unk>`. Perplexities are comparable only between models
    of one vocabulary. With a `WhitespaceTokenizer`, texts are the lines of a pretokenised file,
    `textgate.datasets.Corpus(…).lines()`; with `running`, empty ones count as ends, as they do in
    published numbers.

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
    end, unknown_id = lm.tokenizer.end_id, lm.tokenizer.unknown_id
    first = len(beginning(lm.tokenizer))
    everything = iter(texts) if first else filter(str.strip, texts)
    while chunk := list(itertools.islice(everything, _AT_ONCE)):
        plain = lm.encode(chunk)
        lengths = (plain != PAD).sum(axis=1)
        ids = np.pad(plain, ((0, 0), (0, 1)))
        if end is not None:
            ids[np.arange(len(ids)), lengths] = end
        ids = ids[lengths > first]
        loss -= float(np.nansum(token_logprobs(lm, ids, batch_size).astype(np.float64)))
        words += int((ids[:, 1:] != PAD).sum())
        unknown += int((ids == unknown_id).sum()) if unknown_id is not None else 0
    return loss, words, unknown


def _running(lm: Any, texts: Iterable[str], streams: int) -> tuple[float, int, int]:
    from textgate.datasets import EncodedText, WindowBatches
    from textgate.training.step import Steps

    tokenizer = lm.tokenizer
    text = EncodedText.encode(texts, tokenizer, keep_empty=tokenizer.kind == "whitespace")
    words = len(text.ids) + text.ends * len(text)
    streams = max(1, min(streams, words // 256))
    batches = WindowBatches(text, streams, shuffle=False)
    loss = Steps(lm, None, rows=streams).validate(batches.epoch(0))
    return loss * words, words, text.unknown_words
