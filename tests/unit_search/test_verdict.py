"""Verdicts say what the tables say, in words that don't read better than it is."""

import pandas as pd

from textgate.interchange import Units
from textgate.unit_search import Goals
from textgate.unit_search._confirmation import Judgement
from textgate.unit_search._facts import Facts, SetFacts, claim_of
from textgate.unit_search._halves import Power
from textgate.unit_search._verdict import verdict

DIRECTIONS = ("feminine→masculine", "masculine→feminine", "both")


def tables(lost=0.5, they=0.9):
    rows = [
        {
            "set": label,
            "intervention": kind,
            "direction": direction,
            "accuracy": 0.52,
            "units": "3 5",
        }
        | {"flipped": 0.97, "flipped_low": 0.9, "flipped_high": 1.0}
        for label in ("sufficient", "necessary", "specific")
        for kind in ("interchange", "zero", "mean", "resample", "interchange others")
        for direction in DIRECTIONS
    ]
    side = [
        {"task": "number agreement", "set": "necessary", "intervention": kind, "group": group}
        | {"lost": lost if group == "all" else 3 * lost}
        for kind in ("zero", "mean")
        for group in ("all", "thing")
    ]
    means = {"feminine": 1.0, "masculine": -1.0, "they": they}
    codes = [{"unit": 3, "good_class": name, "mean": mean} for name, mean in means.items()]
    return {name: pd.DataFrame(part) for name, part in
            (("interventions", rows), ("side_tasks", side), ("codes", codes))}  # fmt: skip


def tried(*units, limit=0):
    """A set that didn't do its job on the discovery half."""
    return SetFacts(Units(units), limit)


def unconfirmed(*units):
    """A set that did its job on the discovery half only."""
    return SetFacts(Units(units), reached=True)


def confirmed(*units, does_both=False):
    """A set that does its job on both halves, and perhaps that of the other claim."""
    return SetFacts(Units(units), reached=True, confirmed=True, does_both=does_both)


def unconfirmed_by(reached=True, p=0.0005, random=0.01):
    """A set that did its job on the discovery half only, and why."""
    judgement = Judgement(reached, p, random)
    return SetFacts(Units([1, 2]), reached=True, judgement=judgement)


def said(facts, **changes):
    return verdict(facts, tables(**changes), Goals())


def test_a_set_that_is_both():
    one = confirmed(3, does_both=True)
    facts = Facts("gender", "lstm's cell state", 0.99, sufficient=one, necessary=one)
    text = said(facts)
    assert claim_of(facts) == "both"
    assert text.startswith("Unit 3 of lstm's cell state is sufficient and necessary for gender")
    assert "flips 97 % of feminine→masculine (90 % to 100 %)" in text
    assert "Interchanging all other units" in text
    assert "the feature is stored elsewhere, too" in text
    assert "Number agreement stays: it loses 0.5 points at most" in text
    assert "put they with feminine" in text


def test_two_sets_of_two_kinds_are_not_one_of_both():
    facts = Facts("gender", "x", 0.99, sufficient=confirmed(3), necessary=confirmed(3, 5))
    assert claim_of(facts) == "each"
    text = said(facts)
    assert "is sufficient for gender, not necessary" in text
    assert "Units 3 and 5 of x are necessary: " in text


def test_side_effects_and_other_classes_are_told():
    facts = Facts("gender", "x", 0.99, sufficient=tried(1, 2, limit=4), necessary=confirmed(3))
    text = said(facts, lost=7.0, they=0.1)
    assert claim_of(facts) == "necessary"
    assert "Number agreement suffers: it loses 7.0 points at most (zero: thing 21)" in text
    assert "put they between the two" in text


def test_a_set_that_spares_the_other_tasks():
    facts = Facts(
        "gender", "x", 0.99, sufficient=tried(1), necessary=confirmed(3), specific=confirmed(3, 5)
    )
    assert "Units 3 and 5, chosen to spare that, are necessary as well" in said(facts, lost=7.0)


def test_the_only_necessary_set_may_be_one_that_spares_the_other_tasks():
    facts = Facts(
        "gender",
        "x",
        0.99,
        sufficient=confirmed(3),
        necessary=unconfirmed(3, 7),
        specific=confirmed(3, 5),
    )
    text = said(facts)
    assert "No small necessary set" not in text
    assert "Units 3 and 7 looked necessary on the discovery half, but not on the other" in text
    assert "Units 3 and 5, chosen to spare the other tasks, are necessary: without them" in text


