"""What an intervention is given, as JSON and back: a dataclass's fields, each by what it holds.

What an intervention takes from a trace stays in the trace: the JSON has the path of the trace's
Zarr store, and a fingerprint of the signal in it, so that one that has changed since is noticed.
"""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from textgate.interventions._functions import registered_function, registered_name
from textgate.interventions._sources import TRACE
from textgate.tracing import nodes_of, save
from textgate.tracing import open as open_trace


def described(intervention: Any, traces: Any) -> dict[str, Any]:
    """Return an intervention, a dataclass, as what JSON can hold.

    Args:
        intervention: The intervention.
        traces: A directory to save traces to that are only in memory, or `None`.

    Raises:
        ValueError: If a trace is only in memory and there is no directory, or a function is not
            registered with Keras.
    """
    entries: dict[str, Any] = {"intervention": type(intervention).__name__}
    for part in dataclasses.fields(intervention):
        value = getattr(intervention, part.name)
        if isinstance(value, xr.DataTree):
            entries[part.name] = _stored(value, intervention, traces)
        elif callable(value):
            entries[part.name] = {"registered": registered_name(value, intervention)}
        elif value is not None:
            entries[part.name] = _plain(value)
    return entries


def arguments_of(entries: dict[str, Any], kind: Any, traces: Any) -> dict[str, Any]:
    """Return the arguments that `described` described.

    Args:
        entries: The description.
        kind: The intervention's class.
        traces: The directory where the traces are now, or `None` for where they were.

    Raises:
        ValueError: If entries are missing, unknown or of the wrong form, or a trace is not the one
            it was.
        FileNotFoundError: If a trace isn't there any more.
    """
    parts = {part.name: part for part in dataclasses.fields(kind)}
    required = {name for name, part in parts.items() if part.default is dataclasses.MISSING}
    names = set(entries) - {"intervention"}
    if not required <= names <= set(parts):
        raise ValueError(
            f"{kind.__name__} has the entries {sorted(parts)}, of which {sorted(required)} must be "
            f"there. Received: {sorted(names)}"
        )
    return {
        name: _trace(entries[name], entries["signal"], traces)
        if parts[name].metadata == TRACE
        else _value(entries[name])
        for name in names
    }


def _plain(value: Any) -> Any:
    if isinstance(value, slice):
        return {"slice": [value.start, value.stop, value.step]}
    if isinstance(value, np.ndarray) and value.dtype == bool:
        # A row of 0 and 1 an example; the number of steps is there for when there are no rows.
        rows = ["".join("01"[step] for step in row) for row in value.astype(int)]
        return {"rows": rows, "steps": value.shape[1]}
    return value.tolist() if isinstance(value, np.ndarray) else value


def _value(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    if "registered" in entry:
        return registered_function(entry["registered"])
    try:
        if "slice" in entry:
            return slice(*entry["slice"])
        rows, length = entry["rows"], entry["steps"]
        if any(len(row) != length or set(row) - set("01") for row in rows):
            raise ValueError
        return np.array([[step == "1" for step in row] for row in rows], bool).reshape(-1, length)
    except (TypeError, KeyError, ValueError, OverflowError):
        raise ValueError(
            "Steps are described by {'slice': [start, stop, step]} or {'rows': ['0110', …], "
            f"'steps': 4}}. Received: {str(entry)[:80]}"
        ) from None


def _stored(trace: xr.DataTree, intervention: Any, traces: Any) -> dict[str, str]:
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


def _trace(entry: Any, signal: str, traces: Any) -> xr.DataTree:
    if (
        not isinstance(entry, dict)
        or set(entry) != {"path", "fingerprint"}
        or not isinstance(entry["path"], str)
    ):
        raise ValueError(
            f"A trace is described by its `path` and its `fingerprint`. Received: {str(entry)[:80]}"
        )
    path = Path(entry["path"])
    trace: xr.DataTree = open_trace(path if traces is None else Path(traces) / path.name)
    content = fingerprint_of(trace, signal)
    if content != entry["fingerprint"]:
        raise ValueError(
            f"The trace at {str(path)!r} is not the one that the intervention was described with, "
            f"fingerprint {entry['fingerprint']}. Received: a trace with fingerprint {content}"
        )
    return trace
