"""LEACE's theorems: nothing linear is left, nothing less would do it, and twice is once."""

import numpy as np
import pytest
from scipy import linalg
from sklearn.linear_model import LogisticRegression

from textgate.probing import leace, random_eraser
from textgate.probing._threads import one_thread


def data(random, n, features, classes, rank=None, scale=3.0):
    """Features of uneven variance and a mean far from zero, shifted by class."""
    y = np.arange(n) % classes
    x = random.normal(size=(n, rank or features))
    x += scale * random.normal(size=(classes, rank or features))[y]
    mix = random.normal(size=(rank or features, features)) * np.logspace(0, 2, features)
    return x @ mix + 50, y


SHAPES = {
    "two classes": (200, 12, 2, None),
    "five classes": (300, 12, 5, None),
    "more classes than features": (300, 3, 5, None),
    "rank-deficient": (200, 12, 3, 7),
    "fewer rows than features": (10, 30, 3, None),
    "one feature": (50, 1, 2, None),
}
shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def cross_covariance(x, z):
    return (x - x.mean(0)).T @ (z - z.mean(0)) / len(x)


@shapes
def test_nothing_linear_is_left(rng, shape):
    x, y = data(rng, *shape)
    eraser = leace(x, y)
    erased = eraser.transform(x)
    z = np.eye(shape[2])[y]
    scale = np.abs(cross_covariance(x, z)).max()
    assert np.abs(cross_covariance(erased, z)).max() < 1e-8 * scale
    np.testing.assert_allclose(erased.mean(0), x.mean(0), rtol=1e-9)
    assert 1 <= eraser.rank <= min(shape[2] - 1, shape[1])
    np.testing.assert_allclose(np.linalg.matrix_rank(x - erased, tol=1e-6), eraser.rank)
    np.testing.assert_allclose(
        eraser.displacement, np.sum((x - erased) ** 2) / np.sum((x - x.mean(0)) ** 2)
    )


