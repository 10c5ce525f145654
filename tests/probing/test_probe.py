"""Probes find what is there, say when it is not, and can't pass by remembering names."""

import keras
import numpy as np
import pytest
import xarray as xr

import textgate as tg
from textgate.probing._signals import signal_of
from textgate.probing.folds import by_group, control_labels, targets_of

DIMS = ("example", "time", "unit")
NAMES = np.repeat(np.arange(24), 6)
GENDER = np.where(NAMES % 2, "feminine", "masculine")


def states(random, steps=1, units=6, planted=None, shift=4.0):
    values = random.normal(size=(len(NAMES), steps, units))
    if planted is not None:
        values[:, :, planted] += shift * (NAMES % 2)[:, None]
    return xr.DataArray(values, dims=DIMS)


def names_only(random, units=40):
    """States that say which name it is, and nothing of what names of one gender share."""
    own = random.normal(size=(24, units)) * 3
    values = own[NAMES] + 0.1 * random.normal(size=(len(NAMES), units))
    return xr.DataArray(values[:, None], dims=DIMS)


# -- positions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("anchored", [False, True])
def test_positions_are_counted_in_unmasked_steps(rng, anchored):
    values = rng.normal(size=(40, 7, 2))
    mask = rng.random((40, 7)) < 0.6
    mask[0], mask[1], mask[2] = True, False, [False] * 6 + [True]
    values[~mask] = np.nan
    anchor = rng.integers(0, 7, 40)
    found = signal_of(xr.DataArray(values, dims=DIMS, coords={"mask": (DIMS[:2], mask)}), None)
    without = signal_of(xr.DataArray(values, dims=DIMS), None)
    np.testing.assert_array_equal(without.mask, mask)  # NaN says the same as a mask
    for position in range(-8, 8):
        expected = {}
        for example in range(40):
            if anchored:
                step = anchor[example] + position
                there = 0 <= step < 7 and mask[example, step]
            else:
                unmasked = np.flatnonzero(mask[example])
                there = -len(unmasked) <= position < len(unmasked)
                step = unmasked[position] if there else None
            if there:
                expected[example] = values[example, step]
        got, rows = found.at(position, anchor if anchored else None)
        assert rows.tolist() == list(expected)
        if expected:
            np.testing.assert_array_equal(got, np.stack(list(expected.values())))
        assert not np.isnan(got).any()


def test_reads_a_trace_by_names(rng, tmp_path):
    model = keras.Sequential(
        [keras.Input((4, 3)), keras.layers.Masking(), keras.layers.LSTM(6, name="memory")]
    )
    x = rng.normal(size=(len(NAMES), 4, 3))
    x[:, 1, 0] += 6 * (NAMES % 2)
    x[::5, 3] = 0  # padding
    trace = tg.trace(model, x, labels={"name": NAMES, "gender": GENDER})
    table = tg.probing.probe(
        trace, "gender", "name", "cell_state", range(4), layer="memory", controls=0, resamples=50
    )
    assert table.accuracy[0] < 0.7 < 0.8 < table.accuracy[1]
    assert table.examples.tolist() == [144, 144, 144, 115]
    assert table.left_out.tolist() == [0, 0, 0, 29]
    assert set(table.layer) == {"memory"}
    assert set(table.signal) == {"cell_state"}
    derived = tg.probing.probe(trace["memory"], GENDER, NAMES, "retention", controls=0)
    assert derived.accuracy.between(0, 1).all()
    stored = tg.trace(model, x, to=tmp_path / "gates.zarr")
    for name in ("cell_state", "retention"):
        for got, expected in zip(
            signal_of(stored, name).at(-1), signal_of(trace, name).at(-1), strict=True
        ):
            np.testing.assert_allclose(got, expected, atol=1e-6)


# -- what a probe finds ------------------------------------------------------------------------


