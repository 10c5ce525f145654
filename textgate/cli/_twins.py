"""The twin of a text, and the units that a line on the command line is about."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_MOST = 2  # units of a layer that are named


def twin_of(lm: Any, text: str) -> str | None:
    """Return the same text about somebody of the other gender, or `None` if nothing in it tells.

    Every word with a counterpart (she and he, names, queen and king) is exchanged for it, if the
    model knows both.
    """
    from textgate.datasets import counterparts

    exchanged, tokenizer = counterparts(), lm.tokenizer
    vocabulary = set(tokenizer.vocabulary)

    def known(word: str) -> bool:
        if word in vocabulary or tokenizer.unknown_id is None:
            return word in vocabulary
        return tokenizer.tokens_to_ids([word]) != [tokenizer.unknown_id]

    words = tokenizer.split(text)
    pairs = [(word, _other(word, exchanged)) for word in words]
    twin = [other if known(word) and known(other) else word for word, other in pairs]
    found = tokenizer.detokenize(twin)
    return found if twin != words and tokenizer.split(found) == twin else None


def _other(word: str, exchanged: dict[str, str]) -> str:
    """Return a word's counterpart, as the word is written; the word itself if it has none."""
    if word in exchanged:
        return exchanged[word]
    small = word[:1].lower() + word[1:]
    other = exchanged.get(small, word)
    return other[:1].upper() + other[1:] if small in exchanged else word


def found_units(run: Path) -> tuple[str, str, tuple[int, ...]] | None:
    """Return what `textgate study` or `units --to RUN/units` has found in a run.

    Returns:
        The feature, the layer, and the units of its sets; `None` if the run has no finding.
    """
    from textgate.models.runs import RunLayout, StudyLayout

    models = [] if RunLayout(run).model.is_file() else StudyLayout(run).models()
    path = RunLayout.of(models[0] if models else run).finding
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        sets = [facts[name] for name in ("both", "sufficient", "necessary")]
        units = tuple(dict.fromkeys(int(unit) for each in sets for unit in each))
        return (facts["feature"], facts["layer"], units) if units else None
    except (OSError, ValueError, KeyError, TypeError):  # none, or of another version
        return None


def units_apart(node: Any, twin: Any, memory: str) -> list[int]:
    """Return the units whose memory keeps a text and its twin furthest apart.

    A unit that holds what the twins differ in differs at every word from the first that tells, so
    what counts is where it differs least.

    Args:
        node: A node of a trace, of one example, without masked steps.
        twin: The same of the twin.
        memory: The signal that is the memory.
    """
    import numpy as np

    apart = np.abs(node[memory].values - twin[memory].values)
    telling = np.flatnonzero(apart.max(axis=1) > 1e-6)
    least = apart[telling[0] :].min(axis=0) if telling.size else apart.max(axis=0)
    return _numbers(node, least)


def units_varying(node: Any, memory: str) -> list[int]:
    """Return the units whose memory varies most."""
    return _numbers(node, node[memory].values.std(axis=0))


def _numbers(node: Any, scores: Any) -> list[int]:
    """Return the numbers of the units with the highest scores."""
    order: Sequence[int] = (-scores).argsort(kind="stable")[:_MOST]
    return [int(node["unit"].values[at]) for at in order]
