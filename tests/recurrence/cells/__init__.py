"""Cells that textgate doesn't have, each registered in a file of its own, as a user would do it.

Each file has a Keras cell, its equations, and `reference`, one step in float64 NumPy for one
example: `(weights by attribute, x, states) -> signals`.
"""

from tests.recurrence.cells import layer_norm_lstm, minimal_gated_unit, peephole_lstm

CELLS = {
    "peephole_lstm": (peephole_lstm.PeepholeLSTMCell, peephole_lstm.reference),
    "mgu": (minimal_gated_unit.MGUCell, minimal_gated_unit.reference),
    "layer_norm_lstm": (layer_norm_lstm.LayerNormLSTMCell, layer_norm_lstm.reference),
}
