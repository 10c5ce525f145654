"""Which units a runner changes: sets of them, or subspaces, checked."""

from typing import Any

import numpy as np


def checked_sets(sets: Any, units: int, layer: str) -> np.ndarray:
    """Return sets of a layer's units as booleans `(m, units)`.

    Raises:
        ValueError: If they are something else.
    """
    masks = np.asarray(sets)
    if masks.dtype != bool or masks.ndim != 2 or masks.shape[1] != units:
        raise ValueError(
            f"`sets` must be booleans of shape (m, units), here with {units} units of "
            f"{layer!r}. Received: {masks.dtype} of shape {masks.shape}"
        )
    return masks


def checked_bases(basis: Any, units: int) -> np.ndarray:
    """Return one orthonormal basis `(units, rank)`, or several, as `float32` `(m, units, rank)`.

    Raises:
        ValueError: If a basis is not orthonormal or has another shape.
    """
    bases = np.asarray(basis, np.float32)
    stacked = bases[None] if bases.ndim == 2 else bases
    if stacked.ndim != 3 or stacked.shape[1] != units or not stacked.shape[2]:
        raise ValueError(
            f"`basis` must have shape (units, rank) or (m, units, rank) with {units} units. "
            f"Received: shape {bases.shape}"
        )
    gram = np.swapaxes(stacked, 1, 2) @ stacked
    if not np.allclose(gram, np.eye(stacked.shape[2]), atol=1e-4):
        raise ValueError(
            "the columns of `basis` must be orthonormal; numpy.linalg.qr makes them so. "
            f"Received: columns with products up to {np.abs(gram).max():.3g}"
        )
    return stacked
