"""Values out of other runs: what interventions read from a trace.

A source has to be a trace of the same model with the layer, the signal and the chosen units in it.
Its steps are told apart by their numbers (the coordinate `time`), so that a trace of a few steps
only can be a source as well.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from textgate import recurrence
from textgate.interventions._contribution import Target
from textgate.tracing import nodes_of
from textgate.tracing import open as open_trace

_AT_ONCE = 256  # examples that are read at a time

# The metadata of an intervention's field that holds a trace; the path of one is opened.
TRACE = {"holds": "a trace"}


def checked_source(source: Any, name: str) -> xr.DataTree:
    """Return a trace, opened if it is the path of a store.

    Raises:
        TypeError: If it is neither.
        FileNotFoundError: If nothing is at the path.
        ValueError: If it isn't a trace.
    """
    trace: xr.DataTree = open_trace(source) if isinstance(source, str | os.PathLike) else source
    try:
        nodes_of(trace)
    except TypeError:
        raise TypeError(
            f"`{name}` must be a trace, as `textgate.trace` returns it, or the path of one. "
            f"Received: {type(source).__name__}"
        ) from None
    return trace


@dataclass(frozen=True)
class Values:
    """One signal of one call of a layer, over the examples of a trace.

    Attributes:
        variable: Of shape `(example, time, unit)`.
        mask: Booleans `(example, time)`.
        steps: The number of each step.
        units: The number of each unit.
        width: The number of units of the layer.
        call: The number of the call; `None` where the layer is called once.
    """

    variable: xr.Variable
    mask: np.ndarray
    steps: np.ndarray
    units: np.ndarray
    width: int
    call: int | None

    @property
    def examples(self) -> int:
        """The number of examples."""
        return int(self.variable.shape[0])

    @property
    def length(self) -> int:
        """The number of steps, those before and between the ones in the trace included."""
        return int(self.steps.max(initial=-1)) + 1

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return some examples in full width and length, NaN where the trace has no values."""
        part = np.asarray(self.variable[start:stop].values)
        if np.array_equal(self.steps, np.arange(self.length)) and part.shape[2] == self.width:
            return part
        full = np.full((len(part), self.length, self.width), np.nan, part.dtype)
        full[:, self.steps[:, None], self.units[None, :]] = part
        return full

    def full_mask(self) -> np.ndarray:
        """Return the mask in full length: where each example has values."""
        full = np.zeros((self.examples, self.length), dtype=bool)
        full[:, self.steps] = self.mask
        return full

    def mean(self, by_step: bool) -> np.ndarray:
        """Return the mean of each unit, over examples and steps or over the examples of a step.

        Computed in float64. NaN for units and steps that have no values.
        """
        sums = np.zeros((self.length, self.width))
        counts: np.ndarray = self.full_mask().sum(axis=0)  # (time,)
        for part in self._parts():
            sums += np.nansum(part, axis=0, dtype=np.float64)
        absent = np.setdiff1d(np.arange(self.width), self.units)
        sums[:, absent] = np.nan
        if not by_step:
            sums, counts = sums.sum(axis=0), counts.sum()
        with np.errstate(invalid="ignore", divide="ignore"):
            mean: np.ndarray = sums / (counts[:, None] if by_step else counts)
        return mean

    def _parts(self) -> Iterator[np.ndarray]:
        for start in range(0, self.examples, _AT_ONCE):
            yield self.rows(start, start + _AT_ONCE)


def values_of(source: xr.DataTree, target: Target, argument: str) -> list[Values]:
    """Return what a trace has of a target's signal: for each call of the layer, one `Values`.

    Args:
        source: The trace.
        target: The place that it is meant for.
        argument: What the trace is called among the intervention's arguments.

    Raises:
        ValueError: If it is a trace of another model, or lacks the layer, the signal or a unit.
    """
    nodes = nodes_of(source)
    path = target.site.path
    who = f"{target.name}: `{argument}`"
    calls: dict[int | None, xr.Dataset] = {}
    for name, node in nodes.items():
        base, _, last = name.rpartition("/")
        if name == path and target.call in (None, 0):
            calls[target.call] = node
        elif base == path and last.startswith("call_") and last[5:].isdigit():
            number = int(last[5:])
            if target.call in (None, number):
                calls[number] = node
    if not calls:
        wanted = path if target.call is None else f"{path}/call_{target.call}"
        raise ValueError(
            f"{who} must be a trace with the layer {wanted!r}; it has {list(nodes)}. Received: "
            "a trace without it"
        )
    return [_checked(node, call, target, who) for call, node in sorted(calls.items(), key=str)]


def _checked(node: xr.Dataset, call: int | None, target: Target, who: str) -> Values:
    spec, path = target.site.spec, target.site.path
    width = int(node.attrs.get("layer_units", node.sizes["unit"]))
    if node.attrs["cell"] != spec.cell.kind or width != spec.units:
        raise ValueError(
            f"{who} must be a trace of the same model, in which layer {path!r} is a "
            f"{spec.cell.kind} of {spec.units} units. Received: a {node.attrs['cell']} of "
            f"{width} units"
        )
    if node.attrs.get("fingerprint") != target.fingerprint():
        raise ValueError(
            f"{who} must be a trace of the same model with the same weights, fingerprint "
            f"{target.fingerprint()}. Received: a trace of model {node.attrs.get('model')!r}, "
            f"fingerprint {node.attrs.get('fingerprint')}"
        )
    name = target.signal if target.signal in node else _underived(target)
    if name not in node:
        raise ValueError(
            f"{who} must hold the signal; it has {list(node.data_vars)} of layer {path!r}. "
            f"Received: signal={target.signal!r}"
        )
    units = np.asarray(node["unit"].values)
    lacking = np.setdiff1d(target.numbers, units)
    if lacking.size:
        raise ValueError(
            f"{who} must hold the chosen units of layer {path!r}; it holds "
            f"{len(units)} of {width}. Received: a trace without units "
            f"{lacking[:10].tolist()}{' …' if lacking.size > 10 else ''}"
        )
    variable = node[name].variable
    if name != target.signal:  # a derived signal, which follows from the one that is there
        _, scale, offset = target.derived
        variable = variable * scale + offset
    return Values(
        variable, np.asarray(node["mask"].values), np.asarray(node["time"].values), units, width,
        call,
    )  # fmt: skip


def _underived(target: Target) -> str:
    return target.derived[0] if target.signal in recurrence.DERIVED else target.signal
