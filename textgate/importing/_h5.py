"""The arrays of an old Keras file, by layer, read with distrust.

A file of Keras 1 or 2 has, in the group `model_weights` or at its top, the attribute `layer_names`
and for each layer a group with the attribute `weight_names` and the arrays of these names. Long
attributes are cut into `layer_names0`, `layer_names1`, ….

What HDF5 can do beyond that is refused: a link into another file, an array whose bytes stand in
another file, an array that is declared larger than what the file holds.
"""

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from textgate._reading import parse_json
from textgate.importing._archives import MOST_COMPRESSION


class StoredWeights:
    """The arrays of one file, not read before they are asked for.

    Attributes:
        version: The version of Keras that wrote them, such as `"2.2.4-tf"`; `"1"` if it didn't say.
        backend: `"tensorflow"`, `"theano"` or `"cntk"`.
        names: The names of all layers, in the order of the old model.
    """

    def __init__(self, group: h5py.Group, version: str, backend: str) -> None:
        self._group = group
        self.version = version
        self.backend = backend
        self.names = _strings(group, "layer_names")

    def shapes(self, layer: str) -> list[tuple[int, ...]]:
        """Return the shapes of a layer's arrays, in the old order."""
        return [dataset.shape for dataset in self._datasets(layer)]

    def arrays(self, layer: str) -> list[np.ndarray]:
        """Return a layer's arrays, in the old order."""
        return [dataset[()] for dataset in self._datasets(layer)]

    def _datasets(self, layer: str) -> Iterator[h5py.Dataset]:
        if layer not in self.names:
            return
        group = _member(self._group, layer, h5py.Group)
        for name in _strings(group, "weight_names"):
            yield array(group, name)


def text(holder: Any, name: str) -> str | None:
    """Return an attribute of a file or group as text, `None` if there is none."""
    value = holder.attrs.get(name)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def json_attribute(holder: Any, name: str) -> Any:
    """Return what an attribute holds as JSON, `None` if there is none."""
    content = text(holder, name)
    if content is None:
        return None
    try:
        return parse_json(content)
    except ValueError as error:
        raise ValueError(
            f"the file's {name} is not JSON ({error}): it is damaged. Received: {content[:60]!r}"
        ) from error


def array(group: h5py.Group, name: str) -> h5py.Dataset:
    """Return an array of a group, not read yet, whose bytes are in the file.

    Raises:
        ValueError: If there is none, its bytes stand elsewhere, or it claims to be larger.
    """
    dataset = _member(group, name, h5py.Dataset)
    _check_size(dataset)
    return dataset


def _strings(group: Any, attribute: str) -> list[str]:
    """Return a list of strings that stands in an attribute, or in numbered parts of one."""
    values: list[Any] = []
    if attribute in group.attrs:
        values.extend(np.atleast_1d(group.attrs[attribute]))
    part = 0
    while f"{attribute}{part}" in group.attrs:
        values.extend(np.atleast_1d(group.attrs[f"{attribute}{part}"]))
        part += 1
    return [v.decode("utf-8") if isinstance(v, bytes) else str(v) for v in values]


def _member(group: h5py.Group, name: str, kind: type) -> Any:
    """Return what a group has under a name, without following a link into another file."""
    parts = [part for part in name.split("/") if part]
    for part in parts:
        if isinstance(group.get(part, getlink=True), h5py.ExternalLink):
            raise ValueError(
                f"an array of the file stands in another file, which isn't read. Received: {name!r}"
            )
        member = group.get(part)
        if member is None:
            raise ValueError(f"the file lacks an array that it lists. Received: {name!r}")
        group = member
    if not isinstance(group, kind):
        raise ValueError(f"the file has a {type(group).__name__} here. Received: {name!r}")
    return group


def _check_size(dataset: h5py.Dataset) -> None:
    if dataset.external or dataset.is_virtual:
        raise ValueError(
            "an array of the file stands in another file, which isn't read. "
            f"Received: {dataset.name!r}"
        )
    if dataset.dtype.kind not in "fiub":
        raise ValueError(
            f"an array of the file has no numbers. Received: {dataset.name!r} of {dataset.dtype}"
        )
    held = dataset.id.get_storage_size() * (MOST_COMPRESSION if dataset.compression else 1)
    if dataset.nbytes > max(held, 64):
        raise ValueError(
            f"an array of the file is declared larger than what the file holds. Received: "
            f"{dataset.name!r} of shape {dataset.shape}"
        )
