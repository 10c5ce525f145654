"""The weights of a `.keras` file that Keras 2.12 or later, but not Keras 3, wrote.

Such a file is a ZIP archive with the model's configuration as JSON, in the words of Keras 2, and
its weights in an HDF5 file, where each variable has a path of containment: `layers/lstm_1/cell/
vars/0` is the first variable of the cell of the second LSTM.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from textgate._reading import parse_json
from textgate.importing import _h5
from textgate.importing._archives import member
from textgate.importing._model_maker import ModelMaker


def open_keras_zip(path: Path) -> tuple[Any, str, h5py.File]:
    """Return the configuration, the version of Keras, and the open file of the weights."""
    with zipfile.ZipFile(path) as archive:
        try:
            config = parse_json(member(archive, "config.json"))
        except ValueError as error:
            raise ValueError(
                f"the file's config.json is damaged ({error}). Received: {path}"
            ) from error
        version = str(parse_json(member(archive, "metadata.json")).get("keras_version"))
        weights = h5py.File(io.BytesIO(member(archive, "model.weights.h5")), "r")
    return config, version, weights


def pair_by_path(
    layer: Any, group: h5py.Group, maker: ModelMaker, path: str = ""
) -> Iterator[tuple[Any, Callable[[], np.ndarray]]]:
    """Yield each variable of a layer or model and a function that reads its value.

    Args:
        layer: The layer, wrapper, cell or model.
        group: The file, or the group that `path` begins in.
        maker: Has made the model.
        path: Where the layer is in the file.

    Raises:
        ValueError: If the file's arrays are not those of the layer.
    """
    if isinstance(layer, keras.Model):
        parts = _named(maker.order[id(layer)], maker)
        inside = "layers" if f"{path}layers" in group else "_layer_checkpoint_dependencies"
        children = [(f"{inside}/{name}", part) for name, part in parts]
    elif isinstance(layer, keras.layers.Bidirectional):
        children = [(name, getattr(layer, name)) for name in ("forward_layer", "backward_layer")]
    elif isinstance(layer, keras.layers.Wrapper):
        children = [("layer", layer.layer)]
    elif isinstance(layer, keras.layers.RNN):
        children = [("cell", layer.cell)]
    elif isinstance(layer, keras.layers.StackedRNNCells):
        children = [(f"cells/{name}", cell) for name, cell in _named(layer.cells, maker)]
    else:
        for index, variable in enumerate(layer.weights):
            yield variable, _reader(group, f"{path}vars/{index}", variable)
        return
    for name, child in children:
        yield from pair_by_path(child, group, maker, f"{path}{name}/")


def _reader(group: h5py.Group, path: str, variable: Any) -> Callable[[], np.ndarray]:
    dataset = _h5.array(group, path)
    if dataset.shape != tuple(variable.shape):
        raise ValueError(
            f"an array of the file doesn't fit the variable {variable.path!r}, which has the shape "
            f"{tuple(variable.shape)}. Received: {dataset.shape} under {path!r}"
        )
    return lambda: dataset[()]


def _named(layers: list[Any], maker: ModelMaker) -> list[tuple[str, Any]]:
    """Return layers with their names in the file: the class's, numbered from the second on."""
    counts: dict[str, int] = {}
    named = []
    for layer in layers:
        name = _snake_case(maker.class_names.get(id(layer), type(layer).__name__))
        number = counts.get(name, 0)
        counts[name] = number + 1
        named.append((f"{name}_{number}" if number else name, layer))
    return named


def _snake_case(name: str) -> str:
    """Return the name of a class as Keras writes it: `conv1d`, `simple_rnn`, `lstm`."""
    name = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
