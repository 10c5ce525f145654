"""The one table of what a recurrent cell computes: signal names, kernel columns, derived signals.

Every other module that needs a signal's name, the order of the gates in a Keras kernel or the
meaning of `retention` and `writing` reads it here.

The two derived signals mean the same for every cell, whatever its convention:

- `retention`: the share of the old state that is kept;
- `writing`: the share of the candidate that is written.

For the LSTM these are f_t and i_t. Keras's GRU lets its update gate z keep the old state (Cho et
al. 2014), so they are z_t and 1 − z_t; in the other convention (Chung et al. 2014) z is one minus
ours. The simple RNN has no gates: it keeps nothing of the old state as it was and writes its
candidate, which is the new state, whole.
"""

from dataclasses import dataclass

DERIVED = ("retention", "writing")


@dataclass(frozen=True)
class Cell:
    """What one kind of recurrent cell computes.

    Attributes:
        kind: `"lstm"`, `"gru"` or `"simple_rnn"`.
        columns: The signals with columns in the Keras kernels, in the kernels' order. Each takes
            `units` columns.
        gates: Those of them that are gates, with values in [0, 1].
        states: The signals carried from step to step, in Keras's order.
        signals: All signals, in the order in which a step computes them.
        retention: How `retention` comes from a signal: `(name, scale, offset)` stands for
            `scale * signal + offset`.
        writing: The same for `writing`.
        convention: One sentence on what keeps and what writes, for attributes and captions.
    """

    kind: str
    columns: tuple[str, ...]
    gates: tuple[str, ...]
    states: tuple[str, ...]
    signals: tuple[str, ...]
    retention: tuple[str, float, float]
    writing: tuple[str, float, float]
    convention: str

    def columns_of(self, signal: str, units: int) -> slice:
        """Return the columns of `signal` in a Keras kernel of a layer with `units` units."""
        index = self.columns.index(signal)
        return slice(index * units, (index + 1) * units)

    def derived(self, name: str) -> tuple[str, float, float]:
        """Return `(signal, scale, offset)` of the derived signal `name`."""
        return {"retention": self.retention, "writing": self.writing}[name]


LSTM = Cell(
    kind="lstm",
    columns=("input_gate", "forget_gate", "candidate", "output_gate"),
    gates=("input_gate", "forget_gate", "output_gate"),
    states=("hidden_state", "cell_state"),
    signals=(
        "input_gate",
        "forget_gate",
        "candidate",
        "output_gate",
        "cell_state",
        "hidden_state",
    ),
    retention=("forget_gate", 1.0, 0.0),
    writing=("input_gate", 1.0, 0.0),
    convention="c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t: the forget gate is the share that is kept.",
)

GRU = Cell(
    kind="gru",
    columns=("update_gate", "reset_gate", "candidate"),
    gates=("update_gate", "reset_gate"),
    states=("hidden_state",),
    signals=("update_gate", "reset_gate", "candidate", "hidden_state"),
    retention=("update_gate", 1.0, 0.0),
    writing=("update_gate", -1.0, 1.0),
    convention=(
        "h_t = z_t ⊙ h_{t-1} + (1 − z_t) ⊙ ĥ_t: the update gate is the share that is kept "
        "(Keras, Cho et al. 2014; Chung et al. 2014 have it the other way round)."
    ),
)

SIMPLE_RNN = Cell(
    kind="simple_rnn",
    columns=("hidden_state",),
    gates=(),
    states=("hidden_state",),
    signals=("hidden_state",),
    retention=("hidden_state", 0.0, 0.0),
    writing=("hidden_state", 0.0, 1.0),
    convention="h_t = tanh(x_t W + h_{t-1} U + b): nothing is kept as it was.",
)

CELLS = {cell.kind: cell for cell in (LSTM, GRU, SIMPLE_RNN)}
