"""What is written is there whole or not at all, and what killed processes leave is removed."""

import csv
import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from textgate import _files as files
from textgate import _reading as reading
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


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_directory_replaces_another(tmp_path, monkeypatch, exchanges):
    if not exchanges:
        without_exchange(monkeypatch)
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


def without_exchange(monkeypatch):
    """As on a system that can't exchange two names in one step."""
    monkeypatch.setattr(files, "_rename", lambda source, target, flag: False)


def test_a_move_that_fails_puts_back_what_was_there(tmp_path, monkeypatch):
    without_exchange(monkeypatch)
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


@pytest.mark.parametrize("exchanges", [True, False])
@pytest.mark.parametrize("is_directory", [True, False])
def test_what_has_come_to_be_there_is_not_replaced(tmp_path, monkeypatch, exchanges, is_directory):
    if not exchanges:
        without_exchange(monkeypatch)
    place = tmp_path / "tables"

    def written(content):
        with beside(place, replaces=False) as partial:
            if is_directory:
                fill(partial, content)
            else:
                partial.write_text(content)
            (tmp_path / f"{content}.done").touch()
            if content == "second":
                written("first")  # as another process does

    with pytest.raises(FileExistsError, match=r"meanwhile.*Received: .*tables"):
        written("second")
    content = (place / "one" if is_directory else place).read_text()
    assert content == "first"
    assert names(tmp_path) == ["first.done", "second.done", "tables"]


def test_directories_are_exchanged_in_one_step(tmp_path, monkeypatch):
    """At no time is there nothing under the name."""
    if sys.platform != "linux":
        pytest.skip("renameat2 is Linux's")
    place = tmp_path / "tables"
    fill(place, "old")
    monkeypatch.setattr(files.os, "replace", None)
    with beside(place) as partial:
        fill(partial, "new")
    assert (place / "one").read_text() == "new"
    assert names(tmp_path) == ["tables"]


def test_new_directories_are_on_the_disk(tmp_path, monkeypatch):
    synchronized = []
    monkeypatch.setattr(files, "_force_names_to_disk", synchronized.append)
    files.make_directory(tmp_path / "a" / "b")
    assert {*synchronized} == {tmp_path / "a", tmp_path}
    synchronized.clear()
    files.make_directory(tmp_path / "a" / "b")
    assert not synchronized


AT_WORK = """
import sys
from pathlib import Path
from textgate._files import alone_in
with alone_in(Path(sys.argv[1]), "training"):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_a_directory_is_worked_in_by_one_process(tmp_path):
    place = tmp_path / "run"
    other = subprocess.Popen(
        [sys.executable, "-c", AT_WORK, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "in\n"
    with (
        pytest.raises(FileExistsError, match=r"another process is training here.*Received: .*run"),
        files.alone_in(place, "training"),
    ):
        pass
    other.kill()
    other.communicate()
    with files.alone_in(place, "training"):
        assert not names(place)
    with files.alone_in(place, "training"):
        pass


def test_what_another_container_is_writing_is_left_alone(tmp_path):
    """Its process has a number that no process here has, or our own."""
    with beside(tmp_path / "table.csv") as partial:
        files._in_progress.clear()  # as if it were another's
        partial.write_text("whole")
        files.remove_partials(tmp_path)
        assert partial.exists()


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


FORMULAS = [
    "=HYPERLINK(1)",
    "+cmd|x",
    "-she",
    "@SUM(A1)",
    "\tx",
    "'=1+x",
    "''@x",
    "=",
    "-",
    "-5",
    "x=",
    "'s",
]


def test_a_spreadsheet_computes_nothing_of_a_table(tmp_path):
    path = tmp_path / "items.csv"
    table = pd.DataFrame({"=prefix": FORMULAS, "n": range(len(FORMULAS))})
    files.write_table(path, table)
    for (cell, _), text in zip(
        csv.reader(path.read_text().splitlines()[1:]), FORMULAS, strict=True
    ):
        assert cell in (text, f"'{text}")
        assert (cell == text) == (text in ("=", "-", "-5", "x=", "'s"))
    pd.testing.assert_frame_equal(reading.read_table(path), table)
    files.write_table(path, pd.Series({"=x": 1, "dog": 2}, name="items"), index=True)
    assert path.read_text().splitlines() == [",items", "'=x,1", "dog,2"]