def test_no_small_set_and_why():
    facts = Facts("gender", "x", 0.99, sufficient=unconfirmed(1, 2))
    assert "looked sufficient on the discovery half, but not on the other" in said(facts)
    sets = {"sufficient": tried(1, 2, limit=8), "necessary": tried(3, limit=16)}
    facts = Facts("gender", "x", 0.99, subspace=2, spread=9.0, **sets)
    text = said(facts)
    assert claim_of(facts) == "neither"
    assert text.startswith("No small set found: the best 2 units of x (at most 8 were allowed)")
    assert "No small necessary set: Unit 3" in text
    assert "A subspace of 2 dimensions does it" in text
    assert "Nor does a direction" in said(Facts("gender", "x", 0.99, sufficient=tried(1)))


def test_what_failed_is_told():
    few = Power({"template": 4, "lexeme": 30}, 0.037, 5, 300, 120, ("template", "lexeme", "verb"))
    enough = Power({"frame": 9}, 0.002, 6, 300, 0, ("frame",))

    def of(power, **failed):
        return said(Facts("gender", "x", 0.99, sufficient=unconfirmed_by(**failed), power=power))

    text = of(few, p=0.057)
    assert "(90 % to 100 %), which is enough, but the test by sign flips comes to p = 0.057" in text
    assert "with 4 templates and 30 lexemes, and 0.025 or less is needed. With 4 templates" in text
    assert "comes to p = 0.037: the test needs 5 or more of each, of like size" in text
    assert "120 of 300 items were left out" in text
    assert "no template, lexeme or verb in common" in text
    text = of(few, reached=False)
    assert "(90 % to 100 %), and 90 % was asked for. 120 of 300" in text
    assert "the test" not in text
    text = of(enough, p=0.4)
    assert "p = 0.4 with 9 frames, and 0.025 or less is needed. Nor does" in text
    text = of(enough, random=0.3)
    assert "which is enough, but as many random units do it as well (p = 0.3). Nor does" in text
    necessary = {"sufficient": tried(3), "necessary": unconfirmed_by(p=0.2, random=0.3)}
    text = said(Facts("gender", "x", 0.99, power=enough, **necessary))
    assert "Units 1 and 2 looked necessary on the discovery half, but not on the other" in text
    assert "which is enough, but the test by sign flips comes to p = 0.2 with 9 frames" in text
    assert "0.025 or less is needed; and as many random units do it as well (p = 0.3)" in text


def test_a_set_that_only_the_discovery_half_found_wanting():
    good = SetFacts(Units([1, 2]), 4, judgement=Judgement(True, 0.0005, 0.01))
    poor = SetFacts(Units([1, 2]), 4, judgement=Judgement(False, 0.0005, 0.01))
    for chosen, enough in ((good, True), (poor, False)):
        text = said(Facts("gender", "x", 0.99, sufficient=chosen, necessary=chosen))
        assert text.count("which is enough, but it was not on the discovery half") == 2 * enough
        assert ("and 90 % were asked for" in text) != enough
        assert ("and 60 % or less was asked for" in text) != enough


def test_a_member_that_does_nothing_is_told():
    facts = Facts("gender", "x", 0.99, sufficient=confirmed(3), necessary=confirmed(3, 5))
    rows = [(3, 0.0005, True), (3, 0.0005, True), (5, 0.985, False)]
    members = pd.DataFrame(rows, columns=["unit", "p_adjusted", "carries"])
    text = verdict(facts, tables() | {"members": members}, Goals())
    assert "Unit 5 isn't seen to do anything by itself (p = 0.98), and without it" in text
    assert "isn't counted among those that carry gender" in text
    assert "Unit 3 isn't" not in text


def test_a_side_task_that_the_model_cant_do_shows_nothing():
    facts = Facts("gender", "x", 0.99, sufficient=confirmed(3), necessary=confirmed(3, 5))
    known = tables(lost=0.0)
    clean = {"task": "number agreement", "set": "none", "intervention": "none", "group": "all"}
    for low, able in ((0.47, False), (0.6, True)):
        row = pd.DataFrame([clean | {"accuracy": 0.52, "accuracy_low": low}])
        table = pd.concat([row, known["side_tasks"]]).assign(chance=0.5)
        text = verdict(facts, known | {"side_tasks": table}, Goals())
        nothing = "Number agreement: the model can't do this task (52 %, chance 50 %), so it shows"
        assert (nothing in text) != able
        assert ("Number agreement stays" in text) == able


def test_no_word_of_directions_where_none_was_tried():
    facts = Facts("gender", "x", 0.99, sufficient=tried(1), tried_subspace=False)
    assert "direction," not in said(facts)


def test_a_model_without_the_feature():
    assert "doesn't agree in tense" in said(Facts("tense", "x", 0.55, has_feature=False))


def test_the_set_that_does_both_is_the_smaller():
    for first, second, both in (
        (True, True, (3,)),
        (True, False, (3,)),
        (False, True, (3, 5)),
        (False, False, ()),
    ):
        facts = Facts(
            "gender",
            "lstm's cell state",
            0.99,
            sufficient=confirmed(3, does_both=first),
            necessary=confirmed(3, 5, does_both=second),
        )
        assert facts.both == both
