"""Which units hold a feature: sweeps, probes with controls, erasure, and the protocol.

Names are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

# At once, or the module of the same name would stand in the function's place; it is light.
from textgate.probing.contrasts import Contrasts, contrasts

if TYPE_CHECKING:
    from textgate.probing.across_runs import UnitsOverRuns, find_units_over_runs
    from textgate.probing.amnesic import erasure_effect
    from textgate.probing.erasure import Eraser, leace, random_eraser
    from textgate.probing.finding import UnitFinding
    from textgate.probing.generalization import temporal_generalization
    from textgate.probing.probes import probe, probe_over_positions
    from textgate.probing.protocol import find_units
    from textgate.probing.scores import unit_scores
    from textgate.probing.selection import Goals
    from textgate.probing.set_runner import SetRunner
    from textgate.probing.signals import word_embeddings
    from textgate.probing.sparse import sparse_probe
    from textgate.probing.sweeps import sweep

# Public name -> the module of this package that defines it.
_NAMES = {
    "Eraser": "erasure",
    "Goals": "selection",
    "SetRunner": "set_runner",
    "UnitFinding": "finding",
    "UnitsOverRuns": "across_runs",
    "erasure_effect": "amnesic",
    "find_units": "protocol",
    "find_units_over_runs": "across_runs",
    "leace": "erasure",
    "probe": "probes",
    "probe_over_positions": "probes",
    "random_eraser": "erasure",
    "sparse_probe": "sparse",
    "sweep": "sweeps",
    "temporal_generalization": "generalization",
    "unit_scores": "scores",
    "word_embeddings": "signals",
}

__all__ = [
    "Contrasts",
    "Eraser",
    "Goals",
    "SetRunner",
    "UnitFinding",
    "UnitsOverRuns",
    "contrasts",
    "erasure_effect",
    "find_units",
    "find_units_over_runs",
    "leace",
    "probe",
    "probe_over_positions",
    "random_eraser",
    "sparse_probe",
    "sweep",
    "temporal_generalization",
    "unit_scores",
    "word_embeddings",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"textgate.probing.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'textgate.probing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
