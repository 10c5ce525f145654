"""The nodes of a trace: one a recurrent layer, by name."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from textgate import recurrence


def nodes_of(trace: Any) -> dict[str, xr.Dataset]:
    """Return a trace's nodes with signals, by name.

    Raises:
        TypeError: If it is not a tree.
        ValueError: If it is not a trace.
    """
    if not isinstance(trace, xr.DataTree):
        raise TypeError(
            "A trace is what `textgate.trace` returns, a DataTree, or the path it was streamed to. "
            f"Received: {type(trace).__name__}"
        )
    nodes = {leaf.path.strip("/"): leaf.to_dataset() for leaf in trace.leaves}
    if not nodes or any("cell" not in ds.attrs for ds in nodes.values()):
        raise ValueError(
            "A trace's nodes are recurrent layers, as `textgate.trace` makes them. "
            f"Received: a tree with the nodes {list(nodes)}"
        )
    for node in nodes.values():
        recurrence.cell_of(node.attrs["cell"])
    return nodes


def matching_nodes(trace: xr.DataTree, layer: str | None = None) -> dict[str, xr.DataTree]:
    """Return the nodes of a trace that a layer's name stands for.

    Args:
        trace: A trace, or a part of one.
        layer: A node's name, or the end of one: `lstm` for `encoder/lstm`; `None` for all nodes.

    Returns:
        The nodes, by their names below `trace`.
    """
    nodes = {leaf.relative_to(trace).lstrip("./"): leaf for leaf in trace.leaves}
    if layer is None:
        return nodes
    return {
        name: node for name, node in nodes.items() if name == layer or name.endswith(f"/{layer}")
    }


def as_booleans(array: np.ndarray, name: str) -> np.ndarray:
    """Return booleans, also where joining traces has filled them up with NaN, which is false.

    Raises:
        ValueError: If there is something else.
    """
    if array.dtype == bool:
        return array
    there = ~pd.isna(array)
    if array.dtype.kind not in "fiuO" or not np.isin(array[there].astype(float), (0, 1)).all():
        raise ValueError(
            f"`{name}` must be true or false at each step. Received: values of {array.dtype}"
        )
    true: np.ndarray = there & (np.where(there, array, 0) == 1)
    return true


def as_traced(node: xr.Dataset) -> xr.Dataset:
    """Return a node as `trace` makes it, where joining has filled up mask and tokens with NaN."""
    restored: dict[str, Any] = {}
    if "mask" in node.coords and node["mask"].dtype != bool:
        mask = node["mask"]
        restored["mask"] = mask.copy(data=as_booleans(mask.values, "mask"))
    if "token" in node.coords and node["token"].dtype == object:
        token = node["token"]
        restored["token"] = token.copy(data=token.fillna("").values.astype(str))
    return node.assign_coords(restored) if restored else node
