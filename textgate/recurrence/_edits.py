"""Edits: what an intervention does to a signal, inside the step.

An edit changes a signal right where the step computes it, so that everything after follows from
the changed value: the rest of the step, and all later steps through the states. Editing the
hidden state after the fact, by contrast, would leave the next step's gates as they were.

Where `mask` is true the signal becomes

- `value`, for an edit with a value;
- s A + b over the units, for an affine edit (`matrix` A, `offset` b); or
- what a `function` makes of s.

Several edits of a signal are carried out in their order. An edit has no effect at masked steps,
since nothing is computed there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from textgate._backend import Tensor
from textgate.recurrence._cell import Cell
from textgate.recurrence._loops import time_first

Tensors = dict[str, Tensor]  # an edit's numbers, by their names in `Edit`


@dataclass(frozen=True)
class Edit:
    """One change to one signal.

    Args:
        signal: Name of the signal.
        mask: Where it is changed: booleans, broadcastable over `(batch, time, units)`; `True`
            for everywhere.
        value: The new value, broadcastable over `(batch, time, units)`.
        matrix: A, of shape `(units, units)`, applied from the right; the identity if only an
            offset is given.
        offset: b, broadcastable over `(batch, time, units)`; zero if only a matrix is given.
        function: From the signal at one step, `(batch, units)`, to what it becomes.

    Raises:
        ValueError: If there are several of a value, an affine map and a function, or none.

    Example:

    >>> Edit("forget_gate", value=1.0).signal
    'forget_gate'
    """

    signal: str
    mask: Any = True
    value: Any = None
    matrix: Any = None
    offset: Any = None
    function: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        affine = self.matrix is not None or self.offset is not None
        if affine + (self.value is not None) + (self.function is not None) != 1:
            raise ValueError(
                "An edit has either a `value` or an affine map (`matrix`, `offset`) or a "
                f"`function`. Received: value={self.value!r}, matrix={self.matrix!r}, "
                f"offset={self.offset!r}, function={self.function!r}"
            )


def check_edits(
    edits: Sequence[Edit], cell: Cell, shape: tuple[int | None, int | None, int]
) -> None:
    """Raise a `ValueError` for an edit that doesn't fit a cell or a sequence.

    Args:
        edits: The edits.
        cell: The cell they are meant for.
        shape: `(batch, time, units)`; `None` where it isn't known yet.
    """
    for edit in edits:
        if edit.signal not in cell.signals:
            raise ValueError(
                f"An edit names a signal that a {cell.kind} doesn't have; its signals are "
                f"{list(cell.signals)}. Received: {edit.signal!r}"
            )
        for name in ("mask", "value", "offset"):
            given = getattr(edit, name)
            if given is not None and not _broadcasts(_shape(given), shape):
                raise ValueError(
                    f"`{name}` of an edit of {edit.signal!r} must be broadcastable over (batch, "
                    f"time, units) = {shape}. Received: shape {_shape(given)}"
                )
        units = shape[-1]
        if edit.matrix is not None and _shape(edit.matrix) != (units, units):
            raise ValueError(
                f"`matrix` of an edit of {edit.signal!r} must have shape {(units, units)}. "
                f"Received: shape {_shape(edit.matrix)}"
            )


def _shape(given: Any) -> tuple[Any, ...]:
    return tuple(given.shape) if hasattr(given, "shape") else np.shape(given)


def _broadcasts(given: tuple[Any, ...], shape: tuple[int | None, ...]) -> bool:
    if len(given) > len(shape):
        return False
    pairs = zip(reversed(given), reversed(shape), strict=False)
    return all(not isinstance(a, int) or not isinstance(b, int) or a in (1, b) for a, b in pairs)


def split_over_time(edits: Sequence[Edit], dtype: str) -> tuple[list[Tensors], list[Tensors]]:
    """Split the tensors of edits into those that vary over time and those that don't.

    Returns:
        Two lists with a dictionary for each edit: tensors of shape `(time, ·, ·)` to scan over,
        and tensors without a time axis.
    """
    varying: list[Tensors] = []
    constant: list[Tensors] = []
    for edit in edits:
        over_time, fixed = {}, {}
        for name, kind in (("mask", "bool"), ("value", dtype), ("offset", dtype)):
            given = getattr(edit, name)
            if given is None:
                continue
            tensor = ops.cast(ops.convert_to_tensor(given), kind)
            while len(tensor.shape) < 3:
                tensor = ops.expand_dims(tensor, 0)
            if tensor.shape[1] == 1:
                fixed[name] = ops.squeeze(tensor, 1)  # (batch | 1, units | 1)
            else:
                over_time[name] = time_first(tensor)  # (time, batch | 1, units | 1)
        if edit.matrix is not None:
            fixed["matrix"] = ops.cast(ops.convert_to_tensor(edit.matrix), dtype)
        varying.append(over_time)
        constant.append(fixed)
    return varying, constant


def apply_edit(edit: Edit, tensors: Tensors, signal: Tensor) -> Tensor:
    """Return `signal`, of shape `(batch, units)`, as an edit and its tensors for one step make it.

    Args:
        edit: The edit.
        tensors: Its tensors at the step, as `split_over_time` gives them.
        signal: The signal at the step.
    """
    if edit.function is not None:
        changed = edit.function(signal)
    elif "value" in tensors:
        changed = tensors["value"]
    else:
        changed = ops.matmul(signal, tensors["matrix"]) if "matrix" in tensors else signal
        if "offset" in tensors:
            changed = changed + tensors["offset"]
    return ops.where(tensors["mask"], changed, signal)
