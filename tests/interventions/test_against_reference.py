"""Every intervention, on every layer, against float64 NumPy: what is edited and what follows."""

import dataclasses

import numpy as np
import pytest

import textgate as tg
from tests.interventions import models

CHOSEN = [0, 2]
SOME = np.random.default_rng(7).random((models.EXAMPLES, models.STEPS)) < 0.5


def setter(signal, steps, values, units=CHOSEN):
    """Return an edit that sets `signal` to `values[example, step]`."""
    where = models.chosen_steps(steps)
    values = np.broadcast_to(values, (models.EXAMPLES, models.STEPS, np.shape(values)[-1]))

    def edit(name, found, n, t):
        if name != signal or not where[n, t]:
            return found
        found = np.array(found)
        found[units] = values[n, t][units]
        return found

    return edit


def broad(values):
    """Return `values` of (unit,) or (time, unit) with the axes it lacks."""
    return np.asarray(values, "float64").reshape((1,) * (3 - np.ndim(values)) + np.shape(values))


def zero(layer, signal, other, steps):
    made = tg.ZeroAblation(layer, signal, CHOSEN, steps=steps)
    return made, np.zeros(models.UNITS[layer])


def clamp(layer, signal, other, steps):
    values = np.zeros(models.UNITS[layer])
    values[CHOSEN] = [0.25, 0.5 if "gate" in signal else -0.5]
    return tg.Clamp(layer, signal, CHOSEN, value=values[CHOSEN], steps=steps), values


def clamp_each(layer, signal, other, steps):
    values = np.random.default_rng(2).normal(
        size=(models.EXAMPLES, models.STEPS, models.UNITS[layer])
    )
    if "gate" in signal:
        values = np.abs(np.tanh(values))
    return tg.Clamp(layer, signal, CHOSEN, value=values[..., CHOSEN], steps=steps), values


def mean(layer, signal, other, steps):
    made = tg.MeanAblation(layer, signal, CHOSEN, reference=other["trace"], steps=steps)
    return made, np.nanmean(other["signals"][layer][signal], axis=(0, 1))


def mean_by_position(layer, signal, other, steps):
    made = tg.MeanAblation(
        layer, signal, CHOSEN, reference=other["trace"], by_position=True, steps=steps
    )
    return made, np.nanmean(other["signals"][layer][signal], axis=0)


def patch(layer, signal, other, steps):
    made = tg.Patch(layer, signal, CHOSEN, source=other["trace"], steps=steps)
    return made, other["signals"][layer][signal]


VALUES = [zero, clamp, clamp_each, mean, mean_by_position, patch]


@pytest.fixture(scope="module", params=["lstm", "gru"])
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def other(kind):
    """Another run, masked at the same steps, traced and in NumPy."""
    model = models.model_of(kind)
    x = np.where(models.inputs() == 0, 0, models.inputs(seed=5, masked=False)).astype("float32")
    return {"trace": tg.trace(model, x), "signals": models.expected(model, x)[0], "x": x}


def compare(kind, interventions, edits, whole=False):
    model, x = models.model_of(kind), models.inputs()
    signals, outputs = models.expected(model, x, edits)
    edited = tg.intervene(model, interventions)
    trace = tg.trace(edited, x)
    for layer in models.LAYERS:
        for name, values in signals[layer].items():
            np.testing.assert_allclose(
                trace[layer][name].values, values, atol=2e-6, err_msg=f"{layer} {name}"
            )
    if whole:
        np.testing.assert_allclose(edited.predict(x, batch_size=4), outputs, atol=2e-6)


@pytest.mark.parametrize("make", VALUES)
@pytest.mark.parametrize("layer", models.LAYERS)
def test_values_are_set_inside_the_step(kind, other, layer, make):
    number = VALUES.index(make) + models.LAYERS.index(layer)
    signal = models.SIGNALS[kind][number % len(models.SIGNALS[kind])]
    steps = [None, slice(1, 4, 2), SOME][number % 3]
    intervention, values = make(layer, signal, other, steps)
    compare(kind, [intervention], {layer: setter(signal, steps, broad(values))}, layer == "top")


