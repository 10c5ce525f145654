"""A variant written as a stock cell computes what its equations say, and has their gradients."""

import keras
import numpy as np
import pytest

from textgate.recurrence import Spec, Weights, fast, sequence
from textgate.recurrence import _plain as plain
from textgate.recurrence._loops import time_first
from textgate.recurrence._variants import as_stock
from textgate.recurrence.steps import project

VARIANTS = [
    ("lstm", {"fixed_gates": {"forget_gate": 1.0}}),
    ("lstm", {"fixed_gates": {"input_gate": 0.3, "output_gate": 0.0}}),
    ("lstm", {"coupled": True}),
    ("lstm", {"coupled": True, "fixed_gates": {"forget_gate": 0.75}}),
    ("gru", {"fixed_gates": {"reset_gate": 0.0}}),
    ("gru", {"fixed_gates": {"reset_gate": 1.0}, "reset_after": False}),
    ("gru", {"fixed_gates": {"reset_gate": 0.5, "update_gate": 0.9}}),
    ("gru", {"leak": False}),
    ("gru", {"leak": False, "fixed_gates": {"reset_gate": 1.0}, "reset_after": False}),
]
MASK = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 0, 0]], bool)


def random_weights(rng, spec, features, bias=True):
    columns = len(spec.cell.columns) * spec.units
    shape = (2, columns) if spec.cell.kind == "gru" and spec.reset_after else (columns,)
    sizes = ((features, columns), (spec.units, columns), shape)
    kernel, recurrent, b = (rng.normal(size=size).astype("float32") for size in sizes)
    return [kernel, recurrent, b] if bias else [kernel, recurrent]


@pytest.mark.usefixtures("without_compiling")
@pytest.mark.parametrize(("bias", "mask"), [(False, None), (True, MASK)], ids=["whole", "gaps"])
@pytest.mark.parametrize(("kind", "options"), VARIANTS)
def test_signals_and_gradients_are_the_variants(rng, gradients, kind, options, bias, mask):
    spec = Spec(kind, units=3, **options)
    x = rng.normal(size=(2, 5, 4)).astype("float32")
    weights = random_weights(rng, spec, 4, bias)
    states = [rng.normal(size=(2, 3)).astype("float32") for _ in spec.cell.states]
    stock, _ = as_stock(spec, Weights(*map(keras.ops.convert_to_tensor, weights)))
    assert (not stock.fixed_gates, stock.coupled, stock.leak) == (True, False, spec.leak)
    if keras.backend.backend() == "tensorflow":
        assert fast.supports(stock)
    factors = {name: rng.normal(size=(2, 5, 3)).astype("float32") for name in spec.cell.signals}

    def summed(signals):
        return sum(keras.ops.sum(signals[name] * factors[name]) for name in spec.cell.signals)

    def by_the_equations(x, *weights):
        weights = Weights(*weights)
        projected = project(spec, time_first(x), weights)
        start = [keras.ops.convert_to_tensor(state) for state in states]
        there = None if mask is None else keras.ops.convert_to_tensor(mask.T[..., None])
        signals, _ = plain.run(spec, projected, weights, start, there, False)
        return {name: time_first(signal) for name, signal in signals.items()}

    def as_it_is_done(x, *weights):
        return sequence(spec, x, Weights(*weights), states, mask=mask)[0]

    expected, found = by_the_equations(x, *weights), as_it_is_done(x, *weights)
    for name in spec.cell.signals:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-6)
    for name, value in spec.fixed_gates.items():
        gate = np.asarray(found[name])[slice(None) if mask is None else mask]
        np.testing.assert_allclose(gate, value, rtol=0 if value in (0.0, 1.0) else 1e-6, atol=0)
    pairs = zip(
        gradients(lambda *a: summed(as_it_is_done(*a)), [x, *weights]),
        gradients(lambda *a: summed(by_the_equations(*a)), [x, *weights]),
        strict=True,
    )
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_what_is_no_variant_of_a_stock_cell_stays(rng):
    for spec in (
        Spec("lstm", units=2),
        Spec("gru", units=2, leak=False),
        Spec("gru", units=2, leak=False, activation="relu"),
        Spec("lstm", units=2, activation="relu", fixed_gates={"forget_gate": 1.0}),
    ):
        weights = Weights(*random_weights(rng, spec, 2))
        assert as_stock(spec, weights) == (spec, weights)
