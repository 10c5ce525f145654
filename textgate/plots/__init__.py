"""Figures that explain themselves, drawn with Matplotlib.

Every function returns a `matplotlib.figure.Figure`, to be shown in a notebook or saved by
`figure.savefig("name.png")`.
"""

from textgate.plots._beside_rule import beside_rule
from textgate.plots._drivers import gate_drivers
from textgate.plots._gates import half_lives, saturation
from textgate.plots._gradients import gradient_paths
from textgate.plots._heatmap import heatmap
from textgate.plots._held_gates import held_gates
from textgate.plots._ladder import ladder_accuracy, ladder_redundancy
from textgate.plots._ledger import ledger
from textgate.plots._probing import probe_accuracy, temporal_generalization
from textgate.plots._twins import twins
from textgate.plots._units_found import units_found

__all__ = [
    "beside_rule",
    "gate_drivers",
    "gradient_paths",
    "half_lives",
    "heatmap",
    "held_gates",
    "ladder_accuracy",
    "ladder_redundancy",
    "ledger",
    "probe_accuracy",
    "saturation",
    "temporal_generalization",
    "twins",
    "units_found",
]
