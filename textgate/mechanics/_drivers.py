"""What opens and closes a gate: the word read now, or what the layer remembers.

A gate decides without seeing the memory it decides over. The forget gate of an LSTM is

    f_t = σ(x_t W_f  +  h_{t-1} U_f  +  b_f)

so that what it does is the sum of two things and a constant: the part from x_t, which depends on
the word at t alone (in a first layer), and the part from h_{t-1}, that is, from what the output
gates have let out of the memory. The split is exact, before the sigmoid: the parts and the bias sum
to the pre-activation. Which part it is that varies, answers how the gate "decides".

Parts are compared with their means over all steps, since a part that is always the same is no
different from a bias.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
import xarray as xr

from textgate._backend import Tensor
from textgate.layers import weights_of
from textgate.mechanics._calls import LayerCall, call_of
from textgate.mechanics._nodes import DIMS
from textgate.recurrence import Spec, Weights
from textgate.tracing import one_site
from textgate.tracing.inputs import source_of

_PARTS = ("from_input", "from_state", "pre_activation", "gate")


def gate_drivers(
    model: keras.Model,
    inputs: Any,
    units: int | Sequence[int] | None = None,
    gate: str = "retention",
    *,
    layer: str | None = None,
    tokens: Any = None,
    batch_size: int = 64,
) -> xr.Dataset:
    """Split a gate's pre-activation into the part from x_t and the part from h_{t-1}.

    Args:
        model: A built Keras model.
        inputs: Whatever `model.predict` takes, or texts for a textgate language model.
        units: The units; all by default.
        gate: A gate of the layer's cell; `"retention"` stands for the LSTM's forget gate and the
            GRU's update gate.
        layer: The recurrent layer; it may be left out where there is only one.
        tokens: The word at each step, `(example, time)`; a language model's are known.
        batch_size: How many examples are computed at a time.

    Returns:
        `from_input`, `from_state`, `pre_activation` and `gate` with the dims `(example, time,
        unit)`, NaN at masked steps; and `bias` `(unit)`. Input, state and bias sum to the
        pre-activation; `gate` is what the layer computed from it. The words are the coordinate
        `token (example, time)`, where they are known.

    Raises:
        TypeError: If `model` is not a Keras model.
        ValueError: If the layer, gate or a unit is unknown, or the gate is held fixed.

    Example:

    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4)])
    >>> parts = gate_drivers(model, np.ones((2, 5, 3)), units=[1])
    >>> total = parts.from_input + parts.from_state + parts.bias
    >>> bool(abs(total - parts.pre_activation).max() < 1e-6)
    True
    """
    site_call = one_site(model, layer)
    site, spec = site_call.site, site_call.site.spec
    name = _gate(spec, gate)
    chosen = _units(spec, units)
    weights = _columns(spec, weights_of(site.cell), name, chosen)
    blocks: list[dict[str, np.ndarray]] = []
    for batch in source_of(model, inputs, batch_size, tokens).batches():
        layer_call = call_of(model, batch.inputs, site_call)
        block = _parts(layer_call, weights)
        block["gate"] = _array(layer_call.signals[name])[..., chosen]
        mask = layer_call.mask
        block = {key: np.where(mask[..., None], value, np.nan) for key, value in block.items()}
        block["mask"] = mask
        if batch.tokens is not None and batch.tokens.shape[1] == mask.shape[1]:
            block["token"] = batch.tokens
        blocks.append(block)
    joined = {key: _joined([block[key] for block in blocks]) for key in blocks[0]}
    coords: dict[str, Any] = {"time": np.arange(joined["mask"].shape[1]), "unit": chosen}
    for key in ("mask", "token"):
        if key in joined:
            coords[key] = (("example", "time"), joined[key])
    data: dict[str, Any] = {key: (DIMS, joined[key]) for key in _PARTS}
    data["bias"] = ("unit", weights.bias)
    return xr.Dataset(data, coords, {"layer": site.path, "cell": spec.cell.kind, "gate": name})


def _parts(layer_call: LayerCall, weights: Weights) -> dict[str, np.ndarray]:
    """Return the parts of a pre-activation, `(batch, time, unit)`, made with these columns."""
    call, h = layer_call.call, _array(layer_call.signals["hidden_state"])
    first = _array(call.initial_states[0])[:, None]
    if call.site.layer.go_backwards:
        before = np.concatenate([h[:, 1:], first], axis=1)
    else:
        before = np.concatenate([first, h[:, :-1]], axis=1)
    from_input = _array(call.inputs) @ weights.kernel
    from_state = before @ weights.recurrent_kernel
    return {
        "from_input": from_input,
        "from_state": from_state,
        "pre_activation": from_input + from_state + weights.bias,
    }


def _gate(spec: Spec, gate: str) -> str:
    cell = spec.cell
    name = cell.retention[0] if gate == "retention" and cell.gates else gate
    if name not in cell.gates:
        raise ValueError(
            f"`gate` must be a gate of the {cell.kind}: {[*cell.gates]}, or 'retention'. "
            f"Received: gate={gate!r}"
        )
    if name in spec.fixed_gates or (spec.coupled and name == "input_gate"):
        held = spec.fixed_gates.get(name, "1 − the forget gate")
        raise ValueError(f"This gate is held at {held}; nothing drives it. Received: gate={gate!r}")
    return name


def _units(spec: Spec, units: int | Sequence[int] | None) -> np.ndarray:
    chosen = np.arange(spec.units) if units is None else np.atleast_1d(np.asarray(units))
    are_numbers = chosen.size and chosen.ndim == 1 and chosen.dtype.kind in "iu"
    if not are_numbers or chosen.min() < 0 or chosen.max() >= spec.units:
        raise ValueError(
            f"`units` must be numbers from 0 to {spec.units - 1}. Received: units={units!r}"
        )
    return chosen


def _columns(spec: Spec, weights: Weights, name: str, units: np.ndarray) -> Weights:
    """Return a gate's columns of the weights, for the chosen units."""
    columns = spec.cell.columns_of(name, spec.units).start + units
    bias = np.zeros(len(columns))
    if weights.bias is not None:
        biases = np.atleast_2d(_array(weights.bias))
        bias = biases[:, columns].sum(axis=0)  # a GRU's with reset_after has two
    return Weights(
        _array(weights.kernel)[:, columns], _array(weights.recurrent_kernel)[:, columns], bias
    )


