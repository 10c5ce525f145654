"""The fast engine against the model itself with edits inside its loops; the laws of patching."""

import numpy as np
import pandas as pd
import pytest

import textgate as tg
from textgate.interchange import Contrasts, StackRunner, runner_for
from textgate.models import LanguageModel
from textgate.recurrence import CELLS, Edit
from textgate.tokenizers import WordTokenizer
from textgate.tracing import find_sites, intercept

WORDS = [f"{a}{b}" for a in "bcdfg" for b in "aeiou"]
# Lengths are mixed, one prefix is <bos> alone, one pair doesn't differ, and more items than words.
LENGTHS = [1, 2, 6, 3, 3, 5, 6]
MODELS = {
    "lstm": {"cell": "lstm", "units": (5,)},
    "lstm-2": {"cell": "lstm", "units": (4, 6), "tied": True, "embedding": 3},
    "lstm-3": {"cell": "lstm", "units": (3, 4, 3)},  # its top layer is like that of two
    "gru": {"cell": "gru", "units": (5,), "tied": True},
    "gru-2": {"cell": "gru", "units": (6, 4)},
    "simple_rnn-2": {"cell": "simple_rnn", "units": (5, 4)},
}
# All signals of a layer with another above; of three layers, the one whose edits reach the third.
LAYERS = {
    ("lstm", 0): ("output_gate", "cell_state", "hidden_state"),
    ("lstm-2", 0): CELLS["lstm"].signals,
    ("lstm-2", 1): ("forget_gate", "cell_state"),
    ("lstm-3", 0): ("cell_state",),
    ("gru", 0): ("update_gate", "hidden_state"),
    ("gru-2", 0): CELLS["gru"].signals,
    ("gru-2", 1): ("hidden_state",),
    ("simple_rnn-2", 0): ("hidden_state",),
}


@pytest.fixture(scope="module")
def models():
    made = {}

    def model_of(name):
        if name not in made:
            lm = LanguageModel(WordTokenizer(WORDS), seed=0, **MODELS[name])
            rng = np.random.default_rng(len(made))
            for variable in lm.weights:  # large enough that every gate moves, no bias zero or one
                if "seed" not in variable.path:
                    variable.assign(rng.normal(size=variable.shape) * 0.7)
            made[name] = lm
        return made[name]

    return model_of


def contrasts_of(lengths=LENGTHS, seed=0, with_source=True):
    rng = np.random.default_rng(seed)
    n, time = len(lengths), max(lengths)
    base = np.zeros((n, time), np.int32)
    source = np.zeros((n, time), np.int32)
    for row, length in enumerate(lengths):
        base[row, :length] = [2, *rng.integers(4, 20, length - 1)]
        source[row, :length] = base[row, :length]
        if length > 1 and row != 4:
            changed = rng.integers(1, length)
            source[row, changed] = base[row, changed] + 1
    good = rng.integers(4, 14, n).astype(np.int32)
    return Contrasts(
        table=pd.DataFrame({"item": np.arange(n)}),
        base=base,
        source=source if with_source else None,
        good=good,
        bad=good + 3,
        last=np.array(lengths, np.int32) - 1,
    )


def read(lm, items, ids, edits=None, site=None, record=None):
    """Logit of good minus logit of bad, by the model itself on whole sentences."""
    sites = [site] if site is not None else []
    with intercept(sites, edits=edits, record=record):
        logits = np.asarray(lm(ids))
    rows = np.arange(len(ids))
    at_last = logits[rows, items.last]
    return at_last[rows, items.good] - at_last[rows, items.bad]


def signal_of(lm, site, ids, signal):
    found = []
    with intercept([site], record=lambda call, signals: found.append(np.asarray(signals[signal]))):
        lm(ids)
    return found[0]


def by_the_model(lm, items, layer, signal, where, value):
    """The same by `recurrence.Edit` inside the model: every set with every item is a sentence."""
    site = find_sites(lm)[0][layer]
    m, n = len(where), len(items)
    value = np.broadcast_to(
        value, (n, *np.shape(value)[-2:]) if np.ndim(value) > 1 else np.shape(value)
    )
    edit = Edit(
        signal,
        mask=np.repeat(where, n, axis=0)[:, None],
        value=np.tile(value, (m, 1, 1)) if value.ndim == 3 else value,
    )
    many = items.select(np.tile(np.arange(n), m))
    return read(lm, many, many.base, lambda call: [edit], site).reshape(m, n)


