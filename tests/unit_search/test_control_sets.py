"""Control sets have as many units as the set that they stand beside, and none of its own."""

import numpy as np

from textgate.unit_search._control_sets import matched_sets, random_sets


def test_control_sets_are_as_large_and_leave_the_set_out():
    chosen = [3, 7]
    for sets in (
        random_sets(2, 20, 50, chosen, seed=0),
        matched_sets(chosen, np.arange(20.0), 50, seed=0),
    ):
        assert (sets.sum(axis=1) == 2).all()
        assert not sets[:, chosen].any()
        assert len(np.unique(sets, axis=0)) > 10


def test_matched_sets_are_as_active():
    norms = np.r_[np.ones(50), 9 + np.arange(10) / 10]
    sets = matched_sets([55, 1], norms, 30, seed=0)
    assert (sets[:, 50:].sum(axis=1) == 1).all()
    at_random = random_sets(2, 60, 30, [55, 1], seed=0)
    assert (at_random @ norms).mean() < 0.7 * (sets @ norms).mean()
