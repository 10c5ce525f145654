"""A trace's node as the equations need it: what was kept and written, in the order of reading.

A trace stands in the time order of the input, with NaN at masked steps, whichever way the layer
reads. The sums of `mechanics` go along the order of reading, in which a masked step keeps
everything and writes nothing. `flow_of` turns the one into the other, and checks on the way that
the node's signals obey the equation that the sums rest on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from textgate import recurrence
from textgate.tracing import as_traced, matching_nodes

Node = xr.Dataset | xr.DataTree  # a node of a trace, or a trace of one layer
DIMS = ("example", "time", "unit")
_TOLERANCE = 1e-3  # far above float32's rounding, far below what an edited or leakless cell does


def node_of(trace: Node, layer: str | None = None) -> xr.Dataset:
    """Return one layer's node of a trace, with the dims `(example, time, unit)`.

    Args:
        trace: A node of a trace, or a trace; one example of a node (`node.isel(example=3)`) will
            do, and gets its dimension back.
        layer: For a trace: the node's name, or its end where that is unique; it may be left out
            where there is only one.

    Raises:
        TypeError: If `trace` is neither.
        ValueError: If the layer is unknown or has to be given, or if it is no trace's node.
    """
    if isinstance(trace, xr.DataTree):
        matches = matching_nodes(trace, layer)
        if len(matches) != 1:
            raise ValueError(
                f"Choose one layer of the trace by its name; it has {[*matching_nodes(trace)]}. "
                f"Received: layer={layer!r}"
            )
        trace = next(iter(matches.values())).to_dataset()
    if not isinstance(trace, xr.Dataset):
        raise TypeError(
            "`node` must be one layer of what textgate.trace returns, such as trace['lstm']. "
            f"Received: {type(trace).__name__}"
        )
    if "cell" not in trace.attrs or not {"time", "unit"} <= set(trace.dims):
        raise ValueError(
            "`node` must be one layer of what textgate.trace returns, with the dims (example, "
            f"time, unit). Received: dims {tuple(trace.dims)}, cell {trace.attrs.get('cell')!r}"
        )
    recurrence.cell_of(trace.attrs["cell"])
    trace = as_traced(trace)
    if "example" not in trace.dims:
        names = [name for name in trace.coords if name not in trace.dims]
        trace = trace.reset_coords(names).expand_dims("example").set_coords(names)
    return trace


def choose(node: xr.Dataset, units: int | Sequence[int] | None) -> xr.Dataset:
    """Return the node with these units only, in this order.

    Raises:
        ValueError: If a unit is not in the node.
    """
    if units is None:
        return node
    numbers = np.atleast_1d(np.asarray(units))
    traced = node["unit"].values
    missing = [int(unit) for unit in numbers if unit not in traced]
    if missing or not numbers.size:
        raise ValueError(
            f"`units` must be units of the trace, from {traced.min()} to {traced.max()}. "
            f"Received: {missing or units!r}"
        )
    return node.sel(unit=numbers)


def signal(node: xr.Dataset, name: str) -> np.ndarray:
    """Return a signal's values, derived ones as well, of shape `(example, time, unit)`.

    Raises:
        ValueError: If the trace doesn't have it.
    """
    cell = recurrence.cell_of(node.attrs["cell"])
    if name in node.data_vars:
        return np.asarray(node[name].transpose(*DIMS).values)
    if name in recurrence.DERIVED:
        source, scale, offset = cell.derived(name)
        return scale * signal(node, source) + offset
    hint = f"trace it with signals=[…, {name!r}]" if name in cell.signals else f"a {cell.kind} has "
    listed = "" if name in cell.signals else f"{[*cell.signals, *recurrence.DERIVED]}"
    raise ValueError(
        f"The trace doesn't have the signal {name!r}; {hint}{listed}. "
        f"Received: a node with {[str(n) for n in node.data_vars]}"
    )


def gates_of(node: xr.Dataset, gates: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the node's gates, or those that were asked for.

    Raises:
        ValueError: If one of them is no gate of the node.
    """
    cell = recurrence.cell_of(node.attrs["cell"])
    traced = [name for name in (*cell.gates, *recurrence.DERIVED) if name in node.data_vars]
    if gates is None:
        names = [name for name in traced if name in cell.gates] or traced
    else:
        names = [gates] if isinstance(gates, str) else list(gates)
    unknown = [name for name in names if name not in traced]
    if unknown or not names or not cell.gates:
        raise ValueError(
            f"`gates` must name gates of the trace; this {cell.kind}'s node has "
            f"{traced if cell.gates else 'none'}. Received: {unknown or gates!r}"
        )
    return tuple(names)


