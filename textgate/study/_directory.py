"""The directory of a study: claimed for one study alone, with what it is in `study.json`."""

from pathlib import Path

from textgate._files import write_json
from textgate._reading import read_json
from textgate.models.runs import StudyLayout
from textgate.study._commands import commands
from textgate.study._settings import CELLS, Settings


def claim(settings: Settings, directory: Path) -> dict[str, float]:
    """Make a directory a study's own, and return how long the stages took that were done there.

    A study that stopped before its first stage was done, at a mistyped path, say, holds nothing
    that could be lost, and makes room for another.

    Raises:
        FileExistsError: If the directory holds something else, or a study with other settings.
    """
    layout = StudyLayout(directory)
    file = layout.settings
    if file.is_file():
        try:
            study = read_json(file)
            earlier = dict(study["settings"])
        except (ValueError, KeyError, TypeError):
            raise FileExistsError(
                f"the study's {file.name} can't be read; give another directory, or remove the "
                f"file. Received: {directory}"
            ) from None
        wanted = settings.to_dict()
        differing = sorted(key for key in wanted if earlier.get(key) != wanted[key])
        begun = layout.notes.exists() or any((directory / c).exists() for c in CELLS)
        if differing and not begun:
            return {}
        if differing:
            key = differing[0]
            raise FileExistsError(
                "the directory holds a study with other settings, which is never overwritten: its "
                f"{key} is {earlier.get(key)!r}, not {wanted[key]!r}; give another directory, or "
                f"remove this one. Received: {directory}"
            )
        return study.get("seconds") or {}
    if directory.is_dir():
        own = {layout.data.name, layout.tables.name, layout.page.name, *settings.cells}
        strange = [
            path.name
            for path in sorted(directory.iterdir())
            if path.name not in own and not path.name.startswith(".")
        ]
        if strange:
            raise FileExistsError(
                "the directory is not empty and not a study's (it holds "
                f"{strange[0]!r}); give another, or empty it. Received: {directory}"
            )
    return {}


def record(settings: Settings, directory: Path, seconds: dict[str, float]) -> None:
    """Write `study.json`: the settings, the commands, and how long each stage took."""
    write_json(
        StudyLayout(directory).settings,
        {
            "settings": settings.to_dict(),
            "models": list(settings.cells),
            "seed": settings.seed,
            "command": settings.command(directory),
            "commands": commands(settings, directory),
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
        },
    )