def some_sets(units, rng):
    sets = rng.random((16, units)) < 0.4  # so many that there is one shape to compile
    sets[0], sets[1] = True, False
    return sets


@pytest.mark.parametrize(("name", "layer"), list(LAYERS))
def test_interchange_is_an_edit_inside_the_model(models, rng, name, layer):
    lm, items = models(name), contrasts_of()
    site = find_sites(lm)[0][layer]
    for signal in LAYERS[name, layer]:
        runner = StackRunner(lm, items, site.path, signal)
        value = signal_of(lm, site, items.source, signal)
        sets = some_sets(runner.units, rng)
        expected = by_the_model(lm, items, layer, signal, sets, value)
        found = runner.run(sets, "interchange")
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0, err_msg=signal)
        sets = np.eye(runner.units, dtype=bool)[np.arange(16) % runner.units]
        expected = by_the_model(lm, items, layer, signal, sets, value)
        found = runner.run(sets, "interchange")  # single units have a way of their own
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0, err_msg=signal)
    np.testing.assert_allclose(runner.clean(), read(lm, items, items.base), atol=1e-5, rtol=0)
    np.testing.assert_allclose(runner.source(), read(lm, items, items.source), atol=1e-5, rtol=0)


KINDS = [
    ("zero", {}),
    ("mean", {}),
    ("mean", {"by_position": True}),
    ("mean", {"reference": contrasts_of([2, 4], seed=9)}),
    ("mean", {"reference": contrasts_of([2, 4], seed=9), "by_position": True}),
]


@pytest.mark.parametrize("name", ["lstm-2", "gru-2"])
def test_ablations_are_edits_inside_the_model(models, rng, name):
    lm, items = models(name), contrasts_of()
    site = find_sites(lm)[0][0]
    runner = StackRunner(lm, items, site.path, "hidden_state")
    sets = some_sets(runner.units, rng)
    for kind, arguments in KINDS:
        reference = arguments.get("reference", items)
        signal = signal_of(lm, site, reference.base, "hidden_state")
        inside = [row[: last + 1] for row, last in zip(signal, reference.last, strict=True)]
        value = np.concatenate(inside).mean(axis=0)
        if kind == "zero":
            value = np.zeros_like(value)
        if arguments.get("by_position"):
            at = [[row[t] for row in inside if len(row) > t] for t in range(items.base.shape[1])]
            value = np.stack([np.mean(rows, axis=0) if rows else value for rows in at])[None]
        expected = by_the_model(lm, items, 0, "hidden_state", sets, value)
        found = runner.run(sets, kind, **arguments)
        np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0, err_msg=str(arguments))


@pytest.mark.parametrize("name", ["lstm-2", "gru"])
def test_resampling_takes_another_items_values(models, rng, name):
    lm, items = models(name), contrasts_of([3, 5, 5, 2])
    site = find_sites(lm)[0][0]
    signal = signal_of(lm, site, items.base, "candidate")
    runner = StackRunner(lm, items, site.path, "candidate")
    sets = some_sets(runner.units, rng)
    # The longest two have only each other for a donor; the others any that is as long.
    donors = {0: [1, 2], 1: [2], 2: [1], 3: [0, 1, 2]}
    possible = {
        item: [
            by_the_model(lm, items, 0, "candidate", sets, signal[[donor]])[:, item]
            for donor in others
        ]
        for item, others in donors.items()
    }
    drawn = set()
    for seed in range(8):
        found = runner.run(sets, "resample", seed=seed)
        np.testing.assert_array_equal(found, runner.run(sets, "resample", seed=seed))
        for item, columns in possible.items():
            fits = [np.allclose(found[:, item], c, atol=1e-5, rtol=0) for c in columns]
            assert any(fits)
            drawn.add((item, fits.index(True)))
    assert len(drawn) == sum(map(len, donors.values()))
    # A shorter donor, where there is none as long: its last value goes on.
    short = contrasts_of([2], seed=3)
    value = signal_of(lm, site, short.base, "candidate")[:, [0, 1, 1, 1, 1]]
    expected = by_the_model(lm, items, 0, "candidate", sets, value)
    found = runner.run(sets, "resample", reference=short)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


