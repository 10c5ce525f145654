"""Sequential models, as `keras.Sequential` where that does the same, else as functional ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from textgate.importing import _configs
from textgate.importing._calling import Builder, Tensor
from textgate.importing._layers import Entry, parts_of
from textgate.importing._masks import ZEROS, ModelMasks, hands_on, puts_out_zeros, skips_masked
from textgate.importing._merge import merged

# Layers inside of which `TimeDistributed` makes a mask, or takes one away.
_MAKE_MASKS = ("Embedding", "Masking", "Sequential", "Model", "Functional", "Bidirectional")
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "CuDNNLSTM", "CuDNNGRU")


def sequential(builder: Builder, config: dict[str, Any]) -> keras.Model:
    """Return the model of a Sequential's configuration."""
    entries = [entry for entry in config.get("layers", ()) if isinstance(entry, Mapping)]
    if not entries:
        raise ValueError(f"the file's model has no layers. Received: {config.get('name')!r}")
    name = config.get("name")
    if parts_of(entries[0])[0] == "Merge":
        return _branches(builder, name, entries)
    shape, dtype = _input_of(builder, entries, config)
    if parts_of(entries[0])[0] == "InputLayer":
        entries = entries[1:]
    layers = [builder.maker.make(entry) for entry in entries]
    inputs = keras.Input(batch_shape=shape, dtype=dtype, name=f"{layers[0].name}_input")
    if any(_needs_graph(entry) for entry in entries):
        return _chain(builder, name, inputs, layers)
    model = keras.Sequential([inputs, *layers], name=name)
    makes_mask = getattr(model.outputs[0], "_keras_mask", None) is not None
    passes_mask = 0 if all(hands_on(layer) for layer in layers) else None
    builder.masks[id(model)] = ModelMasks(["inside" if makes_mask else passes_mask], {})
    builder.order[id(model)] = layers
    _warn_of_zeros(builder, layers)
    return model


def _warn_of_zeros(builder: Builder, layers: Sequence[Any]) -> None:
    """Warn where outputs of a `Bidirectional` at masked steps come to the end of a chain."""
    source = None
    for layer in layers if builder.repeats else ():
        masked = getattr(layer.input, "_keras_mask", None) is not None
        if skips_masked(layer):
            source = layer if masked and puts_out_zeros(layer) else None
    if source is not None:
        builder.warn(layers[-1].name, f"the layer {source.name!r} {ZEROS}")


def _needs_graph(entry: Entry) -> bool:
    class_name, config = parts_of(entry)
    if config.get("time_major"):
        return True
    if class_name == "TimeDistributed":
        inside, _ = parts_of(config.get("layer", {}))
        return inside in (*_MAKE_MASKS, *_RECURRENT) or inside not in _configs.KNOWN
    inner = config.get("layer")
    return isinstance(inner, Mapping) and _needs_graph(inner)


def _chain(
    builder: Builder, name: str | None, inputs: Tensor, layers: Sequence[Any]
) -> keras.Model:
    """Return the functional model of layers one after the other."""
    masks = builder.old_masks([inputs])
    tensor = inputs
    for layer in layers:
        tensor = builder.call(masks, layer, [tensor])[0]
    return builder.close(name, masks, inputs, tensor, list(layers))


def _branches(builder: Builder, name: str | None, entries: list[Entry]) -> keras.Model:
    """Return the model of a Sequential of Keras 1 that begins with a `Merge` of others."""
    _, merge = parts_of(entries[0])
    branches = [builder.maker.make(entry) for entry in merge.get("layers", ())]
    inputs = [
        keras.Input(batch_shape=t.shape, dtype=t.dtype, name=f"{t.name}_{index}")
        for index, branch in enumerate(branches)
        for t in branch.inputs
    ]
    masks = builder.old_masks(inputs)
    left = list(inputs)
    ends = []
    for branch in branches:
        ends.append(builder.call(masks, branch, [left.pop(0) for _ in branch.inputs])[0])
    layer = merged(merge)
    tensor = builder.call(masks, layer, ends)[0]
    layers = [builder.maker.make(entry) for entry in entries[1:]]
    for following in layers:
        tensor = builder.call(masks, following, [tensor])[0]
    # Keras 1 listed the layers of the branches one by one.
    parts = [part for branch in branches for part in builder.order[id(branch)]]
    return builder.close(name, masks, inputs, tensor, [*parts, layer, *layers])


def _input_of(
    builder: Builder, entries: list[Entry], config: dict[str, Any]
) -> tuple[Any, str | None]:
    """Return the shape and the dtype of a Sequential's input."""
    first: Any = entries[0]
    while True:
        class_name, settings = parts_of(first)
        shape = settings.get("batch_input_shape") or settings.get("batch_shape")
        if shape:
            break
        inner = settings.get("layer") or (settings.get("layers") or [None])[0]
        if not isinstance(inner, Mapping) or class_name in ("TimeDistributed",):
            break
        first = inner
    shape = shape or config.get("build_input_shape")
    if isinstance(shape, Mapping):  # a tuple, as TensorFlow writes it
        shape = shape.get("items")
    shape = shape or _told_by_weights(builder, entries)
    dtype = settings.get("input_dtype") or settings.get("dtype")
    if class_name == "Embedding" and not settings.get("input_dtype"):
        dtype = "int32"
    return tuple(shape), dtype if isinstance(dtype, str) else None


def _told_by_weights(builder: Builder, entries: list[Entry]) -> tuple[Any, ...]:
    for entry in entries:
        class_name, config = parts_of(entry)
        if class_name == "Embedding":
            return (None, config.get("input_length"))
        shapes = builder.shapes(str(config.get("name")))
        if not shapes:
            continue
        inner = config.get("layer", entry)
        kind = _configs.ALIASES.get(parts_of(inner)[0], parts_of(inner)[0])
        if kind in ("LSTM", "GRU", "SimpleRNN", "RNN"):
            return (None, None, shapes[0][0])
        if kind == "Conv1D":
            return (None, None, shapes[0][-2])
        if kind == "Dense":
            timed = class_name.startswith("TimeDistributed") or any(
                parts_of(other)[0] in (*_RECURRENT, "Bidirectional") for other in entries
            )
            return (None, None, shapes[0][0]) if timed else (None, shapes[0][0])
        break
    raise ValueError(
        "the file doesn't say what shape the model's inputs have; make the model, and load the "
        "weights into it with tg.load(path, into=model). "
        f"Received: a Sequential that begins with {parts_of(entries[0])[0]}"
    )
