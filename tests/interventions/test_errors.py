"""Whatever can be got wrong gets one line that names the thing, the value and the remedy."""

import keras
import numpy as np
import pytest

import textgate as tg
from tests.interventions import models
from tests.tracing import kinds

X = models.inputs()
ROWS = np.ones((6, 5), bool)


@pytest.fixture(scope="module")
def model():
    return models.model_of("lstm")


@pytest.fixture(scope="module")
def own(model):
    return tg.trace(model, X)


def said(error, *parts):
    text = str(error.value)
    assert "\n" not in text
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: tg.ZeroAblation(3, "candidate"), ["layer=3"]),
        (lambda: tg.ZeroAblation("low", "forget"), ["'forget_gate'", "signal='forget'"]),
        (lambda: tg.ZeroAblation("low", "candidate", [-1]), ["[-1]"]),
        (lambda: tg.ZeroAblation("low", "candidate", [1, 1]), ["different", "[1, 1]"]),
        (lambda: tg.ZeroAblation("low", "candidate", [0.5]), ["[0.5]"]),
        (lambda: tg.ZeroAblation("low", "candidate", [True, False]), ["whole numbers"]),
        (lambda: tg.ZeroAblation("low", "candidate", "all"), ["'all'"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=3), ["slice(3, 4)", "type int"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=slice(-2, None)), ["slice(-2, None)"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=slice(0, 4, 0)), ["slice(0, 4, 0)"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=slice(0.5)), ["0.5"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=[0, 1]), ["shape (2,)"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=np.ones(5, bool)), ["shape (5,)"]),
        (lambda: tg.ZeroAblation("low", "candidate", steps=np.ones((6, 5))), ["booleans"]),
        (lambda: tg.Clamp("low", "candidate", value=np.nan), ["finite", "nan"]),
        (lambda: tg.Clamp("low", "candidate", value="open"), ["'open'"]),
        (lambda: tg.Clamp("low", "candidate", value=None), ["None"]),
        (lambda: tg.Clamp("low", "candidate"), ["`value` must be a number"]),
        (lambda: tg.Steer("low", "candidate"), ["`direction`"]),
        (lambda: tg.Patch("low", "candidate"), ["`source`", "NoneType"]),
        (lambda: tg.ResampleAblation("low", "candidate"), ["`reference`", "NoneType"]),
        (lambda: tg.Apply("low", "candidate"), ["`function`", "None"]),
        (lambda: tg.Clamp("low", "candidate", value=[1.0, np.inf]), ["1 of them"]),
        (lambda: tg.Clamp("low", "candidate", value=np.ones((2, 3))), ["each unit", "(2, 3)"]),
        (lambda: tg.Clamp("low", "candidate", value=[[[np.nan]]]), ["(example, time, units)"]),
        (lambda: tg.Steer("low", "candidate", direction=[["a"]]), ["`direction`"]),
        (lambda: tg.Steer("low", "candidate", direction=np.ones((4, 1))), ["(4, 1)"]),
        (lambda: tg.Steer("low", "candidate", direction=[1.0], scale=np.inf), ["scale=inf"]),
        (lambda: tg.Affine("low", "candidate"), ["`matrix`", "`offset`"]),
        (lambda: tg.Affine("low", "candidate", matrix=np.ones(4)), ["`matrix`", "(4,)"]),
        (lambda: tg.Affine("low", "candidate", matrix=np.ones((4, 3))), ["square", "(4, 3)"]),
        (lambda: tg.Affine("low", "candidate", matrix=[["a"]]), ["`matrix`", "list"]),
        (lambda: tg.Affine("low", "candidate", matrix=[[np.nan]]), ["finite", "1 of them"]),
        (lambda: tg.Affine("low", "candidate", offset=np.ones((1, 4))), ["`offset`", "(1, 4)"]),
        (lambda: tg.Affine("low", "candidate", offset=np.inf), ["offset=inf"]),
        (lambda: tg.ZeroAblation("low", "candidate", subspace=np.ones(4)), ["(4,)", "columns"]),
        (
            lambda: tg.ZeroAblation("low", "candidate", subspace=np.ones((4, 2))),
            ["orthonormal", "linalg.qr", "up to 4"],
        ),
        (lambda: tg.Patch("low", "candidate", source=np.ones(3)), ["ndarray", "`source`"]),
        (lambda: tg.Patch("low", "candidate", source="no/such.zarr"), ["no/such.zarr"]),
        (lambda: tg.MeanAblation("low", "candidate", reference=None), ["`reference`", "None"]),
    ],
)
def test_arguments(make, parts):
    with pytest.raises((ValueError, TypeError, FileNotFoundError), match="Received: ") as error:
        make()
    said(error, *parts)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda own: tg.ZeroAblation("middle", "candidate"), ["'low'", "'middle'"]),
        (lambda own: tg.ZeroAblation("low", "reset_gate"), ["'low'", "lstm", "'reset_gate'"]),
        (lambda own: tg.ZeroAblation("low", "candidate", [0, 4]), ["0 to 3", "'low'", "[4]"]),
        (lambda own: tg.ZeroAblation("both", "candidate", [3]), ["0 to 2", "both/", "[3]"]),
        (lambda own: tg.Clamp("low", "candidate", [1], value=[1, 2]), ["1 chosen", "2 numbers"]),
        (lambda own: tg.Steer("low", "candidate", direction=[1, 2]), ["4 chosen", "2 numbers"]),
        (
            lambda own: tg.Affine("low", "candidate", matrix=np.eye(3)),
            ["(4, 4)", "'low'", "shape (3, 3)"],
        ),
        (lambda own: tg.Affine("low", "candidate", [1], matrix=np.eye(4)), ["(1, 1)", "(4, 4)"]),
        (
            lambda own: tg.ZeroAblation("low", "candidate", [1, 2], subspace=np.eye(4)),
            ["2 chosen", "'low'", "shape (4, 4)"],
        ),
        (lambda own: tg.MeanAblation("low", "candidate", reference=own, by_position=1), ["1"]),
        (lambda own: tg.ResampleAblation("low", "candidate", reference=own, seed=-1), ["-1"]),
        (
            lambda own: tg.ResampleAblation(
                "low", "candidate", reference=own.isel(example=slice(0, 1))
            ),
            ["at least two", "Received: 1"],
        ),
        (
            lambda own: tg.MeanAblation("low", "candidate", reference=own.isel(example=[4])),
            ["not masked", "1 examples"],
        ),
        (lambda own: "ZeroAblation", ["'ZeroAblation'"]),
    ],
)
def test_interventions_that_do_not_fit_the_model(model, own, make, parts):
    with pytest.raises((ValueError, TypeError), match="Received: ") as error:
        tg.intervene(model, [make(own)])
    said(error, *parts)


