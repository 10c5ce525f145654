"""Ablations: taking away what a unit says, by three stand-ins.

No stand-in is neutral. Zero is far from what most signals are: a gate at zero is not a gate without
influence but a closed one. The mean keeps a signal in its place but gives it a value that it may
never have. Values from other sentences are as they come, but bring those sentences' meaning. What
holds under all three does not hang on the stand-in.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from textgate.interventions._arguments import is_whole
from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._sources import TRACE, Values, values_of


@dataclass(frozen=True, eq=False, repr=False)
class ZeroAblation(Intervention):
    """Sets a signal to zero.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Example:

    >>> ZeroAblation("lstm", "cell_state", units=[3, 17])
    ZeroAblation('lstm', 'cell_state', units=[3, 17])
    """

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        return [Contribution(values=target.spread(0.0))]


@dataclass(frozen=True, eq=False, repr=False)
class MeanAblation(Intervention):
    """Sets a signal to its mean over a reference.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        reference: A trace of the same model, or the path of one, of any number of examples.
            Masked steps don't count.
        by_position: Whether each step gets the mean of that step; else all get the mean over
            examples and steps.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> reference = tg.trace(model, np.random.default_rng(0).normal(size=(20, 5, 3)))
    >>> edited = tg.intervene(model, [MeanAblation("gru", "hidden_state", reference=reference)])
    >>> mean = reference["gru"]["hidden_state"].mean(["example", "time"])
    >>> bool(np.allclose(edited.predict(np.ones((1, 5, 3)))[0], mean))
    True
    """

    reference: Any = field(default=None, kw_only=True, metadata=TRACE)
    by_position: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.by_position, bool | np.bool_):
            raise TypeError(
                f"`by_position` must be True or False. Received: by_position={self.by_position!r}"
            )
        self._set(by_position=bool(self.by_position))

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        result = []
        for values in values_of(self.reference, target, "reference"):
            mean = values.mean(self.by_position)
            if np.isnan(mean[..., target.numbers]).all() and target.numbers.size:
                raise ValueError(
                    f"{target.name}: `reference` must have steps that are not masked. Received: a "
                    f"trace of {values.examples} examples of layer {target.site.path!r} without"
                )
            call = target.call if values.call is None else values.call
            result.append(Contribution(values=mean, call=call, exhaustive=target.call is None))
        return result


@dataclass(frozen=True, eq=False, repr=False)
class ResampleAblation(Intervention):
    """Gives a signal the values that it has in another example, drawn at random.

    Each example gets a donor from the reference, never the one of its own number, so that the
    inputs' own trace can be the reference. It takes the donor's values step by step; if the donor
    ends before the example does (or is masked at a step), another one goes on from there.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        units: The units; all by default.
        reference: A trace of the same model, or the path of one, of at least two examples.
        seed: What the draw depends on, apart from an example's number. Units drawn by one seed
            have the same donors, in all layers and signals.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> inputs = np.random.default_rng(0).normal(size=(2, 5, 3))
    >>> own = tg.trace(model, inputs)
    >>> edited = tg.intervene(model, [ResampleAblation("gru", "hidden_state", reference=own)])
    >>> bool(np.allclose(edited.predict(inputs), model.predict(inputs, verbose=0)[::-1]))
    True
    """

    reference: Any = field(default=None, kw_only=True, metadata=TRACE)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_whole(self.seed) or self.seed < 0:
            raise ValueError(
                f"`seed` must be a whole number from 0 on. Received: seed={self.seed!r}"
            )
        self._set(seed=int(self.seed))

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        of_calls = values_of(self.reference, target, "reference")
        if min(values.examples for values in of_calls) < 2:
            raise ValueError(
                f"{target.name}: `reference` must have at least two examples. "
                f"Received: {of_calls[0].examples}"
            )
        return [
            Contribution(
                rows=_Donors(values, self.seed),
                call=target.call if values.call is None else values.call,
                exhaustive=target.call is None,
            )
            for values in of_calls
        ]


class _Donors:
    """Reads for each example the values of its donors."""

    def __init__(self, values: Values, seed: int) -> None:
        self.seed, self.mask = seed, values.full_mask()
        self.values = values.rows(0, values.examples)
        # At each step, the examples that have values there.
        self.candidates = [np.flatnonzero(column) for column in self.mask.T]

    def __call__(self, start: int, size: int) -> np.ndarray:
        donors = self.drawn(start, size)
        rows = self.values[np.maximum(donors, 0), np.arange(donors.shape[1])]
        return np.where(donors[..., None] < 0, np.nan, rows)

    def drawn(self, start: int, size: int) -> np.ndarray:
        """Return the number of the donor of each example at each step, -1 for none."""
        length = len(self.candidates)
        generators = (np.random.default_rng([self.seed, n]) for n in range(start, start + size))
        chance = np.array([generator.random(length) for generator in generators])
        donors = np.full((size, length), -1)
        own = np.arange(start, start + size)
        for step, candidates in enumerate(self.candidates):
            # Where in the sorted candidates the example itself stands, if it does.
            place = np.searchsorted(candidates, own)
            there = place < len(candidates)
            there[there] = candidates[place[there]] == own[there]
            choices = len(candidates) - there
            needing = np.flatnonzero((donors[:, step] < 0) & (choices > 0))
            pick = (chance[needing, step] * choices[needing]).astype(np.int64)
            pick += there[needing] & (pick >= place[needing])
            chosen = candidates[pick]
            later = self.mask[chosen, step:] & (donors[needing, step:] < 0)
            donors[needing, step:] = np.where(later, chosen[:, None], donors[needing, step:])
        return donors
