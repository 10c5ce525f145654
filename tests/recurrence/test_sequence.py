"""The equations: every cell, mask, direction and loop against the float64 reference."""

import keras
import numpy as np
import pytest
from keras import ops

from tests import reference
from textgate import recurrence
from textgate.recurrence import Spec, Weights, fast

pytestmark = pytest.mark.usefixtures("without_compiling")
KINDS = [("lstm", True), ("gru", True), ("gru", False), ("simple_rnn", True)]
FEATURES, UNITS = 4, 3
# Keras's operations on JAX compute in float32 whatever they are given.
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
FLOAT, TOLERANCE = ("float64", 1e-12) if ON_TENSORFLOW else ("float32", 2e-6)


@pytest.fixture(params=["fast", "plain"] if ON_TENSORFLOW else ["plain"])
def loop(request, monkeypatch):
    """Both loops, where a backend has two."""
    if request.param == "plain":
        monkeypatch.setattr(fast, "supports", lambda spec: False)
    return request.param


def setting(rng, kind, reset_after, bias=True):
    weights = reference.random_weights(rng, kind, FEATURES, UNITS, bias, reset_after)
    inputs = rng.normal(size=(3, 5, FEATURES))
    states = [rng.normal(size=(3, UNITS)) for _ in recurrence.CELLS[kind].states]
    return inputs, weights, states


def cast(*arrays):
    return [None if a is None else np.asarray(a, FLOAT) for a in arrays]


def assert_equal(found, expected):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("mask", reference.MASKS)
@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_signals_and_states_satisfy_the_equations(
    rng, loop, kind, reset_after, mask, backwards, bias
):
    inputs, weights, states = setting(rng, kind, reset_after, bias)
    mask = reference.mask_of(mask)
    expected, final = reference.run(
        kind, inputs, *weights, states, mask, backwards, reset_after=reset_after
    )
    signals, found = recurrence.sequence(
        Spec(kind, UNITS, reset_after=reset_after),
        *cast(inputs),
        Weights(*cast(*weights)),
        cast(*states),
        mask=mask,
        go_backwards=backwards,
    )
    assert list(signals) == list(recurrence.CELLS[kind].signals)
    for name in signals:
        assert_equal(signals[name], expected[name])
    for state, reference_state in zip(found, final, strict=True):
        assert_equal(state, reference_state)


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1)])
def test_one_example_and_one_step(rng, loop, kind, reset_after, shape):
    weights = reference.random_weights(rng, kind, FEATURES, UNITS, True, reset_after)
    inputs = rng.normal(size=(*shape, FEATURES))
    expected, _ = reference.run(kind, inputs, *weights, reset_after=reset_after)
    spec = Spec(kind, UNITS, reset_after=reset_after)
    signals, _ = recurrence.sequence(spec, *cast(inputs), Weights(*cast(*weights)))
    for name in signals:
        assert_equal(signals[name], expected[name])


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_a_step_is_a_sequence_of_one(rng, kind, reset_after):
    inputs, weights, states = setting(rng, kind, reset_after)
    spec = Spec(kind, UNITS, reset_after=reset_after)
    weights = Weights(*cast(*weights))
    inputs, *states = cast(inputs[:, :1], *states)
    signals, _ = recurrence.sequence(spec, inputs, weights, states)
    step = recurrence.step(spec, inputs[:, 0], states, weights)
    for name in signals:
        assert_equal(step[name], np.asarray(signals[name])[:, 0])


@pytest.mark.parametrize(("kind", "reset_after"), KINDS)
def test_unrolled_steps_are_the_loop(rng, kind, reset_after):
    inputs, weights, states = setting(rng, kind, reset_after)
    arguments = (*cast(inputs), Weights(*cast(*weights)), cast(*states))
    spec, mask = Spec(kind, UNITS, reset_after=reset_after), reference.mask_of("gaps")
    looped, _ = recurrence.sequence(spec, *arguments, mask=mask, go_backwards=True)
    unrolled, _ = recurrence.sequence(spec, *arguments, mask=mask, go_backwards=True, unroll=True)
    for name in looped:
        assert_equal(unrolled[name], np.asarray(looped[name]))


def test_padding_that_is_not_a_number_stays_where_it_is(rng, loop):
    inputs, weights, states = setting(rng, "lstm", True)
    mask = reference.mask_of("right padding")
    expected, _ = reference.run("lstm", inputs, *weights, states, mask)
    inputs = np.where(mask[..., None], inputs, np.nan)
    signals, _ = recurrence.sequence(
        Spec("lstm", UNITS), *cast(inputs), Weights(*cast(*weights)), cast(*states), mask=mask
    )
    for name in signals:
        assert_equal(signals[name], expected[name])


