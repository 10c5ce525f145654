"""Linear erasure in closed form: take out of a representation all that a linear probe could read.

LEACE (Belrose et al. 2023). Let x be features and z labels (one-hot). No linear classifier, however
trained, does better than a constant one exactly if the covariance of x and z is 0. Among all affine
maps that achieve this, LEACE is the one that moves x least, in the mean square and under every
inner product at once:

    r(x) = x − W⁺ Q W (x − μ),   W = (Σ_xx^½)⁺

with Q the orthogonal projection on the columns of W Σ_xz. W makes the features uncorrelated, Q
takes the directions that go with the labels, W⁺ goes back. The rank of what is taken is at most the
number of classes less one: for gender, one direction.

With X − μ = U S Vᵀ (of n rows) the columns of W Σ_xz are those of V Uᵀ Z, so that no covariance
matrix is formed and inverted, which would square the rounding.

Controls. Erasing *something* does damage, too. A `random_eraser` takes out as many directions that
have nothing to do with the labels; if it is asked to, with the same mean square displacement, since
a direction of large variance costs more than one of small variance.

What erasure doesn't do: what a nonlinear reader could find stays there; and a model whose state is
erased at each step may bring the feature back from elsewhere within the same step.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeGuard

import numpy as np
from numpy.typing import ArrayLike

from textgate.probing._signals import ALL, PerStep, Position, Trace, signal_of
from textgate.probing._tasks import task_of
from textgate.probing._threads import one_thread


@dataclass(frozen=True)
class Eraser:
    """An affine map x ↦ P x + (μ − P μ) that takes a few directions out of features.

    Attributes:
        projection: P, of shape `(features, features)`: a projection, oblique in general.
        mean: μ, of shape `(features,)`, which the map leaves where it is.
        rank: How many directions are taken out.
        displacement: Mean square distance between features before and after, as a share of their
            total variance, on the data that the eraser was made from.
        kind: `"leace"` or `"random"`.
    """

    projection: np.ndarray = field(repr=False)
    mean: np.ndarray = field(repr=False)
    rank: int
    displacement: float
    kind: str = "leace"

    def transform(self, features: ArrayLike) -> np.ndarray:
        """Return features with the directions taken out.

        Args:
            features: Of shape `(…, features)`.

        Returns:
            The same shape, in the features' own precision.

        Raises:
            ValueError: If the last dimension is of another size.
        """
        x = np.asarray(features)
        if not np.issubdtype(x.dtype, np.floating):
            x = x.astype(np.float64)
        if x.ndim < 1 or x.shape[-1] != len(self.mean):
            raise ValueError(
                f"`features` must have {len(self.mean)} in the last dimension, as those that the "
                f"eraser was made from. Received: shape {x.shape}"
            )
        moved = (x - self.mean) @ self.projection.T + self.mean
        return np.asarray(moved, x.dtype)

    @property
    def matrix(self) -> np.ndarray:
        """A in x ↦ x A + b, for rows x: what `textgate.recurrence.Edit` takes as `matrix`."""
        return self.projection.T

    @property
    def offset(self) -> np.ndarray:
        """The b in x ↦ x A + b: what `textgate.recurrence.Edit` takes as `offset`."""
        offset: np.ndarray = self.mean - self.projection @ self.mean
        return offset


def leace(
    features: ArrayLike | Trace,
    labels: PerStep,
    signal: str | None = None,
    position: Position | None = None,
    *,
    layer: str | None = None,
) -> Eraser:
    """Return the eraser of labels from features, in closed form (Belrose et al. 2023).

    Args:
        features: Of shape `(n, features)`; or a trace, whose signal is read where the label is.
        labels: Classes, of shape `(n,)`; or numbers of shape `(n, targets)`, taken as they are. Of
            a trace: the labels of its examples or steps, or their name, as for `probe`.
        signal: Of a trace: the name of the signal, as for `probe`.
        position: Of a trace: where it is read, as for `probe`; by default at the last step, and for
            labels of steps at all unmasked ones.
        layer: Of a trace: the name of the layer, where it has several.

    Returns:
        The eraser. Features that say nothing about the labels give rank 0 and are left alone.

    Raises:
        ValueError: If shapes don't fit, a value isn't finite, or there is only one class.

    Example:

    >>> random = np.random.default_rng(0)
    >>> labels = np.repeat([0, 1], 100)
    >>> features = random.normal(size=(200, 5)) + 3 * labels[:, None]
    >>> eraser = leace(features, labels)
    >>> erased = eraser.transform(features)
    >>> eraser.rank, np.allclose(erased[labels == 0].mean(0), erased[labels == 1].mean(0))
    (1, True)

    From a trace, over all its steps; `textgate.Affine` erases so inside a model.

    >>> import xarray as xr
    >>> states = xr.DataArray(features.reshape(20, 10, 5), dims=("example", "time", "unit"))
    >>> np.allclose(leace(states, labels.reshape(20, 10)).projection, eraser.projection)
    True
    """
    if _is_trace(features):
        features, labels = _read(features, labels, signal, position, layer)
    elif signal is not None or position is not None or layer is not None:
        raise ValueError(
            "`signal`, `position` and `layer` go with a trace. "
            f"Received: features of type {type(features).__name__}"
        )
    data = _whitened(features)
    z = _targets(labels, len(data.x))
    z = z - z.mean(axis=0)
    return _eraser(data, _span(data.u.T @ z, float(np.linalg.norm(z, ord=2))), "leace")


def _is_trace(features: Any) -> TypeGuard[Trace]:
    return isinstance(features, Trace) and getattr(features, "ndim", 3) == 3


def _read(
    trace: Trace, labels: PerStep, signal: str | None, position: Position | None, layer: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the features and the labels at a position of a trace."""
    task = task_of(trace, labels, None, signal, layer, position=position)
    sample = task.at(task.position if position is None else position)
    y = sample.targets.y
    return sample.values, y[:, None] if sample.targets.are_numbers else y


