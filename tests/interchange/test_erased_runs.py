"""Erasing what a model uses takes its agreement away; erasing something else doesn't."""

import numpy as np
import pandas as pd
import pytest

import textgate as tg
from textgate.interchange import StackRunner, contrasts
from textgate.interchange._erased_runs import _Erased
from textgate.models import LanguageModel
from textgate.probing import leace, random_eraser
from textgate.recurrence import Edit
from textgate.tokenizers import WordTokenizer
from textgate.tracing import find_sites, intercept

WOMEN = [f"{letter}a" for letter in "bcdfghjklmnprstv"]
MEN = [f"{letter}o" for letter in "bcdfghjklmnprstv"]
VERBS = ["lost", "found", "sold"]
UNITS = 6


def pairs_of(rng):
    rows = []
    for name in WOMEN + MEN:
        for verb in VERBS:
            right, wrong = ("her", "his") if name in WOMEN else ("his", "her")
            filler = "then " * int(rng.integers(0, 3))
            rows.append(
                {
                    "good": f"{name} {filler}{verb} {right} way",
                    "bad": f"{name} {filler}{verb} {wrong} way",
                    "target": 2 + filler.count("then"),
                    "good_class": "feminine" if name in WOMEN else "masculine",
                    "bad_class": "masculine" if name in WOMEN else "feminine",
                    "antecedent_position": 0,
                    "lexeme": name,
                    "template": verb,
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture(scope="module", params=["lstm", "gru"])
def planted(request):
    """A model one unit of which stores gender, and the unit; the others store which name it is."""
    rng = np.random.default_rng(5)
    tokenizer = WordTokenizer([*WOMEN, *MEN, *VERBS, "then", "her", "his", "way"])
    lm = LanguageModel(tokenizer, cell=request.param, units=UNITS, dropout=0.0, seed=0)
    unit = 4
    ids = {word: i for i, word in enumerate(tokenizer.vocabulary)}
    words = np.zeros((len(tokenizer), UNITS))
    for name in WOMEN + MEN:
        words[ids[name]] = rng.normal(size=UNITS)
        words[ids[name], unit] = 1.0 if name in WOMEN else -1.0
    is_name = np.abs(words[:, unit])  # the last column: open the gate for names alone
    words[:, 0] = is_name
    kernel = np.zeros((UNITS, 4 if request.param == "lstm" else 3, UNITS))
    bias = np.zeros(kernel.shape[1:])
    if request.param == "lstm":  # columns i, f, g, o
        bias[:] = np.array([-12.0, 12.0, 0.0, 12.0])[:, None]
        kernel[0, 0] = 24.0
        kernel[:, 2] = 0.5 * np.eye(UNITS)
        kernel[0, 2, 0] = 0.0
    else:  # columns z (keeps), r, h
        bias[:] = np.array([12.0, 12.0, 0.0])[:, None]
        kernel[0, 0] = -24.0
        kernel[:, 2] = 0.5 * np.eye(UNITS)
        kernel[0, 2, 0] = 0.0
    layer = lm.recurrent_layers[0]
    lm.get_layer("embedding").embeddings.assign(words)
    layer.cell.kernel.assign(kernel.reshape(UNITS, -1))
    layer.cell.recurrent_kernel.assign(np.zeros(layer.cell.recurrent_kernel.shape))
    bias = bias.reshape(-1)
    both = np.stack([bias, np.zeros_like(bias)])
    layer.cell.bias.assign(both if request.param == "gru" else bias)
    output = np.zeros((UNITS, len(tokenizer)))
    output[unit, ids["her"]], output[unit, ids["his"]] = 5, -5
    lm.get_layer("output").kernel.assign(output)
    lm.get_layer("output").bias.assign(np.zeros(len(tokenizer)))
    return lm, unit, pairs_of(rng)


def test_only_the_erasure_of_gender_costs_agreement(planted):
    lm, _, pairs = planted
    name = lm.recurrent_layers[0].name
    side = pairs.iloc[::10]
    table = tg.interchange.erasure_effect(
        lm, pairs, name, side=side, draws=5, resamples=100, seed=2
    ).set_index(["task", "eraser", "group"])
    gender = table.loc["gender"]
    assert gender.accuracy["none", "all"] == 1
    assert gender.accuracy["leace", "all"] <= 0.65
    assert abs(gender.logit_difference["leace", "all"]) < (
        0.2 * gender.logit_difference["none", "all"]
    )
    for control in ("random", "matched"):
        assert gender.accuracy[control, "all"] >= 0.8
        assert gender.draws[control, "all"] == 5
        assert gender.lowest[control, "all"] <= gender.accuracy[control, "all"]
    assert gender.displacement["matched", "all"] == pytest.approx(
        gender.displacement["leace", "all"], rel=0.05
    )
    assert gender.decodable["none", "all"] > 0.9
    assert gender.decodable["leace", "all"] < 0.85
    both = gender.accuracy.xs("leace")[["feminine", "masculine"]]
    assert both.mean() == pytest.approx(gender.accuracy["leace", "all"], abs=0.05)
    assert (table.low <= table.accuracy).all()
    assert (table.accuracy <= table.high).all()
    assert table.loc["side"]["items"].max() == 10
    assert set(table["rank"]) == {1}


def test_items_tried_are_of_other_names(planted):
    lm, _, pairs = planted
    name = lm.recurrent_layers[0].name
    table = tg.interchange.erasure_effect(lm, pairs, name, draws=1, resamples=10)
    assert table["items"][0] == 48
    given = tg.interchange.erasure_effect(lm, pairs[::2], name, fit=pairs, draws=1, resamples=10)
    assert given["items"][0] == 48
    assert given.equals(tg.interchange.erasure_effect(lm, pairs[::2], name, fit=pairs, draws=1,
                                                  resamples=10))  # fmt: skip


@pytest.mark.parametrize("steps", ["every", "last"])
@pytest.mark.parametrize(
    ("cell", "signal"),
    [("lstm", "cell_state"), ("lstm", "forget_gate"), ("gru", "hidden_state")],
)
def test_runs_as_the_model_itself_does(rng, steps, cell, signal):
    """Against the model's own layers with an edit of the second one in their loops."""
    pairs = pairs_of(rng)
    lm = LanguageModel(
        WordTokenizer([*WOMEN, *MEN, *VERBS, "then", "her", "his", "way"]),
        cell=cell, units=(4, 5), seed=1,
    )  # fmt: skip
    for variable in lm.weights:
        if "seed" not in variable.path:
            variable.assign(rng.normal(size=variable.shape) * 0.7)
    items = contrasts(lm, pairs, with_source=False)
    name = f"{cell}_1"
    runner = _Erased(lm, name, signal, steps)
    np.testing.assert_allclose(
        runner.run(items, None)[0], StackRunner(lm, items, name, signal).clean(), atol=1e-5
    )
    eraser = random_eraser(rng.normal(size=(50, 5)) + 1, 2)
    site = next(site for site in find_sites(lm)[0] if site.path.endswith(name))
    kept = []
    mask = True if steps == "every" else (np.arange(items.base.shape[1]) == items.last[:, None])
    edit = Edit(
        signal,
        mask=mask if mask is True else mask[..., None],
        matrix=eraser.projection.T.astype("float32"),
        offset=(eraser.mean - eraser.projection @ eraser.mean).astype("float32"),
    )
    with intercept([site], edits=lambda call: [edit], record=lambda _, s: kept.append(s[signal])):
        logits = np.asarray(lm(items.base))
    rows = np.arange(len(items))
    expected = logits[rows, items.last]
    got, states = runner.run(items, eraser)
    np.testing.assert_allclose(
        got, expected[rows, items.good] - expected[rows, items.bad], atol=1e-5
    )
    np.testing.assert_allclose(states, np.asarray(kept[0])[rows, items.last], atol=1e-5)
    changed = np.abs(got - runner.run(items, None)[0]).max()
    assert changed > 1e-3


def test_a_tie_is_wrong(rng):
    pairs = pairs_of(rng)
    words = [*WOMEN, *MEN, *VERBS, "then", "her", "his", "way"]
    lm = LanguageModel(WordTokenizer(words), units=3, seed=0)
    lm.get_layer("output").kernel.assign(np.zeros((3, len(lm.tokenizer))))
    table = tg.interchange.erasure_effect(lm, pairs, "lstm", draws=1, resamples=10)
    assert (table.accuracy == 0).all()


def test_an_eraser_is_made_from_the_antecedent_on(planted):
    lm, _, pairs = planted
    items = contrasts(lm, pairs, with_source=False)
    runner = _Erased(lm, lm.recurrent_layers[0].name, None, "every")
    x, y = runner.states(items)
    assert len(x) == len(y) == int(items.last.sum())  # all but <bos>
    assert runner.signal == {"lstm": "cell_state", "gru": "hidden_state"}[lm.cell]
    assert leace(x, y).rank == 1
    last = _Erased(lm, lm.recurrent_layers[0].name, None, "last")
    np.testing.assert_allclose(last.states(items)[0], last.run(items, None)[1], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"layer": "lstm_7"}, "lstm_7"),
        ({"signal": "memory"}, "'memory'"),
        ({"steps": "first"}, "'first'"),
        ({"draws": 0}, "draws=0"),
        ({"drop": "lexeme"}, "'lexeme'"),
        ({"classes": ["feminine"]}, "feminine"),
        ({"names": [WOMEN[0], *MEN]}, "groups"),
    ],
)
def test_says_what_is_wrong(planted, arguments, said):
    lm, _, pairs = planted
    given = dict(arguments)
    pairs = pairs.drop(columns=given.pop("drop", []))
    if "classes" in given:
        pairs = pairs[pairs.good_class.isin(given.pop("classes"))]
    if "names" in given:
        pairs = pairs[pairs.lexeme.isin(given.pop("names"))]
    given = {"layer": lm.recurrent_layers[0].name, **given}
    with pytest.raises(ValueError, match=said):
        tg.interchange.erasure_effect(lm, pairs, **given)


def test_says_that_it_takes_language_models(planted):
    lm, _, pairs = planted
    edited = tg.intervene(lm, [])
    for other in (edited, "runs/lstm"):
        with pytest.raises(TypeError, match=r"textgate.models.LanguageModel.*Received: "):
            tg.interchange.erasure_effect(other, pairs, lm.recurrent_layers[0].name)
