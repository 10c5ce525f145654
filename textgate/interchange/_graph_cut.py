"""What of a model's graph an edited layer cannot influence, cut off.

Where a model is a graph of layers, everything that the edited layer doesn't feed is the same for
all sets of units. So it is computed once for each item (`Cut.trunk`), and only what hangs on the
edited layer, itself included, again and again, from the tensors in between. Masks are tensors of
the graph like others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops, tree

from textgate.interchange._set_plan import Place
from textgate.tracing import find_sites


@dataclass(frozen=True, eq=False)
class Cut:
    """A model's graph, in two.

    Attributes:
        first: The graph from the inputs to the tensors in between, as a function.
        second: The graph from these to the outputs.
    """

    first: Any
    second: Any

    def trunk(self, _: keras.Model, inputs: Any) -> list[Any]:
        """Return the tensors in between."""
        given = zip(tree.flatten(inputs), self.first.inputs, strict=True)
        typed = [x if like.dtype == "string" else ops.cast(x, like.dtype) for x, like in given]
        return list(tree.flatten(_Inference(self.first)(typed)))

    def __call__(self, _: keras.Model, batch: Any) -> Any:
        """Return the outputs for rows of items, from the tensors in between.

        Args:
            batch: The tensors, and the item of each row, `(rows,)`.
        """
        tensors, items = batch
        inputs = [ops.take(tensor, items, axis=0) for tensor in tensors]
        return _Inference(self.second)(inputs)


def cut_before(model: keras.Model, places: Sequence[Place], inputs: Any) -> Cut | None:
    """Return a model cut before what its layers at `places` influence.

    Args:
        model: The model.
        places: The edited layers.
        inputs: Inputs of the model, whose structure the graph must know.

    Returns:
        `None` where nothing can be spared, or the graph doesn't show what the model does.
    """
    if not type(model).__module__.startswith("keras.") or any(p.call is not None for p in places):
        return None
    given = getattr(model, "inputs", None) or []
    if not _are_flat(inputs, given):
        return None
    paths = {place.path for place in places}
    layers = [site.layer for site in find_sites(model)[0] if site.path in paths]
    graph = _Graph(layers)
    if not all(graph.influenced(tensor) for tensor in model.outputs):
        return None
    between = list(graph.between.values())
    if all(any(tensor is one for one in given) for tensor in between):
        return None
    # A Sequential's own graph has one output; its `output` is that of its first call, if any.
    output = model.outputs[0] if isinstance(model, keras.Sequential) else model.output
    return Cut(keras.Function(given, between), keras.Function(between, output))


def _are_flat(inputs: Any, expected: Sequence[Any]) -> bool:
    """Whether inputs are arrays in the order of the model's, with as many axes."""
    parts = [inputs] if not isinstance(inputs, list | tuple | dict) else inputs
    if isinstance(parts, dict) or len(parts) != len(expected):
        return False
    return all(len(x.shape) == len(y.shape) for x, y in zip(parts, expected, strict=True))


class _Graph:
    """Finds what layers influence, going back from the outputs.

    Attributes:
        between: Tensors that they don't influence, and that are needed with their outputs, by id.
    """

    def __init__(self, layers: Sequence[Any]) -> None:
        self._layers = layers
        self._known: dict[int, bool] = {}
        self.between: dict[int, Any] = {}

    def influenced(self, tensor: Any) -> bool:
        """Whether the layers influence a tensor."""
        if id(tensor) not in self._known:
            operation, number, _ = tensor._keras_history
            needed = operation._inbound_nodes[number].input_tensors
            follows = [self.influenced(each) for each in needed]
            self._known[id(tensor)] = any(follows) or self._is_one_of(operation)
            if self._known[id(tensor)]:
                for each, too in zip(needed, follows, strict=True):
                    if not too:
                        self.between[id(each)] = each
        return self._known[id(tensor)]

    def _is_one_of(self, operation: Any) -> bool:
        if not isinstance(operation, keras.Layer):
            return False
        return any(one is layer for one in operation._flatten_layers() for layer in self._layers)


class _Inference(keras.Layer):  # type: ignore[misc]  # Keras has no types
    """Calls a function of a graph as a model in inference does."""

    def __init__(self, function: Any) -> None:
        super().__init__(name="inference", autocast=False)
        self.supports_masking = True
        self._calls = [function]
        self.built = True

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self._calls[0](inputs)

    def __call__(self, inputs: Any) -> Any:
        return super().__call__(inputs, training=False)
