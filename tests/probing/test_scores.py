"""Scores of units: right effect sizes, and tests that hold their level with dependent sentences."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy import stats

import textgate as tg
from textgate.probing._scores import auc, effect_sizes, interval_of_d, max_t

DIMS = ("example", "time", "unit")


def trace_of(values):
    return xr.DataArray(np.asarray(values)[:, None], dims=DIMS)


def test_effect_sizes_by_their_definitions(rng):
    values = rng.normal(size=(23, 4)).round(1)  # ties
    values[:, 3] = 2.5
    high = rng.permutation(np.arange(23) < 9)
    d, g = effect_sizes(values, high)
    area = auc(values, high)
    for unit in range(3):
        a, b = values[high, unit], values[~high, unit]
        pooled = (8 * a.var(ddof=1) + 13 * b.var(ddof=1)) / 21
        assert d[unit] == pytest.approx((a.mean() - b.mean()) / np.sqrt(pooled))
        assert g[unit] == pytest.approx(d[unit] * (1 - 3 / (4 * 21 - 1)), rel=1e-3)
        wins = [1.0 if x > y else 0.5 if x == y else 0.0 for x, y in itertools.product(a, b)]
        assert area[unit] == pytest.approx(np.mean(wins))
        assert area[unit] == pytest.approx(stats.mannwhitneyu(a, b).statistic / (9 * 14))
    assert (d[3], g[3], area[3]) == (0, 0, 0.5)  # a constant unit says nothing
    assert effect_sizes(high[:, None].astype(float), high)[0][0] == np.inf


def test_the_bias_of_d_is_gone_in_g():
    random = np.random.default_rng(0)
    high = np.arange(8) < 4
    d, g = effect_sizes(random.normal(size=(8, 40_000)) + 1.0 * high[:, None], high)
    assert np.mean(d) > 1.1
    assert np.mean(g) == pytest.approx(1.0, abs=0.02)


def test_the_interval_of_d_covers():
    """Sentences of one name are alike, so that the interval is wider than sentences suggest."""
    covered, naive, count = 0, 0, 30 * 20
    for seed in range(30):
        random = np.random.default_rng(seed)
        names = np.repeat(np.arange(50), 6)
        high = names % 2 == 1
        values = random.normal(size=(50, 20))[names] + random.normal(size=(300, 20))
        values += np.sqrt(2) * high[:, None]  # d = 1, as the variances add up to 2
        low, upper = interval_of_d(values, high, names, 300, seed)
        covered += ((low <= 1) & (upper >= 1)).sum()
        low, upper = interval_of_d(values, high, np.arange(300), 100, seed)
        naive += ((low <= 1) & (upper >= 1)).sum()
    assert 0.90 < covered / count < 0.98
    assert naive / count < 0.8


def test_t_and_p_by_all_permutations(rng):
    """With few clusters all relabellings can be gone through."""
    means = rng.normal(size=(8, 3))
    high = np.arange(8) < 4
    t, p, p_max = max_t(means, high, np.arange(8), 20_000, seed=0)
    np.testing.assert_allclose(
        t, stats.ttest_ind(means[high], means[~high], equal_var=False).statistic
    )
    every = []
    for chosen in itertools.combinations(range(8), 4):
        members = np.isin(np.arange(8), chosen)
        every.append(stats.ttest_ind(means[members], means[~members], equal_var=False).statistic)
    every = np.abs(every)
    exact = (every >= np.abs(t) - 1e-9).mean(axis=0)
    exact_max = (every.max(axis=1)[:, None] >= np.abs(t) - 1e-9).mean(axis=0)
    np.testing.assert_allclose(p, exact, atol=0.015)
    np.testing.assert_allclose(p_max, exact_max, atol=0.015)
    assert (p_max >= p).all()


def test_within_clusters_only_their_own_labels_are_exchanged(rng):
    """All clusters have both classes: 2^n relabellings, however far apart the clusters are."""
    cluster = np.repeat(np.arange(6), 2)
    high = np.tile([False, True], 6)
    means = 100 * rng.normal(size=6)[cluster][:, None] + high[:, None] * 1.0
    _, p, _ = max_t(means + 0.01 * rng.normal(size=(12, 1)), high, cluster, 20_000, seed=0)
    assert p[0] == pytest.approx(2 / 2**6, abs=0.006)


def simulate(trials, mixed, seed=0, shift=0.0, planted=0):
    """p of units with nothing to them (but for the planted), with names that differ widely."""
    random = np.random.default_rng(seed)
    for trial in range(trials):
        sizes = random.integers(1, 12, 14)
        names = np.repeat(np.arange(14), sizes)
        gender = names % 2
        if mixed:
            gender = np.where(names < 7, gender, random.integers(0, 2, len(names)))
        common = random.normal(size=(14, 1))
        own = 0.6 * common + random.normal(size=(14, 12))  # correlated units
        values = own[names] + 0.5 * random.normal(size=(len(names), 12))
        values[:, :planted] += shift * gender[:, None]
        yield (
            tg.probing.unit_scores(
                trace_of(values), gender, names, None, permutations=199, resamples=2, seed=trial
            ),
            values,
            gender,
        )


@pytest.mark.parametrize("mixed", [False, True])
def test_the_level_holds_under_the_null(mixed):
    trials = 300
    any_found = single = naive = 0
    for scores, values, gender in simulate(trials, mixed):
        any_found += (scores.p_max < 0.05).any()
        single += scores.p[0] < 0.05
        naive += stats.ttest_ind(values[gender == 0, 0], values[gender == 1, 0]).pvalue < 0.05
    most = stats.binom.ppf(0.999, trials, 0.05)
    assert any_found <= most
    assert single <= most
    if not mixed:
        assert naive > 3 * most  # sentences taken for independent: what this test is for


def test_power_and_false_discoveries():
    """Planted units are found, and among the found few are false."""
    shares, found = [], []
    for scores, _, _ in simulate(60, mixed=False, seed=1, shift=6.0, planted=4):
        hit = scores.p_fdr < 0.05
        shares.append((hit[4:].sum()) / max(1, hit.sum()))
        found.append((scores.p_max[:4] < 0.05).mean())
    assert np.mean(found) > 0.9
    assert np.mean(shares) < 0.05 + 3 * np.std(shares) / np.sqrt(60)


def test_the_table(rng):
    names = np.repeat(np.arange(20), 5)
    gender = np.where(names % 2, "masculine", "feminine")
    values = rng.normal(size=(100, 8))
    values[:, 5] -= 4 * (names % 2)
    data = trace_of(values).assign_coords(unit=np.arange(10, 18))
    scores = tg.probing.unit_scores(data, gender, names, None, seed=3)
    assert scores.unit.tolist() == list(range(10, 18))
    row = scores.set_index("unit").loc[15]
    assert (row.low_class, row.high_class) == ("feminine", "masculine")
    assert row.mean_high < row.mean_low
    assert max(row.cohens_d, row.t) < -2
    assert row.auc < 0.05
    assert (scores.d_low <= scores.cohens_d).all()
    assert (scores.cohens_d <= scores.d_high).all()
    assert row.d_high < 0
    assert max(row.p_max, row.p_fdr) < 0.05
    assert (scores.p >= 1 / 5001).all()
    assert (scores.p_max >= scores.p).all()
    assert (scores.p_fdr >= scores.p).all()
    assert (row.examples, row.clusters, row.permutations, row.seed) == (100, 20, 5000, 3)
    again = tg.probing.unit_scores(data, gender, names, None, seed=3)
    assert scores.equals(again)


def test_repeating_sentences_proves_nothing(rng):
    """The same sentences ten times over: the clusters are as many as before, and so is p."""
    names = np.repeat(np.arange(12), 3)
    values = rng.normal(size=(36, 4)) + 0.8 * (names % 2)[:, None]
    once = tg.probing.unit_scores(trace_of(values), names % 2, names, None)
    tenfold = tg.probing.unit_scores(
        trace_of(np.tile(values, (10, 1))), np.tile(names % 2, 10), np.tile(names, 10), None
    )
    np.testing.assert_allclose(tenfold.p, once.p, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"labels": np.zeros(40)}, "two classes"),
        ({"labels": np.arange(40) % 3}, "two classes"),
        ({"groups": np.arange(40) % 2}, "two clusters"),
        ({"labels": np.arange(39) % 2}, "40 examples"),
        ({"position": 1}, "position=1"),
        ({"permutations": 0}, "0"),
        ({"signal": "memory", "trace": xr.Dataset({"cell_state": 0})}, "'memory'"),
    ],
)
def test_says_what_is_wrong(rng, arguments, said):
    given = {
        "trace": trace_of(rng.normal(size=(40, 3))),
        "labels": np.arange(40) % 2,
        "groups": np.arange(40) // 2,
        "signal": None,
        **arguments,
    }
    with pytest.raises(ValueError, match=f"Received: .*{said}|{said}.*Received: "):
        tg.probing.unit_scores(**given)
