"""A trace on disk: a Zarr store, written batch by batch.

The store is moved to its place when it is complete, so that what lies under the final name is
always whole. Its size and a digest of its metadata are noted in it, and checked on opening; each
chunk ends in its checksum (crc32c), which is checked when the chunk is read. Chunks that hold
nothing but padding are not written at all, and what padding other chunks hold compresses to next to
nothing.

Layout: a group for each node; in it an array for each signal and coordinate, with dimension names,
as `xarray.open_datatree` reads it. Derived signals that follow from stored ones are not stored but
computed on reading (`textgate.tracing._opening`).
"""

import contextlib
import hashlib
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from textgate._files import beside, remove_partials
from textgate.tracing import _labelled as labelled
from textgate.tracing._memory import cut, initial_states
from textgate.tracing._selection import Kept, kept_steps
from textgate.tracing._step_labels import StepLabels
from textgate.tracing.program import Records

FORMAT = "textgate-trace-1"
# A fast codec: gates hardly compress, and padding compresses with any.
_NUMBERS = (BloscCodec(cname="lz4", clevel=1, shuffle="bitshuffle"), Crc32cCodec())
_OTHERS = (ZstdCodec(), Crc32cCodec())  # words, and the numbers of a dimension
_CHUNK_BYTES = 2**24


def check_free(path: str | os.PathLike) -> Path:
    """Return `path` as a `Path`, or raise a `FileExistsError` if something is there."""
    path = Path(path)
    if os.path.lexists(path):
        raise FileExistsError(
            f"A trace is never written over something that exists; remove it or choose another "
            f"path. Received: to={str(path)!r}"
        )
    remove_partials(path.parent)  # of traces that were killed
    return path


@contextlib.contextmanager
def place_for(path: Path) -> Iterator[Path]:
    """Give a path to write a store to, which is moved to `path` at the block's end.

    Raises:
        FileExistsError: If something is there by then.
        CannotWriteError: If the disk is full.
    """
    with beside(path, "the trace", replaces=False) as partial:
        yield partial


