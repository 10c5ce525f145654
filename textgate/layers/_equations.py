"""From a Keras cell to its equations and weights, for the stock cells and for ours."""

from typing import Any

import keras

from textgate.recurrence import CELLS, Spec, Weights

_KINDS = (
    (keras.layers.LSTMCell, "lstm"),
    (keras.layers.GRUCell, "gru"),
    (keras.layers.SimpleRNNCell, "simple_rnn"),
)


def spec_of(cell: keras.layers.Layer) -> Spec:
    """Return the equations of a recurrent cell.

    Args:
        cell: A `keras.layers.LSTMCell`, `GRUCell` or `SimpleRNNCell`, as found in a layer's
            attribute `cell`. A subclass counts only if it computes the same, that is, if it
            doesn't have a `call` of its own.

    Raises:
        ValueError: If the cell's equations are not known.

    Example:

    >>> import keras
    >>> spec_of(keras.layers.GRU(4).cell).cell.signals
    ('update_gate', 'reset_gate', 'candidate', 'hidden_state')
    """
    for stock, kind in _KINDS:
        if isinstance(cell, stock) and type(cell).call is stock.call:
            options: dict[str, Any] = {"activation": cell.activation}
            if kind != "simple_rnn":
                options["recurrent_activation"] = cell.recurrent_activation
            if kind == "gru":
                options["reset_after"] = cell.reset_after
            return Spec(CELLS[kind], cell.units, **options, **getattr(cell, "variant", {}))
    raise ValueError(
        "The equations of this cell are not known; textgate knows keras.layers.LSTMCell, GRUCell "
        f"and SimpleRNNCell. Received: {type(cell).__module__}.{type(cell).__qualname__}"
    )


def weights_of(cell: keras.layers.Layer) -> Weights:
    """Return the weights of a built recurrent cell, as tensors in the active compute type.

    Raises:
        ValueError: If the cell has no weights yet.
    """
    if not cell.built:
        raise ValueError(f"The cell has no weights before it is built. Received: {cell.name!r}")
    bias = cell.bias
    return Weights(
        keras.ops.convert_to_tensor(cell.kernel),
        keras.ops.convert_to_tensor(cell.recurrent_kernel),
        None if bias is None else keras.ops.convert_to_tensor(bias),
    )
