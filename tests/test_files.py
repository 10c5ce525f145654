"""What is written is there whole or not at all, and what killed processes leave is removed."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from textgate import _files as files
from textgate._files import CannotWriteError, beside, is_partial, write_json, write_text


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def fill(partial, content):
    """A directory of two files, one of them deeper."""
    (partial / "in").mkdir(parents=True)
    (partial / "one").write_text(content)
    (partial / "in" / "two").write_text(content)


def test_a_file_replaces_another(tmp_path):
    path = tmp_path / "new" / "table.csv"
    write_text(path, "a\n")
    write_text(path, "é\n")
    assert path.read_bytes() == "é\n".encode()
    assert names(path.parent) == ["table.csv"]


def test_a_directory_replaces_another(tmp_path):
    place = tmp_path / "tables"
    for content in ("old", "new"):
        with beside(place) as partial:
            assert partial.name == "tables"
            fill(partial, content)
    assert (place / "in" / "two").read_text() == "new"
    assert names(tmp_path) == ["tables"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("no"), FileNotFoundError("no")])
def test_an_exception_leaves_what_was_there_and_stays_what_it_is(tmp_path, error):
    place = tmp_path / "tables"
    fill(place, "old")

    def interrupted():
        with beside(place) as partial:
            fill(partial, "new")
            raise error

    with pytest.raises(type(error)) as raised:
        interrupted()
    assert raised.value is error
    assert (place / "one").read_text() == "old"
    assert names(tmp_path) == ["tables"]


def test_a_full_disk_is_named_and_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    path.write_text("old")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with (
        pytest.raises(CannotWriteError, match=r"the model \(No space.*Received: .*model\.keras"),
        beside(path, "the model") as partial,
    ):
        partial.write_text("new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["model.keras"]


def test_a_move_that_fails_puts_back_what_was_there(tmp_path, monkeypatch):
    place = tmp_path / "tables"
    fill(place, "old")
    replace = os.replace

    def fails(source, target):
        if Path(target) == place and Path(source).name == "tables":
            raise OSError(errno.EIO, "Input/output error", source)
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", fails)
    with pytest.raises(CannotWriteError, match="Input/output error"), beside(place) as partial:
        fill(partial, "new")
    assert (place / "one").read_text() == "old"
    assert names(tmp_path) == ["tables"]


def test_a_file_that_is_read_meanwhile_is_not_one_that_cannot_be_written(tmp_path):
    with pytest.raises(FileNotFoundError) as raised, beside(tmp_path / "ids") as partial:
        partial.write_text((tmp_path / "corpus.txt").read_text())
    assert not isinstance(raised.value, CannotWriteError)


def test_a_place_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWriteError, match=r"make the directory.*Received: .*file"):
        write_json(tmp_path / "file" / "in.json", {})
    (tmp_path / "taken").mkdir()
    with pytest.raises(CannotWriteError, match=r"cannot write a file.*Received: .*taken"):
        write_text(tmp_path / "taken", "")


def test_contents_are_on_the_disk_before_the_move_and_the_name_after(tmp_path, monkeypatch):
    events = []

    def fsync(descriptor):
        events.append(os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), tmp_path))

    def replaced(source, target):
        events.append("moved")

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("names of descriptors are read from /proc")
    monkeypatch.setattr(files.os, "fsync", fsync)
    monkeypatch.setattr(files.os, "replace", replaced)
    with beside(tmp_path / "tables") as partial:
        fill(partial, "new")
    moved = events.index("moved")
    assert {Path(event).name for event in events[:moved]} == {"one", "two", "in", "tables"}
    assert events[moved + 1 :] == ["."]


KILLED = """
import os, signal, sys
from pathlib import Path
from textgate._files import beside
with beside(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    path = tmp_path / "table.csv"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert is_partial(left)
    write_text(tmp_path / "other.csv", "")  # not its business
    assert left.exists()
    write_text(path, "whole")
    assert names(tmp_path) == ["other.csv", "table.csv"]


def test_what_others_are_writing_is_left_alone(tmp_path):
    path = tmp_path / "table.csv"
    of_another = tmp_path / f".table.csv.{os.getppid()}-0.partial"
    of_another.mkdir()
    # As in a container, where a process has the number of the one that was killed before it.
    of_one_before = tmp_path / f".table.csv.{os.getpid()}-123456.partial"
    of_one_before.mkdir()
    with beside(path) as partial:
        partial.write_text("first")
        write_text(path, "second")
    assert path.read_text() == "first"
    assert names(tmp_path) == [of_another.name, "table.csv"]


def test_what_was_to_be_replaced_comes_back_if_the_process_died_between_the_moves(tmp_path):
    between = tmp_path / f".tables.{os.getpid()}-123456.partial"
    fill(between / "tables.old", "old")
    fill(between / "tables", "new")
    files.remove_partials(tmp_path)
    assert (tmp_path / "tables" / "one").read_text() == "old"
    assert names(tmp_path) == ["tables"]