def random_eraser(
    features: ArrayLike | Trace,
    rank: int = 1,
    displacement: float | None = None,
    seed: int = 0,
    *,
    signal: str | None = None,
    position: Position = ALL,
    layer: str | None = None,
) -> Eraser:
    """Return an eraser of random directions, the control of `leace`.

    It is made as LEACE is, for labels drawn at random: directions uniform on the sphere in whitened
    space.

    Args:
        features: Of shape `(n, features)`; or a trace.
        rank: How many directions to take out.
        displacement: The displacement that it should have, as the `displacement` of the eraser it
            is compared with; what can't be reached is approached. By default what comes by chance.
        seed: Seed.
        signal: Of a trace: the name of the signal, as for `probe`.
        position: Of a trace: where it is read, as for `probe`; by default at all unmasked steps.
        layer: Of a trace: the name of the layer, where it has several.

    Returns:
        The eraser.

    Raises:
        ValueError: If features aren't a finite matrix, or have fewer directions than `rank`.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(200, 5)) * [1, 2, 3, 4, 5]
    >>> round(random_eraser(features, displacement=0.3).displacement, 3)
    0.3
    """
    if _is_trace(features):
        source = signal_of(features, signal, layer)
        features = source.read(*source.places(position))
    return random_erasers(features, rank, displacement, [seed])[0]


def random_erasers(
    features: ArrayLike, rank: int, displacement: float | None, seeds: Iterable[int]
) -> list[Eraser]:
    """Return a `random_eraser` for each seed."""
    data = _whitened(features)
    s = data.s
    if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank <= len(s):
        raise ValueError(
            f"`rank` must be a whole number from 0 to {len(s)}, the rank of the features. "
            f"Received: rank={rank!r}"
        )
    erasers = []
    for seed in seeds:
        drawn = np.random.default_rng(seed).normal(size=(len(s), rank))
        if displacement is None or not rank:
            basis = np.linalg.qr(drawn)[0]
        else:
            basis = _displacing(drawn, s, displacement)
        erasers.append(_eraser(data, basis, "random"))
    return erasers


