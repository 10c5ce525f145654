"""The pairs of sentences that units and gates are tested on: *she* against *he*, with their twins.

Interchange sets a sentence against its twin about somebody of the other gender. Running text has no
twins, generated sentences do; but a model that was trained on text has its own mind about them: it
doesn't know some words, and of others it doesn't know the gender. Where it says *he* of both the
actress and the actor, there is nothing that an intervention could turn. So such a model is asked
about those sentences alone that it gets right on both sides, which says nothing about how many
these are; that is reported beside.
"""

import pandas as pd

from textgate.datasets.features import contrasting
from textgate.interchange import contrasts, runner_for
from textgate.models import LanguageModel

SPLITS = ("test", "validation", "test_templates")
_LEAST = 60  # sentences of each gender, below which no choice is made


def gender_pairs(size: int | None = None) -> pd.DataFrame:
    """Return generated pairs of *she* against *he* with their twins; all splits were unseen.

    Args:
        size: Pairs of each split, of all classes; `None` for all there are.
    """
    from textgate.datasets import minimal_pairs

    parts = [
        contrasting(minimal_pairs("pronoun_agreement", split=split, size=size)) for split in SPLITS
    ]
    pairs = pd.concat(parts, ignore_index=True).drop_duplicates("good", ignore_index=True)
    return pairs.assign(item=range(len(pairs)))


def first_pairs(pairs: pd.DataFrame, size: int) -> pd.DataFrame:
    """Return the first pairs of *she* against *he* that have a twin, one an item."""
    return contrasting(pairs).drop_duplicates("item").head(size).reset_index(drop=True)


def eligible_pairs(
    lm: LanguageModel, pairs: pd.DataFrame, least: int = _LEAST
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the pairs that a model gets right on both sides, and how many of how many.

    Args:
        lm: A language model.
        pairs: Pairs of *she* against *he* with their twins.
        least: How many of each gender there must be; with fewer, all are returned.

    Returns:
        The pairs, and a table of one row: `sentences`, `known` (whose deciding words the model
        knows), `right` (of these), `both` (right in the sentence and in its twin), and `chosen`
        (whether there were enough of these to choose them).

    Raises:
        ValueError: If the model knows the words of none.
    """
    items = contrasts(lm, pairs, "gender")
    runner = runner_for(lm, items, lm.recurrent_layers[-1].name, lm.memory)
    clean, source = runner.clean(), runner.source()
    both = (clean > 0) & (source < 0)
    counts = {
        "sentences": len(pairs),
        "known": len(items),
        "right": int((clean > 0).sum()),
        "both": int(both.sum()),
    }
    chosen = items.table[both].reset_index(drop=True)
    genders = chosen["good_class"].value_counts()
    enough = len(genders) == 2 and int(genders.min()) >= least
    return (chosen if enough else pairs), pd.DataFrame([counts | {"chosen": enough}])
