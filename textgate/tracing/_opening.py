"""A trace on disk, opened: its metadata is checked, its values are read when they are looked at.

A damaged trace is refused in one line. What its size and metadata give away is found on opening;
a chunk whose checksum is wrong is found when it is read, and named.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from xarray.core import indexing

from textgate import recurrence
from textgate.tracing import _labelled as labelled
from textgate.tracing._store import FORMAT, digest_of, measure

_OWN = ("textgate_format", "stored_files", "stored_bytes", "stored_metadata", "nodes")
_AGAIN = "write it again by textgate.trace(…, to=…)"


def open_store(path: str | os.PathLike) -> xr.DataTree:
    """Open a trace that was written to a Zarr store.

    Nothing but metadata is read; values are when they are looked at.

    Args:
        path: The path that was given as `to=`.

    Returns:
        The trace, as `textgate.trace` returned it. If a chunk is damaged, reading it raises a
        `ValueError` that names it.

    Raises:
        FileNotFoundError: If nothing is there.
        ValueError: If it is not a trace, or a damaged one.
    """
    path = Path(path)
    if not os.path.exists(path):  # also where no file can have such a name
        raise FileNotFoundError(f"There is no trace at this path. Received: {str(path)!r}")
    try:
        attributes: dict[str, Any] = dict(zarr.open_group(str(path), mode="r").attrs)
    except Exception:
        raise ValueError(
            f"This is not a trace, or its metadata is damaged; {_AGAIN}. Received: {str(path)!r}"
        ) from None
    _check(path, attributes)
    try:
        stored = xr.open_datatree(path, engine="zarr", chunks=None, consolidated=False)
        nodes = {
            name: _node(_checked(stored[name].to_dataset(), path, name))
            for name in attributes["nodes"]
        }
        common = {k: v for k, v in attributes.items() if k not in _OWN}
        trace = labelled.tree_of(nodes, common)
    except _NamedError:
        raise
    except Exception as error:
        _refuse_damaged_chunk(path, "")
        raise ValueError(
            f"This trace is damaged and cannot be opened ({type(error).__name__}); {_AGAIN}. "
            f"Received: {str(path)!r}"
        ) from error
    trace.encoding = {"source": str(path.absolute())}  # as xarray notes where data came from
    return trace


def _check(path: Path, attributes: Mapping[str, Any]) -> None:
    """Raise a `ValueError` unless a store is a trace, with all its files and its own metadata."""
    if attributes.get("textgate_format") != FORMAT:
        raise ValueError(
            "This Zarr store is not a trace of this version of textgate, or an incomplete one. "
            f"Received: {str(path)!r} with textgate_format="
            f"{str(attributes.get('textgate_format'))[:80]!r}"
        )
    noted = attributes.get("stored_files"), attributes.get("stored_bytes")
    found = measure(path)
    if noted != found:
        raise ValueError(
            f"This trace is damaged: files are missing, cut short or changed; {_AGAIN}. Received: "
            f"{str(path)!r} with {found[0]} files of {found[1]} bytes instead of "
            f"{str(noted[0])[:20]} of {str(noted[1])[:20]}"
        )
    digest = attributes.get("stored_metadata")  # traces of earlier versions have none
    if digest not in (None, digest_of(path, attributes)):
        raise ValueError(
            f"This trace is damaged: its metadata has changed since it was written; {_AGAIN}. "
            f"Received: {str(path)!r}"
        )


class _NamedError(ValueError):
    """What keeps a trace from being opened is known, and named: a chunk, or a cell."""


class _Stored(labelled.Lazy):
    """A stored variable, which says what is wrong if it can't be read."""

    def __init__(self, source: xr.Variable, path: Path, name: str) -> None:
        super().__init__(source, source.dtype)
        self.path, self.name = path, name

    def _read(self, key: tuple) -> np.ndarray:
        try:
            return super()._read(key)
        except (ValueError, RuntimeError):  # of a checksum, or of a decompressor
            _refuse_damaged_chunk(self.path, self.name)
            raise


def _checked(dataset: xr.Dataset, path: Path, node: str) -> xr.Dataset:
    """Return a node whose variables name the chunks that can't be read."""
    variables = {}
    for name, variable in dataset.variables.items():
        if name in dataset.indexes:
            continue
        lazy: Any = indexing.LazilyIndexedArray(_Stored(variable, path, f"{node}/{name}"))
        # As xarray has what it opens: kept once it is read, copied when it is written to.
        data = indexing.MemoryCachedArray(indexing.CopyOnWriteArray(lazy))
        variables[name] = xr.Variable(variable.dims, data, variable.attrs)
    return dataset.assign(variables)


def _refuse_damaged_chunk(path: Path, name: str) -> None:
    """Raise an error that names the first chunk that cannot be read, in an array or a group."""
    for file in sorted((path / name).rglob("zarr.json")):
        try:
            node = zarr.open(str(file.parent), mode="r")
        except Exception:  # whatever damaged metadata may lead to
            continue
        if not isinstance(node, zarr.Array):
            continue
        for place in np.ndindex(*node.cdata_shape):
            try:
                node.blocks[place]
            except Exception:
                chunk = "/".join(map(str, ("c", *place)))
                where = file.parent.relative_to(path).as_posix()
                raise _NamedError(
                    f"This trace is damaged: its chunk {f'{where}/{chunk}'!r} isn't what was "
                    f"written; {_AGAIN}. Received: {str(path)!r}"
                ) from None


def _node(dataset: xr.Dataset) -> xr.Dataset:
    signals = [name for name, array in dataset.data_vars.items() if array.dims == labelled.DIMS]
    try:
        cell = recurrence.cell_of(dataset.attrs["cell"])
    except ValueError as error:  # a cell of somebody's own, not registered yet
        raise _NamedError(str(error)) from None
    order = (*cell.signals, *recurrence.DERIVED)
    signals.sort(key=lambda name: order.index(str(name)))
    dataset = dataset.set_coords([name for name in dataset.data_vars if name not in signals])
    dataset = dataset[signals]
    offered = dataset.attrs.pop("offered", ())
    for name in [*dataset.coords]:
        variable = dataset.variables[name]
        if variable.dtype.kind not in "OT":
            continue
        if name == labelled.TOKEN:
            dataset = dataset.assign_coords({name: labelled.words(variable)})
        else:
            dataset = dataset.assign_coords(
                {name: (variable.dims, variable.values.astype(object).astype(str), variable.attrs)}
            )
    for variable in dataset.variables.values():
        variable.encoding = {}
    return labelled.with_offered(dataset, tuple(offered))
