"""The rooms of textgate, and the names at its front door with the room each lives in."""

from . import datasets as datasets
from . import evaluation as evaluation
from . import explorer as explorer
from . import export as export
from . import importing as importing
from . import interchange as interchange
from . import interventions as interventions
from . import layers as layers
from . import mechanics as mechanics
from . import models as models
from . import plots as plots
from . import probing as probing
from . import recurrence as recurrence
from . import report as report
from . import study as study
from . import tokenizers as tokenizers
from . import tracing as tracing
from . import training as training
from . import unit_search as unit_search
from ._files import CannotWriteError as CannotWriteError
from ._version import __version__ as __version__
from .explorer import explore as explore
from .interchange import ablation_effects as ablation_effects
from .interchange import contrasts as contrasts
from .interchange import sweep as sweep
from .interventions import Affine as Affine
from .interventions import Apply as Apply
from .interventions import Clamp as Clamp
from .interventions import MeanAblation as MeanAblation
from .interventions import Patch as Patch
from .interventions import ResampleAblation as ResampleAblation
from .interventions import Steer as Steer
from .interventions import ZeroAblation as ZeroAblation
from .interventions import intervene as intervene
from .layers import convert as convert
from .layers import register_cell as register_cell
from .models import from_torch as from_torch
from .models import load as load
from .tracing import trace as trace
from .unit_search import find_units as find_units

__all__ = [
    "Affine",
    "Apply",
    "CannotWriteError",
    "Clamp",
    "MeanAblation",
    "Patch",
    "ResampleAblation",
    "Steer",
    "ZeroAblation",
    "__version__",
    "ablation_effects",
    "contrasts",
    "convert",
    "datasets",
    "evaluation",
    "explore",
    "explorer",
    "export",
    "find_units",
    "from_torch",
    "importing",
    "interchange",
    "intervene",
    "interventions",
    "layers",
    "load",
    "mechanics",
    "models",
    "plots",
    "probing",
    "recurrence",
    "register_cell",
    "report",
    "study",
    "sweep",
    "tokenizers",
    "trace",
    "tracing",
    "training",
    "unit_search",
]
