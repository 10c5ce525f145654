"""Edits take effect inside the step, and what doesn't fit is refused by name."""

import numpy as np
import pytest

from tests import reference
from textgate import recurrence
from textgate.recurrence import CELLS, Edit, Spec, Weights

pytestmark = pytest.mark.usefixtures("without_compiling")
KINDS = ["lstm", "gru", "simple_rnn"]
EVERY_SIGNAL = [(kind, signal) for kind in KINDS for signal in CELLS[kind].signals]
SHAPE = (3, 5, 2)


def setting(rng, kind):
    weights = reference.random_weights(rng, kind, 4, 2)
    states = [rng.normal(size=(3, 2)) for _ in CELLS[kind].states]
    return rng.normal(size=(3, 5, 4)), weights, states


def run(kind, inputs, weights, states, **options):
    as_float = [np.asarray(w, "float32") for w in weights]
    signals, final = recurrence.sequence(
        Spec(kind, 2), np.asarray(inputs, "float32"), Weights(*as_float), states, **options
    )
    return {name: np.asarray(s) for name, s in signals.items()}, [np.asarray(f) for f in final]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("masked", ["none", "gaps", "a row all masked"])
@pytest.mark.parametrize(("kind", "signal"), EVERY_SIGNAL)
def test_everything_after_an_edit_follows_from_it(rng, kind, signal, masked, backwards):
    inputs, weights, states = setting(rng, kind)
    mask = reference.mask_of(masked)
    where_value, where_map = rng.random(SHAPE) < 0.3, rng.random((1, 5, 1)) < 0.5
    value, matrix, offset = rng.normal(size=SHAPE), rng.normal(size=(2, 2)), rng.normal(size=2)
    edits = [
        Edit(signal, mask=where_value, value=value),
        Edit(signal, mask=where_map, matrix=matrix, offset=offset),
    ]

    def edit(name, found, n, t):
        if name != signal:
            return found
        found = np.where(where_value[n, t], value[n, t], found)
        return np.where(where_map[0, t], found @ matrix + offset, found)

    expected, final = reference.run(kind, inputs, *weights, states, mask, backwards, edit=edit)
    states = [np.asarray(s, "float32") for s in states]
    signals, found = run(
        kind, inputs, weights, states, mask=mask, go_backwards=backwards, edits=edits
    )
    for name in signals:
        np.testing.assert_allclose(signals[name], expected[name], rtol=1e-4, atol=1e-4)
    for a, b in zip(found, final, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(), (2,), (5, 1), (1, 5, 1), (3, 1, 1), (3, 1, 2), (1, 1, 2)])
def test_a_mask_broadcasts_as_numpy_does(rng, shape):
    inputs, weights, states = setting(rng, "lstm")
    where = rng.random(shape) < 0.5
    states = [np.asarray(s, "float32") for s in states]
    arguments = ("lstm", inputs, weights, states)
    short, _ = run(*arguments, edits=[Edit("forget_gate", mask=where, value=0.25)])
    full = np.broadcast_to(where, SHAPE)
    long, _ = run(*arguments, edits=[Edit("forget_gate", mask=full, value=np.full(SHAPE, 0.25))])
    for name in short:
        np.testing.assert_array_equal(short[name], long[name])
    assert np.all(short["forget_gate"][full] == 0.25)


def test_an_edit_without_effect_is_the_identity(rng):
    inputs, weights, states = setting(rng, "gru")
    states = [np.asarray(s, "float32") for s in states]
    untouched, _ = run("gru", inputs, weights, states)
    nothing = [
        Edit("update_gate", mask=False, value=0.0),
        Edit("hidden_state", matrix=np.eye(2), offset=0.0),
    ]
    edited, _ = run("gru", inputs, weights, states, edits=nothing)
    for name in untouched:
        np.testing.assert_allclose(edited[name], untouched[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (lambda: Edit("reset_gate", value=1.0), "'reset_gate'"),
        (lambda: Edit("cell_state", mask=np.ones((4, 5, 2), bool), value=1.0), "`mask`"),
        (lambda: Edit("cell_state", value=np.ones((3, 5, 3))), "`value`"),
        (lambda: Edit("cell_state", value=np.ones((1, 3, 5, 2))), "`value`"),
        (lambda: Edit("cell_state", offset=np.ones(3)), "`offset`"),
        (lambda: Edit("cell_state", matrix=np.ones((3, 2))), "`matrix`"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(rng, make, part):
    inputs, weights, states = setting(rng, "lstm")
    with pytest.raises(ValueError, match=rf"{part}.*Received: |Received: {part}"):
        run("lstm", inputs, weights, states, edits=[make()])


@pytest.mark.parametrize("options", [{}, {"value": 1.0, "offset": 2.0}])
def test_an_edit_has_a_value_or_a_map(options):
    with pytest.raises(ValueError, match=r"either a `value` or an affine map.*Received: "):
        Edit("cell_state", **options)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"inputs": np.ones((3, 4))}, "`inputs`"),
        ({"mask": np.ones((3, 4))}, "`mask`"),
        ({"mask": np.ones((3, 5, 2))}, "`mask`"),
        ({"states": [np.ones((3, 2))]}, "states"),
        ({"states": [np.ones((3, 2)), np.ones((3, 3))]}, "'cell_state'"),
        ({"weights": Weights(np.ones((5, 8)), np.ones((2, 8)))}, "`kernel`"),
        ({"weights": Weights(np.ones((4, 8)), np.ones((2, 6)))}, "`recurrent_kernel`"),
        ({"weights": Weights(np.ones((4, 8)), np.ones((2, 8)), np.ones((2, 8)))}, "`bias`"),
    ],
)
def test_arguments_of_the_wrong_shape_are_named(rng, change, part):
    inputs, weights, states = setting(rng, "lstm")
    given = {"inputs": inputs, "weights": Weights(*weights), "states": states, **change}
    with pytest.raises(ValueError, match=rf"{part}.*Received: "):
        recurrence.sequence(
            Spec("lstm", 2),
            given["inputs"],
            given["weights"],
            given["states"],
            mask=given.get("mask"),
        )


@pytest.mark.parametrize(
    ("arguments", "options", "part"),
    [
        (("rnn", 2), {}, "`cell`"),
        (("lstm", 2), {"fixed_gates": {"reset_gate": 1}}, "reset_gate"),
        (("lstm", 2), {"fixed_gates": {"forget_gate": 1.5}}, "1.5"),
        (("lstm", 2), {"fixed_gates": {"forget_gate": True}}, "True"),
        (("gru", 2), {"fixed_gates": {"candidate": 1.0}}, "candidate"),
        (("gru", 2), {"coupled": True}, "coupled"),
        (("lstm", 2), {"coupled": True, "fixed_gates": {"input_gate": 1}}, "coupled"),
        (("lstm", 2), {"leak": False}, "leak"),
    ],
)
def test_options_that_a_cell_does_not_have(arguments, options, part):
    with pytest.raises(ValueError, match=rf"{part}(.|\n)*Received: |Received: (.|\n)*{part}"):
        Spec(*arguments, **options)
