"""Whether text has what a study of pronouns needs: forms of *she* and of *he*."""

import itertools
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from textgate.datasets.lexicon import GENDERS
from textgate.datasets.pair_files import forms_of

_WORDS = 1_000_000  # read at most
_LEAST = 50  # of each gender


def pronouns_in(texts: Sequence[str]) -> pd.DataFrame:
    """Count the pronouns in text, as far as its first million words.

    Args:
        texts: Sources, as `textgate.datasets.Corpus` takes them.

    Returns:
        A row a form: `gender`, `form` (small), `count`, `per_thousand`, and `words` read.

    Raises:
        FileNotFoundError: If there is no such text.
        ValueError: If a gender has too few forms to learn any agreement from.
    """
    from textgate.datasets import Corpus
    from textgate.datasets.words import split

    counts: Counter[str] = Counter()
    words = 0
    for paragraph in Corpus(list(texts)).paragraphs():
        tokens = split(paragraph)
        words += len(tokens)
        counts.update(word.lower() for word in tokens)
        if words >= _WORDS:
            break
    rows = []
    for gender in GENDERS:
        forms = sorted({form.lower() for form in forms_of(gender)})
        rows += [
            {
                "gender": gender,
                "form": form,
                "count": counts[form],
                "per_thousand": 1000 * counts[form] / max(1, words),
                "words": words,
            }
            for form in forms
        ]
    table = pd.DataFrame(rows)
    sums = table.groupby("gender")["count"].sum()
    lacking = [gender for gender in sums.index if sums[gender] < _LEAST]
    if lacking:
        sources = ", ".join(itertools.islice(map(str, texts), 3))
        raise ValueError(
            f"the text has hardly any {' or '.join(lacking)} pronouns ({int(sums.min())} in "
            f"{words:,} words), so that there is no agreement to learn; give other text. "
            f"Received: {sources}"
        )
    return table
