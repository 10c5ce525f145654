"""What a model expects where nothing says the gender: is *he* its default?

Jumelet, Zuidema and Hupkes (2019) found that a language model's *she* comes from words that are
feminine, while *he* needs no word: it is what is left when nothing pushes. Here the simplest form
of that question: of the probability that the forms of *he* and *she* get together as the next word,
how much do those of *he* get after a subject of either gender ("The doctor lost"), after a woman
("The actress lost"), and after a man? If the model had no default, it would be undecided after the
first, and a woman's and a man's word would move it equally far.
"""

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from textgate.datasets.lexicon import GENDERS
from textgate.datasets.pair_files import forms_of
from textgate.evaluation import interval
from textgate.models import LanguageModel

_NEUTRAL = (
    *("doctor", "teacher", "friend", "student", "lawyer", "engineer", "singer", "guest", "nurse"),
    *("cousin", "stranger", "writer", "painter", "dancer", "visitor", "neighbor", "child"),
)
_PAIRS = (
    ("actress", "actor"),
    ("queen", "king"),
    ("woman", "man"),
    ("girl", "boy"),
    ("aunt", "uncle"),
    ("princess", "prince"),
    ("widow", "widower"),
    ("waitress", "waiter"),
    ("nun", "monk"),
    ("sister", "brother"),
    ("wife", "husband"),
    ("lady", "lord"),
)
_FRAMES = (
    "The {} lost",
    "The {} shook",
    "The {} hurt",
    "The {} went home because",
    "The {} came in and cleared",
    "The {} said nothing until",
    "The {} got up and closed",
    "The {} sat down and held",
)


def default_gender(lm: LanguageModel, seed: int = 0) -> pd.DataFrame:
    """Return what the forms of *he* get of what *he* and *she* get together.

    Args:
        lm: A language model.
        seed: Seed of the bootstrap.

    Returns:
        A row a cue, "none", "feminine", "masculine": `masculine` (the mean share of *he*), `low`,
        `high` (95 %, clustered on subject and frame), `contexts`, `subjects`. Subjects that the
        model doesn't know are left out. The same in each row, in log-odds of *he* against *she*:
        `moved_feminine` and `moved_masculine` (how far a woman's and a man's word move the mean
        from where it is without a cue, each towards its own pronoun), and `asymmetry` (the first
        minus the second) with `asymmetry_low` and `asymmetry_high` (95 %, subjects and frames
        resampled).

    Raises:
        ValueError: If the model knows none of the subjects of a cue, or lacks the pronouns.
    """
    vocabulary = {word: number for number, word in enumerate(lm.tokenizer.vocabulary)}
    forms = {
        gender: [vocabulary[form] for form in forms_of(gender) if form in vocabulary]
        for gender in GENDERS
    }
    if not all(forms.values()):
        raise ValueError(
            "the model must know a form of she and one of he. Received: a vocabulary of "
            f"{len(vocabulary):,} words without"
        )
    cues = {
        "none": _NEUTRAL,
        "feminine": tuple(woman for woman, _ in _PAIRS),
        "masculine": tuple(man for _, man in _PAIRS),
    }
    rows = []
    odds: dict[str, np.ndarray] = {}
    for cue, subjects in cues.items():
        in_vocabulary = [subject for subject in subjects if subject in vocabulary]
        if not in_vocabulary:
            raise ValueError(
                f"the model must know some of the words {', '.join(subjects)}. Received: a "
                f"vocabulary of {len(vocabulary):,} words without"
            )
        places = [(subject, frame) for subject in in_vocabulary for frame in _FRAMES]
        logs = lm.next_logprobs([frame.format(subject) for subject, frame in places])
        he, she = (
            logsumexp(logs[:, forms[gender]].astype(np.float64), axis=1)
            for gender in ("masculine", "feminine")
        )
        share = 1 / (1 + np.exp(she - he))
        odds[cue] = (he - she).reshape(len(in_vocabulary), len(_FRAMES))
        low, high = interval(share, [[s for s, _ in places], [f for _, f in places]], seed=seed)
        rows.append(
            {
                "cue": cue,
                "masculine": float(share.mean()),
                "low": low,
                "high": high,
                "contexts": len(places),
                "subjects": len(in_vocabulary),
            }
        )
    return pd.DataFrame(rows).assign(**_moves(odds, seed))


def _moves(odds: dict[str, np.ndarray], seed: int, resamples: int = 1000) -> dict[str, float]:
    """Return how far a woman's and a man's word move the log-odds `(subjects, frames)`."""

    def shifts(means: dict[str, Any]) -> tuple[Any, Any]:
        return means["none"] - means["feminine"], means["masculine"] - means["none"]

    def resampled() -> dict[str, float]:
        frames = random.integers(0, len(_FRAMES), len(_FRAMES))  # the same for all cues
        return {
            cue: float(table[random.integers(0, len(table), len(table))][:, frames].mean())
            for cue, table in odds.items()
        }

    random = np.random.default_rng(seed)
    woman, man = shifts({cue: float(table.mean()) for cue, table in odds.items()})
    others = [shifts(resampled()) for _ in range(resamples)]
    low, high = np.quantile([one - other for one, other in others], [0.025, 0.975])
    return {
        "moved_feminine": woman,
        "moved_masculine": man,
        "asymmetry": woman - man,
        "asymmetry_low": float(low),
        "asymmetry_high": float(high),
    }
