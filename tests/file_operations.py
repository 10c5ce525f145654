"""What happens at the n-th file operation: the process is killed, or the disk is full.

Python reports every operation on files to its audit hooks before it carries it out, so that nothing
has to be replaced. A process that is killed does nothing any more: from the n-th operation on, all
fail, those of `finally` blocks, too.
"""

import contextlib
import errno
import os
import sys
import threading

_CHANGING = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
_FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class KilledError(BaseException):
    """The process is killed."""


class _Counter:
    directory = None
    count = 0
    last = None
    full = False

    def hook(self, event, arguments):
        if self.directory is None or not self._changes(event, arguments):
            return
        with _lock:
            self.count += 1
        if self.last is None or self.count <= self.last:
            return
        if not self.full:
            raise KilledError(event)
        # What is made though it is there already, and what is removed, needs no room.
        if event in ("open", "os.rename"):
            self.last = None  # only one operation finds the disk full
            raise OSError(errno.ENOSPC, "No space left on device")

    def _changes(self, event, arguments):
        if event == "open":
            path, mode, flags = arguments
            is_writing = bool(flags & _FLAGS) if mode is None else bool(set(mode) & set("wax+"))
            if not is_writing:
                return False
        elif event in _CHANGING:
            path = arguments[0]
        else:
            return False
        if isinstance(path, int):
            return False
        # What is removed by `shutil.rmtree` has a name relative to a descriptor.
        path = os.path.abspath(os.fsdecode(path))
        return path.startswith(self.directory) or event in ("os.remove", "os.rmdir")


_lock = threading.Lock()
_counter = _Counter()
_is_hooked = []


@contextlib.contextmanager
def _counting(directory, last=None, full=False):
    if not _is_hooked:
        sys.addaudithook(_counter.hook)
        _is_hooked.append(True)
    _counter.count, _counter.last, _counter.full = 0, last, full
    _counter.directory = str(directory)
    try:
        yield _counter
    finally:
        _counter.directory = None


def count(directory, work):
    """Return how many operations change files in a directory while `work` is done."""
    with _counting(directory) as counter:
        work()
    return counter.count


def killed_after(directory, operations, work):
    """Do `work` until so many operations have changed files; say whether it was killed."""
    with _counting(directory, operations):
        try:
            work()
        except KilledError:
            return True
        return False


@contextlib.contextmanager
def full_after(directory, operations):
    """After so many operations there is no room for the next."""
    with _counting(directory, operations, full=True):
        yield
