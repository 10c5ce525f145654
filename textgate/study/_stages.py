"""Stages that are done once: skipped while their outputs are there and nothing they read changed.

A stage that is finished leaves a note in `.stages/`: the fingerprint of what it read (the settings
that matter to it, the contents of its input files, the version of textgate) and the files that it
wrote. Killed, it leaves none, and is done again; the parts of it that can go on by themselves, as
training can, do so.
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from textgate._files import write_json
from textgate._reading import read_json
from textgate._version import __version__
from textgate.models.runs import StudyLayout


class Stages:
    """The stages of one directory.

    Args:
        directory: The directory.
        say: Called with each line of progress.
        seconds: How long stages took that were done before, by their names.
    """

    def __init__(
        self,
        directory: Path,
        say: Callable[[str], None],
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        self.directory = directory
        self.say = say
        self.seconds = dict(seconds or {})

    def do(
        self,
        name: str,
        work: Callable[[], None],
        reads: Sequence[Path],
        writes: Sequence[Path],
        settings: Any = None,
    ) -> bool:
        """Do a stage, unless it is done.

        Args:
            name: Its name.
            work: What to do.
            reads: The files that it depends on.
            writes: What is there when it is done.
            settings: What else it depends on, as JSON holds it.

        Returns:
            Whether there was anything to do.

        Raises:
            CannotWriteError: If the disk is full.
        """
        note = StudyLayout(self.directory).notes / f"{name.replace(' ', '-')}.json"
        earlier = _read(note)
        same = earlier.get("inputs") == self._fingerprint(reads, settings)
        if same and all(path.exists() for path in writes):
            self.seconds[name] = float(earlier.get("seconds", 0.0))
            self.say(f"{name}: done before")
            return False
        self.say(f"{name} …")
        note.unlink(missing_ok=True)
        begun = time.monotonic()
        work()
        taken = time.monotonic() - begun
        self.seconds[name] = taken
        self.say(f"{name}: {taken:.0f} s")
        write_json(note, {"inputs": self._fingerprint(reads, settings), "seconds": round(taken, 1)})
        return True

    def _fingerprint(self, reads: Sequence[Path], settings: Any) -> str:
        digest = hashlib.sha256(json.dumps([__version__, settings], sort_keys=True).encode())
        for path in reads:
            digest.update(str(path.name).encode())
            if path.is_file():
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()


def _read(note: Path) -> dict[str, Any]:
    try:
        return read_json(note)
    except (FileNotFoundError, ValueError):
        return {}
