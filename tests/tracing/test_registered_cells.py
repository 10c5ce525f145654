"""The laws for cells that users register: three that textgate doesn't have, in every setting."""

import dataclasses
import inspect

import keras
import numpy as np
import pytest
import xarray as xr

import textgate as tg
from tests.recurrence import cells
from textgate import recurrence
from textgate.layers import _equations, check_cell, spec_of, weights_of
from textgate.tracing import find_sites, fingerprint
from textgate.tracing.program import Program

EXAMPLES, STEPS, FEATURES = 6, 5, 3
WIDTHS = {"low": 4, "both": 3, "top": 2}
RNG = np.random.default_rng


def model_of(kind):
    """A model with initial states, masks, both directions and one that goes backwards."""
    new = cells.CELLS[kind][0]
    count = len(recurrence.CELLS[kind].states)
    inputs = keras.Input((None, FEATURES))
    states = [keras.Input((WIDTHS["low"],)) for _ in range(count)]
    x = keras.layers.Masking()(inputs)
    low = keras.layers.RNN(new(WIDTHS["low"]), return_sequences=True, name="low")
    x = low(x, initial_state=states, mask=keras.ops.any(inputs != 0, axis=-1))
    both = keras.layers.RNN(new(WIDTHS["both"]), return_sequences=True, name="rnn")
    x = keras.layers.Bidirectional(both, name="both")(x)
    top = keras.layers.RNN(new(WIDTHS["top"]), go_backwards=True, return_state=True, name="top")
    model = keras.Model([inputs, *states], top(x))
    random = RNG(0)
    for weight in model.weights:
        weight.assign(random.normal(0, 0.6, weight.shape))
    return model


def inputs_of(kind, seed=1):
    """Random inputs with gaps, padding left and right, and an example of nothing but padding."""
    random = RNG(seed)
    x = random.normal(size=(EXAMPLES, STEPS, FEATURES)).astype("float32")
    x[RNG(9).random((EXAMPLES, STEPS)) < 0.3] = 0
    x[0, 0] = x[1, -1] = x[2] = 0
    x[3] += 0.1
    count = len(recurrence.CELLS[kind].states)
    states = random.normal(size=(count, EXAMPLES, WIDTHS["low"])).astype("float32")
    return [x, *states]


def run(kind, cell, inputs, mask, initial=None, backwards=False):
    """One layer in float64 NumPy: {signal: (example, time, unit)}, NaN where masked; final states.

    At masked steps the states before are handed on.
    """
    step, names = cells.CELLS[kind][1], recurrence.CELLS[kind].states
    weights = {name: np.asarray(w, "float64") for name, w in weights_of(cell)._asdict().items()}
    units = spec_of(cell).units
    shape = (*inputs.shape[:2], units)
    signals = {name: np.full(shape, np.nan) for name in recurrence.CELLS[kind].signals}
    final = [np.array(s, "float64") for s in initial or [np.zeros((len(inputs), units))] * 2]
    final = final[: len(names)]
    for n in range(len(inputs)):
        for t in reversed(range(shape[1])) if backwards else range(shape[1]):
            if not mask[n, t]:
                continue
            found = step(weights, inputs[n, t], [state[n] for state in final])
            for name, value in found.items():
                signals[name][n, t] = value
            for state, name in zip(final, names, strict=True):
                state[n] = found[name]
    return signals, final


def expected_of(kind, model, inputs):
    x, *states = (np.asarray(part, "float64") for part in inputs)
    mask = (x != 0).any(axis=-1)
    both = model.get_layer("both")
    nodes, hidden = {}, {}

    def layer(path, cell, x, initial=None, backwards=False):
        nodes[path], final = run(kind, cell, np.nan_to_num(x), mask, initial, backwards)
        hidden[path] = nodes[path]["hidden_state"]
        return final

    layer("low", model.get_layer("low").cell, x, states)
    layer("both/forward_rnn", both.forward_layer.cell, hidden["low"])
    layer("both/backward_rnn", both.backward_layer.cell, hidden["low"], backwards=True)
    merged = np.concatenate([hidden["both/forward_rnn"], hidden["both/backward_rnn"]], axis=-1)
    final = layer("top", model.get_layer("top").cell, merged, backwards=True)
    return nodes, final


