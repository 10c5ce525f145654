"""The layer and the example that a figure shows, taken out of a trace."""

from typing import Any

import xarray as xr

from textgate.tracing import matching_nodes


def node_of(trace: Any, layer: str | None) -> tuple[xr.Dataset, str, int]:
    """Return a node's data set, its name, and how many other nodes there are.

    Args:
        trace: A trace, or one node of it.
        layer: Name of the node, or its end where that is unique; by default the first.
    """
    if isinstance(trace, xr.Dataset):
        return trace, str(trace.attrs.get("layer", "")), 0
    if not isinstance(trace, xr.DataTree):
        raise TypeError(
            "`trace` must be what textgate.trace returns, or one node of it. "
            f"Received: {type(trace).__name__}"
        )
    if trace.has_data:
        return trace.to_dataset(), str(trace.attrs.get("layer", "")), 0
    nodes, matches = matching_nodes(trace), matching_nodes(trace, layer)
    if len(matches) != 1 and layer is not None:
        raise ValueError(
            f"`layer` must name one layer of the trace; it has {[*nodes]}. "
            f"Received: layer={layer!r}"
        )
    path = next(iter(matches))
    return nodes[path].to_dataset(), path, len(nodes) - 1


def check_example(node: xr.Dataset, example: Any) -> None:
    """Raise a `ValueError` unless a node has this example."""
    if not 0 <= example < node.sizes["example"]:
        raise ValueError(
            f"`example` must be a number from 0 to {node.sizes['example'] - 1}. "
            f"Received: example={example!r}"
        )
