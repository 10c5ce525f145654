"""Models of the functional API, from the calls that their configuration lists."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from textgate.importing._calling import Builder, Tensor
from textgate.importing._layers import Entry, parts_of


class Functional:
    """Makes one model of the functional API.

    Args:
        builder: Makes and calls the layers.
        config: The model's configuration.

    Attributes:
        model: The model.
    """

    def __init__(self, builder: Builder, config: dict[str, Any]) -> None:
        self._builder = builder
        self._outputs: dict[tuple[str, int], list[Tensor]] = {}
        entries = {str(parts_of(entry)[1].get("name")): entry for entry in config.get("layers", ())}
        self._nodes = {name: _nodes_of(entry) for name, entry in entries.items()}
        layers: dict[str, Any] = {}
        for name, entry in entries.items():
            class_name, settings = parts_of(entry)
            if class_name == "InputLayer":
                self._outputs[name, 0] = [_input(settings)]
            else:
                layers[name] = builder.make_layer(entry)
        self._first_calls = self._number_of_first_calls(config)
        inputs = _structure(config.get("input_layers"), self._tensor)
        self._masks = builder.old_masks(keras.tree.flatten(inputs))
        self._run(layers)
        outputs = _structure(config.get("output_layers"), self._tensor)
        self.model = builder.close(
            config.get("name"), self._masks, inputs, outputs, list(layers.values())
        )

    def _run(self, layers: dict[str, Any]) -> None:
        """Call each layer as often as it was, as soon as its inputs are there."""
        waiting = [(name, index) for name in layers for index in range(len(self._nodes[name]))]
        while waiting:
            left = []
            for name, index in waiting:
                first_calls = all((name, i) in self._outputs for i in range(index))
                if first_calls and all(key in self._outputs for key in self._needed(name, index)):
                    inputs, arguments = self._resolved(self._nodes[name][index])
                    outputs = self._builder.call(self._masks, layers[name], inputs, arguments)
                    self._outputs[name, index] = outputs
                else:
                    left.append((name, index))
            if len(left) == len(waiting):
                raise ValueError(
                    "the file's model_config is damaged: layers wait for each other, or for one "
                    f"that isn't there. Received: {sorted({name for name, _ in left})}"
                )
            waiting = left

    def _needed(self, name: str, index: int) -> list[tuple[str, int]]:
        keys: list[tuple[str, int]] = []
        for reference in self._nodes[name][index]:
            keys.append(self._key(reference))
            for value in (reference[3] if len(reference) > 3 else {}).values():
                keys.extend(map(self._key, _references(value)))
        return keys

    def _number_of_first_calls(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Return what number each layer's first call has: 1 for models that were called before.

        A model of a layer's kind had been called once when it was made, and some versions counted
        that.
        """
        everything = [config.get("input_layers"), config.get("output_layers")]
        for nodes in self._nodes.values():
            for node in nodes:
                everything.append(node)
                everything += [list(reference[3].values()) for reference in node if reference[3:]]
        most: dict[str, int] = {}
        for name, node, *_ in _references(everything):
            most[name] = max(most.get(name, 0), node)
        return {
            name: max(0, node + 1 - len(self._nodes.get(name, ())))
            for name, node in most.items()
            if self._nodes.get(name)
        }

    def _key(self, reference: Sequence[Any]) -> tuple[str, int]:
        name, node = reference[:2]
        return name, node - self._first_calls.get(name, 0)

    def _resolved(self, node: list[Any]) -> tuple[list[Tensor], dict[str, Any]]:
        arguments: dict[str, Any] = {}
        for reference in node:
            for key, value in (reference[3] if len(reference) > 3 else {}).items():
                if value is not None:
                    arguments[key] = self._with_tensors(value)
        inputs = [self._tensor(reference) for reference in node]
        states = arguments.pop("initial_state", None)
        if states is not None:
            inputs += keras.tree.flatten(states)
        return inputs, arguments

    def _with_tensors(self, value: Any) -> Any:
        if _is_reference(value):
            return self._tensor(value)
        return [self._with_tensors(v) for v in value] if isinstance(value, list) else value

    def _tensor(self, reference: Sequence[Any]) -> Tensor:
        try:
            return self._outputs[self._key(reference)][reference[2]]
        except (KeyError, IndexError):
            raise ValueError(
                "the file's model_config is damaged: it names a tensor that isn't there. "
                f"Received: {list(reference[:3])}"
            ) from None


def _input(config: Mapping[str, Any]) -> Tensor:
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    if not isinstance(shape, list | tuple):
        raise ValueError(
            f"the input {config.get('name')!r} has no shape in the file. Received: {shape!r}"
        )
    dtype = config.get("input_dtype") or config.get("dtype")
    return keras.Input(
        batch_shape=tuple(shape),
        dtype=dtype if isinstance(dtype, str) else None,
        name=str(config.get("name")).replace("/", "_"),
    )


def _is_reference(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(number, int) for number in value[1:3])
    )


def _references(value: Any) -> list[list[Any]]:
    """Return all references to tensors in a value, however deep."""
    if _is_reference(value):
        return [value]
    values = value.values() if isinstance(value, Mapping) else value
    return [r for v in values for r in _references(v)] if isinstance(value, list | Mapping) else []


def _nodes_of(entry: Entry) -> list[list[Any]]:
    """Return a layer's calls, each a list of `[layer, call, output, arguments]`."""
    nodes = []
    for node in entry.get("inbound_nodes") or ():
        if isinstance(node, Mapping):
            node = list(node.values())
        node = [node] if _is_reference(node) else node
        if not isinstance(node, list) or not all(_is_reference(item) for item in node):
            raise ValueError(
                "the file's model_config has a call that can't be read. "
                f"Received: {entry.get('name')!r} called with {node!r:.80}"
            )
        nodes.append(node)
    return nodes


def _structure(references: Any, tensor: Callable[[Any], Tensor]) -> Any:
    """Return inputs or outputs in the structure that the file has them in."""
    if isinstance(references, Mapping):
        return {key: tensor(value) for key, value in references.items()}
    if _is_reference(references):
        return tensor(references)
    if not isinstance(references, list) or not references:
        raise ValueError(
            f"the file's model_config names no inputs or outputs. Received: {references!r}"
        )
    tensors = [tensor(reference) for reference in references]
    return tensors[0] if len(tensors) == 1 else tensors
