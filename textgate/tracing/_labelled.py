"""From arrays to a labelled trace: dimensions, coordinates, attributes, derived signals."""

import importlib.metadata
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from textgate import __version__, recurrence
from textgate.tracing._fingerprint import fingerprint
from textgate.tracing._selection import Kept

DIMS = ("example", "time", "unit")
MASK, TOKEN = "mask", "token"


def model_attributes(model: keras.Model) -> dict[str, Any]:
    """Return the attributes that all nodes of a trace have in common."""
    libraries = ("keras", keras.backend.backend(), "numpy", "xarray")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in libraries]
    return {
        "model": model.name,
        "fingerprint": fingerprint(model),
        "libraries": ", ".join([f"textgate {__version__}", *versions]),
    }


def node_attributes(kept: Kept, call: int, common: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of one node: what it is a trace of, and in which convention."""
    spec, layer = kept.site.spec, kept.site.layer
    attributes: dict[str, Any] = {
        "layer": kept.site.path,
        "call": call,
        "cell": spec.cell.kind,
        "conventions": (
            f"{spec.cell.convention} Time is in the order of the input; masked steps are NaN."
        ),
        "layer_units": spec.units,
        "activation": _name(spec.activation),
        "go_backwards": int(layer.go_backwards),
    }
    if spec.cell.gates:
        attributes["recurrent_activation"] = _name(spec.recurrent_activation)
    if "reset_after" in spec.cell.options:
        attributes["reset_after"] = int(spec.reset_after)
    return {**attributes, **common}


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def signal_attributes(kind: str, name: str) -> dict[str, str]:
    """Return the attributes of a signal's variable: its name in words and its symbol."""
    return {"long_name": name.replace("_", " "), "symbol": recurrence.cell_of(kind).letters[name]}


def labels_of(labels: Any) -> dict[str, np.ndarray]:
    """Return per-example labels, a mapping or a DataFrame, as arrays.

    Raises:
        TypeError: If `labels` is neither.
        ValueError: If a label has more than one value an example, has values of mixed kinds, or
            takes a name that a trace uses itself.
    """
    if labels is None:
        return {}
    if not isinstance(labels, Mapping) and not hasattr(labels, "items"):
        raise TypeError(
            "`labels` must be a mapping from names to values, one for each example, or a "
            f"DataFrame. Received: {type(labels).__name__}"
        )
    arrays = {}
    for name, values in labels.items():
        array = np.asarray(values)
        check_name(name)
        if array.dtype == object:
            if not all(isinstance(value, str) for value in array.flat):
                raise ValueError(
                    f"The values of label {name!r} must all be numbers or all be strings. "
                    f"Received: {sorted({type(value).__name__ for value in array.flat})}"
                )
            array = array.astype(str)
        if array.ndim != 1:
            raise ValueError(
                f"Label {name!r} must have one value for each example. "
                f"Received: shape {array.shape}"
            )
        arrays[name] = array
    return arrays


def check_name(name: Any, others: Iterable[str] = ()) -> None:
    """Raise a `ValueError` if a label's name is no name, or taken: by a trace, or by others."""
    taken = {*DIMS, MASK, TOKEN, *recurrence.DERIVED, *others}
    for cell in recurrence.CELLS.values():
        taken.update(cell.signals, (f"initial_{state}" for state in cell.states))
    if not isinstance(name, str) or name in taken or "/" in name:
        raise ValueError(
            f"A label must have a name of its own; {sorted(taken)} are taken. Received: {name!r}"
        )


def check_labels(labels: Mapping[str, np.ndarray], examples: int) -> None:
    """Raise a `ValueError` unless every label has a value for every example."""
    for name, values in labels.items():
        if len(values) != examples:
            raise ValueError(
                f"Label {name!r} must have a value for each of the {examples} examples. "
                f"Received: {len(values)} values"
            )


class Lazy(BackendArray):
    """Another variable, changed where and when it is read, if a subclass says how."""

    def __init__(self, source: xr.Variable, dtype: Any) -> None:
        self.source, self.shape, self.dtype = source, source.shape, np.dtype(dtype)

    def change(self, values: np.ndarray) -> np.ndarray:
        return values

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )

    def _read(self, key: tuple) -> np.ndarray:
        return self.change(np.asarray(self.source[key].values))


class _Affine(Lazy):
    """`scale * x + offset`."""

    def __init__(self, source: xr.Variable, scale: float, offset: float) -> None:
        super().__init__(source, source.dtype)
        self.scale, self.offset = scale, offset

    def change(self, values: np.ndarray) -> np.ndarray:
        return values * self.dtype.type(self.scale) + self.dtype.type(self.offset)


class _Words(Lazy):
    """Strings of any length as NumPy's strings of a fixed one."""

    def change(self, values: np.ndarray) -> np.ndarray:
        return values.astype(self.dtype)


def words(variable: xr.Variable) -> xr.Variable:
    """Return stored tokens as they are in memory, without reading them."""
    lazy = _Words(variable, f"<U{variable.attrs.get('width', 1)}")
    return xr.Variable(variable.dims, indexing.LazilyIndexedArray(lazy))


def with_offered(dataset: xr.Dataset, names: tuple[str, ...]) -> xr.Dataset:
    """Add derived signals that take no memory: views where they can be, else computed on reading.

    Args:
        dataset: A node with its attribute `cell`.
        names: The derived signals; one whose source isn't there is left out.
    """
    cell = recurrence.cell_of(dataset.attrs["cell"])
    added = {}
    for name in names:
        source, scale, offset = cell.derived(name)
        if source not in dataset.data_vars or name in dataset.data_vars:
            continue
        variable = dataset.variables[source]
        data: Any
        if (scale, offset) == (1.0, 0.0) and isinstance(variable._data, np.ndarray):
            data = variable._data.view()
            data.flags.writeable = False
        else:
            data = indexing.LazilyIndexedArray(_Affine(variable, scale, offset))
        added[name] = xr.Variable(variable.dims, data, signal_attributes(cell.kind, name))
    return dataset.assign(added)


def tree_of(nodes: Mapping[str, xr.Dataset], attributes: Mapping[str, Any]) -> xr.DataTree:
    """Return the trace made of the nodes' data sets."""
    root = xr.Dataset(attrs=dict(attributes))
    trace = xr.DataTree.from_dict({"/": root, **{f"/{path}": ds for path, ds in nodes.items()}})
    trace.name = "trace"
    return trace
