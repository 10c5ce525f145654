"""What a signal's values are replaced by: means over a reference, and draws of other items."""

from typing import Any

import numpy as np

# The kinds of replacement.
INTERCHANGE = "interchange"
ABLATIONS = ("zero", "mean", "resample")
KINDS = (INTERCHANGE, *ABLATIONS)


def first_difference(base: np.ndarray, source: Any, last: np.ndarray) -> np.ndarray:
    """Return the first step in which two prefixes differ; the last step where none does.

    Args:
        base: Ids of shape `(n, time)`.
        source: Ids of the same shape.
        last: The last step of each, of shape `(n,)`.

    Example:

    >>> first_difference(np.array([[2, 5, 6], [2, 5, 0]]), [[2, 5, 7], [2, 5, 0]], np.array([2, 1]))
    array([2, 1])
    """
    differs = base != np.asarray(source)
    return np.where(differs.any(axis=1), differs.argmax(axis=1), last)


def mean_at_steps(
    signal: np.ndarray, inside: np.ndarray, time: int, by_position: bool
) -> np.ndarray:
    """Return what stands for a signal at each step: its mean.

    Args:
        signal: Of shape `(n, steps, units)`.
        inside: Which steps count, booleans of shape `(n, steps)`.
        time: For how many steps means are wanted.
        by_position: Whether each step has its own mean; where no item has the step, it is the mean
            over all.

    Returns:
        `float32` of shape `(time, units)`.

    Example:

    >>> signal = np.array([[[1.0], [2.0]], [[6.0], [9.0]]])
    >>> inside = np.array([[True, True], [True, False]])
    >>> mean_at_steps(signal, inside, 3, by_position=False).ravel().tolist()
    [3.0, 3.0, 3.0]
    >>> mean_at_steps(signal, inside, 3, by_position=True).ravel().tolist()
    [3.5, 2.0, 3.0]
    """
    overall = signal[inside].mean(axis=0, dtype=np.float64)
    mean = np.repeat(overall[None], time, axis=0)
    if by_position:
        for step in range(min(time, signal.shape[1])):
            if inside[:, step].any():
                mean[step] = signal[inside[:, step], step].mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


def draw_donors(last: np.ndarray, of: np.ndarray, same: bool, seed: int) -> np.ndarray:
    """Draw for each item another one to take values from: one as long as itself, if there is any.

    Args:
        last: The last step of each item, of shape `(n,)`.
        of: The last step of each possible donor.
        same: Whether the donors are the items themselves; none is its own donor.
        seed: Seed of the draw.

    Returns:
        Places among the donors, of shape `(n,)`.

    Raises:
        ValueError: If there is no other item.
    """
    rng = np.random.default_rng(seed)
    donors = np.empty(len(last), np.int64)
    for item, own in enumerate(last):
        others = np.ones(len(of), bool)
        if same:
            others[item] = False
        if not others.any():
            raise ValueError(
                "resampling needs another item to take values from; give more items, or a "
                f"`reference`. Received: {len(of)} item"
            )
        able = others & (of >= own)
        donors[item] = rng.choice(np.flatnonzero(able if able.any() else others))
    return donors
