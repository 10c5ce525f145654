"""Erasing what a model uses takes its agreement away; erasing something else doesn't."""

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg
from tests import reference
from textgate.interchange import StackRunner, contrasts
from textgate.interchange._erased_models import ErasedStack, erased_model
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
    runner = ErasedStack(lm, name, signal, steps)
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
    runner = ErasedStack(lm, lm.recurrent_layers[0].name, None, "every")
    x, y = runner.states(items)
    assert len(x) == len(y) == int(items.last.sum())  # all but <bos>
    assert runner.signal == {"lstm": "cell_state", "gru": "hidden_state"}[lm.cell]
    assert leace(x, y).rank == 1
    last = ErasedStack(lm, lm.recurrent_layers[0].name, None, "last")
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


# -- any Keras model ---------------------------------------------------------------------------


def as_any_model(lm, pairs):
    """Return a language model as a plain Keras model that gives logits, and its items."""
    items = contrasts(lm, pairs, with_source=False)
    return items, contrasts(
        lm,
        base=items.base,
        good=items.good,
        bad=items.bad,
        step=items.last,
        table=items.table,
        groups=("template", "lexeme"),
        feature="gender",
    )


@pytest.mark.filterwarnings("ignore:3 groups by 'template'")
@pytest.mark.parametrize("steps", ["every", "last"])
def test_any_model_gives_the_numbers_of_a_language_model(planted, steps):
    lm, _, pairs = planted
    name = lm.recurrent_layers[0].name
    items, plain = as_any_model(lm, pairs)
    x, y = ErasedStack(lm, name, None, steps).states(items)
    one, other = (erased_model(lm, each, name, None, steps) for each in (items, plain))
    assert type(one) is not type(other)
    eraser = leace(x, y)
    for erased in (None, eraser):
        for a, b in zip(one.run(items, erased), other.run(plain, erased), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)
    if steps == "last":
        np.testing.assert_allclose(other.states(plain)[0], x, atol=1e-5)


@pytest.mark.filterwarnings("ignore:3 groups by 'template'")
def test_items_of_a_language_model_give_the_table_of_its_pairs(planted):
    lm, _, pairs = planted
    name = lm.recurrent_layers[0].name
    items, _ = as_any_model(lm, pairs)
    options = {"draws": 2, "resamples": 20, "seed": 3}
    pd.testing.assert_frame_equal(
        tg.interchange.erasure_effect(lm, items, name, **options),
        tg.interchange.erasure_effect(lm, pairs, name, **options),
    )


def classifier(rng, padding):
    """A classifier by the sign of what unit 2 holds; its inputs, and those of the other sign."""
    x = keras.Input((None, 6))
    y = keras.layers.Masking()(x)
    y = keras.layers.GRU(6, name="gru")(y)
    model = keras.Model(x, keras.layers.Dense(1, activation="sigmoid", name="out")(y))
    cell = model.get_layer("gru").cell
    cell.kernel.assign(np.concatenate([np.zeros((6, 12)), np.eye(6)], axis=1))  # columns z, r, h
    cell.recurrent_kernel.assign(np.zeros((6, 18)))
    model.get_layer("out").kernel.assign(np.eye(6)[:, [2]] * 20)
    data = rng.normal(size=(60, 4, 6)).astype("float32")
    data[:, :, 2] = np.abs(data[:, :, 2]) + 0.5
    data[::3, slice(2, None) if padding == "right" else slice(0, 2)] = 0
    flipped = data * np.where(np.arange(6) == 2, -1, 1).astype("float32")
    return model, data, flipped


@pytest.mark.parametrize("padding", ["left", "right"])
@pytest.mark.parametrize("steps", ["every", "last"])
def test_a_classifier_loses_what_is_erased_and_no_more(rng, padding, steps):
    model, x, flipped = classifier(rng, padding)
    items = contrasts(model, base=x, source=flipped, good=1, bad=0, feature="sign")
    table = tg.interchange.erasure_effect(
        model, items, "gru", steps=steps, side=items, draws=3, resamples=20
    ).set_index(["task", "eraser", "group"])
    sign = table.loc["sign"]
    assert sign.accuracy["none", "all"] == 1
    assert abs(sign.logit_difference["leace", "all"]) < (
        0.35 * sign.logit_difference["none", "all"]
    )
    assert sign.accuracy["random", "all"] > 0.9
    assert sign["items"]["none", "all"] == 60  # the other half of 60, both ways
    assert set(table["rank"]) == {1}


def test_against_a_loop_in_float64(rng):
    """The erased classifier's decisions: by hand, step by step."""
    model, x, flipped = classifier(rng, "left")
    layer = model.get_layer("gru")
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.7, weight.shape))
    items = contrasts(model, base=x, source=flipped, good=1, bad=0)
    eraser = random_eraser(rng.normal(size=(50, 6)) + 1, 2)
    weights = [np.asarray(w, np.float64) for w in layer.cell.weights]
    mask = np.any(items.base != 0, axis=-1)
    for steps in ("every", "last"):
        last = np.zeros_like(mask)
        last[:, -1] = True
        where = mask if steps == "every" else last

        def edit(name, signal, n, t, where=where):
            if name == "hidden_state" and where[n, t]:
                return signal @ eraser.matrix + eraser.offset
            return signal

        base = np.asarray(items.base, np.float64)
        signals, (h, *_) = reference.run("gru", base, *weights, mask=mask, edit=edit)
        kernel, bias = (np.asarray(w, np.float64) for w in model.get_layer("out").weights)
        expected = (h @ kernel + bias)[:, 0] * np.sign(items.good - items.bad)
        decisions, states = erased_model(model, items, "gru", None, steps).run(items, eraser)
        np.testing.assert_allclose(decisions, expected, atol=1e-4)
        np.testing.assert_allclose(states, signals["hidden_state"][:, -1], atol=1e-5)


def test_any_model_says_what_is_wrong(rng):
    model, x, flipped = classifier(rng, "right")
    items = contrasts(model, base=x, source=flipped, good=1, bad=0)
    with pytest.raises(ValueError, match=r"`signal`.*Received: signal='cell_state'"):
        tg.interchange.erasure_effect(model, items, "gru", "cell_state")
    with pytest.raises(TypeError, match=r"LanguageModel.*Received: Functional"):
        tg.interchange.erasure_effect(model, items.table, "gru")
    both = keras.Sequential(
        [keras.Input((4, 6)), keras.layers.Bidirectional(keras.layers.GRU(2), name="both")]
    )
    items = contrasts(both, base=x, source=flipped, good=1, bad=0)
    with pytest.raises(ValueError, match=r"one layer.*both/forward_gru"):
        tg.interchange.erasure_effect(both, items, "both")
    with pytest.raises(ValueError, match="as many groups as folds"):
        tg.interchange.erasure_effect(model, contrasts(model, base=x[:1], source=flipped[:1],
                                                       good=1, bad=0), "gru")  # fmt: skip