def test_exchanged_columns_are_noticed(rng):
    """The comparison above would be worthless if it passed with two gates exchanged."""
    inputs, (kernel, recurrent, bias), states = setting(rng, "lstm", True)
    swapped = [w[..., [*range(3, 6), *range(3), *range(6, 12)]] for w in (kernel, recurrent, bias)]
    expected, _ = reference.run("lstm", inputs, kernel, recurrent, bias, states)
    signals, _ = recurrence.sequence(
        Spec("lstm", UNITS), *cast(inputs), Weights(*cast(*swapped)), cast(*states)
    )
    assert np.abs(np.asarray(signals["hidden_state"]) - expected["hidden_state"]).max() > 0.01


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_custom_activations(rng, kind):
    inputs, weights, states = setting(rng, kind, True)

    def soft(x):
        return x / (1 + abs(x))

    spec = Spec(kind, UNITS, activation=soft, recurrent_activation="hard_sigmoid")
    signals, _ = recurrence.sequence(spec, *cast(inputs), Weights(*cast(*weights)), cast(*states))
    expected, _ = reference.run(
        kind,
        inputs,
        *weights,
        states,
        activation=soft,
        recurrent_activation=lambda x: np.clip(x / 6 + 0.5, 0, 1),  # slope 1/6 since Keras 3
    )
    for name in signals:
        assert_equal(signals[name], expected[name])


@pytest.mark.parametrize(
    ("options", "variant"),
    [
        ({"fixed_gates": {"forget_gate": 1.0}}, {"forget_gate": 1.0}),
        (
            {"fixed_gates": {"input_gate": 0.25, "output_gate": 1}},
            {"input_gate": 0.25, "output_gate": 1},
        ),
        ({"coupled": True}, {}),
        ({"coupled": True, "fixed_gates": {"forget_gate": 0.7}}, {"forget_gate": 0.7}),
    ],
)
def test_variants_of_the_lstm(rng, options, variant):
    inputs, weights, states = setting(rng, "lstm", True)
    signals, _ = recurrence.sequence(
        Spec("lstm", UNITS, **options), *cast(inputs), Weights(*cast(*weights)), cast(*states)
    )
    expected, _ = reference.run(
        "lstm",
        inputs,
        *weights,
        states,
        edit=lambda name, value, n, t: (
            np.full_like(value, variant.get(name, np.nan)) if name in variant else value
        ),
        coupled=options.get("coupled", False),
    )
    for name in signals:
        assert_equal(signals[name], expected[name])


@pytest.mark.parametrize("reset_after", [True, False])
def test_the_gru_without_leak(rng, reset_after):
    inputs, weights, states = setting(rng, "gru", reset_after)
    spec = Spec("gru", UNITS, reset_after=reset_after, leak=False)
    signals, _ = recurrence.sequence(spec, *cast(inputs), Weights(*cast(*weights)), cast(*states))
    expected, _ = reference.run(
        "gru", inputs, *weights, states, reset_after=reset_after, leak=False
    )
    for name in signals:
        assert_equal(signals[name], expected[name])


def test_with_the_reset_gate_shut_the_candidate_does_not_see_the_past(rng):
    inputs, weights, _ = setting(rng, "gru", True)
    spec = Spec("gru", UNITS, fixed_gates={"reset_gate": 0.0})
    weights = Weights(*cast(*weights))
    two = [
        recurrence.sequence(spec, *cast(inputs), weights, cast(state))[0]["candidate"]
        for state in (np.zeros((3, UNITS)), rng.normal(size=(3, UNITS)))
    ]
    np.testing.assert_array_equal(np.asarray(two[0]), np.asarray(two[1]))


@pytest.mark.parametrize("cell", recurrence.CELLS.values(), ids=lambda cell: cell.kind)
def test_the_table_is_the_order_of_kerass_columns(cell):
    layer = {
        "lstm": keras.layers.LSTMCell,
        "gru": keras.layers.GRUCell,
        "simple_rnn": keras.layers.SimpleRNNCell,
    }[cell.kind](2)
    layer.build((None, 3))
    assert layer.kernel.shape == (3, 2 * len(cell.columns))
    assert len(ops.convert_to_tensor(layer.get_initial_state(1))) == len(cell.states)
    assert set(cell.columns) <= set(cell.signals)
    assert set(cell.states) <= set(cell.signals)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_retention_and_writing_rebuild_the_state(rng, kind):
    inputs, weights, states = setting(rng, kind, True)
    signals, _ = recurrence.sequence(
        Spec(kind, UNITS), *cast(inputs), Weights(*cast(*weights)), cast(*states)
    )
    cell = recurrence.CELLS[kind]
    share = {}
    for name in recurrence.DERIVED:
        signal, scale, offset = cell.derived(name)
        share[name] = scale * np.asarray(signals[signal]) + offset
    kept = cell.states[-1]
    state = np.asarray(signals[kept])
    before = np.concatenate([states[-1][:, None], state[:, :-1]], axis=1)
    rebuilt = share["retention"] * before + share["writing"] * np.asarray(signals["candidate"])
    assert_equal(rebuilt, state)
