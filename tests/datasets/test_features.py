"""The table of features, and the pairs that set a feature's two classes against each other."""

import pandas as pd
import pytest

from textgate import datasets
from textgate.datasets import FEATURES, Feature
from textgate.datasets.features import contrasting, feature_of, has_counterpart, of_classes

PAIRS = pd.DataFrame(
    [
        ("feminine", "masculine", "The actor lost"),
        ("feminine", "they", ""),
        ("masculine", "feminine", " "),
        ("neuter", "masculine", "The actor lost"),
        ("masculine", "feminine", "The actress lost"),
    ],
    columns=["good_class", "bad_class", "counterpart_prefix"],
    index=[7, 6, 5, 4, 3],
)


def test_a_name_of_the_table_is_its_row_and_another_has_nothing_but_itself():
    assert feature_of("gender") is FEATURES["gender"]
    assert feature_of("quotation") == Feature("quotation")
    own = Feature("gender", ("f", "m"))
    assert feature_of(own) is own


def test_contrasting_pairs_are_of_both_classes_and_have_a_counterpart():
    assert of_classes(PAIRS, "gender").tolist() == [True, False, True, False, True]
    assert has_counterpart(PAIRS).tolist() == [True, False, False, True, True]
    assert contrasting(PAIRS).index.tolist() == [7, 3]  # in the order of the pairs
    missing = PAIRS.assign(counterpart_prefix=None)
    assert not has_counterpart(missing).any()


def test_a_feature_without_classes_takes_all_pairs():
    assert of_classes(PAIRS, "quotation").all()
    assert of_classes(PAIRS[["counterpart_prefix"]], "gender").all()
    assert contrasting(PAIRS, "quotation").index.tolist() == [7, 4, 3]


def test_a_feature_of_ones_own_names_its_classes():
    own = Feature("person", ("neuter", "masculine"))
    assert contrasting(PAIRS, own).index.tolist() == [4]


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_each_row_has_its_data(feature):
    pairs = datasets.minimal_pairs(feature.pairs, size=60)
    rows = contrasting(pairs, feature)
    assert len(rows) >= 20
    assert set(rows["good_class"]) == set(rows["bad_class"]) == set(feature.classes)
    assert len(datasets.minimal_pairs(feature.side_task, size=2))
    assert feature.side_task != feature.pairs
    assert len(datasets.sentences(feature.text, "validation", size=7)) >= 7
