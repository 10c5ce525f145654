"""Patching: a signal takes the values that it has in another run."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._sources import TRACE, Values, values_of


@dataclass(frozen=True, eq=False, repr=False)
class Patch(Intervention):
    """Gives a signal its values from another run, step by step (activation patching).

    Also called an interchange intervention: what the model does with these values, in a sentence
    that they are not from, shows what they stand for.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        source: A trace of the same model, or the path of one: for each example of the inputs one
            of the same length, in order. Where an example of the source is masked at one of the
            steps and that of the inputs isn't, or the other way round, the two don't align, and
            that is an error.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    References:
        Vig et al. 2020, Investigating gender bias in language models using causal mediation
        analysis; Geiger et al. 2021, Causal abstractions of neural networks.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> other = tg.trace(model, np.ones((2, 5, 3)))
    >>> edited = tg.intervene(model, [Patch("gru", "hidden_state", source=other)])
    >>> bool(np.allclose(edited.predict(np.zeros((2, 5, 3))), model(np.ones((2, 5, 3)))))
    True
    """

    source: Any = field(default=None, kw_only=True, metadata=TRACE)

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        of_calls = values_of(self.source, target, "source")
        return [
            Contribution(
                rows=_reader(values),
                examples=values.examples,
                mask=values.full_mask(),
                call=target.call if values.call is None else values.call,
                exhaustive=target.call is None,
            )
            for values in of_calls
        ]


def _reader(values: Values) -> Any:
    def rows(start: int, size: int) -> np.ndarray:
        return values.rows(start, start + size)

    return rows
