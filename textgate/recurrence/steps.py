"""One step of each recurrent cell, equation by equation.

Every function here takes the input's part of the pre-activations, x_t W (`x`, of shape `(batch,
columns * units)`, see `project`), and returns all signals of the step in a dictionary, each of
shape `(batch, units)`. The input's part doesn't depend on the state, so a sequence computes it for
all steps in one product.

A registered cell's step has the same form, see `textgate.register_cell`.

References:
    LSTM: Hochreiter & Schmidhuber 1997; with forget gate: Gers, Schmidhuber & Cummins 2000.
    GRU: Cho et al. 2014. Simple RNN: Elman 1990.
"""

from collections.abc import Callable, Sequence

from keras import ops

from textgate._backend import Tensor
from textgate.recurrence._edits import Edit, apply_edit, check_edits, split_over_time
from textgate.recurrence._spec import Spec, Weights

# Changes a signal right after it is computed: (name, signal) -> signal.
Change = Callable[[str, Tensor], Tensor]


def project(
    spec: Spec, inputs: Tensor, weights: Weights, dropout: Tensor | list[Tensor] | None = None
) -> Tensor:
    """Return the input's part of every pre-activation, x W.

    Args:
        spec: The cell.
        inputs: Of shape `(…, batch, features)`.
        weights: The cell's weights.
        dropout: A mask to multiply the inputs with, of shape `(batch, features)` and the same for
            all steps; or a list of such masks, one for each of the kernel's columns.

    Returns:
        A tensor of shape `(…, batch, columns * units)`; for a registered cell whatever its own
        `project` returns.
    """
    if spec.cell.project is not None:
        return spec.cell.project(spec, inputs, weights)
    if not spec.cell.columns:
        return inputs
    kernel = weights.kernel
    if not isinstance(dropout, list):
        return ops.matmul(inputs if dropout is None else inputs * dropout, kernel)
    parts = [
        ops.matmul(inputs * mask, kernel[:, spec.cell.columns_of(name, spec.units)])
        for name, mask in zip(spec.cell.columns, dropout, strict=True)
    ]
    return ops.concatenate(parts, axis=-1)


def add_bias(x: Tensor, weights: Weights) -> Tensor:
    """Return `x` with the input's bias, if there is one."""
    bias = weights.bias
    if bias is None:
        return x
    return x + (bias[0] if len(bias.shape) == 2 else bias)


def _recur(
    spec: Spec, h: Tensor, weights: Weights, dropout: list[Tensor] | None, columns: int
) -> Tensor:
    """Return h U for the first `columns` signals of the kernel, with recurrent dropout if any."""
    kernel = weights.recurrent_kernel
    if dropout is None:
        return ops.matmul(h, kernel[:, : columns * spec.units])
    names = spec.cell.columns[:columns]
    parts = [
        ops.matmul(h * mask, kernel[:, spec.cell.columns_of(name, spec.units)])
        for name, mask in zip(names, dropout, strict=False)
    ]
    return ops.concatenate(parts, axis=-1)


def lstm_step(
    spec: Spec,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Weights,
    change: Change,
    dropout: list[Tensor] | None = None,
) -> dict[str, Tensor]:
    """One step of the LSTM; `states` are h_{t-1} and c_{t-1}."""
    h, c = states
    x = add_bias(x + _recur(spec, h, weights, dropout, 4), weights)
    x_i, x_f, x_g, x_o = ops.split(x, 4, axis=-1)
    f = change("forget_gate", spec.recurrent_activation(x_f))
    i = change("input_gate", 1 - f if spec.coupled else spec.recurrent_activation(x_i))
    g = change("candidate", spec.activation(x_g))
    o = change("output_gate", spec.recurrent_activation(x_o))
    c = change("cell_state", f * c + i * g)
    h = change("hidden_state", o * spec.activation(c))
    return {
        "input_gate": i,
        "forget_gate": f,
        "candidate": g,
        "output_gate": o,
        "cell_state": c,
        "hidden_state": h,
    }


def gru_step(
    spec: Spec,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Weights,
    change: Change,
    dropout: list[Tensor] | None = None,
) -> dict[str, Tensor]:
    """One step of the GRU; `states` is h_{t-1} alone."""
    (h,) = states
    u = spec.units
    x_z, x_r, x_h = ops.split(add_bias(x, weights), 3, axis=-1)
    inner = _recur(spec, h, weights, dropout, 3 if spec.reset_after else 2)
    if spec.reset_after and weights.bias is not None:
        inner = inner + weights.bias[1]
    z = change("update_gate", spec.recurrent_activation(x_z + inner[:, :u]))
    r = change("reset_gate", spec.recurrent_activation(x_r + inner[:, u : 2 * u]))
    if spec.reset_after:
        past = r * inner[:, 2 * u :]
    else:
        masked = h if dropout is None else h * dropout[2]
        past = ops.matmul(r * masked, weights.recurrent_kernel[:, 2 * u :])
    candidate = change("candidate", spec.activation(x_h + past))
    written = (1 - z) * candidate
    h = change("hidden_state", z * h + written if spec.leak else written)
    return {"update_gate": z, "reset_gate": r, "candidate": candidate, "hidden_state": h}


