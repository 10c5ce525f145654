"""The recurrent layers among the weights of a PyTorch model, in the layout of Keras.

PyTorch has for each layer `weight_ih_l0` (rows of the gates, inputs), `weight_hh_l0`, two biases
`bias_ih_l0` and `bias_hh_l0`, and the same with `_reverse` for the other direction. The rows are
i, f, g, o in an LSTM and r, z, n in a GRU. Keras has the transposed kernels, columns i, f, g, o
and z, r, h; an LSTM's two biases add up; of a GRU's both are kept (`reset_after=True`), and z keeps
the old state in both.
"""

import dataclasses
import itertools
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from textgate.importing._torch_weights import TorchWeights

_NAME = re.compile(
    r"^(?P<prefix>.*?)(?P<part>weight_ih|weight_hh|weight_hr|bias_ih|bias_hh)"
    r"(?:_l(?P<layer>\d+))?(?P<reverse>_reverse)?(?P<raw>_raw)?$"
)
_CELLS = {4: "lstm", 3: "gru", 1: "simple_rnn"}
# Where the gates of Keras's columns stand among PyTorch's rows.
_ORDER = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "simple_rnn": (0,)}


@dataclasses.dataclass(frozen=True)
class Direction:
    """One direction of one recurrent layer.

    Attributes:
        kernel: `(inputs, gates * units)`.
        recurrent_kernel: `(units, gates * units)`.
        bias: `(gates * units,)`, of a GRU `(2, gates * units)`; `None` without.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None

    @property
    def weights(self) -> list[np.ndarray]:
        """The weights in the order of Keras."""
        return [w for w in (self.kernel, self.recurrent_kernel, self.bias) if w is not None]


@dataclasses.dataclass(frozen=True)
class RecurrentStack:
    """The layers of one `nn.LSTM`, `nn.GRU` or `nn.RNN`, or of several in a row.

    Attributes:
        cell: `"lstm"`, `"gru"` or `"simple_rnn"`.
        layers: Each layer: one direction, or forward and backward.
        names: The names of its weights.
        activation: Of `nn.RNN`, `"tanh"` or `"relu"`.
        dropout: Between the layers, in training.
    """

    cell: str
    layers: list[list[Direction]]
    names: list[str]
    activation: str = "tanh"
    dropout: float = 0.0

    @property
    def units(self) -> list[int]:
        """The units of each layer, of one direction."""
        return [layer[0].recurrent_kernel.shape[0] for layer in self.layers]

    @property
    def inputs(self) -> int:
        """The size of the first layer's input."""
        return self.layers[0][0].kernel.shape[0]


def prefixes_of(weights: TorchWeights) -> list[str]:
    """Return the names of the modules that are recurrent, in the order of their weights."""
    matches = (_NAME.match(name) for name in weights.arrays)
    return list(dict.fromkeys(match["prefix"] for match in matches if match))


def read_stack(weights: TorchWeights, prefixes: list[str]) -> RecurrentStack:
    """Return the recurrent layers of modules, one after the other.

    Args:
        weights: All weights.
        prefixes: The names of the modules, as `prefixes_of` returns them.

    Raises:
        ValueError: If they are of different kinds, don't fit each other, or have projections.
    """
    stacks = [_one(weights, prefix) for prefix in prefixes]
    layers = [layer for stack in stacks for layer in stack.layers]
    for before, after in itertools.pairwise(layers):
        size = sum(direction.recurrent_kernel.shape[0] for direction in before)
        if after[0].kernel.shape[0] != size:
            raise ValueError(
                f"recurrent layers must fit each other: one of {size} outputs stands before one of "
                f"{after[0].kernel.shape[0]} inputs. Received: {weights.source} with {prefixes}"
            )
    first = stacks[0]
    if any((stack.cell, stack.activation) != (first.cell, first.activation) for stack in stacks):
        raise ValueError(
            f"recurrent layers must be of one kind. Received: {[stack.cell for stack in stacks]}"
        )
    names = [name for stack in stacks for name in stack.names]
    return dataclasses.replace(first, layers=layers, names=names)


