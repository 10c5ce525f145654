"""Features: what a model has to keep in mind of a text until it matters, each told once.

A feature sets two classes against each other: a sentence about a woman wants *her* where the same
sentence about a man wants *his*. Whatever depends on the feature reads this table: which pairs are
made for it, which of their rows are of the two classes, on what other task its units should cost
nothing.

To add a feature, add a row to `FEATURES` and its data: a source of minimal pairs that
`textgate.datasets.minimal_pairs` knows, or the path of a file of pairs. For the agreement of verbs,
generated pairs are templates in `data/templates.tsv` and a row in `_verb_agreement.AGREEMENTS`.
Users need not touch the table: they pass a `Feature` of their own, or a name that is not in the
table with pairs of their own.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textgate.datasets.lexicon import GENDERS, NUMBERS, TENSES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Feature:
    """A feature that units of a model may hold.

    Attributes:
        name: Its name, as it stands in sentences and tables.
        classes: The two classes that it sets against each other. Pairs may have other classes
            besides, whose rows are left out; `None` takes all rows.
        pairs: Where its minimal pairs come from, as `textgate.datasets.minimal_pairs` takes it;
            `None` if there are none but a user's own.
        side_task: Minimal pairs of another kind, on which units of this feature should cost
            nothing, likewise.
        text: The generated sentences that stand for ordinary text, as
            `textgate.datasets.sentences` takes them.

    Example:

    >>> Feature("negation", classes=("negated", "plain"), pairs="negation.csv").side_task
    'number_agreement'
    """

    name: str
    classes: tuple[str, str] | None = None
    pairs: str | None = None
    side_task: str = "number_agreement"
    text: str = "pronoun_agreement"


FEATURES = {
    feature.name: feature
    for feature in (
        Feature("gender", GENDERS, "pronoun_agreement"),
        Feature("number", NUMBERS, "number_agreement", "pronoun_agreement"),
        Feature("tense", TENSES, "tense_agreement", text="tense_agreement"),
    )
}
# The generated data sets, each of sentences and of minimal pairs.
SOURCES = tuple(feature.pairs for feature in FEATURES.values() if feature.pairs is not None)


def feature_of(feature: str | Feature) -> Feature:
    """Return the feature of a name: a row of the table, or one that has nothing but the name."""
    if isinstance(feature, Feature):
        return feature
    return FEATURES.get(feature) or Feature(feature)


def of_classes(pairs: "pd.DataFrame", feature: str | Feature) -> "pd.Series":
    """Return which pairs set the feature's two classes against each other, booleans by row.

    All do if the feature has no classes, or the pairs have no columns `good_class` and `bad_class`.
    """
    import pandas as pd

    classes = feature_of(feature).classes
    if classes is None or not {"good_class", "bad_class"} <= set(pairs):
        return pd.Series(True, index=pairs.index)
    return pairs["good_class"].isin(classes) & pairs["bad_class"].isin(classes)


def features_of(pairs: "pd.DataFrame") -> list[str]:
    """Return the features whose two classes some of the pairs set against each other, by name.

    Example:

    >>> from textgate.datasets import minimal_pairs
    >>> features_of(minimal_pairs("pronoun_agreement", size=40))
    ['gender']
    """
    if not {"good_class", "bad_class"} <= set(pairs):
        return []
    return [
        name
        for name, feature in FEATURES.items()
        if feature.classes is not None and of_classes(pairs, feature).any()
    ]


def has_counterpart(pairs: "pd.DataFrame") -> "pd.Series":
    """Return which pairs have a prefix of the other class beside them, booleans by row."""
    return pairs["counterpart_prefix"].fillna("").astype(str).str.strip() != ""


def contrasting(pairs: "pd.DataFrame", feature: str | Feature = "gender") -> "pd.DataFrame":
    """Return the pairs of the feature's two classes that have a counterpart, in their order.

    Example:

    >>> from textgate.datasets import minimal_pairs
    >>> pairs = minimal_pairs("pronoun_agreement", size=40)
    >>> sorted(set(contrasting(pairs)["good_class"]))
    ['feminine', 'masculine']
    """
    return pairs[of_classes(pairs, feature) & has_counterpart(pairs)]
