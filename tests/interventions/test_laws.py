"""Law 4 for every kind of model, and that the model is left alone."""

import keras
import numpy as np
import pytest
import xarray as xr
from keras import tree

import textgate as tg
from tests.interventions import models
from tests.tracing import kinds
from textgate.tracing import find_sites

KINDS = ["lstm", "gru"]


def numpy(x):
    return tree.map_structure(lambda part: np.asarray(keras.ops.convert_to_numpy(part)), x)


def close(a, b, atol=1e-6):
    tree.map_structure(lambda x, y: np.testing.assert_allclose(x, y, atol=atol), numpy(a), numpy(b))


def state_of(model):
    states = [
        value
        for layer in model._flatten_layers()
        for value in tree.flatten(getattr(layer, "states", None) or [])
    ]
    return [np.array(keras.ops.convert_to_numpy(v)) for v in [*model.variables, *states]]


def assert_untouched(model, before, attributes):
    for a, b in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(a, b)
    for layer in model._flatten_layers():
        assert {"inner_loop", "call"}.isdisjoint(vars(layer).keys() - attributes[id(layer)])


def attributes_of(model):
    return {id(layer): set(vars(layer)) for layer in model._flatten_layers()}


# The ways to merge a Bidirectional make no difference before they are merged.
@pytest.fixture(params=[name for name in kinds.KINDS if name[-3:] not in ("sum", "mul", "ave")])
def any_kind(request):
    kind = kinds.kind_of(request.param)
    kind.model.run_eagerly = True
    yield kind
    kind.model.run_eagerly = False


@pytest.mark.law(4)
def test_any_model_patched_from_its_own_trace_is_itself(any_kind):
    model, size = any_kind.model, any_kind.batch_sizes[0]
    x = tree.map_structure(lambda part: part[:size], any_kind.inputs)
    before, attributes = state_of(model), attributes_of(model)
    own = tg.trace(model, x, batch_size=size)
    plain = tg.intervene(model, []).predict(x, batch_size=size)
    patches = [
        tg.Patch(site.path, signal, source=own)
        for site in find_sites(model)[0]
        for signal in (site.spec.cell.signals[0], "hidden_state")
    ]
    edited = tg.intervene(model, patches)
    close(edited.predict(x, batch_size=size), plain, atol=2e-6)
    again = tg.trace(edited, x, batch_size=size)
    for leaf in own.leaves:
        xr.testing.assert_allclose(
            leaf.to_dataset(), again[leaf.path].to_dataset(), rtol=0, atol=2e-6
        )
    ablated = tg.intervene(
        model, [tg.ZeroAblation(site.path, "hidden_state") for site in find_sites(model)[0]]
    )
    silent = tg.trace(ablated, x, signals="hidden_state", batch_size=size)
    for leaf in silent.leaves:
        hidden = leaf["hidden_state"].values
        assert np.all(hidden[~np.isnan(hidden)] == 0)
    assert_untouched(model, before, attributes)


@pytest.mark.law(4)
@pytest.mark.parametrize("kind", KINDS)
def test_no_intervention_is_the_identity(kind):
    model, x = models.model_of(kind), models.inputs()
    edited = tg.intervene(model, [])
    np.testing.assert_allclose(edited.predict(x), model.predict(x, verbose=0), rtol=0, atol=1e-6)
    nothing = tg.intervene(
        model,
        [
            tg.ZeroAblation("low", "hidden_state", units=[]),
            tg.Clamp("top", "candidate", value=3.0, steps=slice(3, 3)),
            tg.Steer("both", "hidden_state", direction=np.zeros(3)),
            tg.Clamp("low", "candidate", value=1.0, steps=np.zeros((6, 5), bool)),
            tg.Affine("both", "candidate", matrix=np.eye(3)),
            tg.Affine("top", "hidden_state", offset=0.0),
            tg.ZeroAblation("top", "hidden_state", subspace=np.zeros((3, 0))),
        ],
    )
    np.testing.assert_allclose(nothing.predict(x), edited.predict(x), rtol=0, atol=1e-6)


