"""Which gender a model expects next: the she-forms together against the he-forms together.

In running text, *her* is both a possessive and an object, so the word itself doesn't say what the
wrong one would be. What can be compared in every context is the probability that the next word is
any form of *she* with that of any form of *he*.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

_REQUIRED = ("prefix", "good_forms", "bad_forms")


def pronouns(lm: Any, contexts: pd.DataFrame, batch_size: int = 64) -> pd.DataFrame:
    """Score a language model on contexts with a gold pronoun.

    Args:
        lm: A `textgate.models.LanguageModel`, or anything with its `tokenizer` and
            `next_logprobs`.
        contexts: One row a context, as from `textgate.datasets.minimal_pairs`: the text before the
            pronoun, `prefix`, and the forms of its gender and of the other, `good_forms` and
            `bad_forms`, sequences of words.
        batch_size: How many contexts are read at a time.

    Returns:
        One row a context, in the order given and with its columns, and `logprob_good` and
        `logprob_bad` (of the summed probabilities of the forms), `correct` (a tie is not, nor a
        context whose right forms are all unknown), `target_unknown` and `unknown_words` (those
        among the forms).

    Raises:
        ValueError: If a column is missing or there are no contexts.
    """
    missing = [name for name in _REQUIRED if name not in contexts]
    if missing:
        raise ValueError(
            f"contexts need the columns {', '.join(_REQUIRED)}; {missing[0]!r} is missing. "
            f"Received: columns {list(contexts.columns)}"
        )
    if not len(contexts):
        raise ValueError("there are no contexts to score. Received: an empty table")
    if lm.tokenizer.pieces:
        raise ValueError(
            "contexts are scored by the probabilities of whole words, and the model's tokenizer "
            "takes words apart; give minimal pairs, whose pieces are summed. "
            f"Received: {lm.tokenizer!r}"
        )
    vocabulary = {word: number for number, word in enumerate(lm.tokenizer.vocabulary)}
    result = contexts.copy()
    prefixes = contexts["prefix"].tolist()
    sums = {name: np.empty(len(contexts)) for name in ("good", "bad")}
    step = 16 * batch_size  # of which all next words' probabilities are held at a time
    unknown: list[str] = []
    for start in range(0, len(contexts), step):
        scores = lm.next_logprobs(prefixes[start : start + step], batch_size=batch_size)
        for row, logs in enumerate(scores, start):
            for name in ("good", "bad"):
                forms = contexts[f"{name}_forms"].iloc[row]
                ids = [vocabulary[form] for form in forms if form in vocabulary]
                sums[name][row] = logsumexp(logs[ids].astype(np.float64)) if ids else -np.inf
            every = [*contexts["good_forms"].iloc[row], *contexts["bad_forms"].iloc[row]]
            unknown.append(" ".join(form for form in every if form not in vocabulary))
    result["logprob_good"], result["logprob_bad"] = sums["good"], sums["bad"]
    result["target_unknown"] = np.isneginf(sums["good"]) | np.isneginf(sums["bad"])
    result["unknown_words"] = unknown
    result["correct"] = (sums["good"] > sums["bad"]) & ~result["target_unknown"].to_numpy()
    return result