def _one(weights: TorchWeights, prefix: str) -> RecurrentStack:
    """Return the layers of one module."""
    parts: dict[tuple[int, bool], dict[str, np.ndarray]] = {}
    names = []
    for name, array in weights.arrays.items():
        match = _NAME.match(name)
        if match is None or match["prefix"] != prefix:
            continue
        names.append(name)
        part = parts.setdefault((int(match["layer"] or 0), bool(match["reverse"])), {})
        if match["raw"] or match["part"] not in part:  # the raw weight is the one without dropout
            part[match["part"]] = array
    settings: Mapping[str, Any] = weights.settings.get(prefix.rstrip("."), {})
    where = f"{prefix}weight_ih of {weights.source}"
    if any("weight_hr" in part for part in parts.values()) or settings.get("proj_size"):
        raise ValueError(
            "an LSTM with `proj_size` projects its hidden state, which Keras's LSTM doesn't do; "
            f"there is no equal layer. Received: proj_size of {where}"
        )
    numbers = sorted({layer for layer, _ in parts})
    if numbers != list(range(len(numbers))):
        raise ValueError(f"recurrent layers are missing. Received: layers {numbers} of {where}")
    cell = _cell(parts[0, False], where)
    layers = []
    for number in numbers:
        both = [(number, False), (number, True)]
        layers.append([_direction(cell, parts[key], where) for key in both if key in parts])
    activation = settings.get("nonlinearity") or {"RNN_RELU": "relu"}.get(
        str(settings.get("mode")), "tanh"
    )
    return RecurrentStack(
        cell, layers, names, str(activation), float(settings.get("dropout") or 0.0)
    )


def _cell(part: Mapping[str, np.ndarray], where: str) -> str:
    recurrent = part.get("weight_hh")
    if recurrent is None or recurrent.ndim != 2 or not recurrent.shape[1]:
        raise ValueError(f"a recurrent layer lacks `weight_hh`. Received: {where}")
    gates, rest = divmod(recurrent.shape[0], recurrent.shape[1])
    if rest or gates not in _CELLS:
        raise ValueError(
            "the rows of `weight_hh` must be 1, 3 or 4 times its columns (a simple RNN, a GRU, an "
            f"LSTM). Received: shape {recurrent.shape} of {where}"
        )
    return _CELLS[gates]


def _direction(cell: str, part: Mapping[str, np.ndarray], where: str) -> Direction:
    order = _ORDER[cell]
    units = part["weight_hh"].shape[-1] if "weight_hh" in part else 0
    rows = len(order) * units
    shapes = {"weight_hh": (rows, units), "bias_ih": (rows,), "bias_hh": (rows,)}
    for name, array in part.items():
        expected = shapes.get(name, (rows, *array.shape[1:2]))
        if array.shape != expected:
            raise ValueError(
                f"a weight of a recurrent layer doesn't fit the others; `{name}` must have the "
                f"shape {expected}. Received: {array.shape} of {where}"
            )
    if "weight_ih" not in part or ("bias_ih" in part) != ("bias_hh" in part):
        raise ValueError(f"a recurrent layer lacks weights. Received: {sorted(part)} of {where}")

    def columns(array: np.ndarray) -> np.ndarray:
        gates = np.split(np.asarray(array, np.float32), len(order), axis=0)
        return np.concatenate([gates[gate] for gate in order], axis=0).T

    bias = None
    if "bias_ih" in part:
        both = np.stack([columns(part["bias_ih"]), columns(part["bias_hh"])])
        bias = both if cell == "gru" else both.sum(axis=0)
    return Direction(columns(part["weight_ih"]), columns(part["weight_hh"]), bias)


def recurrent_model(stack: RecurrentStack, name: str | None = None) -> keras.Model:
    """Return the layers as a Keras model from `(batch, time, inputs)` to `(batch, time, units)`."""
    arguments: dict[str, Any] = {"return_sequences": True}
    if stack.cell == "simple_rnn":
        arguments["activation"] = stack.activation
    kind = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}.get(
        stack.cell, keras.layers.SimpleRNN
    )
    model = keras.Sequential([keras.Input((None, stack.inputs))], name=name)
    for number, (directions, units) in enumerate(zip(stack.layers, stack.units, strict=True)):
        suffix = f"_{number}" if number else ""
        layer = kind(
            units,
            use_bias=directions[0].bias is not None,
            name=f"{stack.cell}{suffix}",
            **arguments,
        )
        if len(directions) == 2:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional{suffix}")
        if number and stack.dropout:
            model.add(keras.layers.Dropout(stack.dropout, name=f"dropout_{number}"))
        model.add(layer)
        layer.set_weights([w for direction in directions for w in direction.weights])
    return model