@shapes
def test_no_classifier_beats_the_majority_even_on_its_training_data(rng, shape):
    x, y = data(rng, *shape)
    y = y.copy()
    y[: len(y) // 5] = 0  # a majority
    erased = leace(x, y).transform(x)

    def accuracy(features):
        # Scaled as one, so that what is left isn't blown up from rounding.
        scaled = (features - features.mean(0)) / x.std()
        with one_thread():
            return LogisticRegression(C=100, max_iter=20_000).fit(scaled, y).score(scaled, y)

    majority = np.bincount(y).max() / len(y)
    assert accuracy(erased) <= majority
    assert accuracy(x) > majority + 0.1


@shapes
def test_erasing_twice_is_erasing_once(rng, shape):
    x, y = data(rng, *shape)
    eraser = leace(x, y)
    p = eraser.projection
    assert np.abs(p @ p - p).max() < 1e-6 * max(1, np.abs(p).max() ** 2)
    once = eraser.transform(x)
    np.testing.assert_allclose(eraser.transform(once), once, rtol=1e-6, atol=1e-6 * x.std())


def test_by_the_papers_formula(rng):
    x, y = data(rng, 300, 8, 3)
    z = np.eye(3)[y][:, 1:]  # without the column that follows from the others
    covariance = np.cov(x.T, bias=True)
    w = linalg.pinvh(linalg.sqrtm(covariance).real)
    whitened = w @ cross_covariance(x, z)
    onto = whitened @ np.linalg.pinv(whitened)
    expected = np.eye(8) - np.linalg.pinv(w) @ onto @ w
    np.testing.assert_allclose(leace(x, y).projection, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("trial", range(5))
def test_nothing_less_would_do_it(rng, trial):
    """Any other affine map with the same guarantee moves the data more, by any inner product."""
    x, y = data(rng, 200, 6, 3)
    p = leace(x, y).projection
    centred = x - x.mean(0)
    sigma = cross_covariance(x, np.eye(3)[y])
    blind = np.eye(6) - sigma @ np.linalg.pinv(sigma)  # what can be added without undoing it
    metric = rng.normal(size=(6, 6))

    def moved(projection):
        return np.sum(((centred - centred @ projection.T) @ metric) ** 2)

    for size in (1e-3, 1e-1, 1.0):
        other = p + size * rng.normal(size=(6, 6)) @ blind
        assert np.abs(other @ sigma).max() < 1e-6 * np.abs(sigma).max()
        assert moved(other) > moved(p)


def test_labels_as_numbers(rng):
    x = rng.normal(size=(200, 5))
    z = x[:, :2] @ rng.normal(size=(2, 2)) + rng.normal(size=(200, 2))
    eraser = leace(x, z)
    assert eraser.rank == 2
    assert np.abs(cross_covariance(eraser.transform(x), z)).max() < 1e-10


def test_where_there_is_nothing_to_erase(rng):
    half = rng.normal(size=(50, 4))
    x, y = np.concatenate([half, half]), np.repeat([0, 1], 50)
    eraser = leace(x, y)
    assert (eraser.rank, eraser.displacement) == (0, 0)
    np.testing.assert_allclose(eraser.transform(x), x, rtol=1e-12)


def test_single_precision_and_constant_units(rng):
    x, y = data(rng, 400, 6, 2)
    x = x.astype(np.float32)
    x[:, 2] = 7.25
    eraser = leace(x, y)
    erased = eraser.transform(x)
    assert erased.dtype == np.float32
    np.testing.assert_allclose(erased[:, 2], 7.25, rtol=1e-6)
    means = np.stack([erased[y == c].mean(0) for c in (0, 1)])
    np.testing.assert_allclose(means[0], means[1], atol=1e-4 * x.std())
    rows = x[:3].astype(np.float64)
    np.testing.assert_allclose(
        rows @ eraser.matrix + eraser.offset, eraser.transform(rows), rtol=1e-6
    )
    np.testing.assert_array_equal(eraser.transform(x.reshape(20, 20, 6)), erased.reshape(20, 20, 6))


def test_random_erasers_are_as_large_and_blind_to_the_labels(rng):
    x, y = data(rng, 400, 10, 3)
    eraser = leace(x, y)
    displacements = []
    for seed in range(20):
        control = random_eraser(x, eraser.rank, seed=seed)
        matched = random_eraser(x, eraser.rank, eraser.displacement, seed=seed)
        assert control.rank == matched.rank == eraser.rank
        assert matched.displacement == pytest.approx(eraser.displacement, rel=1e-3)
        for one in (control, matched):
            moved = x - one.transform(x)
            assert np.linalg.matrix_rank(moved, tol=1e-6 * x.std()) == eraser.rank
            np.testing.assert_allclose(
                np.sum(moved**2) / np.sum((x - x.mean(0)) ** 2), one.displacement
            )
            left = cross_covariance(one.transform(x), np.eye(3)[y])
            assert np.abs(left).max() > 0.01 * np.abs(cross_covariance(x, np.eye(3)[y])).max()
        displacements.append(control.displacement)
    # Directions are uniform in whitened space: on average a share of rank / features each.
    assert np.mean(displacements) == pytest.approx(eraser.rank / 10, abs=0.1)
    assert np.std(displacements) > 0
    first, again = (random_eraser(x, 2, seed=4).projection for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize(
    ("features", "labels", "said"),
    [
        (np.ones((4, 2)), [1, 1, 1, 1], "two classes"),
        (np.ones((4, 2)), [0, 1, 1], "4 rows"),
        (np.ones(4), [0, 1, 1, 0], r"\(4,\)"),
        (np.full((4, 2), np.nan), [0, 1, 1, 0], "4 rows"),
    ],
)
def test_says_what_is_wrong(features, labels, said):
    with pytest.raises(ValueError, match=said):
        leace(features, labels)


def test_says_what_is_wrong_with_a_control(rng):
    x = rng.normal(size=(20, 3))
    for rank in (4, -1, True):
        with pytest.raises(ValueError, match=f"rank={rank}"):
            random_eraser(x, rank)
    with pytest.raises(ValueError, match=r"Received: shape \(2, 4\)"):
        random_eraser(x).transform(np.zeros((2, 4)))
