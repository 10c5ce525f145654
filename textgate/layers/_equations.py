"""From a Keras cell to its equations and weights, for the stock cells, for ours and for others'.

textgate knows the equations of `keras.layers.LSTMCell`, `GRUCell` and `SimpleRNNCell`. Those of
another cell are registered (`register_cell`); from then on a `keras.layers.RNN` over it can be
traced, edited, exported and drawn like a stock layer.
"""

import collections
import dataclasses
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import keras

from textgate.recurrence import CELLS, GRU, LSTM, SIMPLE_RNN, Cell, Spec, Weights

_STOCK: dict[Any, Cell] = {
    keras.layers.LSTMCell: LSTM,
    keras.layers.GRUCell: GRU,
    keras.layers.SimpleRNNCell: SIMPLE_RNN,
}
_REGISTERED: dict[Any, Cell] = {}
_OF_SPEC = {field.name for field in dataclasses.fields(Spec)}


def register_cell(cell_class: type, equations: Cell) -> None:
    """Tell textgate the equations of a Keras cell of yours.

    Do it once, where the cell is defined; whoever opens a trace of the cell has to import that.

    Args:
        cell_class: The class of the cell that `keras.layers.RNN` takes: a `keras.Layer` with
            `state_size` and `call(inputs, states) -> output, states`. All its states and its
            output have as many numbers as it has units. A subclass counts as well, unless it has
            a `call` of its own.
        equations: What it computes. The step is given `x`, the layer's input at one step, or what
            the cell's own `project` makes of it; and `weights`, which has the cell's variables by
            the names of its attributes (`weights.kernel`), those of sublayers with the sublayer's
            name before (`weights.norm_gamma`). Attributes of the cell that `equations.options`
            names are in `spec.settings`; if the cell has an `activation` or a
            `recurrent_activation`, it is that of the spec. A kind that is registered again
            replaces the one before.

    Raises:
        TypeError: If the one is not a class of Keras layers, or the other not a `Cell`.
        ValueError: If the class, or a cell of that kind, is one of textgate's own.

    Example:

    A minimal gated unit (Zhou et al. 2016): one gate, which both forgets and resets.

    >>> import keras, numpy as np, textgate as tg
    >>> from keras import ops
    >>> from textgate.recurrence import Cell, Signal
    >>> class MGUCell(keras.layers.Layer):
    ...     def __init__(self, units, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.units = self.state_size = units
    ...     def build(self, shape):
    ...         self.gate = self.add_weight(shape=(shape[-1] + self.units, self.units))
    ...         self.kernel = self.add_weight(shape=(shape[-1] + self.units, self.units))
    ...     def call(self, inputs, states):
    ...         (h,) = states
    ...         f = ops.sigmoid(ops.concatenate([inputs, h], -1) @ self.gate)
    ...         candidate = ops.tanh(ops.concatenate([inputs, f * h], -1) @ self.kernel)
    ...         h = (1 - f) * h + f * candidate
    ...         return h, [h]
    >>> def step(spec, x, states, weights, change):
    ...     (h,) = states
    ...     f = change("forget_gate", ops.sigmoid(ops.concatenate([x, h], -1) @ weights.gate))
    ...     inner = ops.concatenate([x, f * h], -1) @ weights.kernel
    ...     candidate = change("candidate", ops.tanh(inner))
    ...     h = change("hidden_state", (1 - f) * h + f * candidate)
    ...     return {"forget_gate": f, "candidate": candidate, "hidden_state": h}
    >>> tg.register_cell(MGUCell, Cell(
    ...     kind="mgu", title="MGU", step=step, states=("hidden_state",),
    ...     table=(
    ...         Signal("forget_gate", "f", "gate", "share of the old state replaced"),
    ...         Signal("candidate", "ĥ", "candidate", "what could be written"),
    ...         Signal("hidden_state", "h", "state", "the output"),
    ...     ),
    ...     retention=("forget_gate", -1.0, 1.0), writing=("forget_gate", 1.0, 0.0),
    ...     convention="h_t = (1 − f_t) ⊙ h_{t-1} + f_t ⊙ ĥ_t: 1 − f is the share that is kept.",
    ... ))
    >>> tg.layers.check_cell(MGUCell(4))
    >>> rnn = keras.layers.RNN(MGUCell(4), name="memory")
    >>> model = keras.Sequential([keras.Input((None, 3)), rnn])
    >>> sorted(tg.trace(model, np.ones((2, 5, 3)))["memory"].data_vars)
    ['candidate', 'forget_gate', 'hidden_state', 'retention', 'writing']
    """
    if not isinstance(cell_class, type) or not issubclass(cell_class, keras.layers.Layer):
        raise TypeError(
            "`cell_class` must be a class of Keras layers, such as that of the cell in "
            f"keras.layers.RNN(cell). Received: {cell_class!r}"
        )
    if not isinstance(equations, Cell):
        raise TypeError(
            f"`equations` must be a textgate.recurrence.Cell. Received: {type(equations).__name__}"
        )
    own = {cell.kind for cell in _STOCK.values()}
    if cell_class in _STOCK or equations.kind in own:
        raise ValueError(
            f"textgate has its own equations of {sorted(own)}; give your cell a class and a kind "
            f"of its own. Received: {cell_class.__name__}, kind {equations.kind!r}"
        )
    CELLS[equations.kind] = equations
    _REGISTERED[cell_class] = equations


