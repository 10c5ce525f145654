"""The ladder's data: balanced, forced, apart, and as far as they say."""

import re

import numpy as np
import pytest

from textgate.datasets.lexicon import PRONOUNS
from textgate.study.ladder import _task as ladder_task
from textgate.tokenizers import WordTokenizer

SIZE = 400


@pytest.fixture(scope="module")
def tables():
    return {split: ladder_task.pairs(split, SIZE) for split in ("test", "far")}


def split_words(text):
    return WordTokenizer.train(["a"]).split(text)


@pytest.mark.parametrize("split", ["test", "far"])
def test_only_the_target_differs_and_stands_where_it_is_said_to(tables, split):
    for row in tables[split].head(60).itertuples():
        good, bad = split_words(row.good), split_words(row.bad)
        assert [i for i, pair in enumerate(zip(good, bad, strict=True)) if pair[0] != pair[1]] == [
            row.target
        ]
        assert split_words(row.prefix) == good[: row.target]
        assert good[row.target] == PRONOUNS[row.good_class][row.form]
        assert good[row.antecedent_position].lower() == row.antecedent.lower()
        # Marks are words, and the n't of a tag stands between.
        assert row.target - row.antecedent_position == row.distance + (row.form == "subject")


def test_nothing_but_the_antecedent_decides(tables):
    for table in tables.values():
        assert (table["good_class"] == "feminine").mean() == 0.5
        # Other referents are of either gender, whatever the antecedent is.
        for _, rows in table.groupby("good_class"):
            total = rows["attractors"].sum()
            assert total > 100
            against = rows["incongruent_attractors"].sum() / total
            assert against == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(total))
        # Within a construction both classes come equally often, up to the cut of a pair.
        counts = table.groupby(["template", "good_class"]).size().unstack()
        assert (counts["feminine"] == counts["masculine"]).all()


def test_distances_and_constructions_are_those_of_the_split(tables):
    assert tables["test"]["distance"].between(1, 40).all()
    assert tables["far"]["distance"].between(41, 80).all()
    assert (tables["test"]["distance"] > 20).sum() > 20
    assert set(tables["test"]["earlier"]) == {0, 1, 2}
    for table in tables.values():
        assert set(table["held"]) == {1, 2, 3, 4}
        several = table[table["held"] > 1]
        assert (several["attractors"] == several["held"] - 1).all()
        asked = several["prefix"].str.extract(r"The (first|second|third|fourth) ")[0]
        assert asked[several["held"] == 4].nunique() == 4
    assert tables["test"]["nested"].any()
    assert not tables["test"]["nested"].all()


def test_a_seed_decides_and_splits_share_no_sentence(tables):
    assert ladder_task.pairs("test", SIZE).equals(tables["test"])
    assert not ladder_task.pairs("test", SIZE, seed=1)["good"].equals(tables["test"]["good"])

    for split in ("train", "validation"):
        others = "\n".join(ladder_task.sentences(split, 3000))
        for item in ladder_task.texts("test", 300):
            sentence = re.escape(ladder_task.text_of(item["line"]))
            assert not re.search(rf"(^|[.?] ){sentence}", others, re.MULTILINE)


def test_training_has_every_word_of_the_tests(tables):
    known = WordTokenizer.train(ladder_task.sentences("train", 3000))
    for table in tables.values():
        words = {word for text in table["good"] for word in split_words(text)}
        assert words <= set(known.vocabulary)


def test_unknown_splits_are_named():
    with pytest.raises(ValueError, match="Received: split='dev'"):
        ladder_task.sentences("dev", 2)
