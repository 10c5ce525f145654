"""The public names of `textgate.unit_search`, and the module that each comes from."""

from ._across_runs import UnitsOverRuns as UnitsOverRuns
from ._across_runs import find_units_over_runs as find_units_over_runs
from ._finding import UnitFinding as UnitFinding
from ._goals import Goals as Goals
from ._protocol import find_units as find_units

__all__ = [
    "Goals",
    "UnitFinding",
    "UnitsOverRuns",
    "find_units",
    "find_units_over_runs",
]
