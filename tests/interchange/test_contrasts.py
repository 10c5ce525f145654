"""Contrasts: base and source align step by step, and nothing unknown or one-sided slips in."""

import numpy as np
import pandas as pd
import pytest

from textgate.datasets import Feature
from textgate.interchange import contrasts
from textgate.tokenizers import WordTokenizer


class Model:
    """All that contrasts need of a language model."""

    tokenizer = WordTokenizer(
        ["the", "actress", "actor", "she", "he", "lost", "often", "her", "his", "way", "unpicked"]
    )


ROWS = [
    ("the actress lost her way", "his", 3, "the actor lost"),
    ("the actor often lost his way", "her", 4, "the actress often lost"),
    ("she lost her way", "his", 2, "he lost"),
    ("he lost his way", "her", 2, "she lost"),
]


def pairs(rows=ROWS):
    table = []
    for good, wrong, target, counterpart in rows:
        words = good.split()
        right = words[target]
        words[target] = wrong
        feminine = right == "her"
        table.append(
            {
                "good": good,
                "bad": " ".join(words),
                "target": target,
                "good_class": "feminine" if feminine else "masculine",
                "bad_class": "masculine" if feminine else "feminine",
                "counterpart_prefix": counterpart,
            }
        )
    return pd.DataFrame(table)


def test_ids_are_bos_and_the_prefix_and_the_words_wanted_after_it():
    found = contrasts(Model(), pairs())
    words = Model.tokenizer.ids_to_tokens
    for i, (good, wrong, target, counterpart) in enumerate(ROWS):
        length = found.last[i] + 1
        assert length == target + 1
        assert words(found.base[i, :length]) == ["<bos>", *good.split()[:target]]
        assert words(found.source[i, :length]) == ["<bos>", *counterpart.split()]
        assert not found.base[i, length:].any()
        assert not found.source[i, length:].any()
        assert words([found.good[i], found.bad[i]]) == [good.split()[target], wrong]
    assert found.base.dtype == found.good.dtype == found.last.dtype == np.int32
    assert (found.mask.sum(axis=1) == found.last + 1).all()


def test_a_selection_keeps_its_rows_together():
    found = contrasts(Model(), pairs())
    some = found.select(np.array([False, False, True, True]))
    assert some.table["good"].tolist() == [ROWS[2][0], ROWS[3][0]]
    assert some.base.shape == some.source.shape == (2, 3)
    np.testing.assert_array_equal(some.base, found.base[2:, :3])
    np.testing.assert_array_equal(found.select([3, 0]).good, found.good[[3, 0]])
    with pytest.raises(ValueError, match="at least one item"):
        found.select(np.zeros(4, bool))


def test_other_classes_and_rows_without_a_counterpart_are_left_out_and_counted():
    table = pairs()
    plural = table.iloc[[0]].assign(bad_class="they")
    alone = table.iloc[[1]].assign(counterpart_prefix="")
    same = table.iloc[[2]].assign(counterpart_prefix="she lost")
    found = contrasts(Model(), pd.concat([table, plural, alone, same]))
    assert len(found) == 4
    assert found.dropped == {"other classes": 1, "no counterpart": 1, "counterpart the same": 1}


def test_a_feature_of_ones_own_chooses_the_rows():
    table = pairs().replace({"feminine": "she", "masculine": "he"})
    other = table.iloc[[0]].assign(bad_class="they")
    found = contrasts(Model(), pd.concat([table, other]), Feature("sex", ("she", "he")))
    assert found.feature == "sex"
    assert found.dropped == {"other classes": 1}
    with pytest.raises(ValueError, match="sex sets she against they, and no pair does"):
        contrasts(Model(), table, Feature("sex", ("she", "they")))


def test_unknown_words_that_matter_are_left_out_counted_and_named():
    table = pairs(
        [
            *ROWS,
            ("the duchess lost her way", "his", 3, "the duke lost"),
            ("the actress lost her way", "its", 3, "the actor lost"),
            ("the actress unpicked her way", "his", 3, "the actor unpicked"),  # the same in both
        ]
    )
    found = contrasts(Model(), table)
    assert len(found) == 5
    assert found.dropped == {"unknown words": 2}
    assert found.unknown == {"duchess": 1, "duke": 1, "its": 1}


def test_side_tasks_need_no_counterpart():
    found = contrasts(Model(), pairs().drop(columns="counterpart_prefix"), with_source=False)
    assert found.source is None
    assert found.select([1]).source is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="target"), "'target' is missing"),
        (lambda t: t.drop(columns="counterpart_prefix"), "'counterpart_prefix' is missing"),
        (lambda t: t.iloc[:0], "no pairs"),
        (lambda t: t.assign(target=-1), "target must be the index"),
        (lambda t: t.assign(target=9), "target must be the index"),
        (lambda t: t.assign(target=1), "alike up to the target and differ there"),
        (lambda t: t.assign(bad=t["good"]), "alike up to the target and differ there"),
        (lambda t: t.assign(counterpart_prefix="the very actor lost"), "as many words"),
        (lambda t: t.iloc[[0, 2]], "pairs of both classes.*all 'feminine'"),
        (lambda t: t.assign(good_class="neuter"), "feminine against masculine, and no pair does"),
        (lambda t: t.assign(counterpart_prefix=""), "no pair is left.*4 .no counterpart"),
    ],
)
def test_what_a_user_can_get_wrong(change, message):
    with pytest.raises(ValueError, match=message):
        contrasts(Model(), change(pairs()))


def test_all_words_unknown_names_them():
    with pytest.raises(ValueError, match="unknown are 'duchess', 'duke'"):
        contrasts(
            Model(),
            pairs(
                [
                    ("the duchess lost her way", "his", 3, "the duke lost"),
                    ("the duke lost his way", "her", 3, "the duchess lost"),
                ]
            ),
        )


def test_unknown_words_may_leave_one_class_only():
    rows = [*ROWS[:1], ("the duke lost his way", "her", 3, "the duchess lost")]
    with pytest.raises(ValueError, match=r"all 'feminine', left out 1 .unknown words."):
        contrasts(Model(), pairs(rows))