@pytest.mark.parametrize("signal", models.SIGNALS["lstm"] + models.SIGNALS["gru"])
def test_every_signal_can_be_patched(other, kind, signal):
    if signal not in models.SIGNALS[kind]:
        pytest.skip("the other cell's")
    intervention, values = patch("low", signal, other, SOME)
    compare(kind, [intervention], {"low": setter(signal, SOME, values)})


@pytest.mark.parametrize("layer", models.LAYERS)
@pytest.mark.parametrize("steps", [slice(2, 3), SOME], ids=["slice", "array"])
def test_a_direction_is_added_inside_the_step(kind, layer, steps):
    where = models.chosen_steps(steps)
    signal = models.STATES[kind][0]
    direction = np.random.default_rng(3).normal(size=models.UNITS[layer])

    def edit(name, found, n, t):
        return found + 1.5 * direction if name == signal and where[n, t] else found

    steer = tg.Steer(layer, signal, direction=direction, scale=1.5, steps=steps)
    compare(kind, [steer], {layer: edit})


MATRIX = np.array([[0.5, -0.75], [0.25, -0.5]])


def mapper(signal, steps, matrix, offset, units=CHOSEN):
    """Return an edit that maps `signal` by a matrix `(units, units)` and an offset `(units,)`."""
    where = models.chosen_steps(steps)

    def edit(name, found, n, t):
        if name != signal or not where[n, t]:
            return found
        found = np.array(found)
        found[units] = found[units] @ matrix + offset
        return found

    return edit


@pytest.mark.parametrize("layer", models.LAYERS)
@pytest.mark.parametrize("steps", [None, slice(2, 3), SOME], ids=["all", "slice", "array"])
def test_an_affine_map_acts_inside_the_step(kind, layer, steps):
    signal = models.SIGNALS[kind][models.LAYERS.index(layer) % len(models.SIGNALS[kind])]
    mapped = tg.Affine(layer, signal, CHOSEN, matrix=MATRIX, offset=[0.5, -0.25], steps=steps)
    edit = mapper(signal, steps, MATRIX, np.array([0.5, -0.25]))
    compare(kind, [mapped], {layer: edit}, layer == "top")


def test_an_affine_map_may_lack_either_part_and_act_on_a_derived_signal(kind):
    state, gate = models.STATES[kind][0], models.SIGNALS[kind][0]
    turned = tg.Affine("low", state, CHOSEN, matrix=MATRIX)
    compare(kind, [turned], {"low": mapper(state, None, MATRIX, 0)})
    pushed = tg.Affine("low", state, CHOSEN, offset=0.5)
    compare(kind, [pushed], {"low": mapper(state, None, np.eye(2), 0.5)})
    # What is written is the input gate, or one minus the update gate.
    written = tg.Affine("low", "writing", CHOSEN, matrix=MATRIX, offset=[0.1, 0.2])
    offset = np.array([0.1, 0.2]) if kind == "lstm" else 1 - np.ones(2) @ MATRIX - [0.1, 0.2]
    compare(kind, [written], {"low": mapper(gate, None, MATRIX, offset)})


@pytest.mark.parametrize("make", [*VALUES, "steer", "affine"])
@pytest.mark.parametrize("layer", models.LAYERS)
def test_a_subspace_takes_over_what_lies_in_it(kind, other, layer, make):
    """With s' what would become of the signal s without it, s + (s' − s) Q Qᵀ."""
    number = ([*VALUES, "steer", "affine"]).index(make) + models.LAYERS.index(layer)
    signal = models.SIGNALS[kind][number % len(models.SIGNALS[kind])]
    steps = [None, slice(1, 4, 2), SOME][number % 3]
    direction = np.array([[0.6], [-0.8]])
    if make == "steer":
        whole = tg.Steer(layer, signal, CHOSEN, direction=[2.0, 1.0], steps=steps)
        would = mapper(signal, steps, np.eye(2), [2.0, 1.0])
    elif make == "affine":
        whole = tg.Affine(layer, signal, CHOSEN, matrix=MATRIX, offset=[2.0, 1.0], steps=steps)
        would = mapper(signal, steps, MATRIX, [2.0, 1.0])
    else:
        whole, values = make(layer, signal, other, steps)
        would = setter(signal, steps, broad(values))

    def edit(name, found, n, t):
        moved = would(name, found, n, t) - found
        moved[CHOSEN] = direction @ (direction.T @ moved[CHOSEN])
        return found + moved

    part = dataclasses.replace(whole, subspace=direction)
    compare(kind, [part], {layer: edit}, layer == "top")


