"""Agreement on minimal pairs: does the model find the right sentence likelier than the wrong one?

A minimal pair is two sentences that differ in what is tested ("She lost her way ." against "She
lost his way ."). The model needs no training for it: it passes a pair if it gives the right
sentence the higher probability. A tie is a failure, or else a model that says the same of every
sentence would be perfect. A pair whose tested word the model doesn't know is a failure too: it
compares the unknown word with itself, or with a word, which says nothing about agreement.
"""

from typing import Any

import numpy as np
import pandas as pd

from textgate._received import check_table
from textgate._special_tokens import UNK
from textgate.evaluation._pronouns import pronouns

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
        - `target_logprob_good`, `target_logprob_bad`: of the target given the words before; NaN
          where the pair has no target;
        - `correct`: whether the right sentence is the likelier one; a tie is not, nor is a pair
          with an unknown target;
        - `target_unknown`: whether a target (in a pair without, a word that only one of the two
          sentences has) is unknown to the model;
        - `unknown_words`: the words that the model doesn't know, separated by spaces.

    Raises:
        ValueError: If a column is missing, there are no pairs, a target lies outside its
            sentence, or the sentences of a pair are equal.
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
    unknown = [
        known.unknown_of(first, second, int(target))
        for first, second, target in zip(good, bad, targets, strict=True)
    ]
    result = pairs.copy()
    for name, part in (("good", scores[: len(good)]), ("bad", scores[len(good) :])):
        result[f"logprob_{name}"] = np.nansum(part, axis=1)
        column = np.full(len(pairs), np.nan)
        has = targets >= 0
        column[has] = part[has, targets[has] + 1]  # behind <bos>
        result[f"target_logprob_{name}"] = column
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
            self.split[text] = words, [int(i) == UNK for i in ids]
        return self.split[text]

    def unknown_of(self, good: str, bad: str, target: int) -> tuple[bool, list[str]]:
        """Return whether a target is unknown, and the unknown words of both sentences."""
        words: dict[str, None] = {}
        in_target = False
        sides = [self(good), self(bad)]
        for (tokens, flags), (others, _) in zip(sides, reversed(sides), strict=True):
            if target >= len(tokens):
                raise ValueError(
                    f"a target lies outside its sentence of {len(tokens)} words. "
                    f"Received: target={target} for {' '.join(tokens)!r}"
                )
            words.update(dict.fromkeys(t for t, flag in zip(tokens, flags, strict=True) if flag))
            if target >= 0:
                in_target |= flags[target]
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
    equal = pairs.index[pairs["good"] == pairs["bad"]]
    if len(equal):
        raise ValueError(
            "the two sentences of a pair must differ. "
            f"Received: {pairs['good'].loc[equal[0]]!r} twice in row {equal[0]}"
        )


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
