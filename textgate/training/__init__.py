"""Training of language models: fast on a few cores, and exact to the bit when it is resumed."""

from textgate._files import CannotWriteError
from textgate.training import presets
from textgate.training._fitting import fit
from textgate.training._recipe import Recipe
from textgate.training._runs import train

__all__ = ["CannotWriteError", "Recipe", "fit", "presets", "train"]
