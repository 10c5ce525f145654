"""Tests hold their level and intervals cover, when items come in templates and lexemes."""

import numpy as np
import pytest

from textgate.evaluation import inference


def crossed(random, units=1, templates=30, lexemes=40, items=200, mean=0.0):
    """Effects of units with a part of the template's and a part of the lexeme's."""
    t, x = random.integers(templates, size=items), random.integers(lexemes, size=items)
    effects = (
        random.normal(size=(units, templates))[:, t]
        + random.normal(size=(units, lexemes))[:, x]
        + random.normal(size=(units, items))
    )
    return mean + effects, t, x


@pytest.mark.parametrize("units", [1, 10])
def test_the_test_holds_its_level(units):
    random = np.random.default_rng(units)
    trials, rejected, naive = 200, 0, 0
    for trial in range(trials):
        effects, t, x = crossed(random, units)
        found = inference.sign_flips(effects, [t, x], seed=trial, draws=99)
        rejected += (found["p_adjusted"] <= 0.05).any()
        # As if items were independent: what clustering is for.
        alone = inference.sign_flips(effects, [np.arange(len(t))], seed=trial, draws=99)
        naive += (alone["p_adjusted"] <= 0.05).any()
    assert rejected / trials <= 0.08  # 5 % and two standard errors
    assert naive / trials > 0.1


def test_the_test_has_power():
    random = np.random.default_rng(0)
    found = [
        inference.sign_flips(effects, [t, x], seed=i, draws=199)["p"].item()
        for i in range(50)
        for effects, t, x in [crossed(random, mean=1.0)]
    ]
    assert np.mean(np.array(found) <= 0.05) > 0.8


@pytest.mark.parametrize("counts", [(4,), (6,), (4, 30), (9, 9), (3, 4, 5)])
def test_the_smallest_p_is_that_of_an_effect_that_is_the_same_everywhere(counts):
    labels = [axis.ravel() for axis in np.meshgrid(*map(np.arange, counts))]
    effects = np.ones(len(labels[0]))
    p = inference.sign_flips(effects, labels, draws=20_000)["p"].item()
    assert inference.smallest_p(counts) == pytest.approx(p, abs=0.01)


def test_so_many_clusters_are_needed():
    for counts in ([2], [5], [2, 2], [3, 50], [1, 1, 1]):
        needed = inference.clusters_needed(counts)
        p = {n: inference.smallest_p([max(n, c) for c in counts]) for n in range(needed - 1, 41)}
        assert p.pop(needed - 1) > 0.025
        assert max(p.values()) <= 0.025


def test_intervals_of_a_ratio_cover():
    random = np.random.default_rng(0)
    trials, covered = 200, 0
    for trial in range(trials):
        effects, t, x = crossed(random, mean=2.0)
        below = 4 + 0.5 * random.normal(size=len(t))
        low, high = inference.ratio_interval(effects[0], below, [t, x], seed=trial, resamples=300)
        covered += low <= 0.5 <= high
    assert covered / trials >= 0.91


def test_no_ratio_where_there_is_nothing_to_divide_by():
    nothing = inference.ratio_interval(np.ones(4), -np.ones(4), [np.arange(4)])
    assert np.isnan(nothing).all()


def test_one_cluster_is_no_sample():
    with pytest.raises(ValueError, match="at least two templates and two lexemes"):
        inference.sign_flips(np.ones((1, 5)), [np.zeros(5)])


def test_a_monte_carlo_p_value_is_never_zero():
    assert inference.at_least(np.zeros(99), 1.0) == 0.01
    assert inference.at_least(np.ones(99), 1.0) == 1.0
