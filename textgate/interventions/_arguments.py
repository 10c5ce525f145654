"""What interventions can be given, checked: units, steps, numbers, matrices, subspaces."""

import numbers
from typing import Any

import numpy as np

Units = tuple[int, ...] | slice | None
Steps = slice | np.ndarray | None

# How far from orthonormal a basis may be: that of float32 numbers is a little.
_ORTHONORMAL = 1e-4


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number and not a boolean."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)


def checked_units(units: Any) -> Units:
    """Return units as a tuple of numbers, a slice, or `None` for all."""
    if units is None or isinstance(units, slice):
        return units
    if is_whole(units):
        units = [units]
    try:
        array = np.asarray(units)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if array.size == 0:
        return ()
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise TypeError(
            f"`units` must be a list of whole numbers or a slice. Received: units={units!r}"
        )
    chosen = tuple(int(unit) for unit in array)
    if min(chosen) < 0 or len(set(chosen)) < len(chosen):
        raise ValueError(
            "`units` must be different numbers from 0 on. Received: units="
            f"{list(chosen) if len(chosen) < 20 else f'{len(chosen)} of them'}"
        )
    return chosen


def checked_steps(steps: Any) -> Steps:
    """Return steps as a slice, as booleans `(example, time)`, or `None` for all."""
    if steps is None:
        return None
    if isinstance(steps, slice):
        parts = (steps.start, steps.stop, steps.step)
        if not all(part is None or is_whole(part) for part in parts):
            raise TypeError(
                f"`steps` must be a slice of whole numbers. Received: steps={shown_slice(steps)}"
            )
        if any(part is not None and part < 0 for part in parts) or steps.step == 0:
            raise ValueError(
                "`steps` must count from the first step and go forward, since sequences can have "
                "different lengths; give booleans (example, time) to count from the end. "
                f"Received: steps={shown_slice(steps)}"
            )
        return slice(*(None if part is None else int(part) for part in parts))
    try:
        array = np.array(steps)  # a copy: what is frozen must not change from outside
    except ValueError:  # rows of different lengths
        array = np.array(None)
    if array.dtype != bool or array.ndim != 2:
        hint = f"; one step is slice({steps}, {int(steps) + 1})" if is_whole(steps) else ""
        raise TypeError(
            f"`steps` must be a slice or booleans of shape (example, time){hint}. "
            f"Received: steps of type {type(steps).__name__}, shape {array.shape}"
        )
    return _frozen(array)


def dimensions_of(values: Any) -> int:
    """Return how many dimensions numbers have; rows of different lengths have one."""
    try:
        return np.ndim(values)
    except ValueError:
        return 1


def checked_number(value: Any, name: str) -> float:
    """Return a finite number, or say that it isn't one."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        if getattr(value, "shape", None) == ():
            return checked_number(np.asarray(value).item(), name)
        raise TypeError(f"`{name}` must be a number. Received: {name}={value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not np.isfinite(number):
        raise ValueError(f"`{name}` must be finite. Received: {name}={str(value)[:80]}")
    return number


def checked_numbers(values: Any, name: str) -> np.ndarray:
    """Return finite numbers, one a unit, as a frozen array."""
    return checked_array(values, name, 1, "numbers, one for each unit")


def checked_matrix(values: Any, name: str) -> np.ndarray:
    """Return a square matrix of finite numbers as a frozen array."""
    matrix = checked_array(values, name, 2, "numbers of shape (units, units)")
    if matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"`{name}` must be square: a row and a column for each unit. "
            f"Received: shape {matrix.shape}"
        )
    return matrix


def checked_subspace(columns: Any) -> np.ndarray | None:
    """Return an orthonormal basis `(units, rank)` as a frozen array, or `None` for none."""
    if columns is None:
        return None
    basis = checked_array(columns, "subspace", 2, "orthonormal columns of shape (units, rank)")
    products = basis.T @ basis
    if not np.allclose(products, np.eye(basis.shape[1]), atol=_ORTHONORMAL):
        raise ValueError(
            "the columns of `subspace` must be orthonormal; numpy.linalg.qr makes them so. "
            f"Received: shape {basis.shape}, products of columns up to {np.abs(products).max():.3g}"
        )
    return basis


def checked_array(values: Any, name: str, dimensions: int, what: str) -> np.ndarray:
    """Return finite numbers with so many dimensions as a frozen array, or say what it must be."""
    try:
        array = np.array(values, dtype=np.float64)  # a copy, as above
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"`{name}` must be {what}. Received: {type(values).__name__}") from None
    if array.ndim != dimensions or not np.all(np.isfinite(array)):
        raise ValueError(
            f"`{name}` must be finite {what}. "
            f"Received: shape {array.shape}, {int((~np.isfinite(array)).sum())} of them not finite"
        )
    return _frozen(array)


def _frozen(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def shown_slice(value: slice) -> str:
    """Return a slice as one writes it, without a step that it lacks."""
    step = () if value.step is None else (value.step,)
    return f"slice({', '.join(map(repr, (value.start, value.stop, *step)))})"