def numpy(x):
    return keras.tree.map_structure(lambda part: np.asarray(keras.ops.convert_to_numpy(part)), x)


def close(a, b, atol=2e-6):
    keras.tree.map_structure(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=0, atol=atol), numpy(a), numpy(b)
    )


@pytest.fixture(params=cells.CELLS)
def kind(request):
    return request.param


@pytest.fixture
def model(kind):
    return model_of(kind)


@pytest.fixture
def inputs(kind):
    return inputs_of(kind)


@pytest.mark.law(2)
def test_signals_satisfy_the_equations(kind, model, inputs):
    nodes, final = expected_of(kind, model, inputs)
    trace = tg.trace(model, inputs, batch_size=4)
    assert {leaf.path.strip("/") for leaf in trace.leaves} == set(nodes)
    for path, signals in nodes.items():
        node = trace[path].to_dataset()
        assert node.attrs["cell"] == kind
        for name, values in signals.items():
            np.testing.assert_allclose(node[name], values, atol=2e-6, err_msg=f"{path} {name}")
    close(list(model.predict(inputs, verbose=0)[1:]), final)


@pytest.mark.law(3)
def test_outputs_with_tracing_are_those_of_the_keras_cell(model, inputs):
    paths = {site.path: site.spec.cell.signals for site in find_sites(model)[0]}
    before = [np.array(w) for w in model.get_weights()]
    plain = numpy(model(inputs, training=False))
    program = Program(model, paths, with_outputs=True)
    close(program(program.state(), inputs)[0][""], plain, 1e-6)
    again = numpy(model(inputs, training=False))
    keras.tree.map_structure(np.testing.assert_array_equal, plain, again)
    keras.tree.map_structure(np.testing.assert_array_equal, before, model.get_weights())


@pytest.mark.law(4)
def test_empty_interventions_and_own_values_change_nothing(model, inputs):
    plain = model.predict(inputs, verbose=0)
    close(tg.intervene(model, []).predict(inputs), plain, 1e-6)
    own = tg.trace(model, inputs)
    for site in find_sites(model)[0]:
        for signal in site.spec.cell.signals:
            patched = tg.intervene(model, [tg.Patch(site.path, signal, source=own)])
            close(patched.predict(inputs), plain)


@pytest.mark.law(4)
def test_an_ablation_acts_inside_the_step_and_is_done_once(kind, model, inputs):
    memory = recurrence.CELLS[kind].memory
    one = tg.ZeroAblation("low", memory, units=[0, 2])
    once, twice = tg.intervene(model, [one]), tg.intervene(model, [one, one])
    keras.tree.map_structure(
        np.testing.assert_array_equal, once.predict(inputs), twice.predict(inputs)
    )
    # A gate shut from a step on: nothing before it changes, and what comes after follows from it.
    shut = tg.Clamp("low", "forget_gate", value=0.0, steps=slice(2, None))
    own, edited = (tg.trace(m, inputs)["low"] for m in (model, tg.intervene(model, [shut])))
    changed = edited.to_dataset()["hidden_state"] - own.to_dataset()["hidden_state"]
    assert np.nanmax(np.abs(changed.values[:, :2])) == 0
    assert np.nanmax(np.abs(changed.values[:, 2:])) > 1e-3
    later = edited["forget_gate"].values[:, 2:]
    assert np.all(later[np.isfinite(later)] == 0)


@pytest.mark.law(4)
def test_all_states_of_another_run_give_its_continuation(kind, model, inputs):
    """Up to the third step everything is the other run's; from there on the inputs are the same."""
    other = inputs_of(kind, seed=5)
    for a, b in zip(inputs[1:], other[1:], strict=True):
        a[:], b[:] = 0, 0
    other[0][:, 3:] = inputs[0][:, 3:]
    source = tg.trace(model, other)
    states = recurrence.CELLS[kind].states
    edited = tg.intervene(
        model, [tg.Patch("low", name, source=source, steps=slice(0, 3)) for name in states]
    )
    found, expected = (tg.trace(*pair)["low"] for pair in ((edited, inputs), (model, other)))
    apart = tg.trace(model, inputs)["low"]["hidden_state"] - expected["hidden_state"]
    assert np.nanmax(np.abs(apart.values[:, 3:])) > 1e-3
    for name in states:
        np.testing.assert_allclose(
            found[name].values[:, 3:], expected[name].values[:, 3:], atol=2e-6
        )


