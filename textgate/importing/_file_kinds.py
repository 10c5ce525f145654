"""What kind of file a file is, told from its first bytes and not from its name.

People bring files of many kinds, often with the wrong ending. Each reader asks here first, so that
a file of another kind is refused by its name and with the function that reads it.
"""

import os
import tarfile
import zipfile
from pathlib import Path

from textgate._reading import parse_json
from textgate.importing._archives import member

# The first pickle of a file of PyTorch before 1.6 is this number and nothing else.
OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."

KINDS = {
    "hdf5": "an HDF5 file (.h5), as Keras 1 and 2 wrote; load it with tg.load",
    "keras": "a .keras file; load it with tg.load",
    "keras 2": "a .keras file of Keras 2; load it with tg.load",
    "torch": "a PyTorch file; load it with tg.from_torch",
    "old torch": "a PyTorch file of before 1.6; load it with tg.from_torch",
    "safetensors": "a safetensors file; load it with tg.from_torch",
    "pickle": "a Python pickle that PyTorch didn't write",
    "saved model": "a SavedModel of TensorFlow; tg.load takes those that textgate wrote",
    "npz": "an archive of NumPy arrays (.npz)",
    "npy": "a NumPy array (.npy)",
    "json": "a JSON file",
    "gzip": "a compressed file (gzip); unpack it first",
    "zip": "a ZIP archive without a model in it",
    "tar": "a TAR archive without a model in it",
    "directory": "a directory",
    "empty": "an empty file",
    "unknown": "neither a Keras file, nor one of PyTorch, nor safetensors",
}


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return the kind of a file or directory, a key of `KINDS`.

    Args:
        path: The file. Only its beginning and, of an archive, the list of names is read.

    Raises:
        FileNotFoundError: If there is nothing.

    Example:

    >>> import numpy as np
    >>> np.save("array.npy", np.zeros(2))
    >>> kind_of("array.npy")
    'npy'
    """
    path = Path(path)
    if os.path.isdir(path):
        return "saved model" if (path / "saved_model.pb").is_file() else "directory"
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no such file. Received: {path}")
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        return "empty"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if len(start) > 9 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 1 << 40:
        return "safetensors"
    for kind, beginning in (
        ("hdf5", b"\x89HDF\r\n\x1a\n"),
        ("old torch", OLD_TORCH),
        ("npy", b"\x93NUMPY"),
        ("gzip", b"\x1f\x8b"),
    ):
        if start.startswith(beginning):
            return kind
    if start[257:262] == b"ustar":
        return _kind_of_tar(path)
    if start[0] == 0x80 and start[1] <= 5:
        return "pickle"
    return "json" if start.lstrip()[:1] in (b"{", b"[") else "unknown"


def refuse(path: str | os.PathLike[str], wanted: str) -> None:
    """Raise a ValueError that says what the file is instead of what was wanted."""
    raise ValueError(f"not {wanted}: it is {KINDS[kind_of(path)]}. Received: {path}")


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if {"config.json", "metadata.json"} <= names:
                metadata = parse_json(member(archive, "metadata.json"))
                is_old = str(metadata.get("keras_version", "3")).startswith("2.")
                return "keras 2" if is_old else "keras"
    except (AttributeError, zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return "zip"
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "torch"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def _kind_of_tar(path: Path) -> str:
    try:
        with tarfile.open(path) as archive:
            names = set(archive.getnames())
    except (tarfile.TarError, EOFError, ValueError, OSError):
        return "tar"
    return "old torch" if {"sys_info", "pickle", "storages"} <= names else "tar"
