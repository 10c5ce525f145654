"""Reads safetensors files: a JSON table of names, dtypes, shapes and places, and then the bytes."""

from pathlib import Path
from typing import Any

import numpy as np

from textgate._reading import parse_json

_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "BOOL": "<?",
}


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file by name, bfloat16 as float32.

    Raises:
        ValueError: If the file is truncated or damaged.
    """
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        try:
            table = parse_json(file.read(min(size, path.stat().st_size)))
            entries = {name: entry for name, entry in table.items() if name != "__metadata__"}
        except (ValueError, AttributeError) as error:
            raise ValueError(
                f"the safetensors file is truncated or damaged ({error}). Received: {path}"
            ) from error
        return {name: _array(file, 8 + size, name, entry, path) for name, entry in entries.items()}


def _array(file: Any, start: int, name: str, entry: Any, path: Path) -> np.ndarray:
    try:
        shape = tuple(map(int, entry["shape"]))
        begin, end = map(int, entry["data_offsets"])
        kind = entry["dtype"]
        dtype = np.dtype(_DTYPES[kind])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"the array {name!r} of the safetensors file can't be read. Received: {entry!r:.80}"
        ) from error
    count = 1
    for length in shape:
        count *= length
    there = path.stat().st_size - start
    if min((*shape, begin), default=0) < 0 or end > there or end - begin != count * dtype.itemsize:
        raise ValueError(
            f"the array {name!r} of the safetensors file is larger than what the file holds of it. "
            f"Received: shape {shape}, bytes {begin} to {end} of {there}"
        )
    file.seek(start + begin)
    values = np.frombuffer(file.read(end - begin), dtype).reshape(shape)
    return (values.astype("<u4") << 16).view("<f4") if kind == "BF16" else values
