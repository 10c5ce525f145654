"""Files and directories that are there whole or not at all: written beside their place, then moved.

    with beside(path) as partial:
        figure.savefig(partial)

Until the block has ended well, the file or directory `NAME` lies in a directory of its own, beside
its place: `.NAME.PROCESS-NUMBER.partial/NAME`. Its contents are on the disk before it is moved, and
its name after: if the machine stops, the old one is there or the new one. What a killed process has
left behind is removed when the same place is written to again.

`alone_in` keeps a second process out of a directory that one works in.
"""

import contextlib
import ctypes
import errno
import itertools
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

# What a spreadsheet would compute, as `write_table` finds and leaves it.
FORMULA = re.compile(r"'*[=+\-@\t\r]")
_PARTIAL = re.compile(r"\.(?P<name>.+)\.(?P<process>\d{1,9})-\d+\.partial", re.DOTALL)
_NOT_REPLACING, _EXCHANGING = 1, 2  # flags of Linux's `renameat2`
_numbers = itertools.count()
_in_progress: set[Path] = set()  # of this process


class CannotWriteError(OSError, ValueError):
    """A file could not be written, most often because the disk is full.

    What stood in its place is still there.
    """


@contextlib.contextmanager
def beside(path: Path, what: str = "a file", replaces: bool = True) -> Iterator[Path]:
    """Give a path to write a file or a directory to; it is moved to `path` at the block's end.

    Args:
        path: Where it will be. What is there is replaced at once, or not at all. (Where the system
            can't exchange two names, a directory that replaces another is moved in two steps.)
            Directories on the way are made.
        what: What it is, for the message: "the model".
        replaces: Whether it may replace what is there.

    Yields:
        A path with the same name, at which there is nothing yet.

    Raises:
        CannotWriteError: If there is no room, or no permission. Other exceptions of the block, and
            those about files elsewhere that it reads, stay as they are.
        FileExistsError: If something is there at the end that it may not replace.
    """
    make_directory(path.parent)
    remove_partials(path.parent, path.name)
    place = path.absolute()
    folder = place.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}.partial")
    while folder.exists():  # of a process in another container, which has our number
        folder = folder.with_name(f".{path.name}.{os.getpid()}-{next(_numbers)}.partial")
    partial = folder / path.name
    _in_progress.add(folder)
    try:
        folder.mkdir()
        with _locked(folder):  # so that other machines and containers, too, see that it is in use
            yield partial
            _force_to_disk(partial)
            _move(partial, place, replaces)
    except OSError as error:
        if not _is_of_writing(error, folder):
            raise
        raise cannot_write(what, path, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _in_progress.discard(folder)


def write(path: Path, content: Callable[[BinaryIO], Any]) -> None:
    """Write a file as `beside` does.

    Args:
        path: The file.
        content: Writes to the open file.
    """
    with beside(path) as partial, partial.open("wb") as file:
        content(file)


def write_text(path: Path, text: str) -> None:
    """Write a text file as `beside` does, in UTF-8."""
    write(path, lambda file: file.write(text.encode()))


def write_table(path: Path, table: Any, index: bool = False) -> None:
    """Write a table of pandas as CSV, as `beside` does; `textgate._reading.read_table` reads it.

    Text in it may come from anywhere, and a spreadsheet takes what begins with `=` for a formula.
    So such text gets an apostrophe before it.
    """
    harmless = table.rename(index=_harmless) if index else table
    if getattr(table, "columns", None) is not None:
        harmless = harmless.rename(columns=_harmless)
        for number, kind in enumerate(table.dtypes):
            if kind.kind in "OTU":
                harmless.isetitem(number, table.iloc[:, number].map(_harmless))
    write_text(path, harmless.to_csv(index=index))


def _harmless(value: Any) -> Any:
    if not isinstance(value, str) or len(value) < 2 or not FORMULA.match(value):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file as `beside` does."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], state: Any) -> None:
    """Write arrays, and what JSON can hold, to one `.npz` file as `beside` does."""
    note = np.frombuffer(json.dumps(state).encode(), np.uint8)
    content: dict[str, Any] = {"__state__": note, **arrays}
    write(path, lambda file: np.savez(file, **content))


def write_figure(path: Path, figure: Any) -> None:
    """Write a figure of matplotlib's as `beside` does, in the format that the ending names."""
    with beside(path, "the figure") as partial:
        figure.savefig(partial)


def make_directory(path: Path) -> None:
    """Make a directory and those above it, as far as they aren't there.

    Raises:
        CannotWriteError: If there is no room, or no permission.
    """
    try:
        new = [one for one in (path, *path.parents) if not os.path.lexists(one)]
        path.mkdir(parents=True, exist_ok=True)
        for one in new:
            _force_names_to_disk(one.parent)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CannotWriteError(f"cannot make the directory ({reason}). Received: {path}") from error


def cannot_write(what: str, path: Path, error: Exception) -> CannotWriteError:
    """Return the error that says what couldn't be written, and why."""
    reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or "unknown reason"
    return CannotWriteError(
        f"cannot write {what} ({reason}); what was there before is unchanged: make room and give "
        f"the same command again. Received: {path}"
    )


@contextlib.contextmanager
def alone_in(directory: Path, activity: str) -> Iterator[None]:
    """Keep other processes that ask, too, out of a directory while the block runs; make it first.

    Nothing is written: the lock is the system's, on the directory itself, and ends with the
    process. Where the system or the file system has no such locks, the block just runs.

    Args:
        directory: The directory.
        activity: What is done in it, for the message: "training".

    Raises:
        FileExistsError: If another process is at it.
        CannotWriteError: If the directory can't be made.
    """
    make_directory(directory)
    with _locked(directory) as is_ours:
        if not is_ours:
            raise FileExistsError(
                f"another process is {activity} here; let it end, or give another directory. "
                f"Received: {directory}"
            )
        yield


def is_partial(path: Path) -> bool:
    """Whether a path holds what `beside` hasn't finished."""
    return _PARTIAL.fullmatch(path.name) is not None


def remove_partials(directory: Path, name: str | None = None) -> None:
    """Remove what processes that run no more have left unfinished in a directory.

    Args:
        directory: The directory; nothing is looked for below it.
        name: Only what would have had this name.
    """
    for folder in [*directory.absolute().iterdir()] if directory.is_dir() else []:
        match = _PARTIAL.fullmatch(folder.name)
        if match is None or name not in (None, match["name"]):
            continue
        if folder in _in_progress or _is_another_running(int(match["process"])):
            continue
        with _locked(folder) as is_free:
            if not is_free:
                continue
        # Killed between the two moves of `_move`: what was to be replaced is all there is.
        place, old = folder.with_name(match["name"]), _old(folder / match["name"])
        if old.exists() and not place.exists():
            os.replace(old, place)
            _force_names_to_disk(place.parent)
        shutil.rmtree(folder, ignore_errors=True)


def _is_another_running(process: int) -> bool:
    # In a container every process may have the same number, one after another.
    if process == os.getpid():
        return False
    if os.name == "nt":  # where `os.kill` kills
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def _is_of_writing(error: OSError, folder: Path) -> bool:
    """Whether an error came from writing: the system's own, and about no file elsewhere."""
    if isinstance(error, CannotWriteError):
        return False
    if error.filename is None:
        return type(error) is OSError
    return os.path.abspath(os.fsdecode(error.filename)).startswith(str(folder))


def _force_to_disk(path: Path) -> None:
    """Force a file, or a directory and all that is in it, to the disk."""
    if not path.is_dir():
        _synchronize(path)
        return
    paths = [*path.rglob("*")]
    # A store may have ten thousands of files; the disk is six times as fast with many at once.
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(_synchronize, (inner for inner in paths if inner.is_file())))
    for directory in (*filter(Path.is_dir, paths), path):
        _force_names_to_disk(directory)


