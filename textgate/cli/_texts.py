"""Texts on the command line: sentences without their quotes are said, not read word by word."""

from collections.abc import Sequence
from typing import Any


def one_text(words: Sequence[str]) -> str:
    """Return the one text that a command takes.

    Raises:
        ValueError: If there are several: a sentence without its quotes.
    """
    if len(words) > 1:
        raise ValueError(f"give one text, in quotes. Received: {_quoted(words)}")
    return words[0]


def check_sentences(sentences: Sequence[str], from_stdin: bool = False) -> None:
    """Raise a `ValueError` for no sentence, an empty one, or one without its quotes."""
    if not sentences:
        raise ValueError("Give at least one sentence to trace. Received: none")
    words = all(len(text.split()) <= 1 for text in sentences)
    if len(sentences) > 1 and words and not from_stdin:
        raise ValueError(
            "several single words look like a sentence without its quotes; put it in quotes, or "
            f"give one text a line on stdin. Received: {_quoted(sentences)}"
        )
    if any(not text.strip() for text in sentences):
        raise ValueError("a sentence must have words. Received: ''")


def say_unknown(lm: Any, sentences: Sequence[str]) -> None:
    """Say on stderr which words a model doesn't know.

    Raises:
        ValueError: If it knows no word of a sentence: nothing it does would be about that.
    """
    from textgate._progress import say

    unknown: dict[str, None] = {}
    for text in sentences:
        of_text = lm.unknown_words(text)
        unknown |= dict.fromkeys(of_text)
        if of_text and set(lm.tokenizer.split(text)) <= set(of_text):
            raise ValueError(f"the model knows no word of a sentence. Received: {text!r}")
    if unknown:
        say(f"unknown to the model, and read as <unk>: {', '.join(unknown)}")


def _quoted(words: Sequence[str]) -> str:
    return " ".join(words)[:80]