def is_known_cell(layer: Any) -> bool:
    """Whether a layer is a recurrent cell of a class that textgate knows, or of a subclass."""
    return isinstance(layer, (*_STOCK, *_REGISTERED))


def spec_of(cell: keras.layers.Layer) -> Spec:
    """Return the equations of a recurrent cell.

    Args:
        cell: A `keras.layers.LSTMCell`, `GRUCell` or `SimpleRNNCell`, as found in a layer's
            attribute `cell`, or a cell of a class registered by `register_cell`. A subclass counts
            only if it computes the same, that is, if it doesn't have a `call` of its own.

    Raises:
        ValueError: If the cell's equations are not known, or don't fit its states.

    Example:

    >>> import keras
    >>> spec_of(keras.layers.GRU(4).cell).cell.signals
    ('update_gate', 'reset_gate', 'candidate', 'hidden_state')
    """
    equations = _equations_of(cell)
    if equations is None:
        raise ValueError(
            "The equations of this cell are not known; textgate knows keras.layers.LSTMCell, "
            "GRUCell and SimpleRNNCell, and those registered by textgate.register_cell. "
            f"Received: {type(cell).__module__}.{type(cell).__qualname__}"
        )
    names = ("activation", "recurrent_activation", *equations.options)
    options = {name: getattr(cell, name) for name in names if hasattr(cell, name)}
    settings = {name: options.pop(name) for name in names if name in options.keys() - _OF_SPEC}
    if equations in _STOCK.values():  # it may be that of a layer of ours
        options |= getattr(cell, "variant", {})
    return Spec(equations, _units_of(cell, equations), **options, settings=settings)


def _equations_of(cell: keras.layers.Layer) -> Cell | None:
    for known, equations in {**_REGISTERED, **_STOCK}.items():
        if isinstance(cell, known) and type(cell).call is known.call:
            return equations
    return None


def _units_of(cell: keras.layers.Layer, equations: Cell) -> int:
    sizes = keras.tree.flatten(cell.state_size)
    if len(sizes) != len(equations.states) or len(set(sizes)) > 1:
        raise ValueError(
            f"The states of a {equations.title} are {list(equations.states)}, with one number a "
            f"unit each. Received: {type(cell).__name__} with state_size={cell.state_size}"
        )
    return int(sizes[0])


def weights_of(cell: keras.layers.Layer) -> Weights:
    """Return the weights of a built recurrent cell, as tensors in the active compute type.

    Those of a registered cell are a named tuple of all its variables.

    Raises:
        ValueError: If the cell has no weights yet, or has some that no attribute names.
    """
    if not cell.built:
        raise ValueError(f"The cell has no weights before it is built. Received: {cell.name!r}")
    if _equations_of(cell) in _STOCK.values():
        bias = cell.bias
        return Weights(
            keras.ops.convert_to_tensor(cell.kernel),
            keras.ops.convert_to_tensor(cell.recurrent_kernel),
            None if bias is None else keras.ops.convert_to_tensor(bias),
        )
    variables = dict(_variables_of(cell))
    named = {id(variable) for variable in variables.values()}
    unnamed = [variable.path for variable in cell.weights if id(variable) not in named]
    if unnamed:
        raise ValueError(
            "Every variable of a registered cell must be an attribute of the cell or of a layer "
            f"that is one. Received: {type(cell).__name__} with {unnamed}"
        )
    tensors = map(keras.ops.convert_to_tensor, variables.values())
    return _named_tuple(tuple(variables))._make(tensors)


def _variables_of(layer: keras.layers.Layer, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield a layer's variables and those of its sublayers, by the names of the attributes."""
    for attribute, value in vars(layer).items():
        name = prefix + attribute.strip("_")
        if isinstance(value, keras.Variable):
            yield name, value
        elif isinstance(value, keras.layers.Layer):
            yield from _variables_of(value, f"{name}_")


@lru_cache
def _named_tuple(names: tuple[str, ...]) -> Any:
    return collections.namedtuple("Weights", names)