def _force_names_to_disk(directory: Path) -> None:
    with contextlib.suppress(OSError):  # not every file system can do this, and none has to
        _synchronize(directory, os.O_RDONLY)


def _synchronize(path: Path, flags: int = os.O_RDWR) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[bool]:
    """Hold the lock of a directory, and say whether we could get it."""
    try:
        import fcntl

        descriptor = os.open(directory, os.O_RDONLY)
    except (ImportError, OSError):  # Windows has neither locks nor descriptors of directories
        yield True
        return
    is_free = True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        is_free = error.errno != errno.EWOULDBLOCK  # else the file system has no locks
    try:
        yield is_free
    finally:
        os.close(descriptor)


def _move(partial: Path, path: Path, replaces: bool) -> None:
    """Move what is finished to its place, and what is there out of it."""
    if not replaces:
        if os.path.lexists(path) or not _rename(partial, path, _NOT_REPLACING):
            _refuse_to_replace(path)
            os.replace(partial, path)
    elif partial.is_dir() and path.is_dir():
        if not _rename(partial, path, _EXCHANGING):
            _move_in_two_steps(partial, path)
    else:
        os.replace(partial, path)
    _force_names_to_disk(path.parent)


def _refuse_to_replace(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(
            f"something has come to be there meanwhile, and is never overwritten; give another "
            f"path. Received: {path}"
        )


def _move_in_two_steps(partial: Path, path: Path) -> None:
    os.replace(path, _old(partial))
    try:
        os.replace(partial, path)
    except BaseException:
        os.replace(_old(partial), path)
        raise


def _rename(source: Path, target: Path, flag: int) -> bool:
    """Rename by Linux's `renameat2`; say whether the system and the file system can do it."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None) if os.name == "posix" else None
    if renameat2 is None:
        return False
    sys.audit("os.rename", str(source), str(target), -1, -1)
    here = -100  # AT_FDCWD: the paths are as they are
    return renameat2(here, os.fsencode(source), here, os.fsencode(target), flag) == 0


def _old(partial: Path) -> Path:
    """Return where what is to be replaced lies meanwhile."""
    return partial.with_name(f"{partial.name}.old")
