"""A trace in memory: arrays allocated once, batches written in their place."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from textgate import recurrence
from textgate.tracing import _labelled as labelled
from textgate.tracing._selection import Kept, kept_steps
from textgate.tracing._step_labels import StepLabels
from textgate.tracing.program import Records


def cut(kept: Kept, call: dict[str, Any]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return what is kept of one call, and its mask; masked steps are still numbers here.

    Returns:
        The kept signals, each `(batch, steps, units)`, and the mask, `(batch, steps)`.
    """
    cell = kept.site.spec.cell
    signals = {}
    for name in kept.signals:
        derived = name in recurrence.DERIVED
        source, scale, offset = cell.derived(name) if derived else (name, 1.0, 0.0)
        full = np.asarray(call["signals"][source])
        at = kept.steps if isinstance(kept.steps, slice) else kept_steps(kept.steps, full.shape[1])
        part = full[:, at]
        if kept.units is not None:
            part = part[:, :, kept.units]
        if (scale, offset) != (1.0, 0.0):
            part = part * part.dtype.type(scale) + part.dtype.type(offset)
        signals[name] = part
    if "mask" in call:
        mask = np.asarray(call["mask"])
        mask = mask[:, kept_steps(kept.steps, mask.shape[1])]
    else:
        mask = np.ones(part.shape[:2], dtype=bool)
    return signals, mask


