"""The settings of a study: what decides everything in its directory."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from textgate._files import make_directory, write_json
from textgate.study._stages import NOTES
from textgate.training import Recipe, presets

FILE = "study.json"
CELLS = ("lstm", "gru", "simple_rnn")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What a study is made of.

    Attributes:
        text: Text to train on; none for the generated sentences.
        validation: Text on which the training is validated; none for every 50th paragraph of
            `text`. The perplexity is measured on it, too, if there is no `test`.
        test: Text for the perplexity, which training never sees.
        preset: Settings of the training to start from, of `textgate.training.presets`.
        pairs: Files of minimal pairs, or of contexts with a gold pronoun, to evaluate on besides
            the generated pairs.
        cells: The kinds of models, the main one first.
        seed: Seed of everything.
        recipe: Further settings of the training, by name.

    Raises:
        ValueError: If the preset or a cell is unknown, or a setting of the recipe is out of range.
    """

    text: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    preset: str = "default"
    pairs: tuple[str, ...] = ()
    cells: tuple[str, ...] = ("lstm", "gru")
    seed: int = 0
    recipe: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.preset not in presets.PRESETS:
            raise ValueError(f"presets are {', '.join(presets.PRESETS)}. Received: {self.preset!r}")
        unknown = [cell for cell in self.cells if cell not in CELLS]
        if unknown or not self.cells or len(set(self.cells)) < len(self.cells):
            raise ValueError(
                f"a study is of one or more of the cells {', '.join(CELLS)}, each once. "
                f"Received: {', '.join(self.cells) or 'none'}"
            )
        for cell in self.cells:
            self.recipe_of(cell)

    def recipe_of(self, cell: str) -> Recipe:
        """Return the recipe of one of the models."""
        given: dict[str, Any] = {**presets.PRESETS[self.preset], **self.recipe}
        for name, source in (("data", self.text), ("validation", self.validation)):
            if self.text and source:
                given[name] = source[0] if len(source) == 1 else source
        return Recipe(**{**given, "cell": cell, "seed": self.seed})

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def command(self, directory: Path, stage: str | None = None) -> str:
        """Return the command line that makes the study, or one of its stages."""
        parts = ["textgate study", _quoted(str(directory))]
        parts += [f"--text {_quoted(text)}" for text in self.text]
        parts += [f"--validation {_quoted(text)}" for text in self.validation]
        parts += [f"--test {_quoted(text)}" for text in self.test]
        if self.preset != "default":
            parts.append(f"--preset {self.preset}")
        parts += [f"--pairs {_quoted(path)}" for path in self.pairs]
        if self.cells != ("lstm", "gru"):
            parts.append(f"--cells {','.join(self.cells)}")
        if self.seed:
            parts.append(f"--seed {self.seed}")
        if stage is not None:
            parts.append(f"--stage {stage}")
        return " ".join(parts)


def _quoted(text: str) -> str:
    plain = all(letter.isalnum() or letter in "/._-:+=~" for letter in text)
    return text if plain else "'" + text.replace("'", "'\"'\"'") + "'"


def claim(settings: Settings, directory: Path) -> dict[str, Any]:
    """Make a directory a study's own, and return what its `study.json` holds.

    A study that stopped before its first stage was done, at a mistyped path, say, holds nothing
    that could be lost, and makes room for another.

    Raises:
        FileExistsError: If the directory holds something else, or a study with other settings.
        CannotWriteError: If it can't be made.
    """
    file = directory / FILE
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"there is a file of that name. Received: {directory}")
    if file.is_file():
        try:
            there = json.loads(file.read_text(encoding="utf-8"))
            known = there["settings"]
        except (ValueError, KeyError, TypeError):
            raise FileExistsError(
                f"the study's {FILE} can't be read; give another directory, or remove the file. "
                f"Received: {directory}"
            ) from None
        given = settings.to_dict()
        differing = sorted(key for key in given if known.get(key) != given[key])
        begun = (directory / NOTES).exists() or any((directory / c).exists() for c in CELLS)
        if differing and not begun:
            return {}
        if differing:
            key = differing[0]
            raise FileExistsError(
                "the directory holds a study with other settings, which is never overwritten: its "
                f"{key} is {known.get(key)!r}, not {given[key]!r}; give another directory, or "
                f"remove this one. Received: {directory}"
            )
        return there
    if directory.is_dir():
        own = {*settings.cells, "data", "tables", "report.html", NOTES}
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
    make_directory(directory)
    return {}


def record(settings: Settings, directory: Path, seconds: dict[str, float]) -> None:
    """Write `study.json`: the settings, the commands, and how long each stage took."""
    from textgate.study._commands import commands

    write_json(
        directory / FILE,
        {
            "settings": settings.to_dict(),
            "models": list(settings.cells),
            "seed": settings.seed,
            "command": settings.command(directory),
            "commands": commands(settings, directory),
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
        },
    )