def test_sources_of_other_models_layers_signals_and_units(model, own):
    def patched(source, layer="low", **options):
        return tg.intervene(model, [tg.Patch(layer, "cell_state", source=source, **options)])

    with pytest.raises(ValueError, match="Received: ") as error:
        patched(tg.trace(models.built("lstm", seed=9, name="other"), X))
    said(error, "same weights", "'other'")
    with pytest.raises(ValueError, match="Received: ") as error:
        patched(tg.trace(models.built("gru"), X))
    said(error, "a lstm of 4 units", "a gru of 4 units")
    narrow = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(2, name="low")])
    with pytest.raises(ValueError, match="Received: ") as error:
        patched(tg.trace(narrow, X))
    said(error, "a lstm of 4 units", "a lstm of 2 units")
    with pytest.raises(ValueError, match="Received: ") as error:
        patched(tg.trace(narrow, X), layer="top")
    said(error, "'top'", "['low']")
    with pytest.raises(ValueError, match="Received: ") as error:
        patched(tg.trace(model, X, signals="candidate"))
    said(error, "'candidate'", "signal='cell_state'")
    with pytest.raises(ValueError, match="Received: ") as error:
        patched(tg.trace(model, X, units=[1]), units=[0, 1, 2])
    said(error, "1 of 4", "[0, 2]")


def test_what_is_given_for_other_examples_or_steps(model, own):
    patched = tg.intervene(model, [tg.Patch("low", "cell_state", source=own)])
    clamped = tg.intervene(model, [tg.Clamp("low", "candidate", value=0.0, steps=ROWS)])
    held = tg.intervene(model, [tg.Clamp("low", "candidate", value=np.zeros((6, 5, 4)))])
    many = models.inputs(masked=False)
    held.predict(many[:, :3])
    for wrong, what in ((many[:4], "6 examples for 4"), (np.tile(many, (1, 2, 1)), "at step 5")):
        with pytest.raises(ValueError, match="Received: ") as error:
            held.predict(wrong)
        said(error, "Clamp of 'low'", what)
    with pytest.raises(ValueError, match=r"4 chosen units.*Received: 3 numbers"):
        tg.intervene(model, [tg.Clamp("low", "candidate", value=np.zeros((6, 5, 3)))]).predict(many)
    for edited, what in ((patched, "source"), (clamped, "`steps`")):
        with pytest.raises(ValueError, match="Received: ") as error:
            edited.predict(X[:4])
        said(error, what, "6 examples for 4")
        for length in (4, 1):
            with pytest.raises(ValueError, match="Received: ") as error:
                edited.predict(many[:, :length])
            said(error, f"here {length}", "5")
        with pytest.raises(ValueError, match="Received: ") as error:
            tg.trace(edited, np.concatenate([many, many], 1), batch_size=4)
        said(error, "here 10", "5")


