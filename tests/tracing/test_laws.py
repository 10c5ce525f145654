"""Laws 2, 3 and 5 for every kind of model: exact, changing nothing, streamed the same."""

import keras
import numpy as np
import pytest
import xarray as xr
from keras import tree

import textgate as tg
from tests.tracing import kinds, reference
from textgate.tracing._sites import find_sites
from textgate.tracing.program import Program

SIGNALS = {
    "lstm": {"input_gate", "forget_gate", "candidate", "output_gate", "cell_state"},
    "gru": {"update_gate", "reset_gate", "candidate"},
    "simple_rnn": set(),
}
ALWAYS = {"hidden_state", "retention", "writing"}
STATES = {2: ("hidden_state", "cell_state"), 1: ("hidden_state",)}


@pytest.fixture(scope="module", params=kinds.KINDS)
def kind(request):
    return kinds.kind_of(request.param)


def numpy(x):
    return tree.map_structure(reference.numpy, x)


def assert_close(trace, expected, atol=2e-6):
    assert {leaf.path.strip("/") for leaf in trace.leaves} == set(expected)
    for name, found in expected.items():
        node = trace[name].to_dataset()
        states = STATES[len(found["initial"])]
        signals = set(found) - {"initial", "final", "last"}
        assert set(node.data_vars) == signals
        assert signals >= ALWAYS
        for signal in signals:
            assert node[signal].dims == ("example", "time", "unit")
            np.testing.assert_allclose(
                node[signal].values, found[signal], atol=atol, err_msg=f"{name} {signal}"
            )
        np.testing.assert_array_equal(node["mask"].values, ~np.isnan(found["hidden_state"][..., 0]))
        for state, value in zip(states, found["initial"], strict=True):
            np.testing.assert_allclose(node[f"initial_{state}"].values, value, atol=atol)


def snapshot(model):
    states = [
        state
        for layer in model._flatten_layers()
        for state in tree.flatten(getattr(layer, "states", None) or [])
    ]
    return [reference.numpy(v) for v in [*model.variables, *states]]


@pytest.mark.law(2)
def test_signals_satisfy_the_equations(kind):
    expected = kind.expected(kind.inputs)
    trace = tg.trace(kind.model, kind.inputs, batch_size=kind.batch_sizes[0])
    assert_close(trace, expected)


@pytest.mark.law(3)
def test_outputs_with_tracing_are_those_without(kind):
    model = kind.model
    size = kind.batch_sizes[0]
    batch = tree.map_structure(lambda x: x[:size], kind.inputs)
    paths = {site.path: site.spec.cell.signals for site in find_sites(model)[0]}
    program = Program(model, paths, with_outputs=True)
    records, _ = program(program.state(), batch)
    state = snapshot(model)
    plain = numpy(model(batch, training=False))
    restore(model, state)
    tree.map_structure(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), numpy(records[""]), plain
    )


def restore(model, values):
    states = [
        state
        for layer in model._flatten_layers()
        for state in tree.flatten(getattr(layer, "states", None) or [])
    ]
    for variable, value in zip([*model.variables, *states], values, strict=True):
        variable.assign(value)


@pytest.mark.law(3)
@pytest.mark.parametrize("name", kinds.KINDS)
def test_tracing_changes_nothing(name):
    kind = kinds.KINDS[name]()  # a model that was never traced
    model, size = kind.model, kind.batch_sizes[0]
    batch = tree.map_structure(lambda x: x[:size], kind.inputs)
    before = snapshot(model)
    outputs = numpy(model(batch, training=False))
    restore(model, before)
    attributes = {id(layer): dict(vars(layer)) for layer in model._flatten_layers()}
    tg.trace(model, kind.inputs, batch_size=size)
    for a, b in zip(before, snapshot(model), strict=True):
        np.testing.assert_array_equal(a, b)
    for layer in model._flatten_layers():
        assert set(vars(layer)) == set(attributes[id(layer)])
        for attribute in ("inner_loop", "use_cudnn", "call", "_dropout_mask"):
            assert vars(layer).get(attribute) is attributes[id(layer)].get(attribute)
    again = numpy(model(batch, training=False))
    restore(model, before)
    tree.map_structure(np.testing.assert_array_equal, outputs, again)


@pytest.mark.law(5)
def test_streamed_trace_is_the_one_in_memory(kind, tmp_path):
    size = kind.batch_sizes[0]
    memory = tg.trace(kind.model, kind.inputs, batch_size=size)
    stored = tg.trace(kind.model, kind.inputs, batch_size=size, to=tmp_path / "gates.zarr")
    assert {leaf.path for leaf in memory.leaves} == {leaf.path for leaf in stored.leaves}
    for leaf in memory.leaves:
        xr.testing.assert_identical(leaf.to_dataset(), stored[leaf.path].to_dataset().load())
        assert list(leaf.data_vars) == list(stored[leaf.path].data_vars)


@pytest.mark.law(5)
def test_batch_size_changes_nothing(kind):
    first = tg.trace(kind.model, kind.inputs, batch_size=kind.batch_sizes[0])
    for size in kind.batch_sizes[1:]:
        other = tg.trace(kind.model, kind.inputs, batch_size=size)
        for leaf in first.leaves:
            xr.testing.assert_allclose(
                leaf.to_dataset(), other[leaf.path].to_dataset(), rtol=0, atol=1e-6
            )


@pytest.mark.law(5)
@pytest.mark.parametrize("name", kinds.PADDED)
def test_padding_changes_nothing(name):
    kind = kinds.kind_of(name)
    plain = tg.trace(kind.model, kind.inputs)
    x = kind.inputs
    width = [(0, 0), (3, 4)] + [(0, 0)] * (x.ndim - 2)
    padded = tg.trace(kind.model, np.pad(x, width))
    for leaf in plain.leaves:
        node = padded[leaf.path].to_dataset()
        inside = node.isel(time=slice(3, 3 + x.shape[1])).assign_coords(time=leaf["time"])
        xr.testing.assert_allclose(leaf.to_dataset(), inside, rtol=0, atol=1e-6)
        for signal in node.data_vars:
            outside = np.delete(node[signal].values, range(3, 3 + x.shape[1]), axis=1)
            assert np.isnan(outside).all()


@pytest.mark.parametrize("name", kinds.OF_ANY_LENGTH)
def test_length_one_and_a_single_example(name):
    kind = kinds.kind_of(name)
    for short in (kind.inputs[:1], kind.inputs[:, :1], kind.inputs[:1, :1]):
        assert_close(tg.trace(kind.model, short), kind.expected(short))


def test_float16_models_are_traced_too():
    policy = keras.DTypePolicy("mixed_bfloat16")
    model = keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(4, dtype=policy, name="a")])
    node = tg.trace(model, kinds.features())["a"]
    assert node["cell_state"].dtype == "float32"
    assert np.isfinite(node["cell_state"].values).all()
