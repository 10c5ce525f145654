"""Faster loops for the stock cells, behind the same function."""

from typing import Any

from textgate.recurrence.spec import Spec, Weights


def supports(spec: Spec, x: Any) -> bool:
    """Whether the current backend has a faster loop for this cell."""
    return False


def sequence(
    spec: Spec, x: Any, weights: Weights, states: list[Any], mask: Any, go_backwards: bool
) -> tuple[dict[str, Any], list[Any]]:
    """Like `textgate.recurrence.sequence`, from the input's part of the pre-activations on."""
    raise AssertionError("no faster loop")
