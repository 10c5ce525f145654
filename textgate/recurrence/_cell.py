"""What one kind of recurrent cell is, told once: `Cell`, and the table of the known ones, `CELLS`.

Whatever needs a signal's name or letter, the state that is the memory, the order of the columns in
a Keras kernel, the title for a figure or the meaning of `retention` and `writing` reads it from a
cell. So a new kind of cell is one `Cell`, and nothing else has to know of it.

The two derived signals mean the same for every cell, whatever its convention:

- `retention`: the share of the old state that is kept;
- `writing`: the share of the candidate that is written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from textgate._backend import Tensor

DERIVED = ("retention", "writing")
OUTPUT = "hidden_state"  # the signal that a layer hands on, whatever its cell
_MEANINGS = {
    "retention": "share of the old state kept",
    "writing": "share of the candidate written",
}
_ROLES = ("gate", "candidate", "state")


@dataclass(frozen=True)
class Signal:
    """One signal of a cell.

    Attributes:
        name: Its name, spelled out: `"forget_gate"`.
        letter: Its letter in the equations: `"f"`.
        role: `"gate"` (with values in [0, 1]), `"candidate"` or `"state"`.
        meaning: What it does, in a few words, for figures.
    """

    name: str
    letter: str
    role: Literal["gate", "candidate", "state"]
    meaning: str = ""


@dataclass(frozen=True)
class Cell:
    """What one kind of recurrent cell computes, and how to speak of it.

    Attributes:
        kind: Its name in code: `"lstm"`.
        title: Its name in text: `"LSTM"`, `"simple RNN"`.
        table: The signals, in the order in which a step computes them. One is the `hidden_state`,
            which is the cell's output.
        step: The equations of one step, `(spec, x, states, weights, change) -> signals`. Each
            signal goes through `change(name, signal)` right after it is computed, so that edits
            act inside the step; see `textgate.recurrence.steps`.
        states: The signals carried from step to step, in Keras's order.
        retention: How `retention` comes from a signal: `(name, scale, offset)` stands for
            `scale * signal + offset`.
        writing: The same for `writing`.
        convention: One sentence on what keeps and what writes, for attributes and captions.
        memory: The state that is kept in part and written to; by default the last of `states`.
        columns: The signals whose pre-activations are x W + h U + b, in the order of the columns of
            the Keras kernels. Each takes `units` columns, and all else of the step is done unit by
            unit. Empty for a cell that computes otherwise.
        project: `(spec, inputs, weights) -> x`: what a step needs of its input, computed for all
            steps at once. By default x W for a cell with `columns`, else the inputs themselves.
        options: Names of the equations' options, see `Spec`.
        additive: Whether h_{t-1} enters a step by the product h_{t-1} U only, added to x_t W.
        holds: Pairs of a gate and what studies hold it at, a number or `"mean"`; by default each
            gate at 1 and at its mean.

    Raises:
        ValueError: If a signal is named that the table doesn't have, or the table has no
            `hidden_state`.
    """

    kind: str
    title: str
    table: tuple[Signal, ...]
    step: Callable[..., dict[str, Tensor]]
    states: tuple[str, ...]
    retention: tuple[str, float, float]
    writing: tuple[str, float, float]
    convention: str
    memory: str = ""
    columns: tuple[str, ...] = ()
    project: Callable[..., Tensor] | None = None
    options: tuple[str, ...] = ()
    additive: bool = False
    holds: tuple[tuple[str, float | str], ...] = ()

    def __post_init__(self) -> None:
        if not self.memory:
            object.__setattr__(self, "memory", self.states[-1])
        sources = (self.retention[0], self.writing[0])
        for name in (OUTPUT, *self.states, self.memory, *sources, *self.columns):
            if name not in self.signals:
                raise ValueError(
                    f"The {self.title} must have a signal {name!r} in its table. "
                    f"Received: a table with {list(self.signals)}"
                )
        if not self.holds:
            held = ((gate, value) for gate in self.gates for value in (1.0, "mean"))
            object.__setattr__(self, "holds", tuple(held))

    # -- names -------------------------------------------------------------------------------

    @cached_property
    def signals(self) -> tuple[str, ...]:
        """The names of all signals, in the order in which a step computes them."""
        return tuple(signal.name for signal in self.table)

    @cached_property
    def gates(self) -> tuple[str, ...]:
        """The names of those that are gates."""
        return tuple(signal.name for signal in self.table if signal.role == "gate")

    @cached_property
    def candidate(self) -> str:
        """The name of what is written: the candidate, or the memory of a cell without one."""
        named = (signal.name for signal in self.table if signal.role == "candidate")
        return next(named, self.memory)

    @cached_property
    def keeping(self) -> str:
        """The name of the gate that `retention` follows from; empty if it follows from none."""
        source = self.retention[0]
        return source if source in self.gates else ""

    @cached_property
    def in_plots(self) -> tuple[str, ...]:
        """The names of all signals, in the order in which figures show them.

        The gate that keeps comes first, then the other gates, what could be written, and the
        states.
        """
        first = [self.keeping] if self.keeping else []
        by_role = {role: [s.name for s in self.table if s.role == role] for role in _ROLES}
        return tuple(dict.fromkeys([*first, *(n for names in by_role.values() for n in names)]))

    # -- words -------------------------------------------------------------------------------

    @property
    def heading(self) -> str:
        """The title as it begins a sentence."""
        return self.title[0].upper() + self.title[1:]

    @cached_property
    def letters(self) -> dict[str, str]:
        """Each signal's letter in the equations, and the formulas of the derived signals."""
        letters = {signal.name: signal.letter for signal in self.table}
        for name in DERIVED:
            source, scale, offset = self.derived(name)
            letters[name] = _formula(letters[source], scale, offset)
        return letters

    @cached_property
    def meanings(self) -> dict[str, str]:
        """What each signal does, in a few words; of derived signals as well."""
        return {signal.name: signal.meaning for signal in self.table} | _MEANINGS

    # -- numbers -----------------------------------------------------------------------------

    def columns_of(self, signal: str, units: int) -> slice:
        """Return the columns of `signal` in a Keras kernel of a layer with `units` units."""
        index = self.columns.index(signal)
        return slice(index * units, (index + 1) * units)

    def derived(self, name: str) -> tuple[str, float, float]:
        """Return `(signal, scale, offset)` of the derived signal `name`."""
        return {"retention": self.retention, "writing": self.writing}[name]


def _formula(letter: str, scale: float, offset: float) -> str:
    """Return `scale * letter + offset` as one writes it."""
    if not scale:
        return f"{offset:g}"
    term = letter if abs(scale) == 1.0 else f"{abs(scale):g} {letter}"
    if not offset:
        return term if scale > 0 else f"−{term}"
    return f"{offset:g} {'+' if scale > 0 else '−'} {term}"


CELLS: dict[str, Cell] = {}  # by kind; the stock ones are set down in `signals`


def known_signals() -> tuple[str, ...]:
    """Return the names of the signals of all known cells, derived ones last."""
    names = (name for cell in CELLS.values() for name in cell.signals)
    return tuple(dict.fromkeys((*names, *DERIVED)))


def cell_of(kind: str) -> Cell:
    """Return the cell of a kind.

    Raises:
        ValueError: If no such cell is known, as when a trace of a registered cell is opened before
            the cell is registered.

    Example:

    >>> cell_of("gru").memory
    'hidden_state'
    """
    if kind not in CELLS:
        raise ValueError(
            f"No cell of this kind is known; known are {list(CELLS)}. Register it first, by "
            f"importing the module that calls `textgate.register_cell`. Received: {kind!r}"
        )
    return CELLS[kind]
