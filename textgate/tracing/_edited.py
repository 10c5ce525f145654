"""What an edited model looks like from here: a model, and edits that go along with its calls.

Interventions come after tracing in the order of the rooms, so tracing knows nothing of them. It
knows this: an edited model has the attributes `model`, a Keras model, and `editing`. The edits'
*plan* is what a compiled function is made of; their numbers are given to it anew with each batch,
so that edits of one plan share one function.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol

import keras

from textgate.recurrence import Edit
from textgate.tracing.interception import Call

# What the edits found out in a batch: names of their own choice -> tensors.
Notes = dict[str, dict[str, Any]]


class Plan(Hashable, Protocol):
    """Which signals are edited and how, without the numbers; equal plans compile to the same."""

    @property
    def paths(self) -> frozenset[str]:
        """Paths of the sites with edits."""

    def edits(self, call: Call, given: Sequence[Mapping[str, Any]]) -> tuple[list[Edit], Notes]:
        """Return a call's edits, made of the numbers given, and what is to be checked later."""


class Editing(Protocol):
    """The edits of one edited model.

    Attributes:
        plan: What is compiled.
        aligned: Whether examples or steps have edits of their own, so that batches have to come
            in order and whole.
        description: The edits in words, for a trace's attributes.
    """

    plan: Plan
    aligned: bool
    description: str

    def begin(self, examples: int | None) -> None:
        """Raise a `ValueError` if the edits are for another number of examples."""

    def arrays(self, start: int, size: int) -> list[dict[str, Any]]:
        """Return the numbers for the examples `start` to `start + size`."""

    def check(self, notes: Notes, start: int, size: int) -> None:
        """Raise a `ValueError` for what the notes of `size` examples say went wrong."""


def parts_of(model: Any) -> tuple[Any, Editing | None]:
    """Return a model, taken out of the edited model if it is one, and the edits or `None`."""
    editing = None if isinstance(model, keras.Layer) else getattr(model, "editing", None)
    return (model, None) if editing is None else (model.model, editing)
