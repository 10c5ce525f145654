"""What is said of a ladder follows from its tables, both ways, and from one seed nothing does."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.study.ladder.made_up_ladder import made_up
from textgate.study import conclusions
from textgate.study.ladder._contrasts import BITS, differences, growth, intervals

CLAIMS = (
    "yes",
    "no:",
    "no,",
    "ehind at",
    "fewer",
    "Fewer",
    "more items",
    "worse",
    "Ahead",
    "stop ",
)


def flat(level):
    return lambda distance, held: level


def falls(distance, held):
    return 0.95 - 0.4 * (distance > 10) * np.log2(distance / 10) / 3


def line_of(ladder, about):
    (line,) = (line for line in conclusions(ladder) if about in line)
    return line


def answer(ladder, about):
    return line_of(ladder, about).split("): ", 1)[1]


def test_a_forget_gate_that_carries_gender_is_said_to():
    found = answer(made_up({"lstm_forget_1": falls, "lstm": flat(0.95)}), "forget gate")
    assert found.startswith("yes: without it fewer items are right at 11–20 words and all beyond")
    change = re.search(r"a change of (−[\d.]+) \((−[\d.]+) to (−[\d.]+)\)", found)
    mean, low, high = (float(number.replace("−", "-")) for number in change.groups())
    assert low < mean < high < 0
    assert mean == pytest.approx(-40 * np.log2(6) / 3, abs=2.5)
    left = re.search(r"At 41–80 words [\d.]+ % are right with it and ([\d.]+) % without", found)
    assert float(left[1]) == pytest.approx(100 * falls(60, 1), abs=2.5)


def test_a_forget_gate_that_does_not_is_refuted():
    better = made_up({"lstm_forget_1": flat(0.95), "lstm": falls})
    found = answer(better, "forget gate")
    assert found.startswith("no: without it more items are right")
    assert "something else carries it there, too" in found
    same = answer(made_up({"lstm_forget_1": flat(0.9), "lstm": flat(0.9)}), "forget gate")
    assert same.startswith("the data don't separate the two at any distance")
    level = answer(made_up({"lstm_forget_1": flat(0.8), "lstm": flat(0.9)}), "forget gate")
    assert level.startswith(
        "it helps, at every distance, but that it helps more far away than near"
    )
    cross = made_up(
        {"lstm_forget_1": lambda d, _: 0.9 if d < 10 else 0.7, "lstm": flat(0.8)},
    )
    assert answer(cross, "forget gate").startswith("not by itself")


def test_what_is_left_at_guessing_is_not_said_to_be_carried():
    found = answer(made_up({"lstm_forget_1": flat(0.5), "lstm": flat(0.9)}), "forget gate")
    assert "that anything else carries it there isn't shown" in found
    # Nor where two seeds agree on a little more than half by chance.
    chance = made_up({"lstm_forget_1": flat(0.52), "lstm": flat(0.9)}, seeds=2, vary=0.0)
    assert "that anything else carries it there isn't shown" in answer(chance, "forget gate")


def test_a_loss_that_is_largest_in_between_is_not_said_to_grow_with_distance():
    lost = {1: 0.0, 4: 0.3, 8: 0.02, 15: 0.02, 30: 0.02, 60: 0.1}
    hump = {"lstm_forget_1": lambda d, _: 0.95 - lost[d], "lstm": flat(0.95)}
    found = answer(made_up(hump), "forget gate")
    assert found.startswith("yes: without it fewer items are right")
    assert "more is lost far away than near" in found
    assert "the farther, the more" not in found


@pytest.mark.parametrize(
    ("rung", "about"),
    [("gru_reset_1", "reset gate"), ("gru_reset_0", "new values"), ("gru_no_leak", "old state")],
)
def test_what_is_taken_from_a_gru_is_needed_or_not(rung, about):
    worse = answer(made_up({rung: flat(0.7), "gru": flat(0.9)}, bits={rung: 3.5}), about)
    assert worse.startswith("yes, fewer items are right: against gru −")
    assert "Fewer are right at every number of referents" in worse
    assert re.search(r"predicted worse, by \+0\.(4[89]|5[01])", worse)
    better = answer(made_up({rung: flat(0.9), "gru": flat(0.7)}, bits={rung: 2.5}), about)
    assert better.startswith("no, more items are right: against gru +")
    assert re.search(r"predicted better, by −0\.(4[89]|5[01])", better)
    same = answer(made_up({rung: flat(0.9), "gru": flat(0.9)}), about)
    assert same.startswith("the data don't separate the two")
    assert "bits a word the two aren't separated" in same
    room = float(re.search(r"room for up to ([\d.]+) points", same)[1])
    assert 0.3 < room < 5
    far = {rung: lambda d, _: 0.9 if d > 40 else 0.7, "gru": lambda d, _: 0.7 if d > 40 else 0.9}
    assert answer(made_up(far), about).startswith("it depends on the distance")


def test_simple_models_are_enough_until_they_are_not():
    ladder = made_up(
        {
            "constant": flat(0.5),
            "smoothing": lambda d, h: 0.9 if d < 3 else 0.6,
            "simple_rnn": lambda d, h: 0.9 if d < 10 else 0.6,
            "gru": flat(0.9),
        }
    )
    constant = line_of(ladder, "Is constant enough")
    assert "Behind at every distance; 50.0 % against 9" in constant
    assert "Behind at every number of referents" in constant
    assert "Behind at 3–5 words and all beyond; 6" in line_of(ladder, "Is smoothing enough")
    together = line_of(ladder, "By distance")
    assert "stop being enough at 11–20 words, from where on each" in together
    assert together.endswith("at 6–10 words simple_rnn can't be told from it.")
    forgets = {"simple_rnn": lambda d, h: 0.9 - 0.3 * (h > 2), "lstm": flat(0.9)}
    simple = line_of(made_up(forgets), "Is simple_rnn enough")
    assert "Behind at 3 referents and all beyond" in simple
    keeps_up = made_up({"simple_rnn": flat(0.9), "gru": flat(0.9), "constant": flat(0.5)})
    assert "isn't shown to be behind gru" in line_of(keeps_up, "By distance")
    assert "isn't shown to be behind gru" in line_of(keeps_up, "By referents")
    hard = made_up({"simple_rnn": flat(0.6), "gru": flat(0.9)})
    assert "nothing shorter or easier" in line_of(hard, "By referents")
    ahead = line_of(made_up({"simple_rnn": flat(0.9), "gru": flat(0.7)}), "Is simple_rnn")
    assert "Ahead at" in ahead
    assert "Behind" not in ahead


def test_from_one_seed_nothing_is_claimed():
    rungs = ("constant", "smoothing", "gru_reset_0", "gru_reset_1", "gru_no_leak", "lstm_forget_1")
    right = {**dict.fromkeys(rungs, flat(0.5)), "gru": flat(0.99), "lstm": flat(0.99)}
    lines = conclusions(made_up(right, seeds=1))
    answers = lines[:-1]
    assert len(answers) == 1 + 3 + 3
    assert all("nothing can be said with 1 seed " in line for line in answers)
    assert not any(claim in line.split(")")[-1] for line in answers for claim in CLAIMS)


def test_seeds_that_lie_far_apart_show_nothing():
    ladder = made_up({"lstm_forget_1": flat(0.7), "lstm": flat(0.75)}, vary=0.2)
    assert "don't separate" in answer(ladder, "forget gate")


def test_questions_without_their_rungs_are_left_out():
    assert conclusions(made_up({"gru_reset_1": flat(0.9), "lstm": flat(0.9)})) == []
    lines = conclusions(made_up({"gru_reset_1": flat(0.9), "gru": flat(0.9)}, stopped=["gru"]))
    assert [line.split(" ")[0] for line in lines] == ["Is", "The", "Each"]
    assert "gru (5)" in lines[1]


def test_intervals_are_students_over_pairs_and_hold_together():
    ladder = made_up({"smoothing": falls, "gru": flat(0.9)}, seeds=4)
    found, grain = differences(ladder.by_seed, ladder.runs, "smoothing", "gru")
    table = ladder.by_seed.set_index(["rung", "by", "group", "seed"])["accuracy"].sort_index()
    group = ("distance", "21-40")
    values = (table.loc[("smoothing", *group)] - table.loc[("gru", *group)]).to_numpy()
    np.testing.assert_allclose(found[group], values)
    columns = [group, ("split", "test"), BITS]
    row = intervals(found, grain, columns).loc[group]
    low, high = stats.t.interval(1 - 0.05 / 3, 3, values.mean(), stats.sem(values))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    change, _ = growth(found, grain, ("distance", "1-2"), group)
    np.testing.assert_allclose(change.iloc[:, 0], found[group] - found["distance", "1-2"])


def test_a_rung_without_chance_goes_with_every_seed():
    ladder = made_up({"constant": flat(0.5), "gru": flat(0.9)})
    found, grain = differences(ladder.by_seed, ladder.runs, "constant", "gru")
    turned, _ = differences(ladder.by_seed, ladder.runs, "gru", "constant")
    pd.testing.assert_frame_equal(found, -turned)
    assert len(found) == 5
    assert intervals(found, grain, [("split", "test")])["verdict"].tolist() == ["lower"]


def test_two_seeds_that_happen_to_agree_are_no_certainty():
    column = ("split", "test")
    found = pd.DataFrame({column: [0.01, 0.01]})
    items = 100  # the difference is one item
    assert intervals(found, {column: 0.5 / items}, [column])["verdict"].tolist() == [""]
    found = pd.DataFrame({column: [0.4, 0.4]})
    assert intervals(found, {column: 0.5 / items}, [column])["verdict"].tolist() == ["higher"]


def test_where_there_is_no_difference_few_are_found():
    random = np.random.default_rng(0)
    columns = [("distance", str(number)) for number in range(6)]
    grain = dict.fromkeys(columns, 0.0)
    wrong = 0
    for _ in range(400):
        found = pd.DataFrame(random.normal(size=(5, 6)), columns=pd.MultiIndex.from_tuples(columns))
        wrong += (intervals(found, grain, columns)["verdict"] != "").any()
    assert wrong <= 0.05 * 400 + 3 * np.sqrt(0.05 * 0.95 * 400)
