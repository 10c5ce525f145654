"""Edited runs: many sets of units, each changed in every item of a block, in one compiled loop.

The rows of a run are all pairs of a set (m of them) and an item (b of them). They begin at the
same step, with the states of the clean run, and have the layer's inputs in common, so that the
products of these are computed b times and not m · b times:

- the input's part of the pre-activations, x W, at every step, and the recurrent part, h U, at the
  first, in the edited layer; h U at the first step in each layer above;
- if every set is a single unit, what its edit changes in the layer's hidden state at the first
  step is that unit alone, and what follows from it in the next product is one row of the matrix
  (the layer's own U, where the hidden state does nothing else, and the W of the layer above).

What remains is one product m · b times a step and matrix: there is no way around it, because a
changed unit changes all others at the next step.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from keras import ops

from textgate._backend import backend
from textgate.recurrence import Spec, Weights
from textgate.recurrence.steps import changes, project, take_step


@lru_cache(maxsize=64)
def edited_run(specs: tuple[Spec, ...], signal: str, edit: str, shape: tuple[int, int, int]) -> Any:
    """Return the compiled run for one structure and shape.

    Args:
        specs: The equations of the edited layer and of those above it.
        signal: The edited signal.
        edit: What says where: `"unit"`, an index for each set; `"units"`, booleans over the units
            for each set; `"subspace"`, a basis for each.
        shape: Numbers of sets, m, of items, b, and of steps at most.

    Returns:
        A function of

        - `x`: the input's part of the edited layer's pre-activations, `(time, b, columns · u)`;
        - `value`: what the signal becomes where it is edited, `(time, b, u)`;
        - `where`: `(m,)`, `(m, u)` or `(m, u, rank)`;
        - `states`: for each layer the states before the first step, each `(b, u)`;
        - `weights`: each layer's;
        - `readout`: vectors `(b, units of the top layer)`, and offsets `(b,)`;
        - `last`: the step after which an item is read out, `(b,)`;
        - `steps`: how many steps to go;

        to the readouts `(m, b)`.
    """

    def run(
        x: Any,
        value: Any,
        where: Any,
        states: Sequence[Any],
        weights: Sequence[Weights],
        readout: tuple[Any, Any],
        last: Any,
        steps: Any,
    ) -> Any:
        return _Run(specs, signal, edit, shape, value, where, weights, readout, last)(
            x, states, steps
        )

    return backend().compiled(run)


class _Run:
    """One run, while it is being compiled."""

    def __init__(
        self,
        specs: Sequence[Spec],
        signal: str,
        edit: str,
        shape: tuple[int, int, int],
        value: Any,
        where: Any,
        weights: Sequence[Weights],
        readout: tuple[Any, Any],
        last: Any,
    ) -> None:
        self.specs, self.signal, self.edit = specs, signal, edit
        self.sets, self.items, _ = shape
        self.value, self.where, self.weights = value, where, weights
        self.readout, self.last = readout, last

    def __call__(self, x: Any, states: Sequence[Any], steps: Any) -> Any:
        reading = ops.zeros((self.sets, self.items), x.dtype)
        clean, carried = self.first_step(x[0], states)
        reading = self.read(reading, carried[-1][0], 0)
        begin = 1
        lower = self.specs[0]
        if self.edit == "unit" and lower.cell.additive:
            carried = self.second_step(x[1], clean, carried)
            reading = self.read(reading, carried[-1][0], 1)
            begin = 2
        widths = [len(layer) for layer in carried]

        def body(t: Any, reading: Any, *flat: Any) -> tuple[Any, ...]:
            layers = _regrouped(flat, widths)
            inputs = self.flat(x[t])
            layers = self.step(t, inputs, layers)
            reading = self.read(reading, layers[-1][0], t)
            return (t + 1, reading, *[state for layer in layers for state in layer])

        flat = [state for layer in carried for state in layer]
        start = ops.convert_to_tensor(begin, "int32")
        done = ops.while_loop(lambda t, *_: t < steps, body, (start, reading, *flat))
        return done[1]

    # -- steps -------------------------------------------------------------------------------

    def first_step(self, x: Any, states: Sequence[Any]) -> tuple[Any, list[list[Any]]]:
        """Return the clean hidden state of the edited layer, and all layers' edited states.

        Products are those of the clean run, with as many rows as there are items; the edit
        brings in the axis of the sets.
        """
        lower = self.specs[0]
        edited = self.layer_step(0, x, states[0], 0)
        clean = None
        if self.edit == "unit":
            clean = self.layer_step(0, x, states[0], None)["hidden_state"]
        carried = [self.states_of(lower, edited)]
        for index in range(1, len(self.specs)):
            if index == 1 and self.local:
                below = project(self.specs[1], clean, self.weights[1])
                below = below + self.change_times(self.weights[1].kernel, clean, carried[0][0])
            else:
                below = project(self.specs[index], carried[-1][0], self.weights[index])
                below = ops.reshape(below, (self.sets, self.items, -1))
            signals = self.layer_step(index, below, states[index], None)
            carried.append(self.states_of(self.specs[index], signals))
        return clean, carried

    def second_step(self, x: Any, clean: Any, carried: Sequence[list[Any]]) -> list[list[Any]]:
        """Return all layers' states after the second step, with h U of the edited layer spared."""
        h, *others = carried[0]
        x = x + self.change_times(self.weights[0].recurrent_kernel, clean, h)
        # The step adds the product of the clean state itself.
        states = [clean, *(ops.reshape(s, (self.sets, self.items, -1)) for s in others)]
        layers = [self.states_of(self.specs[0], self.layer_step(0, x, states, 1))]
        return self.upper(layers, carried[1:])

    def step(self, t: Any, x: Any, carried: Sequence[list[Any]]) -> list[list[Any]]:
        """Return all layers' states after any later step."""
        layers = [self.states_of(self.specs[0], self.layer_step(0, x, carried[0], t))]
        return self.upper(layers, carried[1:])

    def upper(self, layers: list[list[Any]], carried: Sequence[list[Any]]) -> list[list[Any]]:
        for index, states in enumerate(carried, start=1):
            below = project(self.specs[index], layers[-1][0], self.weights[index])
            signals = self.layer_step(index, below, states, None)
            layers.append(self.states_of(self.specs[index], signals))
        return layers

    def layer_step(self, index: int, x: Any, states: Sequence[Any], t: Any) -> dict[str, Any]:
        """Return one layer's signals; with a step `t`, edited."""
        spec = self.specs[index]
        fixed = changes(spec, (), ())

        def change(name: str, signal: Any) -> Any:
            signal = fixed(name, signal)
            return self.edited(signal, t) if t is not None and name == self.signal else signal

        return take_step(spec, x, states, self.weights[index], change)

    # -- parts -------------------------------------------------------------------------------

    @property
    def local(self) -> bool:
        """Whether an edit changes nothing but its unit in the hidden state of the same step."""
        spec = self.specs[0]
        spreads = self.signal == "reset_gate" and not spec.reset_after
        return self.edit == "unit" and not spreads

    def change_times(self, matrix: Any, clean: Any, h: Any) -> Any:
        """Return (h − clean) · matrix, `(m, b, ·)`, where the two differ in one unit a set."""
        h = ops.reshape(h, (self.sets, self.items, -1))
        places = ops.broadcast_to(self.where[:, None, None], (self.sets, self.items, 1))
        own = ops.take_along_axis(h, places, axis=-1)  # (m, b, 1)
        others = ops.transpose(ops.take(clean, self.where, axis=1))[:, :, None]
        return (own - others) * ops.take(matrix, self.where, axis=0)[:, None, :]

    def edited(self, signal: Any, t: Any) -> Any:
        """Return a signal, `(b, u)` or `(m, b, u)` or flat `(m · b, u)`, edited."""
        units = signal.shape[-1]
        flat = tuple(signal.shape) == (self.sets * self.items, units)
        if flat:
            signal = ops.reshape(signal, (self.sets, self.items, units))
        value = self.value[t]
        if self.edit == "subspace":
            there = ops.matmul(value - signal, self.where)
            signal = signal + ops.matmul(there, ops.transpose(self.where, (0, 2, 1)))
        else:
            where = self.where
            if self.edit == "unit":
                where = where[:, None] == ops.arange(units, dtype="int32")
            signal = ops.where(where[:, None, :], value, signal)
        return ops.reshape(signal, (-1, units)) if flat else signal

    def states_of(self, spec: Spec, signals: dict[str, Any]) -> list[Any]:
        """Return the states that go on to the next step, flat."""
        return [self.flat(signals[name]) for name in spec.cell.states]

    def flat(self, tensor: Any) -> Any:
        """Return `(b, ·)`, the same for all sets, or `(m, b, ·)`, as `(m · b, ·)`."""
        width = tensor.shape[-1]
        if tuple(tensor.shape) == (self.sets * self.items, width):
            return tensor
        if len(tensor.shape) == 2:
            tensor = ops.broadcast_to(tensor[None], (self.sets, self.items, width))
        return ops.reshape(tensor, (self.sets * self.items, width))

    def read(self, reading: Any, h: Any, t: Any) -> Any:
        """Return the readouts with those of the items whose last step this is."""
        vectors, offsets = self.readout
        h = ops.reshape(h, (self.sets, self.items, -1))
        return ops.where(self.last == t, ops.sum(h * vectors, axis=-1) + offsets, reading)


def _regrouped(flat: Sequence[Any], widths: Sequence[int]) -> list[list[Any]]:
    layers, begin = [], 0
    for width in widths:
        layers.append(list(flat[begin : begin + width]))
        begin += width
    return layers
