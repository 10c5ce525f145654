"""Temporal generalisation tells lasting from moving codes; sparse probes count the units."""

import numpy as np
import pytest
import xarray as xr

import textgate as tg

DIMS = ("example", "time", "unit")
NAMES = np.repeat(np.arange(20), 5)
GENDER = NAMES % 2


def with_code(random, where):
    """States of 8 units; `where[step]` is the unit that knows at that step, and its sign."""
    values = random.normal(size=(100, len(where), 8))
    for step, place in enumerate(where):
        if place is not None:
            unit, sign = place
            values[:, step, unit] += sign * 6 * (GENDER - 0.5)
    return xr.DataArray(values, dims=DIMS)


def matrix(data, **options):
    return tg.probing.temporal_generalization(
        data, GENDER, NAMES, None, range(data.sizes["time"]), resamples=20, **options
    )


def test_a_lasting_code_is_a_square(rng):
    found = matrix(with_code(rng, [None, (2, 1), (2, 1), (2, 1)]))
    assert (found.accuracy[1:, 1:] > 0.95).all()
    assert (found.accuracy[:, 0] < 0.75).all()
    assert (found.low <= found.accuracy).all()
    assert (found.accuracy <= found.high).all()
    assert found.examples.values.tolist() == [100] * 4


def test_a_moving_code_is_a_diagonal_and_one_turned_round_is_below_chance(rng):
    found = matrix(with_code(rng, [(1, 1), (5, 1), (1, -1)])).accuracy.values
    assert (found.diagonal() > 0.95).all()
    assert found[0, 1] < 0.8
    assert found[0, 2] < 0.05
    assert found[2, 0] < 0.05


def test_the_diagonal_is_the_probe(rng):
    data = with_code(rng, [(1, 0.2), (1, 0.4)])
    alone = tg.probing.probe(data, GENDER, NAMES, None, [0, 1], controls=0, resamples=20)
    np.testing.assert_allclose(matrix(data).accuracy.values.diagonal(), alone.accuracy)


def test_names_do_not_leak_from_one_position_to_another(rng):
    """Chance over many names; a leak would make it 1 each time."""
    found = []
    for _ in range(6):
        own = rng.normal(size=(20, 40)) * 3
        values = own[NAMES][:, None] + 0.1 * rng.normal(size=(100, 2, 40))
        found.append(matrix(xr.DataArray(values, dims=DIMS)).accuracy.values)
    assert 0.3 < np.mean(found) < 0.7


def test_sequences_of_different_lengths(rng):
    data = with_code(rng, [(2, 1)] * 3)
    data[::4, 2] = np.nan
    found = matrix(data)
    assert found.examples.values.tolist() == [100, 100, 75]
    assert (found.accuracy > 0.95).all()
    data[NAMES > 2, 2] = np.nan
    with pytest.raises(ValueError, match=r"position 2.*Received"):
        matrix(data)
    with pytest.raises(ValueError, match="none"):
        tg.probing.temporal_generalization(data, GENDER, NAMES, None, [])


# -- sparse probes -----------------------------------------------------------------------------


@pytest.mark.parametrize("ranking", ["mean_difference", "l1"])
def test_one_unit_is_enough_where_one_knows(rng, ranking):
    table = tg.probing.sparse_probe(
        with_code(rng, [(4, 1)]), GENDER, NAMES, None, sizes=[1, 2, 99], ranking=ranking
    )
    assert table.units.tolist() == [1, 2, 8]
    assert (table.accuracy > 0.95).all()
    assert table.chosen[0] == "4"
    assert table.stability.tolist()[::2] == [1, 1]
    assert table.stability[1] < 1  # the second is an accident
    assert (table.low <= table.accuracy).all()


@pytest.mark.parametrize("ranking", ["mean_difference", "l1"])
def test_a_feature_that_is_spread_needs_many(rng, ranking):
    values = rng.normal(size=(100, 1, 30)) + 0.5 * (GENDER[:, None, None] - 0.5) * 2
    table = tg.probing.sparse_probe(
        xr.DataArray(values, dims=DIMS), GENDER, NAMES, None, sizes=[1, 30], ranking=ranking
    )
    assert table.accuracy[0] < 0.85 < 0.9 < table.accuracy[1]


def test_more_than_two_classes(rng):
    three = NAMES % 3
    values = rng.normal(size=(100, 1, 8))
    values[:, 0, 1] += 8 * (three == 1)
    values[:, 0, 6] += 8 * (three == 2)
    for ranking in ("mean_difference", "l1"):
        table = tg.probing.sparse_probe(
            xr.DataArray(values, dims=DIMS), three, NAMES, None, sizes=[2], ranking=ranking
        )
        assert table.chosen[0] == "1 6"
        assert table.accuracy[0] > 0.95


def test_the_choice_is_made_without_the_test_part(rng):
    """Chosen on all data, the best of many noisy units would look like a find."""
    values = xr.DataArray(rng.normal(size=(100, 1, 400)), dims=DIMS)
    table = tg.probing.sparse_probe(values, GENDER, NAMES, None, sizes=[4])
    assert table.accuracy[0] < 0.65


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"sizes": []}, "sizes"),
        ({"sizes": [0]}, "sizes"),
        ({"ranking": "best"}, "'best'"),
        ({"position": 7}, "position=7"),
        ({"labels": np.zeros(100)}, "two classes"),
        ({"groups": NAMES % 3}, "folds=5"),
    ],
)
def test_says_what_is_wrong(rng, arguments, said):
    given = {"labels": GENDER, "groups": NAMES, "signal": None, **arguments}
    with pytest.raises(ValueError, match=said):
        tg.probing.sparse_probe(with_code(rng, [None]), **given)
