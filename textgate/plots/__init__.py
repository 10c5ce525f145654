"""Figures that explain themselves, drawn with Matplotlib.

Every function returns a `matplotlib.figure.Figure`, to be shown in a notebook or saved by
`figure.savefig("name.png")`.
"""

from textgate.plots.beside_rule import beside_rule
from textgate.plots.drivers import gate_drivers
from textgate.plots.gates import half_lives, saturation
from textgate.plots.gradients import gradient_paths
from textgate.plots.heatmap import heatmap
from textgate.plots.held_gates import held_gates
from textgate.plots.ladder import ladder_accuracy, ladder_redundancy
from textgate.plots.ledger import ledger
from textgate.plots.probing import probe_accuracy, temporal_generalization
from textgate.plots.twins import twins
from textgate.plots.units_found import units_found

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