@pytest.mark.law(4)
@pytest.mark.parametrize("kind", KINDS)
def test_an_ablation_done_twice_is_done_once(kind):
    model, x = models.model_of(kind), models.inputs()
    own = tg.trace(model, x)
    for make in (
        lambda layer, signal: tg.ZeroAblation(layer, signal, [0, 2]),
        lambda layer, signal: tg.MeanAblation(layer, signal, [1], reference=own),
        lambda layer, signal: tg.MeanAblation(layer, signal, [1], reference=own, by_position=True),
        lambda layer, signal: tg.ResampleAblation(layer, signal, reference=own, seed=4),
        lambda layer, signal: tg.Clamp(layer, signal, value=0.5, steps=slice(1, 3)),
        lambda layer, signal: tg.Patch(layer, signal, [2], source=own),
    ):
        one = make("both", models.SIGNALS[kind][1])
        assert one.idempotent
        once, twice = tg.intervene(model, [one]), tg.intervene(model, [one, one])
        np.testing.assert_array_equal(once.predict(x), twice.predict(x))
        added = tg.intervene(once, [one])
        assert added.interventions == twice.interventions


@pytest.mark.law(4)
@pytest.mark.parametrize("kind", KINDS)
def test_a_subspace_of_all_directions_is_everything(kind):
    model, x = models.model_of(kind), models.inputs()
    x_other = np.where(x == 0, 0, models.inputs(seed=5, masked=False)).astype("float32")
    own, other = tg.trace(model, x), tg.trace(model, x_other)
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    for make, options in (
        (tg.ZeroAblation, {}),
        (tg.MeanAblation, {"reference": own}),
        (tg.ResampleAblation, {"reference": own}),
        (tg.Patch, {"source": other}),
        (tg.Clamp, {"value": [0.1, 0.2, 0.3]}),
    ):
        whole, rotated = (
            tg.intervene(model, [make("both", models.STATES[kind][0], **options, subspace=basis)])
            for basis in (None, rotation)
        )
        np.testing.assert_allclose(whole.predict(x), rotated.predict(x), rtol=0, atol=2e-6)
    # Units are directions, too.
    units = tg.Patch("low", "candidate", [0, 2], source=other)
    axes = tg.Patch("low", "candidate", source=other, subspace=np.eye(4)[:, [0, 2]])
    a, b = (tg.intervene(model, [one]).predict(x) for one in (units, axes))
    np.testing.assert_allclose(a, b, rtol=0, atol=2e-6)
    # From oneself nothing changes, whatever the directions.
    from_own = tg.Patch("both", "candidate", source=own, subspace=rotation[:, :2])
    same = tg.intervene(model, [from_own])
    np.testing.assert_allclose(
        same.predict(x), tg.intervene(model, []).predict(x), rtol=0, atol=2e-6
    )


@pytest.mark.law(4)
@pytest.mark.parametrize("kind", KINDS)
def test_a_projection_done_twice_is_done_once(kind):
    model, x = models.model_of(kind), models.inputs()
    rng = np.random.default_rng(1)
    signal = models.STATES[kind][0]
    states = tg.trace(model, x)["low"][signal].values.reshape(-1, 4)
    states = states[~np.isnan(states).any(axis=1)]
    eraser = tg.probing.leace(states, rng.permutation(len(states)) % 2)
    basis, _ = np.linalg.qr(rng.normal(size=(4, 2)))
    for one in (
        tg.Affine("low", signal, matrix=eraser.matrix, offset=eraser.offset),
        tg.ZeroAblation("low", signal, subspace=basis),
        tg.MeanAblation("low", signal, reference=tg.trace(model, x), subspace=basis),
    ):
        once, twice = tg.intervene(model, [one]), tg.intervene(model, [one, one])
        np.testing.assert_allclose(once.predict(x), twice.predict(x), rtol=0, atol=2e-6)
        assert np.abs(once.predict(x) - tg.intervene(model, []).predict(x)).max() > 1e-3
    doubled = tg.Affine("low", signal, matrix=2 * np.eye(4))
    assert not doubled.idempotent


@pytest.mark.law(4)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", [0, 2, 4])
def test_all_states_of_another_run_give_its_continuation(kind, step):
    rng = np.random.default_rng(step)
    cell = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[kind]
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            cell(4, return_sequences=True, name="low"),
            cell(3, return_sequences=True, name="top"),
        ]
    )
    model.run_eagerly = True
    x, other = rng.normal(size=(2, 4, 5, 3)).astype("float32")
    other[:, step + 1 :] = x[:, step + 1 :]
    source = tg.trace(model, other)
    now = slice(step, step + 1)
    edited = tg.intervene(
        model,
        [
            tg.Patch(layer, state, source=source, steps=now)
            for layer in ("low", "top")
            for state in models.STATES[kind]
        ],
    )
    after = tg.trace(edited, x)
    for layer in ("low", "top"):
        for signal in models.SIGNALS[kind]:
            a, b = after[layer][signal].values, source[layer][signal].values
            np.testing.assert_allclose(a[:, step + 1 :], b[:, step + 1 :], atol=1e-6)
    for state in models.STATES[kind]:
        np.testing.assert_allclose(
            after["low"][state].values[:, step], source["low"][state].values[:, step], atol=1e-6
        )
    own = tg.trace(model, x)
    for signal in models.SIGNALS[kind]:
        np.testing.assert_allclose(
            after["low"][signal].values[:, :step], own["low"][signal].values[:, :step], atol=1e-6
        )


