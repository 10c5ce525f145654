"""Training of language models: fast on a few cores, and exact to the bit when it is resumed."""

from textgate.training import presets
from textgate.training.files import CannotWriteError
from textgate.training.fitting import fit
from textgate.training.recipe import Recipe
from textgate.training.runs import train

__all__ = ["CannotWriteError", "Recipe", "fit", "presets", "train"]
