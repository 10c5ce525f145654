"""Pushing a signal along a direction."""

from dataclasses import dataclass, field
from typing import Any

from textgate.interventions._arguments import checked_number, checked_numbers
from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target


@dataclass(frozen=True, eq=False, repr=False)
class Steer(Intervention):
    """Adds a multiple of a direction to a signal.

    What is added to a state at one step is carried on from there like the rest of it, so that
    pushes at several steps add up as far as the layer remembers; give one of `steps` for a single
    push.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        direction: A number for each chosen unit.
        scale: What the direction is multiplied with.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Example:

    >>> Steer("lstm", "cell_state", direction=[0.6, -0.8], scale=2.0, steps=slice(1, 2))
    Steer('lstm', 'cell_state', steps=slice(1, 2), direction=[0.6, -0.8], scale=2.0)
    """

    direction: Any = field(default=None, kw_only=True)
    scale: float = field(default=1.0, kw_only=True)

    idempotent = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(
            direction=checked_numbers(self.direction, "direction"),
            scale=checked_number(self.scale, "scale"),
        )

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        return [Contribution(values=target.spread(self.scale * self.direction), add=True)]