class Store:
    """Writes the batches of a trace to a Zarr store.

    Args:
        path: Where to write.
        kept: What to keep.
        attributes: The attributes that all nodes have in common.
        examples: Number of examples, where it is known.
        steps: Length of the longest example, where it is known.
        batch: Number of examples of a batch, which become the rows of a chunk.
        step_labels: Labels of steps.
    """

    def __init__(
        self,
        path: Path,
        kept: list[Kept],
        attributes: Mapping[str, Any],
        examples: int | None,
        steps: int | None,
        batch: int,
        step_labels: StepLabels = StepLabels(),  # noqa: B008  (nothing can change it)
    ) -> None:
        self.path = path
        self.root = zarr.open_group(str(path), mode="w-", zarr_format=3)
        self.kept = {k.site.path: k for k in kept}
        self.attributes, self.examples, self.steps = attributes, examples, steps
        self.batch, self.step_labels = batch, step_labels
        self.called: dict[str, int] = {}
        self.lengths: dict[tuple[str, int], int] = {}
        self.widths: dict[tuple[str, int], int] = {}

    def write(
        self, start: int, records: Records, length: int | None, tokens: np.ndarray | None
    ) -> None:
        """Write one batch from example `start` on; `length` is that of the model's inputs."""
        with warnings.catch_warnings():
            # Older versions of Zarr warn that their strings may change; ours are tokens.
            warnings.filterwarnings("ignore", category=FutureWarning, module="zarr")
            for path, kept in self.kept.items():
                calls = records.get(path, [])
                if len(calls) != self.called.setdefault(path, len(calls)):
                    raise ValueError(
                        f"Layer {path!r} is called a different number of times from batch to "
                        "batch, which a store cannot hold; pad all inputs to one length. "
                        f"Received: {self.called[path]} calls before, {len(calls)} now"
                    )
                for number, call in enumerate(calls):
                    if kept.calls is None or number in kept.calls:
                        self._write_call(kept, number, call, start, length, tokens)

    def _write_call(
        self,
        kept: Kept,
        number: int,
        call: dict,
        start: int,
        length: int | None,
        tokens: np.ndarray | None,
    ) -> None:
        path = kept.site.path
        group = self.root.require_group(self._name(path, number))
        signals, mask = cut(kept, call)
        time = next(iter(call["signals"].values())).shape[1]
        longest = max(time, self.steps or 0) if time == length else time
        key = (path, number)
        self.lengths[key] = max(self.lengths.get(key, 0), longest)
        room = len(kept_steps(kept.steps, self.lengths[key]))
        masked = None if mask.all() else np.nonzero(~mask)
        kind = kept.site.spec.cell.kind
        for signal, part in signals.items():
            if masked is not None:
                part = part.copy()
                part[masked] = np.nan
            attributes = labelled.signal_attributes(kind, signal)
            self.put(group, signal, labelled.DIMS, part, start, room, np.nan, attributes)
        self.put(group, labelled.MASK, labelled.DIMS[:2], mask, start, room, False)
        for state, values in initial_states(kept, call).items():
            self.put(group, state, ("example", "unit"), values, start, None, np.nan)
        if tokens is not None and tokens.shape[1] == time:
            words = tokens[:, kept_steps(kept.steps, time)]
            self.widths[key] = max(self.widths.get(key, 1), words.dtype.itemsize // 4)
            self.put(group, labelled.TOKEN, labelled.DIMS[:2], words, start, room, "")
        if "unit" not in group:
            self.axis(group, "unit", kept.unit_numbers)
            attributes = labelled.node_attributes(kept, number, self.attributes)
            group.update_attributes({**attributes, "offered": list(kept.offered)})

    def put(
        self,
        group: zarr.Group,
        name: str,
        dims: tuple[str, ...],
        part: np.ndarray,
        start: int,
        room: int | None,
        fill: Any,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Write `part` from row `start` on, into an array made or enlarged for it."""
        shape = [self.examples or start + len(part), *part.shape[1:]]
        if room is not None:
            shape[1] = room
        array: Any
        if name not in group:
            text = part.dtype.kind == "U"
            array = group.create_array(
                name,
                shape=tuple(shape),
                dtype=str if text else part.dtype,
                chunks=self._chunks(shape, part),
                compressors=_OTHERS if text else _NUMBERS,
                fill_value=fill,
                dimension_names=dims,
                attributes=dict(attributes or {}),
            )
        else:
            array = group[name]
        wanted = tuple(max(a, b) for a, b in zip(array.shape, shape, strict=True))
        if wanted != array.shape:
            array.resize(wanted)
        rows = slice(start, start + len(part))
        # Zarr's strings take arrays in C order only.
        part = np.ascontiguousarray(part)
        array[(rows, slice(0, part.shape[1])) if part.ndim > 1 else rows] = part

    def _name(self, path: str, number: int) -> str:
        return f"{path}/call_{number}" if self.called[path] > 1 else path

    def _chunks(self, shape: list[int], part: np.ndarray) -> tuple[int, ...]:
        rows = self.batch
        size = np.dtype(part.dtype).itemsize * int(np.prod(shape[1:]))
        while rows > 1 and rows % 2 == 0 and rows * size > _CHUNK_BYTES:
            rows //= 2
        return (rows, *(max(1, n) for n in shape[1:]))

    def axis(self, group: zarr.Group, name: str, values: np.ndarray) -> None:
        """Write the numbers of a dimension."""
        array: Any = group.create_array(
            name,
            shape=values.shape,
            dtype=values.dtype,
            compressors=_OTHERS,
            dimension_names=(name,),
        )
        array[:] = values

    def finish(self, examples: int, labels: Mapping[str, np.ndarray]) -> None:
        """Write what is known only at the end."""
        for (path, number), length in self.lengths.items():
            kept = self.kept[path]
            group: Any = self.root[self._name(path, number)]
            self.axis(group, "time", kept_steps(kept.steps, length))
            for name, values in labels.items():
                self.put(group, name, ("example",), values, 0, None, _blank(values))
            of_steps = self.step_labels.of_node((path, number), length, kept)
            for name, label in of_steps.items():
                values, room = label.values, label.shape[1]
                blank = _blank(values)
                self.put(group, name, labelled.DIMS[:2], values, 0, room, blank, label.attrs)
            for _, array in group.arrays():
                if array.metadata.dimension_names[0] == "example" and array.shape[0] != examples:
                    array.resize((examples, *array.shape[1:]))
            if labelled.TOKEN in group:
                words: Any = group[labelled.TOKEN]
                words.update_attributes({"width": self.widths[path, number]})
            list_coordinates(group, kept.signals)
        self.note([self._name(*key) for key in self.lengths])

    def note(self, nodes: list[str]) -> None:
        """Note in the store itself what was written, once nothing more will be."""
        attributes = {**self.attributes, "textgate_format": FORMAT, "nodes": nodes}
        files, size = measure(self.path)
        digest = digest_of(self.path, attributes)
        noted = {"stored_files": files, "stored_bytes": size, "stored_metadata": digest}
        self.root.update_attributes({**attributes, **noted})


def list_coordinates(group: zarr.Group, signals: tuple[str, ...]) -> None:
    """Note in a node's group which of its arrays are coordinates."""
    coordinates = [
        name
        for name, _ in group.arrays()
        if name not in (*signals, *labelled.DIMS) and " " not in name
    ]
    group.update_attributes({"coordinates": " ".join(sorted(coordinates))})


def _blank(values: np.ndarray) -> Any:
    return "" if values.dtype.kind == "U" else values.dtype.type(0)


def measure(path: Path) -> tuple[int, int]:
    """Return the number of files and of bytes of a store, its root's metadata left out."""
    files = size = 0
    for folder, _, names in os.walk(path):
        for name in names:
            if Path(folder) != path:
                files += 1
                size += os.path.getsize(os.path.join(folder, name))
    return files, size


def digest_of(path: Path, attributes: Mapping[str, Any]) -> str:
    """Return a digest of a store's metadata: of all its nodes and arrays, and the root's."""
    own = {name: value for name, value in attributes.items() if not name.startswith("stored_")}
    digest = hashlib.blake2b(json.dumps(own, sort_keys=True).encode(), digest_size=8)
    for file in sorted(path.rglob("zarr.json")):
        if file.parent != path:
            digest.update(file.relative_to(path).as_posix().encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()
