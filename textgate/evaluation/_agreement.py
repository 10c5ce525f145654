"""Agreement on minimal pairs: does the model find the right sentence likelier than the wrong one?

A minimal pair is two sentences that differ in what is tested ("She lost her way ." against "She
lost his way ."). The model needs no training for it: it passes a pair if it gives the right
sentence the higher probability. A tie is a failure, or else a model that says the same of every
sentence would be perfect. A pair whose tested word the model doesn't know is a failure too: it
compares the unknown word with itself, or with a word, which says nothing about agreement.

A model may read word pieces or characters. Then a word's log-probability is the sum of those of its
pieces.
"""

from typing import Any

import numpy as np
import pandas as pd

from textgate._received import check_table
from textgate.evaluation._pronouns import pronouns
from textgate.tokenizers import beginning, target_pieces

_REQUIRED = ("good", "bad")


def agreement(lm: Any, pairs: pd.DataFrame, batch_size: int = 64) -> pd.DataFrame:
    """Score a language model on minimal pairs.

    Args:
        lm: A `textgate.models.LanguageModel`, or anything with its `tokenizer` and
            `token_logprobs`.
        pairs: One row a pair, as from `textgate.datasets.minimal_pairs`: the sentences `good` and
            `bad`, and by choice `target`, the index of the word in which they differ (-1 for
            none). Whatever else there is comes back with the results. Contexts with a gold
            pronoun, which have `good_forms` and `bad_forms`, are scored as
            `textgate.evaluation.pronouns` scores them.
        batch_size: How many sentences are read at a time.

    Returns:
        One row a pair, in the order of the pairs and with their index and columns, and

        - `logprob_good`, `logprob_bad`: log-probability of the whole sentence;
        - `target_logprob_good`, `target_logprob_bad`: of the target given the words before, summed
          over its pieces; NaN where the pair has no target;
        - `correct`: whether the right sentence is the likelier one; a tie is not (also between
          equal sentences), nor is a pair with an unknown target;
        - `target_unknown`: whether a target (in a pair without, a word that only one of the two
          sentences has) is unknown to the model;
        - `unknown_words`: the words that the model doesn't know, separated by spaces.

    Raises:
        ValueError: If a column is missing, there are no pairs, or a target lies outside its
            sentence.
    """
    check_table("pairs", pairs)
    if {"good_forms", "bad_forms"} <= set(pairs):
        return pronouns(lm, pairs, batch_size)
    _check(pairs)
    good, bad = pairs["good"].tolist(), pairs["bad"].tolist()
    targets = (
        pairs["target"].to_numpy(np.int64)
        if "target" in pairs
        else np.full(len(pairs), -1, np.int64)
    )
    scores = lm.token_logprobs(good + bad, batch_size=batch_size).astype(np.float64)
    known = _Words(lm.tokenizer)
    spans = [
        None if target < 0 or one == other else target_pieces(lm.tokenizer, one, other, int(target))
        for one, other, target in zip(good, bad, targets, strict=True)
    ]
    unknown = [
        known.unknown_of(first, second, span)
        for first, second, span in zip(good, bad, spans, strict=True)
    ]
    result = pairs.copy()
    behind = len(beginning(lm.tokenizer))
    for side, name in enumerate(("good", "bad")):
        part = scores[side * len(good) : (side + 1) * len(good)]
        result[f"logprob_{name}"] = np.nansum(part, axis=1)
        result[f"target_logprob_{name}"] = [
            np.nan
            if span is None
            else row[span[side].start + behind : span[side].stop + behind].sum()
            for row, span in zip(part, spans, strict=True)
        ]
    result["target_unknown"] = [in_target for in_target, _ in unknown]
    result["unknown_words"] = [" ".join(words) for _, words in unknown]
    result["correct"] = (result["logprob_good"] > result["logprob_bad"]) & ~result["target_unknown"]
    return result


class _Words:
    """Which words of sentences a tokenizer doesn't know; each sentence is split once."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.split: dict[str, tuple[list[str], list[bool]]] = {}

    def __call__(self, text: str) -> tuple[list[str], list[bool]]:
        if text not in self.split:
            words = self.tokenizer.split(text)
            ids = self.tokenizer.tokens_to_ids(words)
            unknown = self.tokenizer.unknown_id
            self.split[text] = words, [int(i) == unknown for i in ids]
        return self.split[text]

    def unknown_of(
        self, good: str, bad: str, spans: tuple[range, range] | None
    ) -> tuple[bool, list[str]]:
        """Return whether a target is unknown, and the unknown words of both sentences."""
        words: dict[str, None] = {}
        in_target = False
        sides = [self(good), self(bad)]
        targets: tuple[range | None, ...] = spans or (None, None)
        for (tokens, flags), (others, _), target in zip(sides, sides[::-1], targets, strict=True):
            if target is not None and target.stop > len(tokens):
                raise ValueError(
                    f"a target lies outside its sentence of {len(tokens)} words. "
                    f"Received: target={target.start} for {' '.join(tokens)!r}"
                )
            words.update(dict.fromkeys(t for t, flag in zip(tokens, flags, strict=True) if flag))
            if target is not None:
                in_target |= any(flags[place] for place in target)
            elif any(flags):
                in_target |= any(
                    flag and token not in others for token, flag in zip(tokens, flags, strict=True)
                )
        return in_target, list(words)


def _check(pairs: pd.DataFrame) -> None:
    missing = [name for name in _REQUIRED if name not in pairs]
    if missing:
        raise ValueError(
            f"pairs need the columns {' and '.join(map(repr, _REQUIRED))}; {missing[0]!r} is "
            f"missing. Received: columns {list(pairs.columns)}"
        )
    if not len(pairs):
        raise ValueError("there are no pairs to score. Received: an empty table")


def worst(items: pd.DataFrame) -> pd.DataFrame:
    """Reduce pairs that differ only in the wrong form to one row an item, against the worst.

    Args:
        items: As `agreement` returns them. Rows with equal `item` belong together; without such a
            column each row is an item.

    Returns:
        One row an item, that of the wrong form to which the model gives the most, in the order of
        the items' first rows. `correct` says whether the right form beats every wrong one, and
        `margin` by how much it beats the likeliest, in nats.
    """
    rows = items.assign(margin=items["logprob_good"] - items["logprob_bad"])
    if "item" not in rows:
        return rows
    groups = rows.groupby("item", sort=False)
    result = rows.loc[groups["margin"].idxmin()] if rows.index.is_unique else None
    if result is None:
        return worst(items.reset_index(drop=True))
    return result.assign(
        correct=groups["correct"].all().to_numpy(),
        target_unknown=groups["target_unknown"].any().to_numpy(),
    )
