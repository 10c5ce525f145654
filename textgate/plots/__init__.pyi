"""The public names of `textgate.plots`, and the module that each comes from."""

from ._beside_rule import beside_rule as beside_rule
from ._drivers import gate_drivers as gate_drivers
from ._gates import half_lives as half_lives
from ._gates import saturation as saturation
from ._gradients import gradient_paths as gradient_paths
from ._heatmap import heatmap as heatmap
from ._held_gates import held_gates as held_gates
from ._ladder import ladder_accuracy as ladder_accuracy
from ._ladder import ladder_redundancy as ladder_redundancy
from ._ledger import ledger as ledger
from ._probing import probe_accuracy as probe_accuracy
from ._probing import temporal_generalization as temporal_generalization
from ._text import text as text
from ._twins import twins as twins
from ._units_found import units_found as units_found

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
    "text",
    "twins",
    "units_found",
]