@pytest.mark.law(5)
def test_a_streamed_trace_is_the_same_and_needs_its_cell(
    kind, model, inputs, tmp_path, monkeypatch
):
    memory = tg.trace(model, inputs)
    tg.trace(model, inputs, batch_size=4, to=tmp_path / "gates.zarr").close()
    opened = tg.tracing.open(tmp_path / "gates.zarr")
    for leaf in memory.leaves:
        xr.testing.assert_allclose(leaf.to_dataset(), opened[leaf.path].to_dataset(), atol=1e-6)
    opened.close()
    monkeypatch.delitem(recurrence.CELLS, kind)
    with pytest.raises(ValueError, match=rf"register_cell.*Received: '{kind}'"):
        tg.tracing.open(tmp_path / "gates.zarr")
    with pytest.raises(ValueError, match=rf"register_cell.*Received: '{kind}'"):
        tg.tracing.save(memory, tmp_path / "again.zarr")
    with pytest.raises(ValueError, match=rf"register_cell.*Received: '{kind}'"):
        tg.plots.heatmap(memory)


def test_variants_of_the_loop(kind):
    new = cells.CELLS[kind][0]
    x = RNG(0).normal(size=(2, STEPS, FEATURES)).astype("float32")
    cell = new(3)
    for options in ({"unroll": True}, {"go_backwards": True}, {"stateful": True}):
        shape = (2, STEPS, FEATURES)
        layer = keras.layers.RNN(cell, return_sequences=True, name="rnn", **options)
        model = keras.Sequential([keras.Input(batch_shape=shape), layer])
        hidden = tg.trace(model, x)["rnn"]["hidden_state"].values
        outputs = numpy(model(x))
        close(hidden, outputs[:, ::-1] if layer.go_backwards else outputs)
    stacked = keras.layers.RNN([new(3), keras.layers.GRUCell(2)], name="rnn")
    model = keras.Sequential([keras.Input((None, FEATURES)), stacked])
    trace = tg.trace(model, x)
    assert [leaf.attrs["cell"] for leaf in trace.leaves] == [kind, "gru"]
    close(list(trace.leaves)[1]["hidden_state"].values[:, -1], model(x))


def test_figures_speak_of_the_cell(kind, model, inputs):
    pytest.importorskip("matplotlib")
    cell = recurrence.CELLS[kind]
    trace = tg.trace(model, inputs)
    figure = tg.plots.heatmap(trace, example=3, layer="low")
    titles = [axes.get_title(loc="left") for axes in figure.axes[: len(cell.signals)]]
    assert titles == [f"{n.replace('_', ' ')} {cell.letters[n]}" for n in cell.in_plots]
    assert figure._supxlabel.get_text().startswith(f"{cell.heading} layer “low”")
    node = trace["low"].to_dataset()
    assert tg.plots.half_lives(node)
    assert tg.plots.saturation(node)
    other_way = kind == "mgu"
    assert node["retention"].attrs["symbol"] == ("1 − f" if other_way else "f")
    kept = 1 - node["forget_gate"] if other_way else node["forget_gate"]
    np.testing.assert_allclose(node["retention"], kept, atol=1e-6)


def test_settings_of_the_cell_reach_its_equations():
    new = cells.layer_norm_lstm.LayerNormLSTMCell
    models = []
    for epsilon in (1e-3, 0.5):
        rnn = keras.layers.RNN(new(4, epsilon=epsilon), name="rnn")
        models.append(keras.Sequential([keras.Input((None, FEATURES)), rnn]))
    models[1].set_weights(models[0].get_weights())
    x = RNG(0).normal(size=(2, STEPS, FEATURES)).astype("float32")
    hidden = [tg.trace(m, x)["rnn"]["hidden_state"].values[:, -1] for m in models]
    close(hidden, [m(x) for m in models])
    assert np.abs(hidden[0] - hidden[1]).max() > 1e-3
    assert fingerprint(models[0]) != fingerprint(models[1])
    assert hash(spec_of(new(4))) == hash(spec_of(new(4)))
    assert spec_of(new(4)) == spec_of(new(4)) != spec_of(new(4, epsilon=0.5))


