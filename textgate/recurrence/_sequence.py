"""A whole sequence of a recurrent cell: masks, initial states, reverse order, edits.

The input's part of the pre-activations is one product for all steps; what remains for the loop is
the recurrent product and the element-wise part. `textgate.recurrence._plain` goes through the steps
one by one and serves every cell and option; where the cell is a stock one with tanh and sigmoid, or
can be written as one (`textgate.recurrence._variants`), nothing is edited, and the backend has a
loop with a gradient of its own, that one is taken (`textgate.recurrence.fast`). Both pass the same
tests.
"""

from collections.abc import Collection, Sequence

from keras import ops

from textgate._backend import Tensor, backend
from textgate.recurrence import _plain as plain
from textgate.recurrence import fast
from textgate.recurrence._edits import Edit, check_edits
from textgate.recurrence._loops import time_first
from textgate.recurrence._spec import Spec, Weights
from textgate.recurrence._variants import as_stock
from textgate.recurrence.steps import check_states, project


def sequence(
    spec: Spec,
    inputs: Tensor,
    weights: Weights,
    initial_states: Sequence[Tensor] | None = None,
    *,
    mask: Tensor | None = None,
    go_backwards: bool = False,
    edits: Sequence[Edit] = (),
    dropout: Tensor | list[Tensor] | None = None,
    recurrent_dropout: list[Tensor] | None = None,
    unroll: bool = False,
    wanted: Collection[str] | None = None,
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Compute all signals of a cell over a sequence.

    Args:
        spec: The cell.
        inputs: Of shape `(batch, time, features)`.
        weights: The cell's weights.
        initial_states: The states before the first step, each `(batch, units)`, in the order of
            `spec.cell.states`; zeros if not given.
        mask: Booleans of shape `(batch, time)`; nothing happens at a step that is `False`. Any
            pattern, all `False` included.
        go_backwards: Whether to go from the last step to the first.
        edits: Changes to signals, carried out inside the steps.
        dropout: Mask for the inputs, or a list of masks, one for each of the kernel's columns
            (see `project`).
        recurrent_dropout: Masks for h_{t-1}, one for each of the kernel's columns, each of shape
            `(batch, units)`.
        unroll: Whether to lay out the steps one after the other instead of looping; needs a
            static number of steps.
        wanted: The signals that are needed; a loop may leave out the others. All by default.

    Returns:
        signals: A dictionary with every signal of `spec.cell.signals` that is wanted, of shape
            `(batch, time, units)` and in the time order of the inputs, also with `go_backwards`.
            At a masked step the states repeat those of the step before, and gates and candidate
            are 0: nothing was kept or written there.
        states: The states after the last step, each `(batch, units)`.

    Raises:
        ValueError: If the shape of an argument doesn't fit, naming it.

    Example:

    >>> import numpy as np
    >>> spec = Spec("lstm", units=2)
    >>> weights = Weights(np.zeros((3, 8)), np.zeros((2, 8)), np.zeros(8))
    >>> signals, (h, c) = sequence(spec, np.ones((1, 5, 3)), weights)
    >>> np.asarray(signals["forget_gate"])[0, :, 0].tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5]
    """
    inputs = ops.convert_to_tensor(inputs)
    if len(inputs.shape) != 3:
        raise ValueError(
            f"`inputs` must have shape (batch, time, features). Received: {inputs.shape}"
        )
    weights = type(weights)._make(None if w is None else ops.convert_to_tensor(w) for w in weights)
    if isinstance(weights, Weights):
        _check_weights(spec, weights, inputs.shape[-1])
    if initial_states is None:
        zeros = ops.zeros((ops.shape(inputs)[0], spec.units), dtype=inputs.dtype)
        initial_states = [zeros] * len(spec.cell.states)
    states = check_states(spec, initial_states)
    if mask is not None:
        mask = _check_mask(mask, inputs)
    check_edits(edits, spec.cell, (inputs.shape[0], inputs.shape[1], spec.units))

    stepwise = bool(edits) or recurrent_dropout is not None or unroll
    if not stepwise and dropout is None:
        stock, as_stock_weights = as_stock(spec, weights)
        if fast.supports(stock):
            spec, weights = stock, as_stock_weights
    # Time first, as loops want it; the inputs are the cheapest thing to transpose.
    x, projected = time_first(inputs), True
    if stepwise and dropout is None and backend().is_compiling_for_shape():
        projected = False  # XLA is twice as fast with a product at each step
    else:
        x = project(spec, x, weights, dropout)
    if mask is not None:
        mask = time_first(ops.expand_dims(mask, -1))  # (time, batch, 1)
    if not stepwise and fast.supports(spec):
        signals, states = fast.run(spec, x, weights, states, mask, go_backwards)
    else:
        signals, states = plain.run(
            spec, x, weights, states, mask, go_backwards, edits, recurrent_dropout, unroll, wanted,
            projected,
        )  # fmt: skip
    shape = (inputs.shape[0], inputs.shape[1], spec.units)
    return {name: _batch_first(signal, shape) for name, signal in signals.items()}, states


def _batch_first(signal: Tensor, shape: tuple[int | None, ...]) -> Tensor:
    signal = time_first(signal)
    if hasattr(signal, "set_shape"):  # a loop forgets what was known
        signal.set_shape(shape)
    return signal


def _check_weights(spec: Spec, weights: Weights, features: int | None) -> None:
    columns = len(spec.cell.columns) * spec.units
    kernel, recurrent, bias = weights
    if kernel.shape[-1] != columns or (features is not None and kernel.shape[0] != features):
        raise ValueError(
            f"`kernel` must have shape (features, {columns}), here ({features}, {columns}). "
            f"Received: {tuple(kernel.shape)}"
        )
    if tuple(recurrent.shape) != (spec.units, columns):
        raise ValueError(
            f"`recurrent_kernel` must have shape ({spec.units}, {columns}). "
            f"Received: {tuple(recurrent.shape)}"
        )
    expected = (2, columns) if spec.biases == 2 else (columns,)
    if bias is not None and tuple(bias.shape) != expected:
        raise ValueError(f"`bias` must have shape {expected}. Received: {tuple(bias.shape)}")


def _check_mask(mask: Tensor, inputs: Tensor) -> Tensor:
    mask = ops.cast(ops.convert_to_tensor(mask), "bool")
    if len(mask.shape) == 3 and mask.shape[-1] == 1:
        mask = ops.squeeze(mask, -1)
    fits = len(mask.shape) == 2 and all(
        m is None or n is None or m == n for m, n in zip(mask.shape, inputs.shape[:2], strict=True)
    )
    if not fits:
        raise ValueError(
            "`mask` must have shape (batch, time), here "
            f"{tuple(inputs.shape[:2])}. Received: {tuple(mask.shape)}"
        )
    return mask
