"""Who gives values to whom in a resampling ablation, and means over what is there."""

import numpy as np
import pytest
import xarray as xr

from textgate.interventions._ablations import _Donors
from textgate.interventions._sources import Values


def values_with(known, seed=0, units=2):
    known = np.asarray(known, bool)
    found = np.random.default_rng(seed).normal(size=(*known.shape, units))
    found[~known] = np.nan
    steps = known.shape[1]
    return Values(
        xr.Variable(("example", "time", "unit"), found), known, np.arange(steps),
        np.arange(units), units, None,
    )  # fmt: skip


KNOWN = [[1, 1, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_donors_are_others_and_have_values():
    values = values_with(KNOWN)
    known = np.asarray(KNOWN, bool)
    seen = set()
    for seed in range(50):
        donors = _Donors(values, seed).drawn(0, 5)
        for n in range(5):
            for t in range(4):
                others = [m for m in range(5) if m != n and known[m, t]]
                if others:
                    assert donors[n, t] in others
                    seen.add((n, t, donors[n, t]))
                else:
                    assert donors[n, t] == -1
                # A donor goes on as long as it has values.
                if t and donors[n, t - 1] >= 0 and known[donors[n, t - 1], t]:
                    assert donors[n, t] == donors[n, t - 1]
    first = {(n, 0, m) for n in range(5) for m in range(5) if m != n and known[m, 0]}
    assert first <= seen, "every possible first donor is drawn at some time"


def test_donors_are_drawn_evenly():
    donors = _Donors(values_with(np.ones((5, 1))), 0).drawn(0, 4000)[:, 0]
    counts = np.bincount(donors, minlength=5)
    assert counts.min() > 700
    assert not np.any(donors[:5] == np.arange(5))


def test_donors_depend_on_the_seed_and_the_example_alone():
    donors = _Donors(values_with(np.ones((9, 3))), 4)
    whole = donors.drawn(0, 9)
    parts = [donors.drawn(start, 2)[: 9 - start] for start in range(0, 9, 2)]
    np.testing.assert_array_equal(np.concatenate(parts)[:9], whole)
    other = _Donors(values_with(np.ones((9, 3))), 5).drawn(0, 9)
    assert not np.array_equal(other, whole)
    rows = donors(3, 2)
    np.testing.assert_array_equal(rows, donors.values[whole[3:5], np.arange(3)])


@pytest.mark.parametrize("by_step", [False, True])
def test_means_are_over_what_is_not_masked(by_step):
    values = values_with(KNOWN)
    found = values.variable.values
    expected = np.nanmean(found, axis=0) if by_step else np.nanmean(found, axis=(0, 1))
    np.testing.assert_allclose(values.mean(by_step), expected, rtol=1e-12)
    nothing = values_with(np.zeros((3, 2)))
    assert np.isnan(nothing.mean(by_step)).all()