def test_sentences_that_do_not_align(model, own):
    full = models.inputs(seed=3, masked=False)
    patched = tg.intervene(model, [tg.Patch("low", "cell_state", source=own)])
    with pytest.raises(ValueError, match="Received: Patch") as error:
        patched.predict(full)
    said(error, "has none at step 3 of example 1", "`steps`")
    whole = tg.trace(model, full)
    reverse = tg.intervene(model, [tg.Patch("low", "cell_state", source=whole)])
    with pytest.raises(ValueError, match="Received: Patch") as error:
        reverse.predict(X)
    said(error, "has values at step 3 of example 1", "masked")
    both_known = models.chosen_steps(None) & ~np.isnan(own["low"]["cell_state"].values[..., 0])
    aligned = [tg.Patch("low", "cell_state", source=s, steps=both_known) for s in (own, whole)]
    tg.intervene(model, aligned[:1]).predict(full)
    tg.intervene(model, aligned[1:]).predict(X)
    # Means and donors that are missing at a step are missed only where there is something to do.
    short = tg.trace(model, full[:, :3])
    for kind, options in ((tg.MeanAblation, {"by_position": True}), (tg.ResampleAblation, {})):
        edited = tg.intervene(model, [kind("low", "cell_state", reference=short, **options)])
        with pytest.raises(ValueError, match=r"none at step 3.*Received: "):
            edited.predict(full)
        edited.predict(full[:, :2])
        early = kind("low", "cell_state", reference=short, steps=slice(3), **options)
        tg.intervene(model, [early]).predict(full)


def test_a_bounded_choice_of_steps_takes_a_source_of_another_length(model):
    x = models.inputs(masked=False)
    short, long = tg.trace(model, x[:, :3]), tg.trace(model, np.concatenate([x, x], 1))
    start = slice(0, 3)
    a, b = (
        tg.intervene(model, [tg.Patch("low", "cell_state", source=s, steps=start)]).predict(x)
        for s in (short, long)
    )
    np.testing.assert_allclose(a, b, atol=1e-6)


def test_calls_of_a_layer():
    kind = kinds.KINDS["subclassed_loop"]()
    model, x = kind.model, kind.inputs
    model.run_eagerly = True
    own = tg.trace(model, x)
    second = tg.intervene(model, [tg.ZeroAblation("memory/call_1", "hidden_state")])
    trace = tg.trace(second, x)
    zero = {n: not trace[f"memory/call_{n}"]["hidden_state"].values.any() for n in range(3)}
    assert zero == {0: False, 1: True, 2: False}
    with pytest.raises(ValueError, match=r"so often.*Received: layer 'memory/call_3'"):
        tg.intervene(model, [tg.ZeroAblation("memory/call_3", "candidate")]).predict(x)
    some = tg.trace(model, x, layers=["memory/call_0", "memory/call_1"])
    with pytest.raises(ValueError, match=r"choose calls.*call_2"):
        tg.intervene(model, [tg.Patch("memory", "candidate", source=some)]).predict(x)
    tg.intervene(model, [tg.Patch("memory/call_1", "candidate", source=some)]).predict(x)
    del own


def test_what_is_no_model_or_no_input(model):
    with pytest.raises(TypeError, match=r"keras.Sequential.*Received: LSTM"):
        tg.intervene(keras.layers.LSTM(3), [])
    with pytest.raises(TypeError, match="Received: str"):
        tg.intervene("runs/she-her", [])
    with pytest.raises(TypeError, match="Received: 3"):
        tg.intervene(model, 3)
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="no recurrent layer"):
        tg.intervene(dense, [])
    edited = tg.intervene(model, tg.ZeroAblation("low", "candidate"))
    with pytest.raises(ValueError, match="batch_size=0"):
        edited.predict(X, batch_size=0)
    with pytest.raises(ValueError, match="at least one"):
        edited.predict(X[:0])
    with pytest.raises(ValueError, match="training=True"):
        edited(X, training=True)
    with pytest.raises(TypeError, match="KerasTensor"):
        edited(keras.Input((None, 3)))
    ragged = iter([X[:2], X[:2, :4]])
    many = keras.Sequential(
        [keras.Input((None, 3)), keras.layers.LSTM(2, return_sequences=True, name="low")]
    )
    with pytest.raises(ValueError, match=r"pad all inputs.*Received: "):
        tg.intervene(many, []).predict(ragged)


@pytest.mark.parametrize(("signal", "value"), [
    ("forget_gate", 5.0), ("input_gate", [0.5, -0.1]), ("retention", 1.5),
    ("output_gate", np.full((6, 5, 2), 1.01)),
])  # fmt: skip
def test_a_gate_is_held_at_what_it_can_be(model, signal, value):
    with pytest.raises(ValueError, match=r"^Clamp of 'low': `value`.* from 0 to 1.*Received: "):
        tg.intervene(model, [tg.Clamp("low", signal, [0, 1], value=value)])
    tg.intervene(model, [tg.Clamp("low", "cell_state", [0, 1], value=5.0)])


def test_what_is_written_is_turned_round_with_the_gate_it_comes_from():
    gru = models.model_of("gru")
    tg.intervene(gru, [tg.Clamp("low", "writing", value=1.0)])
    with pytest.raises(ValueError, match=r"from 0 to 1.*Received: -0.5"):
        tg.intervene(gru, [tg.Clamp("low", "writing", value=-0.5)])
