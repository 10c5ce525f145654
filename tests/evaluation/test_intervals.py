"""Intervals cover what they should when observations come in clusters; naive ones don't."""

import numpy as np
import pytest

from textgate.evaluation import interval


def simulate(random, templates=25, lexemes=25, items=300):
    """Observations with effects of template and lexeme around a known mean."""
    of_template, of_lexeme = random.normal(size=templates), random.normal(size=lexemes)
    t, x = random.integers(templates, size=items), random.integers(lexemes, size=items)
    return 0.5 + of_template[t] + of_lexeme[x] + random.normal(size=items), t, x


def test_clustered_intervals_cover_and_naive_ones_do_not():
    random = np.random.default_rng(0)
    clustered = naive = 0
    trials = 200
    for _ in range(trials):
        values, t, x = simulate(random)
        low, high = interval(values, [t, x], resamples=300)
        clustered += low <= 0.5 <= high
        low, high = interval(values, resamples=300)
        naive += low <= 0.5 <= high
    assert 0.91 <= clustered / trials <= 1.0
    assert naive / trials < 0.75


def test_intervals_of_independent_observations_are_the_textbooks():
    random = np.random.default_rng(0)
    values = random.normal(size=400)
    low, high = interval(values, resamples=4000)
    half = 1.96 * values.std() / np.sqrt(400)
    np.testing.assert_allclose([low, high], [values.mean() - half, values.mean() + half], atol=0.01)


def test_at_the_edge_the_interval_is_the_exact_one_for_the_clusters():
    # All of n right: the lower end p solves p**n = 0.025.
    low, high = interval(np.ones(500, bool), [np.arange(500) % 20, np.arange(500)])
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 20))
    low, high = interval(np.zeros(500, bool), [np.arange(500) % 20])
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 20))


def test_one_cluster_says_nothing_of_others():
    assert interval([1, 1, 0, 1], [["a"] * 4, list("abcd")]) != (0.0, 1.0)
    assert interval([1, 1, 0, 1], [["a"] * 4]) == (0.0, 1.0)


def test_the_same_seed_gives_the_same_interval():
    values, t, x = simulate(np.random.default_rng(1))
    assert interval(values, [t, x], seed=3) == interval(values, [t, x], seed=3)
    assert interval(values, [t, x], seed=3) != interval(values, [t, x], seed=4)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"Received: shape \(0,\)"):
        interval([])
    with pytest.raises(ValueError, match="Received: 2 values, labels"):
        interval([1, 0], [[1]])
    with pytest.raises(ValueError, match="Received: level=95"):
        interval([1, 0], level=95)
