"""The one table of what the stock cells compute: equations, signals, kernel columns, conventions.

Every other module that needs a signal's name, the order of the gates in a Keras kernel or the
meaning of `retention` and `writing` reads it here; the equations themselves are in
`textgate.recurrence.steps`.

For the LSTM, `retention` and `writing` are f_t and i_t. Keras's GRU lets its update gate z keep the
old state (Cho et al. 2014), so they are z_t and 1 − z_t; in the other convention (Chung et al.
2014) z is one minus ours. The simple RNN has no gates: it keeps nothing of the old state as it was
and writes its candidate, which is the new state, whole.
"""

from textgate.recurrence._cell import CELLS, Cell, Signal
from textgate.recurrence.steps import gru_step, lstm_step, simple_rnn_step

LSTM = Cell(
    kind="lstm",
    title="LSTM",
    table=(
        Signal("input_gate", "i", "gate", "share of the candidate written"),
        Signal("forget_gate", "f", "gate", "share of the old state kept"),
        Signal("candidate", "g", "candidate", "what could be written"),
        Signal("output_gate", "o", "gate", "share of the cell shown"),
        Signal("cell_state", "c", "state", "the memory"),
        Signal("hidden_state", "h", "state", "the output"),
    ),
    step=lstm_step,
    states=("hidden_state", "cell_state"),
    retention=("forget_gate", 1.0, 0.0),
    writing=("input_gate", 1.0, 0.0),
    convention="c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t: the forget gate is the share that is kept.",
    columns=("input_gate", "forget_gate", "candidate", "output_gate"),
    options=("coupled",),
    additive=True,
    holds=(
        ("forget_gate", 1.0),
        ("forget_gate", 0.0),
        ("forget_gate", "mean"),
        ("input_gate", 1.0),
        ("input_gate", "mean"),
        ("output_gate", 1.0),
        ("output_gate", "mean"),
    ),
)

GRU = Cell(
    kind="gru",
    title="GRU",
    table=(
        Signal("update_gate", "z", "gate", "share of the old state kept"),
        Signal("reset_gate", "r", "gate", "share of the past that the candidate sees"),
        Signal("candidate", "ĥ", "candidate", "what could be written"),
        Signal("hidden_state", "h", "state", "the output"),
    ),
    step=gru_step,
    states=("hidden_state",),
    retention=("update_gate", 1.0, 0.0),
    writing=("update_gate", -1.0, 1.0),
    convention=(
        "h_t = z_t ⊙ h_{t-1} + (1 − z_t) ⊙ ĥ_t: the update gate is the share that is kept "
        "(Keras, Cho et al. 2014; Chung et al. 2014 have it the other way round)."
    ),
    columns=("update_gate", "reset_gate", "candidate"),
    options=("reset_after", "leak"),
    holds=(
        ("reset_gate", 1.0),
        ("reset_gate", 0.5),
        ("reset_gate", 0.0),
        ("update_gate", "mean"),
        ("update_gate", 0.5),
        ("update_gate", 0.0),
    ),
)

SIMPLE_RNN = Cell(
    kind="simple_rnn",
    title="simple RNN",
    table=(Signal("hidden_state", "h", "state", "the output"),),
    step=simple_rnn_step,
    states=("hidden_state",),
    retention=("hidden_state", 0.0, 0.0),
    writing=("hidden_state", 0.0, 1.0),
    convention="h_t = tanh(x_t W + h_{t-1} U + b): nothing is kept as it was.",
    columns=("hidden_state",),
    additive=True,
)

CELLS.update({cell.kind: cell for cell in (LSTM, GRU, SIMPLE_RNN)})