def _displacing(drawn: np.ndarray, s: np.ndarray, displacement: float) -> np.ndarray:
    """Return directions like those drawn, of as much variance as gives the displacement.

    The components are weighed by s^a. The displacement rises with a, so that a is found by halving.
    """
    share, scale = s**2 / np.sum(s**2), s / s.max()
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.sum(share[:, None] * _tilted(drawn, scale, middle) ** 2) < displacement:
            low = middle
        else:
            high = middle
    return _tilted(drawn, scale, (low + high) / 2)


class _Whitened(NamedTuple):
    """Centred features x = U diag(s) Vᵀ, without directions of no variance.

    Attributes:
        x: The features, of shape `(n, features)`.
        mean: What was subtracted from them, of shape `(features,)`.
        u: Of shape `(n, rank)`.
        s: Of shape `(rank,)`.
        v: Of shape `(features, rank)`.
    """

    x: np.ndarray
    mean: np.ndarray
    u: np.ndarray
    s: np.ndarray
    v: np.ndarray


def _whitened(features: ArrayLike) -> _Whitened:
    raw = np.asarray(features)
    if raw.ndim != 2 or len(raw) < 2 or not raw.shape[1]:
        raise ValueError(
            f"`features` must be of shape (n, features) with n from 2. Received: {raw.shape}"
        )
    x = raw.astype(np.float64)
    if not np.isfinite(x).all():
        raise ValueError(
            "`features` must be finite; leave out masked steps. "
            f"Received: {int((~np.isfinite(x)).any(axis=1).sum())} rows that aren't"
        )
    mean = x.mean(axis=0)
    x = x - mean
    with one_thread():
        # By way of R, which is small, as there are many rows.
        q, r = np.linalg.qr(x)
        u, s, vt = np.linalg.svd(r, full_matrices=False)
        u = q @ u
    precision = raw.dtype if np.issubdtype(raw.dtype, np.floating) else np.float64
    scale = max(s.max(initial=0.0), np.abs(mean).max() * np.sqrt(len(x)))
    varying = s > scale * np.finfo(precision).eps * max(x.shape) ** 0.5
    return _Whitened(x, mean, u[:, varying], s[varying], vt[varying].T)


def _targets(labels: ArrayLike, count: int) -> np.ndarray:
    targets = np.asarray(labels)
    if targets.ndim not in (1, 2) or len(targets) != count:
        raise ValueError(
            f"`labels` must have one row for each of the {count} rows of features. "
            f"Received: shape {targets.shape}"
        )
    if targets.ndim == 2:
        return targets.astype(np.float64)
    classes, codes = np.unique(targets, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"`labels` must have at least two classes. Received: only {classes.tolist()}"
        )
    return np.eye(len(classes))[codes]


def _span(columns: np.ndarray, scale: float) -> np.ndarray:
    """Return an orthonormal basis of what columns span, rounding left out."""
    if not columns.size:
        return columns[:, :0]
    left, s, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, s > scale * 1e-10]


def _tilted(drawn: np.ndarray, scale: np.ndarray, power: float) -> np.ndarray:
    weighted = drawn * np.exp(power * (np.log(scale) - np.log(scale).mean()))[:, None]
    return np.linalg.qr(weighted / np.abs(weighted).max())[0]


def _eraser(data: _Whitened, basis: np.ndarray, kind: str) -> Eraser:
    """Return the eraser of the whitened directions V `basis`."""
    away = (data.v * data.s) @ basis  # (features, rank): W⁺ Q's left half
    onto = (data.v / data.s) @ basis  # its right half
    projection = np.eye(len(data.mean)) - away @ onto.T
    total = np.sum(data.x**2)
    moved = np.sum((data.x @ onto @ away.T) ** 2)
    displacement = float(moved / total) if total else 0.0
    return Eraser(projection, data.mean, basis.shape[1], displacement, kind)
