"""All that the search asks of a model: its layers, its memory, and runners on items.

The search knows a model by nothing but this and the runners of `textgate.interchange`. Only what
reads ordinary sentences (`_sentences`) asks for more, since not every model reads any.
"""

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from textgate.datasets.features import Feature
from textgate.interchange import Contrasts, Runner, contrasts, runner_for
from textgate.models import LanguageModel


class Place(NamedTuple):
    """Where in a model units are looked for: a signal of a layer."""

    layer: str
    signal: str

    def __str__(self) -> str:
        return f"{self.layer}'s {self.signal.replace('_', ' ')}"


@dataclass(frozen=True)
class Subject:
    """The model that a search is about.

    Attributes:
        model: A `textgate.models.LanguageModel`.

    Raises:
        TypeError: If it is something else.
    """

    model: LanguageModel

    def __post_init__(self) -> None:
        if not isinstance(self.model, LanguageModel):
            raise TypeError(
                "`lm` must be a textgate.models.LanguageModel, as textgate.load returns it. "
                f"Received: {type(self.model).__name__}"
            )

    @property
    def cell(self) -> str:
        """The kind of its cells."""
        return self.model.cell

    @property
    def fingerprint(self) -> str:
        """What tells it from other models."""
        from textgate.tracing import fingerprint

        return fingerprint(self.model)

    def places(self, layer: str | None = None, signal: str | None = None) -> list[Place]:
        """Return where to look: in one layer or all, at one signal or each layer's memory.

        Raises:
            ValueError: If there is no such layer.
        """
        from textgate.tracing import find_sites, resolve

        sites, _ = find_sites(self.model)
        layers = [layer] if layer else [each.name for each in self.model.recurrent_layers]
        cells = [resolve(name, sites)[0][0].spec.cell for name in layers]
        return [
            Place(name, signal or cell.memory) for name, cell in zip(layers, cells, strict=True)
        ]

    def contrasts(
        self, pairs: pd.DataFrame, feature: str | Feature, with_source: bool = True
    ) -> Contrasts:
        """Return minimal pairs made ready for intervention, as `contrasts` does."""
        return contrasts(self.model, pairs, feature, with_source)

    def runner(self, items: Contrasts, place: Place) -> Runner:
        """Return what runs the model on items with units of a place changed.

        Raises:
            ValueError: If the model has no such layer, or the layer no such signal.
        """
        return runner_for(self.model, items, *place)

    def with_fresh_weights(self, seed: int) -> "Subject":
        """Return a model of the same architecture, untrained."""
        config = {**self.model.get_config(), "seed": seed}
        return Subject(type(self.model).from_config(config))