@pytest.mark.parametrize("name", ["retention", "writing"])
def test_a_derived_signal_stands_for_its_gate(kind, other, name):
    gate, scale, offset = {
        ("lstm", "retention"): ("forget_gate", 1, 0),
        ("lstm", "writing"): ("input_gate", 1, 0),
        ("gru", "retention"): ("update_gate", 1, 0),
        ("gru", "writing"): ("update_gate", -1, 1),
    }[kind, name]
    clamped = tg.Clamp("low", name, CHOSEN, value=0.25)
    compare(
        kind, [clamped], {"low": setter(gate, None, broad(np.full(4, (0.25 - offset) / scale)))}
    )
    patched = tg.Patch("top", name, CHOSEN, source=other["trace"])
    compare(kind, [patched], {"top": setter(gate, None, other["signals"]["top"][gate])})
    pushed = tg.Steer("low", name, [1], direction=[0.25], steps=slice(1, 2))

    def edit(signal, found, n, t):
        return found + np.eye(4)[1] * 0.25 * scale if signal == gate and t == 1 else found

    compare(kind, [pushed], {"low": edit})


def test_interventions_act_in_their_order_and_in_several_layers(kind, other):
    signal = models.STATES[kind][0]
    a = tg.Clamp("low", signal, [0, 1], value=0.5)
    b = tg.Steer("low", signal, direction=np.arange(4) / 4)
    c = tg.Patch("both", signal, CHOSEN, source=other["trace"], steps=slice(1, None))

    def first_a(name, found, n, t):
        if name != signal:
            return found
        found = np.array(found)
        found[:2] = 0.5
        return found + np.arange(4) / 4

    def first_b(name, found, n, t):
        if name != signal:
            return found
        found = found + np.arange(4) / 4
        found[:2] = 0.5
        return found

    halves = {
        layer: setter(signal, slice(1, None), other["signals"][layer][signal])
        for layer in models.LAYERS[1:3]
    }
    compare(kind, [a, b, c], {"low": first_a, **halves})
    compare(kind, [b, c, a], {"low": first_b, **halves}, whole=True)


def test_resampled_values_are_those_of_the_donors(kind, other):
    signal = models.STATES[kind][0]
    made = tg.ResampleAblation("low", signal, CHOSEN, reference=other["trace"], seed=3, steps=SOME)
    traced = tg.trace(
        tg.intervene(models.model_of(kind), [made]), models.inputs(), batch_size=4, layers="low"
    )
    own, values = other["signals"]["low"][signal], traced["low"][signal].values
    donors = np.full(SOME.shape, -1)
    for n, t in np.argwhere(SOME & traced["low"]["mask"].values):
        same = np.isclose(own[:, t][:, CHOSEN], values[n, t][CHOSEN], atol=1e-6).all(-1)
        assert same.sum() == 1, "exactly one example has these values"
        donors[n, t] = np.flatnonzero(same)[0]
        assert donors[n, t] != n
    # And what follows is what follows from them.
    filled = np.take_along_axis(own, np.maximum(donors, 0)[..., None], axis=0)
    where = donors >= 0

    def edit(name, found, n, t):
        if name != signal or not where[n, t]:
            return found
        found = np.array(found)
        found[CHOSEN] = filled[n, t][CHOSEN]
        return found

    compare(kind, [made], {"low": edit})
