"""The public names of `textgate.interchange`, and the module that each comes from."""

from ._contrasts import Contrasts as Contrasts
from ._contrasts import contrasts as contrasts
from ._directions import Direction as Direction
from ._erased_runs import erasure_effect as erasure_effect
from ._sweeps import sweep as sweep
from ._units import Units as Units
from .set_runner import SetRunner as SetRunner

__all__ = [
    "Contrasts",
    "Direction",
    "SetRunner",
    "Units",
    "contrasts",
    "erasure_effect",
    "sweep",
]