def test_the_signal_without_interventions_is_that_of_a_trace(models):
    lm, items = models("gru-2"), contrasts_of()
    runner = runner_for(lm, items, "gru_1", "hidden_state")
    for values, ids in ((runner.base_values(), items.base), (runner.source_values(), items.source)):
        traced = tg.trace(lm, ids)["gru_1"]["hidden_state"].values
        np.testing.assert_allclose(values, traced, atol=1e-6)  # NaN where it is
        assert values.dtype == np.float64
    rms = np.sqrt(np.nanmean(runner.base_values() ** 2, axis=(0, 1)))
    np.testing.assert_allclose(runner.activity(), rms, atol=1e-6)
    alone = runner_for(lm, contrasts_of([3], with_source=False), "gru_1", "hidden_state")
    with pytest.raises(ValueError, match=r"items' sources.*Received: "):
        alone.source_values()


@pytest.mark.parametrize("name", ["lstm", "gru-2"])
def test_a_subspace_is_an_affine_edit_inside_the_model(models, rng, name):
    lm, items = models(name), contrasts_of()
    sites = find_sites(lm)[0]
    layer = len(sites) - 1
    site = sites[layer]
    runner = StackRunner(lm, items, site.path, "hidden_state")
    source = signal_of(lm, site, items.source, "hidden_state")
    bases = np.stack([np.linalg.qr(rng.normal(size=(runner.units, 2)))[0] for _ in range(3)])
    for kind, value in (("interchange", source), ("zero", np.zeros_like(source))):
        expected = []
        for basis in bases:
            inside = basis @ basis.T
            edit = Edit("hidden_state", matrix=np.eye(runner.units) - inside, offset=value @ inside)
            read_with = read(lm, items, items.base, lambda call, e=edit: [e], site)
            expected.append(read_with)
        found = runner.run_subspace(bases, kind)
        np.testing.assert_allclose(found, np.stack(expected), atol=1e-5, rtol=0)
        np.testing.assert_allclose(runner.run_subspace(bases[1], kind), found[1], atol=1e-6, rtol=0)
    # A subspace of whole units is a set of units.
    axes = np.eye(runner.units)[:, [0, 2]]
    units = np.isin(np.arange(runner.units), [0, 2])[None]
    found = runner.run_subspace(axes, "mean")
    np.testing.assert_allclose(found, runner.run(units, "mean")[0], atol=1e-5, rtol=0)


@pytest.mark.law(4)
@pytest.mark.parametrize("name", ["lstm-2", "gru"])
def test_laws_of_patching(models, name):
    lm, items = models(name), contrasts_of()
    site = find_sites(lm)[0][0]
    runner = StackRunner(lm, items, site.path, site.spec.cell.states[-1])
    none, every = np.zeros((1, runner.units), bool), np.ones((1, runner.units), bool)
    for kind in ("interchange", "zero", "mean", "resample"):
        np.testing.assert_allclose(runner.run(none, kind)[0], runner.clean(), atol=1e-6, rtol=0)
    hidden = StackRunner(lm, items, site.path, "hidden_state")
    np.testing.assert_allclose(
        hidden.run(every, "interchange")[0], hidden.source(), atol=1e-5, rtol=0
    )
    # To be patched from oneself changes nothing.
    same = Contrasts(items.table, items.base, items.base, items.good, items.bad, items.last)
    own = StackRunner(lm, same, site.path, "hidden_state")
    np.testing.assert_allclose(own.run(every, "interchange")[0], own.clean(), atol=1e-6, rtol=0)
    # Another signal than the one that was to be patched is left to follow: not the same thing.
    gate = StackRunner(lm, items, site.path, site.spec.cell.gates[0])
    assert np.abs(gate.run(every, "interchange")[0] - hidden.source()).max() > 1e-2