def simple_rnn_step(
    spec: Spec,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Weights,
    change: Change,
    dropout: list[Tensor] | None = None,
) -> dict[str, Tensor]:
    """One step of the simple RNN; `states` is h_{t-1} alone."""
    (h,) = states
    h = spec.activation(add_bias(x + _recur(spec, h, weights, dropout, 1), weights))
    return {"hidden_state": change("hidden_state", h)}


def changes(spec: Spec, edits: Sequence[Edit], tensors: Sequence[dict[str, Tensor]]) -> Change:
    """Return the function that fixes gates and carries out edits, given the edits' tensors."""

    def change(name: str, signal: Tensor) -> Tensor:
        if name in spec.fixed_gates:
            signal = ops.full_like(signal, spec.fixed_gates[name])
        for edit, edit_tensors in zip(edits, tensors, strict=True):
            if edit.signal == name:
                signal = apply_edit(edit, edit_tensors, signal)
        return signal

    return change


def step(
    spec: Spec,
    inputs: Tensor,
    states: Sequence[Tensor],
    weights: Weights,
    edits: Sequence[Edit] = (),
) -> dict[str, Tensor]:
    """Compute one step of a cell.

    Args:
        spec: The cell.
        inputs: x_t, of shape `(batch, features)`.
        states: The states before the step, each `(batch, units)`, in the order of
            `spec.cell.states`.
        weights: The cell's weights.
        edits: Changes to signals; their tensors broadcast over `(batch, 1, units)`.

    Returns:
        A dictionary with every signal of `spec.cell.signals`, each of shape `(batch, units)`.

    Raises:
        ValueError: If the inputs, the states or an edit don't fit the cell.

    Example:

    >>> import numpy as np
    >>> spec = Spec("gru", units=2)
    >>> weights = Weights(np.zeros((3, 6)), np.zeros((2, 6)), np.zeros((2, 6)))
    >>> signals = step(spec, np.ones((1, 3)), [np.ones((1, 2))], weights)
    >>> np.asarray(signals["hidden_state"]).tolist()
    [[0.5, 0.5]]
    """
    inputs = ops.convert_to_tensor(inputs)
    if len(inputs.shape) != 2:
        raise ValueError(
            f"`inputs` of a step must have shape (batch, features). Received: {inputs.shape}"
        )
    states = check_states(spec, states)
    check_edits(edits, spec.cell, (inputs.shape[0], 1, spec.units))
    over_time, fixed = split_over_time(edits, inputs.dtype)
    if any(over_time):
        raise ValueError("An edit of one step has a time axis of length 1 or none.")
    x = project(spec, inputs, weights)
    return take_step(spec, x, states, weights, changes(spec, edits, fixed))


def take_step(
    spec: Spec,
    x: Tensor,
    states: Sequence[Tensor],
    weights: Weights,
    change: Change,
    dropout: list[Tensor] | None = None,
) -> dict[str, Tensor]:
    """Compute one step from `project` on, and check that it gave all signals.

    Args:
        spec: The cell.
        x: The input's part of the pre-activations.
        states: The states before the step.
        weights: The cell's weights.
        change: What changes each signal.
        dropout: Masks for h_{t-1}, one for each of the kernel's columns.

    Returns:
        The signals, in the order of `spec.cell.signals`.
    """
    drop = () if dropout is None else (dropout,)
    signals = spec.cell.step(spec, x, states, weights, change, *drop)
    if signals.keys() != set(spec.cell.signals):
        raise ValueError(
            f"The step of a {spec.cell.title} must return the signals {list(spec.cell.signals)}. "
            f"Received: {list(signals)}"
        )
    return {name: signals[name] for name in spec.cell.signals}


def check_states(spec: Spec, states: Sequence[Tensor]) -> list[Tensor]:
    """Return the states as a list of tensors, or say why they don't fit the cell."""
    names = spec.cell.states
    if len(states) != len(names):
        raise ValueError(
            f"A {spec.cell.kind} has the states {list(names)}, each of shape (batch, units). "
            f"Received: {len(states)} of them"
        )
    tensors = [ops.convert_to_tensor(state) for state in states]
    for name, tensor in zip(names, tensors, strict=True):
        if len(tensor.shape) != 2 or tensor.shape[-1] != spec.units:
            raise ValueError(
                f"State {name!r} must have shape (batch, {spec.units}). Received: {tensor.shape}"
            )
    return tensors
