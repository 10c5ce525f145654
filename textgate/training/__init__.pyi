"""The public names of `textgate.training`, and the module that each comes from."""

from . import presets as presets
from ._fitting import fit as fit
from ._recipe import Recipe as Recipe
from ._runs import train as train

__all__ = ["Recipe", "fit", "presets", "train"]