def test_a_compiled_model_gives_the_same_and_is_left_alone():
    model, x = models.built("lstm", eagerly=False), models.inputs()
    before, attributes = state_of(model), attributes_of(model)
    outputs = model.predict(x, verbose=0)
    own = tg.trace(model, x)
    interventions = [
        tg.Patch("low", "candidate", [0, 1], source=own),
        tg.ResampleAblation("both", "hidden_state", [1], reference=own),
        tg.Clamp("top", "retention", [2], value=1.0, steps=np.eye(6, 5, dtype=bool)),
        tg.MeanAblation("top", "candidate", reference=own, by_position=True, steps=slice(2, None)),
        tg.Affine("both", "candidate", [0, 2], matrix=[[0.5, 0.2], [0.0, 2.0]], offset=0.1),
        tg.Patch("low", "hidden_state", source=own, subspace=np.full((4, 1), 0.5)),
    ]
    edited = tg.intervene(model, interventions)
    whole = edited.predict(x)
    assert np.abs(whole - outputs).max() > 1e-3
    for size in (1, 4):  # the last batch of 4 has 2
        np.testing.assert_allclose(edited.predict(x, batch_size=size), whole, rtol=0, atol=1e-6)
    np.testing.assert_allclose(edited(x), whole, rtol=0, atol=1e-6)
    model.run_eagerly = True
    np.testing.assert_allclose(edited.predict(x), whole, rtol=0, atol=1e-6)
    model.run_eagerly = False
    for wrong in (x[:5], np.ones_like(x)):
        with pytest.raises(ValueError, match="Received: "):
            edited.predict(wrong, batch_size=4)
    assert_untouched(model, before, attributes)
    np.testing.assert_array_equal(model.predict(x, verbose=0), outputs)


def test_an_edited_model_follows_the_weights_of_its_model():
    model, x = models.built("gru"), models.inputs()
    edited = tg.intervene(model, [tg.ZeroAblation("low", "hidden_state", [0])])
    first = edited.predict(x)
    kernel = model.get_layer("readout").kernel
    kernel.assign(2.0 * kernel)
    model.get_layer("readout").bias.assign([0.0, 0.0])
    bias_free = edited.predict(x)
    kernel.assign(0.5 * kernel)
    np.testing.assert_allclose(2 * edited.predict(x), bias_free, atol=1e-6)
    assert np.abs(first - bias_free).max() > 1e-3


def test_states_of_a_stateful_model_go_from_batch_to_batch_and_stay_in_it_as_they_are():
    kind = kinds.KINDS["stateful"]()
    model, x = kind.model, kind.inputs
    model.run_eagerly = True
    size = kind.batch_sizes[0]
    before = state_of(model)
    edited = tg.intervene(model, [])
    first = edited.predict(x, batch_size=size)
    close(first, edited.predict(x, batch_size=size))
    assert_untouched(model, before, attributes_of(model))
    close(first, model.predict(x, batch_size=size, verbose=0))


def test_units_numbers_and_steps_need_no_new_program():
    from textgate.tracing import program

    model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4, name="low")])
    x = models.inputs(masked=False)
    own = tg.trace(model, x)
    before = len(program._programs[model])
    for unit in range(4):
        edits = [
            tg.Clamp("low", "forget_gate", [unit], value=unit / 4, steps=slice(unit)),
            tg.Patch("low", "cell_state", range(unit), source=own),
            tg.Affine("low", "candidate", matrix=np.full((4, 4), unit), offset=unit),
        ]
        tg.intervene(model, edits).predict(x, batch_size=4)
    made = list(program._programs[model].values())
    assert len(made) == before + 1
    if keras.backend.backend() == "tensorflow":
        assert len({id(f) for f in made[-1]._function.compiled.values()}) == 1