def test_a_cell_is_compared_with_its_equations(kind):
    new = cells.CELLS[kind][0]
    cell = new(4)
    check_cell(cell)
    before = cell.get_weights()
    check_cell(cell, seed=1)
    keras.tree.map_structure(np.testing.assert_array_equal, before, cell.get_weights())


def registered(monkeypatch, name, **changes):
    """A class like the minimal gated unit's, registered for one test with other equations."""
    monkeypatch.setattr(_equations, "_REGISTERED", dict(_equations._REGISTERED))
    unit = cells.minimal_gated_unit
    monkeypatch.setitem(recurrence.CELLS, name, unit.MGU)
    new = type("Mine", (unit.MGUCell,), {"call": lambda self, x, h: unit.MGUCell.call(self, x, h)})
    tg.register_cell(new, dataclasses.replace(unit.MGU, kind=name, **changes))
    return new


def test_wrong_equations_are_found(monkeypatch):
    right = cells.minimal_gated_unit.step

    def wrong(spec, x, states, weights, change):
        return right(spec, x, states, weights, lambda n, s: change(n, 2 * s))

    new = registered(monkeypatch, "wrong", step=wrong)
    with pytest.raises(ValueError, match=r"hidden state that its Keras cell gives.*Received: Mine"):
        check_cell(new(3))

    def short(*arguments):
        signals = right(*arguments)
        return {name: signals[name] for name in ("hidden_state", "forget_gate")}

    new = registered(monkeypatch, "short", step=short)
    with pytest.raises(ValueError, match=r"must return the signals \['forget_gate', 'candidate', "):
        check_cell(new(3))


def test_training_is_refused_where_it_could_matter(monkeypatch):
    class Trained(keras.Model):
        def __init__(self, cell):
            super().__init__()
            self.rnn = keras.layers.RNN(cell, name="rnn")

        def call(self, x):
            return self.rnn(x, training=True)

    x = np.ones((2, STEPS, FEATURES), "float32")
    takes_none, takes_it = (Trained(cells.CELLS[k][0](3)) for k in ("mgu", "peephole_lstm"))
    outputs, _ = takes_none(x), takes_it(x)
    close(tg.trace(takes_none, x)["rnn"]["hidden_state"].values[:, -1], outputs)
    with pytest.raises(ValueError, match=r"training=False.*Received: training=True, layer 'rnn'"):
        tg.trace(takes_it, x)


def test_mistakes(monkeypatch):
    unit = cells.minimal_gated_unit
    with pytest.raises(TypeError, match=r"class of Keras layers.*Received: 'mgu'"):
        tg.register_cell("mgu", unit.MGU)
    with pytest.raises(TypeError, match=r"recurrence\.Cell\. Received: function"):
        tg.register_cell(unit.MGUCell, unit.step)
    for new, cell in ((keras.layers.GRUCell, unit.MGU), (unit.MGUCell, recurrence.GRU)):
        with pytest.raises(ValueError, match=r"a class and a kind of its own. Received: "):
            tg.register_cell(new, cell)
    with pytest.raises(ValueError, match=r"signal 'update_gate' in its table. Received"):
        dataclasses.replace(unit.MGU, retention=("update_gate", 1.0, 0.0))
    with pytest.raises(ValueError, match=r"signal 'hidden_state' in its table. Received"):
        dataclasses.replace(unit.MGU, table=unit.MGU.table[:2], states=("candidate",))
    new = registered(monkeypatch, "two", states=("hidden_state", "candidate"))
    with pytest.raises(ValueError, match=r"'candidate'.*Received: Mine with state_size=3"):
        spec_of(new(3))
    new = registered(monkeypatch, "listed")
    cell = new(3)
    cell.more = [keras.Variable(np.ones(2), name="more")]
    cell.build((None, 3))
    with pytest.raises(ValueError, match=r"attribute of the cell.*Received: Mine with \['more'"):
        weights_of(cell)


def test_it_takes_about_twenty_lines():
    """A step, a `Cell`, a registration: what a user writes besides the Keras cell itself."""
    source = inspect.getsource(cells.minimal_gated_unit)
    lines = source[source.index("def step") : source.index("def reference")].strip().splitlines()
    assert len([line for line in lines if line.strip()]) <= 26
