"""What is edited when sets of units are changed: which layers, and the edits in their loops."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from textgate.recurrence import Edit
from textgate.tracing import Call, checked_sites, resolve


@dataclass(frozen=True)
class Place:
    """One layer whose units are changed.

    Attributes:
        path: Its path.
        call: The number of the call; `None` if the layer is called once.
        units: How many units it has.
        begin: The number of its first unit, numbered through.
    """

    path: str
    call: int | None
    units: int
    begin: int

    @property
    def columns(self) -> slice:
        """Where its units stand among all."""
        return slice(self.begin, self.begin + self.units)


def places_of(model: keras.Model, layer: str, signal: str) -> tuple[Place, ...]:
    """Return the layers that a name stands for, with their units numbered through.

    Raises:
        ValueError: If there is no such layer, or one lacks the signal.
    """
    places: list[Place] = []
    for site, call in resolve(layer, checked_sites(model)):
        if signal not in site.spec.cell.signals:
            raise ValueError(
                f"`signal` must be one that {site.path!r} computes, "
                f"{list(site.spec.cell.signals)}. Received: signal={signal!r}"
            )
        begin = places[-1].columns.stop if places else 0
        places.append(Place(site.path, call, site.spec.units, begin))
    return tuple(places)


@dataclass(frozen=True)
class SetPlan:
    """Which signal is edited where; see `textgate.tracing._edited.Plan`.

    Attributes:
        places: The layers.
        signal: The signal.
        subspace: Whether the signal is mapped, instead of single units exchanged.
    """

    places: tuple[Place, ...]
    signal: str
    subspace: bool = False

    @property
    def paths(self) -> frozenset[str]:
        """Paths of the sites with edits."""
        return frozenset(place.path for place in self.places)

    def edits(
        self, call: Call, given: Sequence[Mapping[str, Any]]
    ) -> tuple[list[Edit], dict[str, dict[str, Any]]]:
        """Return the edit of a call.

        Args:
            call: The call.
            given: For each place `values (items, time, units)` and `value (rows,)`, which of them a
                row has. Where `units (rows, units)` are, the signal is the row's values; or, where
                `where (items, time)` is, of which a row has `place (rows,)`, it is multiplied by
                `matrix (units, units)`, and the values are added.
        """
        edits = []
        for place, arrays in zip(self.places, given, strict=True):
            if place.path != call.site.path or place.call not in (None, call.index):
                continue
            values = ops.take(arrays["values"], arrays["value"], axis=0)
            if self.subspace:
                where = ops.take(arrays["where"], arrays["place"], axis=0)[:, :, None]
                edits.append(Edit(self.signal, where, matrix=arrays["matrix"], offset=values))
            else:
                edits.append(Edit(self.signal, ops.expand_dims(arrays["units"], 1), values))
        return edits, {}
