"""Reads the files that `torch.save` wrote, in its three formats, as data.

- Since PyTorch 1.6: a ZIP archive with the pickle `data.pkl` and each storage as `data/KEY`.
- Before: one file of several pickles (a magic number, a version, the machine, the object, the keys
  of its storages) and then, for each key, the number of numbers and the numbers.
- Before 0.1.10: a TAR archive with `storages`, `tensors` and `pickle`.

A pickle refers to its storages by persistent ids such as `("storage", FloatStorage, key, "cpu",
numel)`. Sizes are believed only as far as the bytes are there.
"""

import io
import mmap
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from textgate.importing import _pickles
from textgate.importing._archives import member
from textgate.importing._pickles import STORAGES, Storage, Tensor

_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, struct.error, zlib.error),
    *(OSError, EOFError, MemoryError, NotImplementedError, RuntimeError),
    *(ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError),
)


def read_torch_file(path: Path, kind: str) -> Any:
    """Return what a file of PyTorch holds: containers, `Tensor` and `Record`.

    Args:
        path: The file.
        kind: `"torch"` or `"old torch"`.

    Raises:
        ValueError: If the file is truncated, damaged or hostile.
    """
    try:
        if kind == "torch":
            return _read_zip(path)
        with path.open("rb") as file:
            if file.read(2) != b"\x80\x02":
                return _read_tar(path)
            # Unlike a file, a map of one takes no memory for what is asked for beyond its end.
            return _read_pickles(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except _DAMAGED as error:
        reason, marked, received = str(error).rpartition(" Received: ")
        if marked:
            raise ValueError(f"{reason} Received: {path}: {received}") from error
        reason = " ".join(str(error).split())[:100]
        raise ValueError(
            f"the PyTorch file is truncated or damaged ({type(error).__name__}: {reason}). "
            f"Received: {path}"
        ) from error


def _storage_id(pid: Any) -> tuple[str, str, int, Any]:
    """Return key, dtype, count and view of the persistent id of a storage."""
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] not in ("storage", b"storage"):
        raise ValueError(f"the file refers to what isn't in it. Received: {pid!r:.80}")
    _, storage_type, key, _, numel, *view = pid
    dtype = STORAGES.get(str(storage_type), "<u1")  # without a type, bytes: the tensor tells
    if not isinstance(numel, int):
        raise ValueError(f"a storage of the file is damaged. Received: {pid!r:.80}")
    return str(key), dtype, numel, view[0] if view else None


def _reader(data: bytes) -> Callable[[], bytes]:
    return lambda: data


def _size_of(dtype: str) -> int:
    return 2 if dtype == "bfloat16" else np.dtype(dtype).itemsize


# -- since 1.6 -----------------------------------------------------------------------------------


def _read_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickles = [name for name in names if name.rpartition("/")[2] == "data.pkl"]
        root = min(pickles, key=len)[: -len("data.pkl")]
        if f"{root}byteorder" in names and member(archive, f"{root}byteorder") == b"big":
            raise ValueError(
                "the file was written on a big-endian machine. Received: byteorder big"
            )
        storages: dict[str, Storage] = {}

        def storage_of(pid: Any) -> Storage:
            key, dtype, numel, _ = _storage_id(pid)
            if key not in storages:
                data = member(archive, f"{root}data/{key}")
                storages[key] = Storage(dtype, numel, _reader(data))
            return storages[key]

        return _pickles.load(io.BytesIO(member(archive, f"{root}data.pkl")), storage_of)


# -- before 1.6 ----------------------------------------------------------------------------------


def _read_pickles(file: mmap.mmap) -> Any:
    _pickles.load(file)  # the magic number, which was looked at before
    version, machine = _pickles.load(file), _pickles.load(file)
    if version != 1001 or not isinstance(machine, dict):
        raise ValueError(f"the version of the file's format is unknown. Received: {version!r:.40}")
    if machine.get("little_endian") is False:
        raise ValueError(
            "the file was written on a big-endian machine. Received: little_endian=False"
        )
    storages: dict[str, Storage] = {}
    contents: dict[str, bytes] = {}

    def storage_of(pid: Any) -> Any:
        if isinstance(pid, tuple) and pid[:1] in (("module",), (b"module",)):
            return pid[1]  # a class, saved with its source
        key, dtype, numel, view = _storage_id(pid)
        if key not in storages:
            storages[key] = Storage(dtype, numel, lambda: contents.get(key, b""))
        if view is None:
            return storages[key]
        return _part(storages[key], *view[1:])

    result = _pickles.load(file, storage_of)
    for key in _pickles.load(file):
        storage = storages.get(str(key))
        if storage is None:
            raise ValueError(f"the file is damaged: an unknown storage. Received: {key!r:.40}")
        contents[str(key)] = _read_storage(file, storage.dtype)
    return result


def _part(root: Storage, start: int, numel: int) -> Storage:
    return Storage(root.dtype, numel, root.read, root.start + start)


def _read_storage(file: BinaryIO | mmap.mmap, dtype: str) -> bytes:
    """Return the bytes of the storage that a file stands at: a count, and the numbers."""
    (count,) = struct.unpack("<q", file.read(8))
    size = _size_of(dtype)
    place = file.tell()
    file.seek(0, io.SEEK_END)
    left = file.tell() - place
    file.seek(place)
    if not 0 <= count * size <= left:
        raise ValueError(
            "the file is truncated or damaged: it holds fewer numbers than it says. "
            f"Received: {left // size} of {count}"
        )
    return file.read(count * size)


# -- before 0.1.10 -------------------------------------------------------------------------------


def _read_tar(path: Path) -> Any:
    with tarfile.open(path, mode="r:") as archive:
        parts = {}
        for name in ("storages", "tensors", "pickle"):
            member = archive.extractfile(name)
            if member is None:
                raise ValueError(f"the file lacks a part. Received: {name!r}")
            parts[name] = io.BytesIO(member.read())
    objects: dict[int, Any] = {}
    _read_tar_storages(parts["storages"], objects)
    _read_tar_tensors(parts["tensors"], objects)

    def object_of(pid: Any) -> Any:
        if isinstance(pid, tuple):
            return pid[0]  # a class, saved with its source
        return objects[int(pid)]

    return _pickles.load(parts["pickle"], object_of)


def _read_tar_storages(file: BinaryIO, objects: dict[int, Any]) -> None:
    for _ in range(_count(_pickles.load(file))):
        key, _, storage_type = _pickles.load(file)
        dtype = STORAGES.get(str(storage_type), "<f4")
        data = _read_storage(file, dtype)
        objects[key] = Storage(dtype, len(data) // _size_of(dtype), _reader(data))
    for key, root, start, numel in _pickles.load(file):
        objects[key] = _part(objects[root], start, numel)


def _read_tar_tensors(file: BinaryIO, objects: dict[int, Any]) -> None:
    for _ in range(_count(_pickles.load(file))):
        key, storage, _ = _pickles.load(file)
        (rank,) = struct.unpack("<q", file.read(8))
        if not 0 <= rank < 16:
            raise ValueError(f"a tensor of the file is damaged. Received: {rank} axes")
        shape = struct.unpack(f"<{rank}q", file.read(8 * rank))
        stride = struct.unpack(f"<{rank}q", file.read(8 * rank))
        (offset,) = struct.unpack("<q", file.read(8))
        objects[key] = Tensor(objects[storage], offset, shape, stride)


def _count(value: Any) -> int:
    if not isinstance(value, int):
        raise ValueError(f"the file is damaged: a number was expected. Received: {value!r:.40}")
    return value
