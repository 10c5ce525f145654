"""Law 6 for models that aren't language models: the planted unit and no other."""

import keras
import numpy as np
import pytest

import textgate as tg
from tests.unit_search.planted_models import (
    classifier,
    encoder_decoder,
    items_of,
    tagger,
    texts,
)
from textgate.interchange import contrasts
from textgate.unit_search._subject import SHUFFLED, Subject

FEW = {"items": 60, "controls": 19}


@pytest.mark.law(6)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_classifiers_unit_is_found_and_no_other(kind):
    model = classifier(kind, [11])
    base, source, table = texts()
    before = [np.array(weight) for weight in model.weights]
    model.compile(loss="binary_crossentropy")
    y = np.ones(len(base), int)
    finding = tg.find_units(
        model,
        items_of(model, base, source, table),
        side_tasks={"the same task": (base, y)},
        data=(base, y),
        **FEW,
    )
    assert finding.both == finding.carriers == (11,)
    assert (finding.feature, finding.cell, finding.units) == ("yes", kind, 16)
    units = finding.tables["units"].set_index("unit")
    assert units["flipped 1→0"].drop(11).max() == 0
    assert (units["p_adjusted"].drop(11) > 0.5).all()
    assert set(finding.tables["untrained"]["made"]) == {"drawn anew"}
    loss = finding.tables["loss"].set_index(["set", "intervention"])["added"]
    assert loss["sufficient", "zero"] > 0.5
    assert abs(loss["random, as many as sufficient", "mean"]) < 1e-5
    task = finding.tables["side_tasks"].set_index(["set", "intervention", "group"])["accuracy"]
    assert task["none", "none", "all"] == 1
    assert "no frame or word in common" in finding.summary()
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(np.array(weight), value)


@pytest.mark.law(6)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_copies_in_two_units_are_two_units(kind):
    model = classifier(kind, [3, 9])
    finding = tg.find_units(model, items_of(model, *texts()), **FEW)
    assert set(finding.sufficient) == set(finding.carriers) == {3, 9}


@pytest.mark.law(6)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_what_all_units_hold_is_no_small_set_but_a_direction(kind):
    model = classifier(kind, range(16))
    finding = tg.find_units(model, items_of(model, *texts()), **FEW)
    assert finding.sufficient == ()
    assert finding.direction_rank == 1
    assert finding.verdict.startswith("No small set found")


@pytest.mark.law(6)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_set_over_both_directions_of_a_tagger(kind):
    # No unit turns the decision by itself; the two largest do, one of each direction.
    model = tagger(kind, [2, 3], [5], shares=[0.45, 0.2, 0.35])
    base, source, table = texts(both_sides=True)
    items = items_of(model, base, source, table, step=4)
    finding = tg.find_units(model, items, layer="both", **FEW)
    assert set(finding.sufficient) == {2, 8 + 5}
    assert (finding.layer, finding.units) == ("both", 16)
    table = tg.sweep(model, items)
    forward, backward = "both/forward_rnn", "both/backward_rnn"
    assert list(dict.fromkeys(table["layer"])) == [forward, backward]
    effects = table.set_index(["layer", "unit"])["share"]
    assert effects[forward, 2] == pytest.approx(0.45, abs=0.01)
    planted = [(forward, 2), (forward, 3), (backward, 5)]
    assert effects.drop(planted).abs().max() < 1e-5


@pytest.mark.law(6)
@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_an_encoders_unit_is_found_through_the_decoder(kind):
    model = encoder_decoder(kind, [6])
    base, source, table = texts()
    steps = np.zeros((len(base), 3, 2), "float32")
    items = items_of(model, [base, steps], [source, steps], table, step=2)
    finding = tg.find_units(model, items, layer="encoder", **FEW)
    assert finding.both == finding.carriers == (6,)
    units = finding.tables["units"].set_index("unit").drop(6)
    assert units[["flipped 0→1", "flipped 1→0"]].max(axis=None) == 0
    assert (units["p_adjusted"] > 0.05).all()


