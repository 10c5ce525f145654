"""Files that are there whole or not at all: written beside their place, then moved."""

import json
import os
import pathlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np


class CannotWriteError(OSError, ValueError):
    """A file could not be written, most often because the disk is full.

    What stood in its place is still there.
    """


def write(path: pathlib.Path, content: Callable[[BinaryIO], None]) -> None:
    """Write a file beside `path`, force it to the disk, and move it there.

    Args:
        path: Where to write to. What is there is replaced at once, or not at all.
        content: Writes to the open file.

    Raises:
        CannotWriteError: If there is no room, or no permission.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as file:
            content(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CannotWriteError(
            f"cannot write a file ({error.strerror or error}); what was there before is "
            "unchanged: make room and give the same command again. "
            f"Received: {path}"
        ) from error


def write_text(path: pathlib.Path, text: str) -> None:
    """Write a text file as `write` does."""
    write(path, lambda file: _all(file, text.encode()))


def write_json(path: pathlib.Path, value: Any) -> None:
    """Write a JSON file as `write` does."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_arrays(path: pathlib.Path, arrays: Mapping[str, np.ndarray], state: Any) -> None:
    """Write arrays, and what JSON can hold, to one `.npz` file as `write` does."""
    note = np.frombuffer(json.dumps(state).encode(), np.uint8)
    content: dict[str, Any] = {"__state__": note, **arrays}
    write(path, lambda file: np.savez(file, **content))


def read_arrays(path: pathlib.Path) -> tuple[dict[str, np.ndarray], Any]:
    """Return what `write_arrays` has written."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return arrays, json.loads(arrays.pop("__state__").tobytes())


def _all(file: BinaryIO, data: bytes) -> None:
    file.write(data)
