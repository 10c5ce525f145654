"""The plain loop: every cell, every option, step by step, differentiated by the backend."""

from collections.abc import Collection, Sequence
from typing import Any

from keras import ops

from textgate._backend import Tensor
from textgate.recurrence import _loops as loops
from textgate.recurrence._edits import Edit, split_over_time
from textgate.recurrence._spec import Spec, Weights
from textgate.recurrence.steps import changes, project, take_step


def run(
    spec: Spec,
    x: Tensor,
    weights: Weights,
    states: list[Tensor],
    mask: Tensor | None,
    go_backwards: bool,
    edits: Sequence[Edit] = (),
    recurrent_dropout: list[Tensor] | None = None,
    unroll: bool = False,
    wanted: Collection[str] | None = None,
    projected: bool = True,
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Like `textgate.recurrence.sequence`, time first and from x W on.

    Args:
        spec: The cell.
        x: The input's part of the pre-activations, `(time, batch, columns * units)`.
        weights: The cell's weights; of the kernel no use is made.
        states: The states before the first step.
        mask: Booleans of shape `(time, batch, 1)`, or `None`.
        go_backwards: Whether to go from the last step to the first.
        edits: Changes to signals.
        recurrent_dropout: Masks for h_{t-1}, one for each of the kernel's columns.
        unroll: Whether to lay out the steps.
        wanted: Which signals to return; all by default.
        projected: Whether `x` is that; else it is the input, `(time, batch, features)`.

    Returns:
        The signals, `(time, batch, units)`, and the states after the last step.
    """
    names = [name for name in spec.cell.signals if wanted is None or name in wanted]
    needed = {*names, *spec.cell.states}
    over_time, fixed = split_over_time(edits, x.dtype)
    per_step: dict[str, Any] = {"x": x, "edits": over_time}
    if mask is not None:
        per_step["mask"] = mask

    def body(states: list[Tensor], now: dict[str, Any]) -> tuple[list[Tensor], list[Tensor]]:
        tensors = [{**a, **b} for a, b in zip(now["edits"], fixed, strict=True)]
        change = changes(spec, edits, tensors)
        x = now["x"] if projected else project(spec, now["x"], weights)
        signals = take_step(spec, x, states, weights, change, recurrent_dropout)
        if mask is not None:
            old = dict(zip(spec.cell.states, states, strict=True))
            signals = {
                name: ops.where(now["mask"], signal, old.get(name, ops.zeros_like(signal)))
                for name, signal in signals.items()
                if name in needed
            }
        new_states = [signals[name] for name in spec.cell.states]
        return new_states, [signals[name] for name in names]

    go = loops.unrolled if unroll else loops.scan
    states, signals = go(body, states, per_step, len(names), go_backwards)
    return dict(zip(names, signals, strict=True)), states
