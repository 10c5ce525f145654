"""Interventions as JSON, to be kept beside the results they gave.

What an intervention takes from a trace stays in the trace: the JSON has the path of the trace's
Zarr store, and a fingerprint of the signal in it, so that one that has changed since is noticed.
"""

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from textgate.interventions._ablations import MeanAblation, ResampleAblation, ZeroAblation
from textgate.interventions._base import Intervention
from textgate.interventions._clamp import Clamp
from textgate.interventions._patch import Patch
from textgate.interventions._steer import Steer
from textgate.tracing import nodes_of, save
from textgate.tracing import open as open_trace

_KINDS = {
    kind.__name__: kind
    for kind in (ZeroAblation, MeanAblation, ResampleAblation, Clamp, Patch, Steer)
}


def to_json(
    interventions: Intervention | Iterable[Intervention], traces: str | os.PathLike | None = None
) -> str:
    """Return interventions as JSON.

    Args:
        interventions: One intervention, or a list of them.
        traces: A directory, made if need be, to which traces that are only in memory are saved.

    Returns:
        A JSON object, or a list of them.

    Raises:
        ValueError: If a trace is only in memory and no directory is given.

    Example:

    >>> print(to_json(ZeroAblation("lstm", "cell_state", units=[3, 17])))
    {"intervention": "ZeroAblation", "layer": "lstm", "signal": "cell_state", "units": [3, 17]}
    """
    if isinstance(interventions, Intervention):
        return json.dumps(_described(interventions, traces))
    return json.dumps([_described(one, traces) for one in interventions])


def _described(intervention: Intervention, traces: Any) -> dict[str, Any]:
    described: dict[str, Any] = {"intervention": type(intervention).__name__}
    for part in dataclasses.fields(intervention):
        value = getattr(intervention, part.name)
        if value is not None:
            described[part.name] = _plain(value, intervention, traces)
    return described


def _plain(value: Any, intervention: Intervention, traces: Any) -> Any:
    if isinstance(value, xr.DataTree):
        return _stored(value, intervention, traces)
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if isinstance(value, np.ndarray) and value.dtype == bool:
        # A row of 0 and 1 an example; the number of steps is there for when there are no rows.
        rows = ["".join("01"[step] for step in row) for row in value.astype(int)]
        return {"rows": rows, "steps": value.shape[1]}
    return list(value) if isinstance(value, np.ndarray | tuple) else value


def _stored(trace: xr.DataTree, intervention: Intervention, traces: Any) -> dict[str, str]:
    content = fingerprint_of(trace, intervention.signal)
    place = trace.encoding.get("source")
    if place is None or not _holds(place, content, intervention.signal):
        if traces is None:
            raise ValueError(
                "The trace that an intervention takes values from is not in a file as it is; give "
                "a directory to save it to, `traces=…`, or trace with `to=…`. "
                f"Received: {intervention!r}"
            )
        path = Path(traces) / f"{content}.zarr"
        if not path.exists():
            save(trace, path)
        place = str(path.absolute())
    return {"path": str(place), "fingerprint": content}


def _holds(place: str, content: str, signal: str) -> bool:
    try:
        return fingerprint_of(open_trace(place), signal) == content
    except (OSError, ValueError):
        return False


def fingerprint_of(trace: xr.DataTree, signal: str) -> str:
    """Return a hash of what a trace says of a signal, 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for name, node in sorted(nodes_of(trace).items()):
        digest.update(repr((name, node.attrs.get("fingerprint"))).encode())
        for variable in (signal, "mask", "time", "unit"):
            if variable in node.variables:
                values = node[variable].values
                digest.update(repr((variable, values.shape, values.dtype.str)).encode())
                digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def from_json(
    text: str, traces: str | os.PathLike | None = None
) -> Intervention | list[Intervention]:
    """Return the interventions that `to_json` described.

    Args:
        text: The JSON.
        traces: The directory where the traces are now, if they have been moved.

    Returns:
        An intervention, or a list of them, as it was described.

    Raises:
        ValueError: If it doesn't describe interventions, or a trace is not the one it was.
        FileNotFoundError: If a trace isn't there any more.

    Example:

    >>> from_json(Clamp("gru", "update_gate", units=[0], value=1.0, steps=slice(2, 5)).to_json())
    Clamp('gru', 'update_gate', units=[0], steps=slice(2, 5), value=1.0)
    """
    try:
        described = json.loads(text)
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"This is not JSON: {error}. Received: {str(text)[:80]!r}") from None
    if isinstance(described, list):
        return [_made(one, traces) for one in described]
    return _made(described, traces)


def _made(described: Any, traces: Any) -> Intervention:
    if not isinstance(described, dict) or described.get("intervention") not in _KINDS:
        raise ValueError(
            f"An intervention is described by an object whose `intervention` is one of "
            f"{list(_KINDS)}. Received: {str(described)[:80]}"
        )
    kind = _KINDS[described["intervention"]]
    names = {part.name for part in dataclasses.fields(kind)}
    needed = {part.name for part in dataclasses.fields(kind) if part.default is dataclasses.MISSING}
    given = set(described) - {"intervention"}
    if not needed <= given <= names:
        raise ValueError(
            f"{kind.__name__} has the entries {sorted(names)}, of which {sorted(needed)} must be "
            f"there. Received: {sorted(given)}"
        )
    arguments = {name: described[name] for name in given}
    steps = arguments.get("steps")
    if steps is not None:
        arguments["steps"] = _steps(steps)
    if isinstance(arguments.get("units"), dict):
        arguments["units"] = _steps(arguments["units"])
    for name in ("source", "reference"):
        if name in arguments:
            arguments[name] = _trace(arguments[name], described["signal"], traces)
    return kind(arguments.pop("layer"), arguments.pop("signal"), **arguments)


def _steps(described: Any) -> slice | np.ndarray:
    try:
        if "slice" in described:
            return slice(*described["slice"])
        rows, length = described["rows"], described["steps"]
        if any(len(row) != length or set(row) - set("01") for row in rows):
            raise ValueError
        return np.array([[step == "1" for step in row] for row in rows], bool).reshape(-1, length)
    except (TypeError, KeyError, ValueError):
        raise ValueError(
            "Steps are described by {'slice': [start, stop, step]} or {'rows': ['0110', …], "
            f"'steps': 4}}. Received: {str(described)[:80]}"
        ) from None


def _trace(described: Any, signal: str, traces: Any) -> xr.DataTree:
    if not isinstance(described, dict) or set(described) != {"path", "fingerprint"}:
        raise ValueError(
            "A trace is described by its `path` and its `fingerprint`. "
            f"Received: {str(described)[:80]}"
        )
    path = Path(described["path"])
    trace = open_trace(path if traces is None else Path(traces) / path.name)
    found = fingerprint_of(trace, signal)
    if found != described["fingerprint"]:
        raise ValueError(
            f"The trace at {str(path)!r} is not the one that the intervention was described with, "
            f"fingerprint {described['fingerprint']}. Received: a trace with fingerprint {found}"
        )
    return trace