def initial_states(kept: Kept, call: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the states before the first step, each `(batch, units)`, by coordinate."""
    return {
        f"initial_{name}": np.asarray(value)[:, kept.unit_numbers]
        for name, value in call["initial"].items()
    }


class _Rows:
    """An array that grows along examples and time, and is NaN (or empty) where nothing was written.

    Rows beyond those written are never touched, so that spare room takes no memory.
    """

    def __init__(self, dtype: Any, tail: tuple[int, ...], examples: int | None, fill: Any) -> None:
        self.array: np.ndarray | None = None
        self.dtype, self.tail, self.fill = dtype, tail, fill
        self.examples = examples
        self.written = 0

    def write(self, start: int, part: np.ndarray, length: int | None = None) -> np.ndarray:
        """Write `part` from row `start` on; return the view of the array that holds it.

        `length` is the length of time to make room for, where it is known to be more.
        """
        stop = start + part.shape[0]
        has_time = len(self.tail) < part.ndim - 1
        width = (max(part.shape[1], length or 0),) if has_time else ()
        self._make_room(stop, width)
        assert self.array is not None
        if start > self.written:
            self.array[self.written : start] = self.fill
        rows = self.array[start:stop]
        view = rows[:, : part.shape[1]] if has_time else rows
        view[...] = part
        if has_time:
            rows[:, part.shape[1] :] = self.fill
        self.written = stop
        return view

    def _make_room(self, rows: int, width: tuple[int, ...]) -> None:
        old = self.array
        if old is None:
            self.array = np.empty((self.examples or rows, *width, *self.tail), self.dtype)
            return
        width = (max(width[0], old.shape[1]),) if width else ()
        if rows <= old.shape[0] and old.shape[1 : 1 + len(width)] == width:
            return
        rows = old.shape[0] if rows <= old.shape[0] else max(rows, 2 * old.shape[0])
        self.array = np.empty((rows, *width, *self.tail), self.dtype)
        self.array[: self.written] = self.fill
        part = self.array[: self.written]
        (part[:, : old.shape[1]] if width else part)[...] = old[: self.written]

    def finish(self, examples: int) -> np.ndarray:
        assert self.array is not None
        if self.written < examples:
            self._make_room(examples, self.array.shape[1:2] if self.array.ndim > 1 else ())
            self.array[self.written : examples] = self.fill
        return self.array[:examples]


class Memory:
    """Collects the batches of a trace in memory.

    Args:
        kept: What to keep.
        attributes: The attributes that all nodes have in common.
        examples: Number of examples, where it is known.
        steps: Length of the longest example, where it is known.
        step_labels: Labels of steps.
    """

    def __init__(
        self,
        kept: list[Kept],
        attributes: Mapping[str, Any],
        examples: int | None,
        steps: int | None,
        step_labels: StepLabels,
    ) -> None:
        self.kept = {k.site.path: k for k in kept}
        self.attributes, self.examples, self.steps = attributes, examples, steps
        self.step_labels = step_labels
        self.nodes: dict[tuple[str, int], dict[str, _Rows]] = {}
        self.lengths: dict[tuple[str, int], int] = {}
        self.called: dict[str, int] = {}
        self.tokens: list[np.ndarray] = []

    def write(
        self, start: int, records: Records, length: int | None, tokens: np.ndarray | None
    ) -> None:
        """Write one batch from example `start` on; `length` is that of the model's inputs."""
        if tokens is not None:
            self.tokens.append(tokens)
        for path, kept in self.kept.items():
            calls = records.get(path, [])
            self.called[path] = max(self.called.get(path, 0), len(calls))
            for number, call in enumerate(calls):
                if kept.calls is None or number in kept.calls:
                    self._write_call(path, kept, number, call, start, length)

    def _write_call(
        self, path: str, kept: Kept, number: int, call: dict, start: int, length: int | None
    ) -> None:
        key = (path, number)
        rows = self.nodes.setdefault(key, {})
        signals, mask = cut(kept, call)
        time = next(iter(call["signals"].values())).shape[1]
        # A layer that goes along with the inputs will have to hold the longest of them.
        longest = max(time, self.steps or 0) if time == length else time
        self.lengths[key] = max(self.lengths.get(key, 0), longest)
        room = len(kept_steps(kept.steps, longest))
        masked = None if mask.all() else np.nonzero(~mask)
        for name, part in signals.items():
            if name not in rows:
                rows[name] = _Rows(part.dtype, part.shape[2:], self.examples, np.nan)
            view = rows[name].write(start, part, room)
            if masked is not None:
                view[masked] = np.nan
        if labelled.MASK not in rows:
            rows[labelled.MASK] = _Rows(bool, (), self.examples, False)
        rows[labelled.MASK].write(start, mask, room)
        for name, state in initial_states(kept, call).items():
            if name not in rows:
                rows[name] = _Rows(state.dtype, state.shape[1:], self.examples, np.nan)
            rows[name].write(start, state)

    def finish(self, examples: int, labels: Mapping[str, np.ndarray]) -> xr.DataTree:
        """Return the trace."""
        tokens = _join(self.tokens, self.steps)
        nodes = {}
        for (path, number), rows in self.nodes.items():
            name = f"{path}/call_{number}" if self.called[path] > 1 else path
            nodes[name] = self._node(path, number, rows, tokens, examples, labels)
        return labelled.tree_of(nodes, self.attributes)

    def _node(
        self,
        path: str,
        number: int,
        rows: dict[str, _Rows],
        tokens: np.ndarray | None,
        examples: int,
        labels: Mapping[str, np.ndarray],
    ) -> xr.Dataset:
        kept = self.kept[path]
        length = self.lengths[path, number]
        steps = kept_steps(kept.steps, length)
        kind = kept.site.spec.cell.kind
        arrays = {name: part.finish(examples) for name, part in rows.items()}
        coords: dict[str, Any] = {
            "time": steps,
            "unit": kept.unit_numbers,
            labelled.MASK: (("example", "time"), arrays.pop(labelled.MASK)),
        }
        if tokens is not None and tokens.shape[1] == length:
            coords[labelled.TOKEN] = (("example", "time"), tokens[:, steps])
        for name in [name for name in arrays if name.startswith("initial_")]:
            coords[name] = (("example", "unit"), arrays.pop(name))
        coords.update({name: ("example", values) for name, values in labels.items()})
        coords.update(self.step_labels.of_node((path, number), length, kept))
        dataset = xr.Dataset(
            {
                name: (labelled.DIMS, array, labelled.signal_attributes(kind, name))
                for name, array in arrays.items()
            },
            coords,
            labelled.node_attributes(kept, number, self.attributes),
        )
        return labelled.with_offered(dataset, kept.offered)


def _join(parts: list[np.ndarray], steps: int | None) -> np.ndarray | None:
    """Put batches of tokens under one another, filled up with empty ones."""
    if not parts:
        return None
    width = max(max(part.shape[1] for part in parts), steps or 0)
    joined = np.full((sum(map(len, parts)), width), "", dtype=np.result_type(*parts))
    start = 0
    for part in parts:
        joined[start : start + len(part), : part.shape[1]] = part
        start += len(part)
    return joined
