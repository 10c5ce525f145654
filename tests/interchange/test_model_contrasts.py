"""What a user can get wrong with items of a model's own inputs is said in one line."""

import re

import keras
import numpy as np
import pandas as pd
import pytest

from textgate.interchange import ModelRunner, contrasts
from textgate.interchange.targets import margins

layers = keras.layers
COUNT, TIME = 24, 5


def inputs():
    """Ids and counterparts that differ in the first word; the second example is shorter."""
    base = np.random.default_rng(0).integers(1, 9, (COUNT, TIME))
    base[:, 0], base[1, 3:] = 3, 0
    source = base.copy()
    source[:, 0] = 4
    return base, source


def tagger(activation="sigmoid", width=1, steps=True):
    stack = [keras.Input((None,), dtype="int32"), layers.Embedding(9, 3, mask_zero=True)]
    stack += [layers.GRU(3, return_sequences=steps, name="rnn")]
    return keras.Sequential([*stack, layers.Dense(width, activation=activation, name="output")])


def table(**columns):
    return pd.DataFrame({"frame": np.arange(COUNT)} | columns)


def masked_elsewhere():
    base, source = inputs()
    source[2, 3:] = 0
    return {"base": base, "source": source}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"good": 1, "bad": 1}, "must be different classes.*class 1 for both, in item 0"),
        ({"good": 1.0}, "`good` must be a class of the output, a whole number.*float64"),
        ({"good": np.ones(3, int)}, r"one for each of the 24 items.*shape \(3,\)"),
        ({"bad": None}, "a decision needs two classes, `good` and `bad`"),
        ({"readout": "softmax"}, "`readout` must be a function.*Received: str"),
        ({"step": -1}, "`step` must be the step that decides, from 0 on"),
        (
            {"step": 4},
            "not of its padding. Received: step=4 for item 1, of which the layers read 3",
        ),
        ({"source": inputs()[1][:, :3]}, "the same structure and shapes"),
        ({"source": inputs()[0]}, "`source` must differ from `base`"),
        (masked_elsewhere(), "item 2, of which layer 'rnn' reads step 3 in the base and masks it"),
        ({"table": table().head(3)}, "a row for each of the 24 items.*DataFrame with 3 rows"),
        ({"groups": "verb"}, "`groups` must name columns of `table`.*Received: 'verb'"),
        ({"table": table(one=1), "groups": "one"}, "two groups at least.*'one', with 1"),
        (
            {"table": table(gap=[None, *range(1, COUNT)]), "groups": "gap"},
            "known of every item; fill in the column 'gap'.*no value in 1 of 24 rows",
        ),
        ({"table": table(good_class="yes")}, "in the column 'bad_class'.*class 'yes'"),
        ({"output": "other"}, "must be left out: the model has one alone.*'other'"),
    ],
)
def test_what_a_user_can_get_wrong(change, message):
    base, source = inputs()
    given = {"base": base, "source": source, "good": 1, "bad": 0, "step": 0} | change
    with pytest.raises((ValueError, TypeError), match=message) as error:
        contrasts(tagger(), **given)
    assert re.search(r"Received: .", str(error.value))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (lambda: tagger(), {"step": None}, "outputs for every step; say which one decides"),
        (lambda: tagger(steps=False), {"step": 0}, "it has no steps; leave `step` out"),
        (lambda: tagger(width=3), {"good": 3}, r"from 0 to 2. Received: \[3\]"),
        (lambda: tagger("relu"), {}, "gives none; give a function of the outputs, `readout=…`"),
    ],
)
def test_outputs_that_a_decision_doesnt_fit(model, given, message):
    model = model()
    base, source = inputs()
    given = {"good": 1, "bad": 0, "step": 0} | given
    items = contrasts(model, base=base, source=source, **given)
    with pytest.raises(ValueError, match=message):
        ModelRunner(model, items, "rnn", "hidden_state").clean()


def test_classes_that_the_table_names_are_both_ways_round():
    base, source = inputs()
    names = table(good_class="plain", bad_class="negated")
    items = contrasts(tagger(), base=base, source=source, good=1, bad=0, step=0, table=names)
    assert items.table["good_class"].tolist() == ["plain"] * COUNT + ["negated"] * COUNT
    assert items.table["bad_class"].tolist() == ["negated"] * COUNT + ["plain"] * COUNT
    np.testing.assert_array_equal(items.good, np.repeat([1, 0], COUNT))


def test_there_is_a_target_for_each_example():
    with pytest.raises(ValueError, match="Received: 24 examples and 20 targets"):
        margins(tagger(steps=False), inputs()[0], np.ones(20, int))
