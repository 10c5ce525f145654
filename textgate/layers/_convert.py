"""Exchanging the recurrent layers of a whole model: stock ones for textgate's and back.

Our layers are subclasses of the stock ones with the same cells and weights. So a copy of the model
is made with Keras's own means, and in the copy a layer changes its class; nothing else of it has
to change, wherever in the model it stands.
"""

from typing import Literal

import keras

from textgate._received import check_model
from textgate.layers._gru import GRU
from textgate.layers._lstm import LSTM

_PAIRS = ((keras.layers.LSTM, LSTM), (keras.layers.GRU, GRU))


def convert(model: keras.Model, to: Literal["textgate", "keras"]) -> keras.Model:
    """Return a copy of a model with its LSTM and GRU layers exchanged.

    The copy has the same architecture, names and weights, and gives the same outputs; a compiled
    model's copy is compiled likewise, with a fresh optimizer. `model` itself is left alone.
    Layers inside wrappers (`Bidirectional`, `TimeDistributed`) and in nested models are exchanged
    too; subclasses of the stock layers, which may compute something else, are kept.

    Args:
        model: A built Keras model: Functional, Sequential, or a subclass whose `get_config` and
            `from_config` make a copy of it.
        to: `"textgate"` for `textgate.layers.LSTM/GRU`, `"keras"` for the stock layers.

    Returns:
        The copy.

    Raises:
        ValueError: If `to` is something else, the model isn't built or cannot be copied, or a
            layer to be made a stock one does what stock layers can't (gates as outputs, variants).

    Example:

    >>> import keras
    >>> stock = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4)])
    >>> type(convert(stock, to="textgate").layers[0]).__module__
    'textgate.layers._lstm'
    """
    if to not in ("textgate", "keras"):
        raise ValueError(f"`to` must be 'textgate' or 'keras'. Received: to={to!r}")
    check_model(model, ValueError)
    if not model.built:
        raise ValueError(
            f"`model` must be built; call it on data once. Received: {model.name!r}, not built"
        )
    if to == "keras":
        for layer in model._flatten_layers():
            _check_stock(layer)
    copy = _copy(model)
    for layer in copy._flatten_layers():
        for stock, ours in _PAIRS:
            if to == "textgate" and type(layer) is stock:
                layer.__class__ = ours
                layer._init_gated(return_gates=False, variant={})
            elif to == "keras" and type(layer) is ours:
                layer.__class__ = stock
                del layer.return_gates, layer._gates, layer.cell.variant
    return copy


def _check_stock(layer: keras.layers.Layer) -> None:
    if isinstance(layer, LSTM | GRU) and (layer.return_gates or not layer.spec.is_stock):
        raise ValueError(
            "A stock layer has neither gates as outputs nor fixed or coupled gates. Received: "
            f"layer {layer.name!r} with return_gates={layer.return_gates}, "
            f"variant={layer.variant}"
        )


def _same_input(tensor: keras.KerasTensor) -> keras.KerasTensor:
    name = tensor._keras_history.operation.name
    return keras.Input(
        batch_shape=tensor.shape, dtype=tensor.dtype, sparse=tensor.sparse, name=name
    )


def _copy(model: keras.Model) -> keras.Model:
    try:
        if isinstance(model, keras.Sequential):
            copy = keras.models.clone_model(model)
        elif hasattr(model, "operations"):  # Functional
            # Left alone, the copy would name its inputs anew, and some callers feed by name.
            inputs = keras.tree.map_structure(_same_input, model._inputs_struct)
            copy = keras.models.clone_model(model, input_tensors=inputs)
        else:
            copy = type(model).from_config(model.get_config())
            copy.build_from_config(model.get_build_config())
    except (NotImplementedError, TypeError) as error:
        raise ValueError(
            f"The model cannot be copied: give {type(model).__name__} a `get_config` with its "
            f"constructor's arguments. Received: {model.name!r} ({error})"
        ) from error
    if not copy.built:
        raise ValueError(
            f"The model's copy could not be built; give {type(model).__name__} a `build` "
            f"method. Received: {model.name!r}"
        )
    for new, old in zip(copy.variables, model.variables, strict=True):
        new.assign(keras.ops.copy(old.value))  # JAX gives buffers away that it thinks are its own
    if model.compiled and model.get_compile_config():
        copy.compile_from_config(model.get_compile_config())
    return copy
