"""What the gates did, measured: from a trace, or from a model and its inputs.

From a trace's node:

- `node_of`: the node itself, from a trace, and checked;
- `retained_and_written`: the two terms of each new state;
- `ledger`: which word put how much into a unit's memory and how much of it is left, exactly
  (`ledger_table`, `ledger_sentences`, and `running_ledger` for all steps of a unit);
- `saturation`, `binariness`, `half_life`: what the gates do on the average.

From a model and its inputs, where a trace doesn't suffice:

- `gate_drivers`: what opens and closes a gate, the word read now or what the layer remembers
  (`driving_words`, `driver_shares`);
- `gradient_paths`: how a loss reaches back to earlier words, in full and along the cell alone
  (`gradient_norms`).

Each has a figure in `textgate.plots`.
"""

from textgate.mechanics._drivers import driver_shares, driving_words, gate_drivers
from textgate.mechanics._gates import binariness, half_life, saturation
from textgate.mechanics._gradients import gradient_norms, gradient_paths
from textgate.mechanics._ledger import ledger, ledger_sentences, ledger_table, running_ledger
from textgate.mechanics._nodes import node_of
from textgate.mechanics._parts import retained_and_written

__all__ = [
    "binariness",
    "driver_shares",
    "driving_words",
    "gate_drivers",
    "gradient_norms",
    "gradient_paths",
    "half_life",
    "ledger",
    "ledger_sentences",
    "ledger_table",
    "node_of",
    "retained_and_written",
    "running_ledger",
    "saturation",
]