def _array(tensor: Tensor) -> np.ndarray:
    if str(tensor.dtype).endswith("float16"):  # NumPy doesn't know bfloat16
        tensor = keras.ops.cast(tensor, "float32")
    return np.asarray(tensor, np.float64)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Put batches of different lengths under one another."""
    length = max(part.shape[1] for part in parts)
    blank = {"f": np.nan, "b": False}.get(parts[0].dtype.kind, "")
    padded = [
        np.pad(
            part,
            [(0, 0), (0, length - part.shape[1]), *[(0, 0)] * (part.ndim - 2)],
            constant_values=blank,
        )
        for part in parts
    ]
    return np.concatenate(padded)


def driving_words(
    drivers: xr.Dataset, top: int = 10, *, by: str = "from_input", at_least: int = 1
) -> pd.DataFrame:
    """Return the words at which a gate opens and closes most.

    Args:
        drivers: What `gate_drivers` returns, with words.
        top: How many words to return for each unit and each of "opens" and "closes".
        by: What ranks them: `"from_input"`, the word's own part; `"from_state"`, what the layer
            remembers when it reads the word; or `"effect"`, the sum.
        at_least: Leave out words that stand at fewer steps than these.

    Returns:
        A row for each unit and word: `unit`, `word` (in lower case), `does` ("opens" or
        "closes"), `steps` (how often it was read), `from_input`, `from_state` (means over these
        steps, minus the mean over all), `effect` (their sum, exactly the mean pre-activation
        minus that over all steps), and `gate` (its mean). Positive parts open the gate. Largest
        effects first.

    Raises:
        ValueError: If the words aren't known, or an argument is out of range.
    """
    if "token" not in drivers.coords:
        raise ValueError(
            "Whose steps these are isn't known; give gate_drivers tokens=…. Received: drivers "
            "without the coordinate 'token'"
        )
    if by not in ("from_input", "from_state", "effect") or top < 1 or at_least < 1:
        raise ValueError(
            "`by` must be 'from_input', 'from_state' or 'effect', and `top` and `at_least` 1 or "
            f"more. Received: by={by!r}, top={top!r}, at_least={at_least!r}"
        )
    mask = drivers["mask"].values
    words = pd.Series(np.char.lower(drivers["token"].values[mask].astype(str)), name="word")
    parts = []
    for at, unit in enumerate(drivers["unit"].values):
        steps = pd.DataFrame({name: drivers[name].values[mask][:, at] for name in _PARTS})
        means = steps.groupby(words).mean()
        counts = words.value_counts().reindex(means.index)
        overall = steps.mean()
        table = pd.DataFrame(
            {
                "unit": int(unit),
                "word": means.index,
                "does": "",
                "steps": counts.to_numpy(),
                "from_input": (means["from_input"] - overall["from_input"]).to_numpy(),
                "from_state": (means["from_state"] - overall["from_state"]).to_numpy(),
            }
        )
        table["effect"] = table["from_input"] + table["from_state"]
        table["gate"] = means["gate"].to_numpy()
        table["does"] = np.where(table[by] > 0, "opens", "closes")
        table = table[(table["steps"] >= at_least) & (table[by] != 0)]
        order = table[by].abs().sort_values(ascending=False, kind="stable").index
        parts.append(table.loc[order].groupby("does", sort=False).head(top))
    return pd.concat(parts, ignore_index=True)


def driver_shares(drivers: xr.Dataset) -> pd.DataFrame:
    """Return how much of what a gate does comes from the word, and how much from the memory.

    The variance of a sum is the sum of its parts' covariances with it, so that the shares of the
    two parts sum to 1. A share can lie outside [0, 1], where the parts work against each other.

    Args:
        drivers: What `gate_drivers` returns.

    Returns:
        A row for each unit: `unit`, `gate_mean`, `spread` (standard deviation of the
        pre-activation), `share_input` and `share_state` (NaN where it doesn't vary).
    """
    mask = drivers["mask"].values
    seen = {name: drivers[name].values[mask] for name in _PARTS}
    if not len(seen["gate"]):
        nothing = np.full(drivers.sizes["unit"], np.nan)
        mean = spread = share = nothing
    else:
        mean = seen["gate"].mean(axis=0)
        total = seen["pre_activation"] - seen["pre_activation"].mean(axis=0)
        variance = (total**2).mean(axis=0)
        spread = np.sqrt(variance)
        part = seen["from_input"] - seen["from_input"].mean(axis=0)
        share = np.full_like(mean, np.nan)
        np.divide((part * total).mean(axis=0), variance, out=share, where=variance > 0)
    return pd.DataFrame(
        {
            "unit": drivers["unit"].values,
            "gate_mean": mean,
            "spread": spread,
            "share_input": share,
            "share_state": 1 - share,
        }
    )
