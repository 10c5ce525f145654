"""The settings of a study: what decides everything in its directory."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from textgate.training import Recipe, presets

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
        options: dict[str, Any] = {**presets.PRESETS[self.preset], **self.recipe}
        for name, source in (("data", self.text), ("validation", self.validation)):
            if self.text and source:
                options[name] = source[0] if len(source) == 1 else source
        return Recipe(**{**options, "cell": cell, "seed": self.seed})

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON holds them."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    def command(self, directory: Path, stage: str | None = None) -> str:
        """Return the command line that makes the study, or one of its stages."""
        parts = ["textgate study", quoted(str(directory))]
        parts += [f"--text {quoted(text)}" for text in self.text]
        parts += [f"--validation {quoted(text)}" for text in self.validation]
        parts += [f"--test {quoted(text)}" for text in self.test]
        if self.preset != "default":
            parts.append(f"--preset {self.preset}")
        parts += [f"--pairs {quoted(path)}" for path in self.pairs]
        if self.cells != ("lstm", "gru"):
            parts.append(f"--cells {','.join(self.cells)}")
        if self.seed:
            parts.append(f"--seed {self.seed}")
        if stage is not None:
            parts.append(f"--stage {stage}")
        return " ".join(parts)


def quoted(text: str) -> str:
    """Return a word of a command as a shell takes it."""
    plain = all(letter.isalnum() or letter in "/._-:+=~" for letter in text)
    return text if plain else "'" + text.replace("'", "'\"'\"'") + "'"