def test_finds_what_is_planted_and_gives_its_numbers(rng):
    (row,) = tg.probing.probe(states(rng, planted=3), GENDER, NAMES, None, seed=1).to_dict(
        "records"
    )
    assert row["accuracy"] > 0.95
    assert row["low"] <= row["accuracy"] <= row["high"]
    assert row["selectivity_low"] > 0.2
    assert row["selectivity"] == pytest.approx(row["seen"] - row["control"])
    assert (row["examples"], row["groups"], row["left_out"]) == (144, 24, 0)
    assert (row["majority"], row["folds"], row["seed"]) == (0.5, 5, 1)
    assert row["worst_class"] <= row["accuracy"]
    assert np.isnan(row["embedding"])


def test_noise_is_at_chance_and_not_selective():
    accuracies, selectivities, covered = [], [], 0
    for seed in range(10):
        random = np.random.default_rng(seed)
        table = tg.probing.probe(
            states(random), GENDER, NAMES, None, controls=2, resamples=100, seed=seed
        )
        accuracies.append(table.accuracy[0])
        selectivities.append(table.selectivity[0])
        covered += table.selectivity_low[0] <= 0
    error = np.std(selectivities, ddof=1) / np.sqrt(10)
    assert abs(np.mean(accuracies) - 0.5) < 0.06
    assert np.mean(selectivities) <= 3 * error
    assert covered >= 7


def test_names_cannot_leak(rng):
    """The label follows from the name alone: remembering names is all that can be done."""
    known = names_only(rng)
    table = tg.probing.probe(known, GENDER, NAMES, None)
    assert 0.2 < table.accuracy[0] < 0.8
    assert table.seen[0] == 1.0
    assert table.control[0] == 1.0
    assert table.selectivity[0] == 0.0
    each_its_own = np.arange(len(NAMES))
    leaky = tg.probing.probe(known, GENDER, each_its_own, None)
    assert leaky.accuracy[0] == 1.0
    assert np.isnan(leaky.control[0])  # no type occurs twice, so there is nothing to remember


def test_no_group_is_on_both_sides(rng):
    for seed in range(20):
        groups = rng.integers(0, 12, 80)
        targets = targets_of(rng.integers(0, 3, 80), groups)
        tested = []
        for train, test in by_group(targets, 4, seed):
            assert not set(groups[train]) & set(groups[test])
            tested.extend(test)
        assert sorted(tested) == list(range(80))


def test_control_labels_belong_to_types(rng):
    y = (NAMES % 2).astype(int)
    drawn = list(control_labels(y, NAMES, 30, seed=0))
    for labels in drawn:
        assert all(len(set(labels[name == NAMES])) == 1 for name in range(24))
        assert labels.sum() == y.sum()
    agreement = np.mean([(labels == y).mean() for labels in drawn])
    assert abs(agreement - 0.5) < 0.1  # they know nothing of the truth
    # Types that occur with both labels, one of them always the rarer one.
    mixed = np.arange(len(NAMES)) % 3 == 0
    assert {len(set(labels)) for labels in control_labels(mixed.astype(int), NAMES, 5, 0)} == {2}


def test_the_embedding_alone(rng):
    random = states(rng, steps=3, planted=3)
    known = np.c_[(NAMES % 2) + 0.01 * rng.normal(size=144), rng.normal(size=144)]
    steps = xr.DataArray(rng.normal(size=(144, 3, 2)), dims=DIMS)
    steps[:, 1, 0] += 8 * (NAMES % 2)
    options = {"controls": 0, "resamples": 20}
    table = tg.probing.probe(random, GENDER, NAMES, None, [0, 1], embedding=known, **options)
    assert (table.embedding == 1).all()
    table = tg.probing.probe(random, GENDER, NAMES, None, [0, 1], embedding=steps, **options)
    assert table.embedding[0] < 0.7 < 0.95 < table.embedding[1]
    assert table.control.isna().all()