@dataclass(frozen=True)
class Flow:
    """What a layer kept and wrote, in float64 and in the order in which it read the steps.

    Attributes:
        keep: The share of the old state that was kept, `(example, time, unit)`; 1 where masked.
        write: What was written, likewise; 0 where masked.
        state: The state after each step, likewise; where masked, that of the step before.
        before: The state before the first step, `(example, unit)`.
        mask: Which steps were read, `(example, time)`.
        backwards: Whether reading goes from the last step to the first.
    """

    keep: np.ndarray
    write: np.ndarray
    state: np.ndarray
    before: np.ndarray
    mask: np.ndarray
    backwards: bool

    @property
    def old(self) -> np.ndarray:
        """The state before each step, `(example, time, unit)`."""
        return np.concatenate([self.before[:, None], self.state[:, :-1]], axis=1)

    def in_time(self, array: np.ndarray) -> np.ndarray:
        """Turn `(example, time, …)` from the order of reading to that of time, or back."""
        return array[:, ::-1] if self.backwards else array


def flow_of(node: xr.Dataset) -> Flow:
    """Return what a node kept and wrote.

    Raises:
        ValueError: If a signal or a step is missing, or if the signals don't obey the equation
            state = retention ⊙ old state + writing ⊙ candidate.
    """
    cell = recurrence.cell_of(node.attrs["cell"])
    memory = cell.memory
    times = node["time"].values
    if not np.array_equal(times, np.arange(len(times))):
        raise ValueError(
            "What was kept can only be followed from the first step on and over all steps; trace "
            f"the layer without `steps`. Received: steps {times[:5].tolist()}…"
        )
    initial = f"initial_{memory}"
    if initial not in node.coords:
        raise ValueError(
            f"The node lacks the coordinate {initial!r}, which textgate.trace sets; keep it when "
            f"selecting. Received: coords {[str(name) for name in node.coords]}"
        )
    backwards = bool(node.attrs.get("go_backwards", 0))
    turned = slice(None, None, -1 if backwards else 1)
    mask = np.asarray(node["mask"].transpose("example", "time").values, bool)[:, turned]
    keep, write, state = (
        np.where(mask[..., None], signal(node, name)[:, turned].astype(np.float64), blank)
        for name, blank in (("retention", 1.0), ("writing", 0.0), (memory, 0.0))
    )
    write *= np.where(mask[..., None], signal(node, cell.candidate)[:, turned], 0.0)
    before = np.asarray(node[initial].transpose("example", "unit").values, np.float64)
    # At a masked step the state is that after the last step read.
    last = np.maximum.accumulate(np.where(mask, np.arange(1, len(times) + 1), 0), axis=1)
    state = np.take_along_axis(
        np.concatenate([before[:, None], state], axis=1), last[..., None], axis=1
    )
    flow = Flow(keep, write, state, before, mask, backwards)
    off = np.abs(keep * flow.old + write - state) > _TOLERANCE * (1 + np.abs(state))
    if off.any():
        raise ValueError(
            f"The trace doesn't obey {cell.convention.split(':')[0]}: its cell was edited, has no "
            "leak, or ran in half precision; trace the model without interventions, in float32. "
            f"Received: layer {node.attrs.get('layer', '')!r}, off in {int(off.sum())} places"
        )
    return flow


def labels_of(node: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates that all results about a node's steps have in common."""
    names = [name for name in ("mask", "token") if name in node.coords]
    return {
        "time": node["time"].values,
        "unit": node["unit"].values,
        **{name: node[name].transpose("example", "time").variable for name in names},
    }


def attributes_of(node: xr.Dataset) -> dict[str, Any]:
    """Return the attributes that results keep of a node: which layer, cell and direction."""
    names = ("layer", "cell", "go_backwards", "fingerprint")
    return {name: node.attrs[name] for name in names if name in node.attrs}


def words_of(node: xr.Dataset) -> np.ndarray:
    """Return the word at each step, `(example, time)`; its number where words aren't known."""
    if "token" in node.coords:
        return np.asarray(node["token"].transpose("example", "time").values).astype(str)
    numbers = node["time"].values.astype(str)
    return np.broadcast_to(numbers, (node.sizes["example"], len(numbers)))
