"""Which array of an old file belongs to which variable, and in which layout it stands there.

A file lists the arrays of each layer of the model, of nested models all at once: first those that
were trainable, then the others. Of one layer, Keras 1 stored each gate apart, and layers for
NVIDIA's cuDNN the kernels in another order, with two biases:

- LSTM of Keras 1: W, U and b of i, c, f, o, 12 arrays. Here the columns are i, f, c, o.
- GRU of Keras 1: W, U and b of z, r, h, 9 arrays. Here the columns are z, r, h.
- CuDNNLSTM: a bias (8u,), whose halves add up; kernels by column, recurrent ones transposed.
- CuDNNGRU: a bias (6u,), here (2, 3u) with `reset_after=True`; kernels likewise.
- Conv1D of Keras 1: (length, 1, in, out) or (out, in, length, 1). Here (length, in, out).
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from textgate.importing._h5 import StoredWeights

Layouts = Callable[[list[np.ndarray]], list[np.ndarray]]
Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class _Leaf:
    """A layer or cell that has variables of its own.

    Attributes:
        layer: The layer or cell.
        variables: Its weights, in order.
        trainable: Whether it and all that it is in were trainable in the file.
    """

    layer: Any
    variables: tuple[Any, ...]
    trainable: bool

    def parts(self) -> tuple[list[Any], list[Any]]:
        """Return the variables that were trainable, and the others."""
        is_moving = [v.path.rpartition("/")[2].startswith("moving_") for v in self.variables]
        first = [v for v, moving in zip(self.variables, is_moving, strict=True) if not moving]
        last = [v for v, moving in zip(self.variables, is_moving, strict=True) if moving]
        return (first, last) if self.trainable else ([], first + last)


def leaves_of(layer: Any, order: Mapping[int, list[Any]], trainable: bool = True) -> list[_Leaf]:
    """Return a layer's parts that have variables, in the old order, each once.

    Args:
        layer: A layer, wrapper, cell or model.
        order: For each model made from a file, by `id`, its layers in the file's order.
        trainable: Whether what it is in was trainable.
    """
    trainable = trainable and bool(getattr(layer, "trainable", True))
    if isinstance(layer, keras.Model):
        inner: Iterable[Any] = _layers_of(layer, order)
    elif isinstance(layer, keras.layers.Bidirectional):
        inner = (layer.forward_layer, layer.backward_layer)
    elif isinstance(layer, keras.layers.Wrapper):
        inner = (layer.layer,)
    elif isinstance(layer, keras.layers.RNN):
        inner = (layer.cell,)
    elif isinstance(layer, keras.layers.StackedRNNCells):
        inner = layer.cells
    else:
        variables = tuple(layer.weights)
        return [_Leaf(layer, variables, trainable)] if variables else []
    leaves: dict[int, _Leaf] = {}
    for part in inner:
        for leaf in leaves_of(part, order, trainable):
            leaves.setdefault(id(leaf.layer), leaf)
    return list(leaves.values())


def _layers_of(model: Any, order: Mapping[int, list[Any]]) -> list[Any]:
    return order.get(id(model), model.layers)


def pair_up(
    layers: Sequence[Any], stored: StoredWeights, order: Mapping[int, list[Any]]
) -> Iterator[tuple[Any, Callable[[], np.ndarray]]]:
    """Yield each variable of a model and a function that reads its value.

    Args:
        layers: The model's layers, in the file's order.
        stored: The file's arrays.
        order: As for `leaves_of`.

    Raises:
        ValueError: If the file's arrays are not those of the layers.
    """
    for layer, name in _matched(layers, stored, order):
        leaves = leaves_of(layer, order)
        shapes = stored.shapes(name)
        plan = _planned(leaves, shapes, stored)
        if plan is None:
            wanted = [tuple(v.shape) for leaf in leaves for v in leaf.variables]
            raise ValueError(
                f"the file's arrays don't fit the layer {layer.name!r}, which has weights of the "
                f"shapes {wanted}. Received: {shapes} under {name!r}"
            )
        arrays: dict[str, list[np.ndarray]] = {}

        def read(name: str = name, arrays: dict[str, list[np.ndarray]] = arrays) -> Any:
            if not arrays:
                arrays[name] = stored.arrays(name)
            return arrays[name]

        for variable, places, convert, index in plan:
            yield variable, _reader(read, places, convert, index, tuple(variable.shape), layer.name)


def _reader(
    read: Callable[[], list[np.ndarray]],
    places: list[int],
    convert: Layouts,
    index: int,
    shape: Shape,
    layer: str,
) -> Callable[[], np.ndarray]:
    def value() -> np.ndarray:
        array = convert([read()[place] for place in places])[index]
        if array.shape != shape:
            raise ValueError(
                f"an array of the file doesn't fit the layer {layer!r}, which needs the shape "
                f"{shape}. Received: {array.shape}"
            )
        return array

    return value


def _matched(
    layers: Sequence[Any], stored: StoredWeights, order: Mapping[int, list[Any]]
) -> list[tuple[Any, str]]:
    """Return each layer with variables and its name in the file: the same one, or the next."""
    names = [name for name in stored.names if stored.shapes(name)]
    flat = [
        part
        for layer in layers
        for part in (
            order.get(id(layer), layer.layers) if isinstance(layer, keras.Model) else [layer]
        )
    ]
    for candidates in (layers, flat):  # Keras 1 listed the layers of a nested Sequential one by one
        having = [layer for layer in candidates if leaves_of(layer, order)]
        by_name = {layer.name: layer for layer in having}
        renamed = {name.replace("/", "_"): name for name in names}
        if by_name.keys() == renamed.keys():
            return [(by_name[new], name) for new, name in renamed.items()]
        if len(having) == len(names):
            return list(zip(having, names, strict=True))
    having = [layer for layer in layers if leaves_of(layer, order)]
    raise ValueError(
        f"the file has weights of {len(names)} layers and the model {len(having)} layers with "
        f"weights ({', '.join(layer.name for layer in having)}). Received: {', '.join(names)}"
    )


def _planned(
    leaves: list[_Leaf], shapes: list[Shape], stored: StoredWeights
) -> list[tuple[Any, list[int], Layouts, int]] | None:
    """Return each variable, the places of its arrays, how they are converted, and which is its own.

    The trainable arrays stand first, or each leaf's stand together; gates stand together, or apart.
    """
    for apart in (False, True):
        counts = [_counts(leaf, apart) for leaf in leaves]
        if sum(a + b for a, b in counts) != len(shapes):
            continue
        for split in (True, False):
            places = _places(counts, split)
            converted = [
                _conversion(leaf.layer, [shapes[p] for p in own], stored)
                for leaf, own in zip(leaves, places, strict=True)
            ]
            plan = []
            for leaf, own, layout in zip(leaves, places, converted, strict=True):
                if layout is None:
                    break
                first, last = leaf.parts()
                plan += [(v, own, layout, index) for index, v in enumerate(first + last)]
            else:
                return plan
    return None


def _counts(leaf: _Leaf, apart: bool) -> tuple[int, int]:
    """Return how many arrays a leaf has in the file: trainable ones, and others."""
    first, last = map(len, leaf.parts())
    gates = _GATES.get(_kind(leaf.layer), 1) if apart else 1
    return first * gates, last * gates


def _places(counts: list[tuple[int, int]], split: bool) -> list[list[int]]:
    """Return the places of each leaf's arrays in the file's list."""
    if not split:
        counts = [(a + b, 0) for a, b in counts]
    firsts = np.cumsum([0, *(a for a, _ in counts)])
    lasts = firsts[-1] + np.cumsum([0, *(b for _, b in counts)])
    return [
        [*range(firsts[i], firsts[i + 1]), *range(lasts[i], lasts[i + 1])]
        for i in range(len(counts))
    ]


# -- layouts -------------------------------------------------------------------------------------

_GATES = {"LSTMCell": 4, "GRUCell": 3}
# Where each gate's W, U and b stand in Keras 1, in the order of the columns here.
_KERAS_1_ORDER = {"LSTMCell": (0, 2, 1, 3), "GRUCell": (0, 1, 2)}


def _kind(layer: Any) -> str:
    for cls in (keras.layers.LSTMCell, keras.layers.GRUCell):
        if isinstance(layer, cls):
            return cls.__name__
    return type(layer).__name__


def _conversion(layer: Any, shapes: list[Shape], stored: StoredWeights) -> Layouts | None:
    """Return what turns a leaf's arrays into its weights, `None` if they don't fit."""
    wanted = [tuple(v.shape) for v in layer.weights]
    if isinstance(layer, _CONVOLUTIONS):
        return _convolution(layer, shapes, wanted, stored)
    if shapes == wanted:
        return lambda arrays: arrays
    kind = _kind(layer)
    if kind not in _GATES:
        return None
    units, gates = layer.units, _GATES[kind]
    if len(shapes) == len(wanted) * gates:
        columns = [(s[-1] == units) for s in shapes]
        whole = [(*shapes[i][:-1], units * gates) for i in range(len(wanted))]
        return _gates_apart(kind, len(wanted)) if all(columns) and whole == wanted else None
    if len(shapes) == 3 and shapes[:2] == wanted[:2] and shapes[2] == (2 * gates * units,):
        reset_after = wanted[-1] == (2, gates * units)
        return _cudnn(gates) if kind == "LSTMCell" or reset_after else None
    return None


def _gates_apart(kind: str, per_gate: int) -> Layouts:
    def convert(arrays: list[np.ndarray]) -> list[np.ndarray]:
        order = _KERAS_1_ORDER[kind]
        return [
            np.concatenate([arrays[gate * per_gate + i] for gate in order], axis=-1)
            for i in range(per_gate)
        ]

    return convert


def _cudnn(gates: int) -> Layouts:
    """Return what turns cuDNN's kernels and biases into Keras's.

    Each gate's input kernel stands there in the other order of memory, each recurrent one
    transposed.
    """

    def convert(arrays: list[np.ndarray]) -> list[np.ndarray]:
        kernel, recurrent, bias = arrays
        kernels = [k.T.reshape(k.shape, order="F") for k in np.split(kernel, gates, axis=1)]
        recurrents = [u.T for u in np.split(recurrent, gates, axis=1)]
        bias = bias.reshape(2, -1)
        return [np.hstack(kernels), np.hstack(recurrents), bias.sum(axis=0) if gates == 4 else bias]

    return convert


_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)


def _convolution(
    layer: Any, shapes: list[Shape], wanted: list[Shape], stored: StoredWeights
) -> Layouts | None:
    """Return what turns a kernel round: Theano's are flipped, Keras 1's transposed."""
    if len(shapes) != len(wanted) or shapes[1:] != wanted[1:]:
        return None
    steps: list[Callable[[np.ndarray], np.ndarray]] = []
    one = isinstance(layer, keras.layers.Conv1D)
    old = shapes[0]
    if one and len(old) == 4:
        if old[1] != 1 or (old[0], *old[2:]) != wanted[0]:
            steps.append(lambda k: k.transpose(2, 3, 1, 0))
            old = (old[2], old[3], old[1], old[0])
        steps.append(lambda k: k[:, 0])
        old = (old[0], *old[2:])
    elif old != wanted[0] and len(old) == 4:
        steps.append(lambda k: k.transpose(2, 3, 1, 0))
        old = (old[2], old[3], old[1], old[0])
    if old != wanted[0]:
        return None
    if stored.backend == "theano":
        rank = len(wanted[0]) - 2
        steps.append(lambda k: np.flip(k, axis=tuple(range(rank))))

    def convert(arrays: list[np.ndarray]) -> list[np.ndarray]:
        kernel, *rest = arrays
        for step in steps:
            kernel = step(kernel)
        return [kernel, *rest]

    return convert
