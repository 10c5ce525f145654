"""Writing a trace that is in memory to a Zarr store, as if it had been streamed there."""

import os
import warnings
from typing import Any

import numpy as np
import xarray as xr
import zarr

from textgate import recurrence
from textgate.tracing import _labelled as labelled
from textgate.tracing._nodes import nodes_of
from textgate.tracing._opening import open_store
from textgate.tracing._store import Store, check_free, list_coordinates, place_for

_ROWS = 256  # examples a chunk


def save(trace: xr.DataTree, path: str | os.PathLike) -> xr.DataTree:
    """Write a trace, or a part of one, to a Zarr store.

    Args:
        trace: What `textgate.trace` returned, or a selection of it (`trace.isel(example=…)`).
        path: Where to write it; nothing may be there.

    Returns:
        The trace, opened from the store as `textgate.tracing.open` opens it.

    Raises:
        TypeError: If it is not a tree of nodes.
        ValueError: If it is not a trace.
        FileExistsError: If something is at `path` already.

    Example:

    >>> import keras, numpy as np
    >>> from textgate.tracing import trace
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> kept = save(trace(model, np.ones((2, 5, 3))), "gates.zarr")
    >>> kept["gru"]["update_gate"].shape
    (2, 5, 4)
    """
    nodes = nodes_of(trace)
    path = check_free(path)
    with place_for(path) as partial:
        store = Store(partial, [], _common(trace), None, None, _ROWS)
        with warnings.catch_warnings():
            # As in the store: older versions of Zarr warn that their strings may change.
            warnings.filterwarnings("ignore", category=FutureWarning, module="zarr")
            for name, node in nodes.items():
                _write(store, store.root.require_group(name), node)
        store.note(list(nodes))
    return open_store(path)


def _common(trace: xr.DataTree) -> dict[str, Any]:
    return {str(name): value for name, value in trace.root.attrs.items()}


def _write(store: Store, group: zarr.Group, node: xr.Dataset) -> None:
    cell = recurrence.cell_of(node.attrs["cell"])
    offered = [n for n in recurrence.DERIVED if n in node and cell.derived(n)[0] in node]
    signals = tuple(str(n) for n in node.data_vars if n not in offered)
    for name, variable in node.variables.items():
        if name in offered:
            continue
        if name in ("time", "unit"):
            store.axis(group, str(name), variable.values)
            continue
        dims = tuple(str(dim) for dim in variable.dims)
        values = variable.values
        fill: Any = values.dtype.type(0)
        if name in signals or str(name).startswith("initial_"):
            fill = np.nan
        attributes = dict(variable.attrs)
        if values.dtype.kind in "UT":
            fill = ""
            if name == labelled.TOKEN:
                attributes["width"] = max(1, values.dtype.itemsize // 4)
        room = values.shape[1] if values.ndim > 1 and dims[1] == "time" else None
        for start in range(0, len(values), _ROWS):
            store.put(
                group, str(name), dims, values[start : start + _ROWS], start, room, fill, attributes
            )
    group.update_attributes({**node.attrs, "offered": offered})
    list_coordinates(group, signals)