def test_always_one_class_shows(rng):
    """With 90 % of one class, accuracy flatters; the worst class doesn't."""
    rare = np.where(NAMES < 3, "rare", "common")
    table = tg.probing.probe(states(rng), rare, NAMES, None, folds=2, controls=0)
    assert table.majority[0] == 0.875
    assert table.accuracy[0] > 0.7
    assert table.worst_class[0] < 0.4


@pytest.mark.law(8)
def test_same_seed_same_table(rng):
    data = states(rng, planted=1, shift=0.7)
    tables = [
        tg.probing.probe(data, GENDER, NAMES, None, controls=1, seed=seed) for seed in (3, 3, 4)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


# -- over positions ----------------------------------------------------------------------------


def test_accuracy_around_the_antecedent(rng):
    heard = rng.integers(1, 4, len(NAMES))
    values = rng.normal(size=(len(NAMES), 7, 3))
    for example, step in enumerate(heard):
        values[example, step : step + 2, 1] += 6 * (NAMES[example] % 2)
    values[:, 6, :] = np.nan
    values[NAMES > 1, 5:, :] = np.nan  # from here on only two names
    table = tg.probing.probe_over_positions(
        xr.DataArray(values, dims=DIMS),
        GENDER,
        NAMES,
        None,
        heard,
        range(-2, 7),
        controls=1,
        resamples=50,
    ).set_index("position")
    assert (table.accuracy[[0, 1]] > 0.95).all()
    assert (table.accuracy[[-1, 2]] < 0.7).all()
    assert table.accuracy[[5, 6]].isna().all()
    assert table.examples[6] == 0
    assert table.examples[5] == 0 or table.groups[5] <= 2
    assert (table.examples + table.left_out == len(NAMES)).all()


# -- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"labels": np.zeros(144)}, "two classes"),
        ({"labels": GENDER[:10]}, "one value for each of the 144"),
        ({"labels": np.where(NAMES == 3, np.nan, NAMES % 2)}, "6 missing"),
        ({"labels": "gender"}, "labels='gender'"),
        ({"groups": NAMES % 4}, "4 groups, folds=5"),
        ({"groups": NAMES % 2, "folds": 2}, "from 1 groups"),
        ({"position": 3}, "position=3"),
        ({"position": -4}, "position=-4"),
        ({"position": 0.5}, "0.5"),
        ({"position": []}, "none"),
        ({"folds": 1}, "folds=1"),
        ({"strength": 0}, "strength=0"),
        ({"controls": -1}, "controls=-1"),
        ({"anchor": np.full(144, 9)}, "from 9 to 9"),
        ({"anchor": np.full(144, 0.5)}, "float"),
        ({"embedding": np.zeros((3, 2))}, r"\(3, 2\)"),
        ({"layer": "lstm", "trace": xr.DataTree.from_dict({"a": xr.Dataset()})}, "'lstm'"),
        ({"signal": "memory", "trace": xr.Dataset({"cell_state": 0})}, "'memory'"),
        ({"trace": xr.DataArray(np.zeros((2, 2)), dims=("example", "unit"))}, "dims"),
    ],
)
def test_says_what_is_wrong(arguments, said):
    random = np.random.default_rng(0)
    given = {
        "trace": states(random, steps=3),
        "labels": GENDER,
        "groups": NAMES,
        "signal": None,
        **arguments,
    }
    with pytest.raises(ValueError, match=f"Received: .*{said}|{said}.*Received: ") as caught:
        tg.probing.probe(**given)
    assert "\n" not in str(caught.value)


def test_says_what_kind_is_wrong(rng):
    with pytest.raises(TypeError, match="Received: list"):
        tg.probing.probe([], GENDER, NAMES, "cell_state")
    with pytest.raises(ValueError, match="anchor"):
        tg.probing.probe_over_positions(states(rng), GENDER, NAMES, None, None)
    with pytest.raises(ValueError, match="Received"):  # no position has any example
        tg.probing.probe_over_positions(
            states(rng), GENDER, NAMES, None, np.zeros(144, int), range(5, 7)
        )
