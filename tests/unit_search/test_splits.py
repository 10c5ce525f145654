"""The halves have nothing in common that they should not, and lose as little as they must."""

import numpy as np
import pandas as pd
import pytest

from textgate.interchange import Contrasts
from textgate.unit_search._splits import lexeme_clusters, split


def items(table):
    ids = np.zeros((len(table), 1), np.int32)
    return Contrasts(table, ids, ids, ids[:, 0], ids[:, 0], ids[:, 0])


@pytest.fixture
def table(rng):
    n = 800
    name = rng.integers(60, size=n)
    return pd.DataFrame(
        {
            "good_class": np.where(rng.integers(2, size=n), "feminine", "masculine"),
            "template": [f"t{i}" for i in rng.integers(20, size=n)],
            "lexeme": [f"woman{i}" for i in name],
            "counterpart_lexeme": [f"man{i // 2}" for i in name],  # two women to a man
            "verbs": [";".join(f"v{j}" for j in rng.integers(30, size=k)) for k in name % 3],
        }
    )


def test_no_template_lexeme_counterpart_or_verb_is_in_both_halves(table):
    found = split(items(table), seed=0)
    halves = [table.iloc[rows] for rows in (found.discovery, found.confirmation)]
    for columns in (["template"], ["lexeme", "counterpart_lexeme"], ["verbs"]):
        sets = [
            {word for c in columns for text in half[c] for word in text.split(";") if word}
            for half in halves
        ]
        assert sets[0]
        assert sets[1]
        assert not sets[0] & sets[1]
    assert len(np.intersect1d(found.discovery, found.confirmation)) == 0
    counts = found.counts.set_index("half")["items"]
    assert counts.sum() == len(table)
    assert counts["discovery"] == len(found.discovery)


def test_halves_are_of_a_size_and_larger_than_by_chance_alone(table):
    found = split(items(table), seed=1)
    sizes = sorted([len(found.discovery), len(found.confirmation)])
    assert sizes[0] >= 0.8 * sizes[1]
    # By chance an item of 3 parts is whole with probability 1/4.
    assert sum(sizes) > 0.3 * len(table)


def test_it_follows_from_the_seed_and_not_from_what_a_model_does(table):
    first = split(items(table), seed=0)
    again = split(items(table.assign(logit=np.arange(len(table)))), seed=0)
    np.testing.assert_array_equal(first.discovery, again.discovery)
    assert not np.array_equal(first.discovery, split(items(table), seed=1).discovery)


def test_counterparts_are_one_lexeme(table):
    clusters = lexeme_clusters(table)
    together = table.assign(cluster=clusters).groupby("counterpart_lexeme")["cluster"].nunique()
    assert (together == 1).all()
    assert len(set(clusters)) == 30


def test_pronouns_may_stand_in_both_halves(table):
    table["lexeme"], table["counterpart_lexeme"] = "she", "he"
    found = split(items(table), seed=0)
    assert min(len(found.discovery), len(found.confirmation)) > 100


def test_pairs_without_parts_are_halved_item_by_item(table):
    found = split(items(table[["good_class"]]), seed=0)
    assert len(found.discovery) == len(found.confirmation) == len(table) // 2


def test_too_few_items_are_refused(table):
    with pytest.raises(ValueError, match=r"at least 20 items of each class.*Received: 50 pairs"):
        split(items(table.head(50)), seed=0)
