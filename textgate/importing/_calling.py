"""Calling the layers of an old model one by one, as the old version did.

`Builder` has what the models of one file have in common: its layers, what is known of the masks of
the models inside, and the warnings.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from textgate.importing._layers import Entry, LayerMaker, Origin, parts_of
from textgate.importing._masks import ModelMasks, OldMasks
from textgate.importing._merge import merged

Shapes = Callable[[str], list[tuple[int, ...]]]
Tensor = Any  # symbolic, of Keras


class Builder:
    """What the models of one file are built with.

    Args:
        origin: Where the configuration comes from.
        make_model: Makes a model from its entry: for models that are layers.
        shapes: The shapes of the arrays that the file has for a layer, by its name; to tell a
            Sequential's input where the configuration doesn't.

    Attributes:
        maker: Makes the layers.
        masks: What is known of the masks of the models made so far, by `id`.
        order: For each model, by `id`, its layers in the order of the file.
        depth: How many models are being made, each a layer of the one before.
        repeats: As for `OldMasks`.
        warnings: What may differ from the old version's outputs.
    """

    def __init__(self, origin: Origin, make_model: Callable[[Entry], Any], shapes: Shapes) -> None:
        self._origin = origin
        self.shapes = shapes
        self.maker = LayerMaker(origin, make_model)
        self.masks: dict[int, ModelMasks] = {}
        self.order: dict[int, list[Any]] = {}
        self.depth = 0
        self.repeats = origin.is_before(2, 4)
        self.warnings: list[str] = []

    def warn(self, output: str, note: str) -> None:
        """Remember that an output can differ."""
        self.warnings.append(f"the output {output!r} can differ at masked steps: {note}")

    def old_masks(self, inputs: Sequence[Tensor]) -> OldMasks:
        """Return what follows the old masks of a model, which may be one in another."""
        nested = self.depth > 1
        asks_inner = not self._origin.is_before(2, 1, 3)
        return OldMasks(inputs if nested else (), self.masks, asks_inner, self.repeats)

    def make_layer(self, entry: Entry) -> Any:
        """Return the layer of an entry of a functional model."""
        class_name, config = parts_of(entry)
        if class_name == "Merge" and config.get("name") not in self._origin.custom_objects:
            return merged(config)
        return self.maker.make(entry)

    def call(
        self, masks: OldMasks, layer: Any, inputs: list[Tensor], arguments: Any = None
    ) -> list[Tensor]:
        """Call a layer as the old version did, and return its outputs."""
        states = None
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional) and len(inputs) > 1:
            inputs, states = inputs[:1], self._packed_states(layer, inputs[1:])
        time_major = id(layer) in self.maker.time_major
        if time_major:
            inputs = [masks.transposed(inputs[0])]
        try:
            outputs = keras.tree.flatten(masks.call(layer, inputs, states, arguments))
        except ValueError as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(
                f"the layer {layer.name!r} can't be put where it stood ({reason}). "
                f"Received: inputs of shapes {[tuple(t.shape) for t in inputs]}"
            ) from error
        if time_major and layer.return_sequences:
            outputs[0] = masks.transposed(outputs[0])
        if id(layer) in self.maker.last_cell_first and len(outputs) > 1:
            outputs[1:] = _last_cell_first(layer, outputs[1:])
        return outputs

    def close(
        self, name: str | None, masks: OldMasks, inputs: Any, outputs: Any, layers: list[Any]
    ) -> keras.Model:
        """Return the model between inputs and outputs."""
        masks.name_operations(keras.tree.flatten(outputs), "old_keras")
        model = keras.Model(inputs, outputs, name=name)
        self.order[id(model)] = layers
        self.masks[id(model)] = masks.summary(model.outputs)
        for tensor in model.outputs:
            note = masks.notes.get(id(tensor))
            if note:
                self.warn(tensor._keras_history.operation.name, note)
        return model

    def _packed_states(self, layer: Any, states: list[Tensor]) -> Any:
        """Return initial states in the structure that a recurrent layer takes."""
        halves = isinstance(layer, keras.layers.Bidirectional)
        sizes = (layer.forward_layer if halves else layer).state_size
        expected = len(keras.tree.flatten(sizes)) * (2 if halves else 1)
        if len(states) != expected:
            raise ValueError(
                f"the layer {layer.name!r} is given constants, which recurrent layers of Keras 3 "
                f"don't take. Received: {len(states)} tensors beside its inputs, and it has "
                f"{expected} states"
            )
        if id(layer) in self.maker.last_cell_first:
            states = _last_cell_first(layer, states, back=True)
        return states if halves else keras.tree.pack_sequence_as(sizes, states)


def _last_cell_first(layer: Any, states: list[Tensor], back: bool = False) -> list[Tensor]:
    """Return the states of a stack of cells with those of the last cell first, or back."""
    counts = [len(keras.tree.flatten(size)) for size in layer.state_size]
    groups = []
    for count in reversed(counts) if back else counts:
        groups.append(states[:count])
        states = states[count:]
    return [state for group in reversed(groups) for state in group]