def test_a_model_that_decides_wrongly_is_said_to():
    model = classifier("gru", [4])
    base, source, table = texts()
    finding = tg.find_units(model, items_of(model, source, base, table), **FEW)
    assert finding.claim == "absent"
    assert finding.verdict.startswith("The model doesn't decide by yes well enough")
    assert "are `good` and `bad`, or base and source, exchanged?" in finding.verdict


def test_no_claim_about_another_feature():
    model = classifier("gru", [4])
    items = items_of(model, *texts())
    with pytest.raises(ValueError, match="about 'yes', and no claim can be made"):
        tg.find_units(model, items, feature="number")
    with pytest.raises(TypeError, match="minimal pairs are read by a language model"):
        tg.find_units(model, items.table)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"data": (texts()[0], np.ones(9))}, "Received: 240 examples and 9 targets"),
        ({"side_tasks": {"number": "number"}}, "must be minimal pairs, items.*Received: str"),
    ],
)
def test_other_tasks_that_cant_be_read(wrong, message):
    model = classifier("gru", [4], size=8)
    model.compile(loss="binary_crossentropy")
    with pytest.raises((ValueError, TypeError), match=message):
        tg.find_units(model, items_of(model, *texts()), **FEW, **wrong)


def test_items_without_counterparts_are_refused():
    model = classifier("gru", [4], size=8)
    base, _, table = texts()
    with pytest.raises(ValueError, match="by exchanging their values"):
        tg.find_units(model, items_of(model, base, None, table), **FEW)


class Uncloneable(keras.Model):
    """A subclassed model whose constructor can't be called again."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, inputs):
        return self.inner(inputs)


def test_weights_that_cant_be_drawn_anew_are_shuffled_and_come_back():
    model = Uncloneable(classifier("gru", [4]))
    model(np.ones((1, 3), int))
    before = [np.array(weight) for weight in model.weights]
    with Subject(model).with_fresh_weights(0) as fresh:
        assert fresh.weights == SHUFFLED
        assert any(
            not np.array_equal(np.array(w), b) for w, b in zip(model.weights, before, strict=True)
        )
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(np.array(weight), value)


def test_too_few_groups_are_told_before_the_work_begins():
    model = classifier("gru", [4])
    base, source, table = texts()
    few = table.assign(frame=table["frame"] % 5, word=np.arange(len(table)))
    with pytest.warns(UserWarning, match="5 groups by 'frame' are too few.* 10 or more of each"):
        items_of(model, base, source, few)
    twelve = table.assign(frame=table["frame"] % 12)
    contrasts(model, base=base, source=source, good=1, bad=0, table=twelve, groups="frame")
    # Two ways of belonging together need more: their signs are flipped both.
    both = twelve.assign(word=table["word"] % 12)
    with pytest.warns(UserWarning, match="12 groups by 'frame' and 12 groups by 'word' are"):
        items_of(model, base, source, both)


def test_a_unit_that_too_few_groups_cant_confirm():
    model = classifier("gru", [4], size=8)
    base, source, table = texts()
    table["frame"] %= 8
    with pytest.warns(UserWarning, match="8 groups by 'frame' are too few"):
        items = contrasts(model, base=base, source=source, good=1, bad=0, table=table,
                          groups="frame", feature="yes")  # fmt: skip
    with pytest.warns(UserWarning, match="no unit can be confirmed on these items. With 4 frames"):
        finding = tg.find_units(model, items, **FEW)
    assert finding.sufficient == finding.necessary == ()
    assert "not on the other: interchange flips 100 % of" in finding.verdict
    assert "which is enough, but the test by sign flips comes to p = 0.0" in finding.verdict
    assert "the test needs 6 or more, of like size, in the half that confirms" in finding.verdict


def test_a_half_of_one_group_is_refused_before_the_work_begins():
    model = classifier("gru", [4])
    base, source, table = texts()
    table["frame"] %= 2
    with pytest.warns(UserWarning, match="2 groups by 'frame' are too few"):
        items = contrasts(model, base=base, source=source, good=1, bad=0, table=table,
                          groups="frame")  # fmt: skip
    with pytest.raises(ValueError, match="by 'frame', 12 or more"):
        tg.find_units(model, items, **FEW)
