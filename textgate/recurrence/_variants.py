"""Variants of the cells, rewritten as stock cells with other weights, so that they are as fast.

A gate that is held at a value v doesn't depend on its weights. So it is the gate of a stock cell
whose weights into it are 0 and whose bias is logit(v): σ(logit(v)) = v, and no gradient reaches the
weights that are not there. For 0 and 1 the bias lies so far out that the logistic function is
exactly 0 or 1 in floating point. An input gate tied to the forget gate, i = 1 − f, is that of a
stock LSTM with the forget gate's weights negated: 1 − σ(a) = σ(−a).

A GRU without its leak isn't a stock GRU for any weights, but the fast loops know it.
"""

import dataclasses
import math

from keras import ops

from textgate.recurrence._spec import Spec, Weights

_FAR = 1000.0  # σ(±1000) is exactly 0 or 1, in float64 as well


def as_stock(spec: Spec, weights: Weights) -> tuple[Spec, Weights]:
    """Return a cell with nothing fixed or coupled, and weights, that compute the same as a variant.

    Args:
        spec: The cell.
        weights: Its weights.

    Returns:
        `spec` and `weights` themselves if nothing is fixed or coupled, or if gates aren't
        logistic functions, or the activation isn't tanh, or the cell is a registered one.

    Example:

    >>> import numpy as np
    >>> spec = Spec("lstm", units=1, fixed_gates={"forget_gate": 1.0})
    >>> stock, weights = as_stock(spec, Weights(np.ones((1, 4)), np.ones((1, 4)), np.ones(4)))
    >>> stock.is_stock, np.asarray(weights.bias).tolist()
    (True, [1.0, 1000.0, 1.0, 1.0])
    """
    stock = dataclasses.replace(spec, fixed_gates={}, coupled=False)
    nothing = not spec.fixed_gates and not spec.coupled
    registered = not isinstance(weights, Weights)
    if nothing or registered or not dataclasses.replace(stock, leak=True).is_plain:
        return spec, weights
    bias = weights.bias
    if bias is None:
        columns = len(spec.cell.columns) * spec.units
        bias = ops.zeros(
            (2, columns) if spec.biases == 2 else (columns,), dtype=weights.kernel.dtype
        )
    kernels = [
        ops.split(tensor, len(spec.cell.columns), axis=-1)
        for tensor in (weights.kernel, weights.recurrent_kernel, bias)
    ]
    index = {name: number for number, name in enumerate(spec.cell.columns)}
    for name, value in spec.fixed_gates.items():
        for parts in kernels:
            parts[index[name]] = ops.zeros_like(parts[index[name]])
        # Of a GRU's two biases, which are added up, half of it each.
        pinned = _logit(value) / spec.biases
        kernels[2][index[name]] = ops.full_like(kernels[2][index[name]], pinned)
    if spec.coupled:
        for parts in kernels:
            parts[index["input_gate"]] = -parts[index["forget_gate"]]
    return stock, Weights(*(ops.concatenate(parts, axis=-1) for parts in kernels))


def _logit(value: float) -> float:
    if value in (0.0, 1.0):
        return _FAR if value else -_FAR
    return math.log(value / (1 - value))
