"""The equations of one unit at one step with their numbers, as `page/engine/parts.js` has them."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from textgate.recurrence import GRU, Spec


def parts_of(
    spec: Spec,
    weights: Any,
    inputs: np.ndarray,
    signals: Mapping[str, Any],
    unit: int,
    step: int,
) -> dict[str, Any]:
    """Return why each gate of a unit is what it is, and what becomes of its memory.

    Args:
        spec: The cell's equations; of a stock cell.
        weights: Its weights.
        inputs: What the layer is given, `(steps, features)`.
        signals: Every signal by name, `(steps, units)`, derived ones too.
        unit: The unit.
        step: The step.

    Raises:
        ValueError: If there is no such unit or step, or the cell's equations aren't of this form.
    """
    cell = spec.cell
    if not cell.columns:
        raise ValueError(f"the equations of a {cell.title} aren't a sum of three. Received: it")
    for name, value, count in (("unit", unit, spec.units), ("step", step, len(inputs))):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < count:
            raise ValueError(f"`{name}` must be from 0 to {count - 1}. Received: {value!r}")
    kernel, recurrent, bias = _as_arrays(weights)
    now = {name: np.asarray(rows)[step] for name, rows in signals.items()}
    previous = {
        name: np.asarray(rows)[step - 1] if step else np.zeros(spec.units)
        for name, rows in signals.items()
    }
    gates = {}
    for name in cell.columns:
        at = cell.columns_of(name, spec.units).start + unit
        past, factor = previous["hidden_state"], 1.0
        if cell is GRU and name == "candidate":
            if spec.biases == 2:
                factor = float(now["reset_gate"][unit])
            else:
                past = now["reset_gate"] * past
        x = float(inputs[step] @ kernel[:, at])
        h = factor * float(past @ recurrent[:, at])
        constant = float(bias[0, at] + factor * bias[1, at])
        is_gate = name in cell.gates
        activation = spec.recurrent_activation if is_gate else spec.activation
        total = x + h + constant
        gates[name] = {
            "symbol": cell.letters[name],
            "x": x,
            "h": h,
            "bias": constant,
            "sum": total,
            "activation": str(keras.activations.serialize(activation)),
            "computed": float(keras.ops.convert_to_numpy(activation(np.float64(total)))),
            "value": float(now[name][unit]),
        }
    retention = float(now["retention"][unit]) if spec.leak else 0.0
    before = float(previous[cell.memory][unit])
    return {
        "gates": gates,
        "memory": cell.memory,
        "retention": cell.letters["retention"],
        "writing": cell.letters["writing"],
        "before": before,
        "kept": retention * before,
        "written": float(now["writing"][unit] * now[cell.candidate][unit]),
        "after": float(now[cell.memory][unit]),
        "hidden": float(now["hidden_state"][unit]),
    }


def _as_arrays(weights: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return kernel, recurrent kernel and both biases, `(2, columns)`, of a stock cell."""
    kernel, recurrent = (
        np.asarray(keras.ops.convert_to_numpy(w), np.float64)
        for w in (weights.kernel, weights.recurrent_kernel)
    )
    biases = np.zeros((2, kernel.shape[1]))
    if weights.bias is not None:
        given = np.atleast_2d(keras.ops.convert_to_numpy(weights.bias))
        biases[: len(given)] = given
    return kernel, recurrent, biases