def test_a_reset_gate_before_the_product_reaches_every_unit(rng):
    """With `reset_after=False` a unit's reset gate changes all candidates of the same step."""
    lm = LanguageModel(WordTokenizer(WORDS), cell="gru", units=(5, 3), seed=0)
    for layer in lm.recurrent_layers:
        layer.cell.reset_after = False
        layer.cell.bias = layer.cell.bias[0] * 1.0
    for variable in lm.weights:
        if "seed" not in variable.path:
            variable.assign(rng.normal(size=variable.shape))
    items = contrasts_of()
    site = find_sites(lm)[0][0]
    assert not site.spec.reset_after
    value = signal_of(lm, site, items.source, "reset_gate")
    sets = np.eye(5, dtype=bool)
    found = StackRunner(lm, items, "gru", "reset_gate").run(sets, "interchange")
    expected = by_the_model(lm, items, 0, "reset_gate", sets, value)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0)


def test_blocks_change_nothing(models, rng, monkeypatch):
    """Any number of sets and items, and blocks of any size, give the same."""
    lm = models("lstm")
    items = contrasts_of([1, 2, 3, 4, 5] * 15)
    runner = StackRunner(lm, items, "lstm")
    sets = rng.random((23, 5)) < 0.5
    whole = runner.run(sets, "interchange")
    assert whole.shape == (23, 75)
    monkeypatch.setattr("textgate.interchange._stack_runner._ITEMS", 8)
    monkeypatch.setattr("textgate.interchange._stack_runner._NUMBERS", 3 * 8 * 20)
    np.testing.assert_allclose(runner.run(sets, "interchange"), whole, atol=1e-6, rtol=0)
    part = items.select([3, 9, 40])
    found = StackRunner(lm, part, "lstm").run(sets[:1], "interchange")
    np.testing.assert_allclose(found, whole[:1, [3, 9, 40]], atol=1e-6, rtol=0)
    assert runner.run(np.zeros((0, 5), bool), "zero").shape == (0, 75)


def test_activity_leaves_out_padding(models):
    lm, items = models("gru"), contrasts_of()
    runner = StackRunner(lm, items, "gru", "hidden_state")
    signal = signal_of(lm, find_sites(lm)[0][0], items.base, "hidden_state")
    expected = np.sqrt((signal[items.mask] ** 2).mean(axis=0))
    np.testing.assert_allclose(runner.activity(), expected, atol=1e-6, rtol=0)


def test_errors_name_the_remedy(models):
    lm, items = models("lstm"), contrasts_of()
    with pytest.raises(ValueError, match=r"recurrent layers are \['lstm'\].*Received: 'gru'"):
        StackRunner(lm, items, "gru")
    with pytest.raises(ValueError, match="Received: signal='update_gate'"):
        StackRunner(lm, items, "lstm", "update_gate")
    with pytest.raises(TypeError, match="Received: str"):
        StackRunner("runs/lstm", items, "lstm")
    runner = StackRunner(lm, items, "lstm")
    for wrong in (np.ones((2, 4), bool), np.ones(5, bool), np.ones((2, 5))):
        with pytest.raises(ValueError, match=r"5 units of 'lstm'\. Received"):
            runner.run(wrong)
    every = np.ones((1, 5), bool)
    with pytest.raises(ValueError, match="Received: kind='swap'"):
        runner.run(every, "swap")
    alone = StackRunner(lm, contrasts_of([3], with_source=False), "lstm")
    with pytest.raises(ValueError, match="`counterpart_prefix`"):
        alone.run(every, "interchange")
    with pytest.raises(ValueError, match="`counterpart_prefix`"):
        alone.source()
    with pytest.raises(ValueError, match="Received: 1 item"):
        alone.run(every, "resample")
    with pytest.raises(ValueError, match="must be orthonormal"):
        runner.run_subspace(np.ones((5, 2)))
    with pytest.raises(ValueError, match=r"Received: shape \(4, 1\)"):
        runner.run_subspace(np.eye(4)[:, :1])
