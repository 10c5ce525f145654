"""All that the search asks of a model: its layers, its memory, and runners on items.

The search knows a model by nothing but this and the runners of `textgate.interchange`. Only what
reads ordinary sentences (`_sentences`) asks for more, since not every model reads any.
"""

import contextlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import keras
import numpy as np
import pandas as pd

from textgate.datasets.features import Feature
from textgate.interchange import Contrasts, Runner, contrasts, runner_for
from textgate.models import LanguageModel
from textgate.tracing import Site, checked_sites, fingerprint, resolve

DRAWN, SHUFFLED = "drawn anew", "shuffled"


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
        model: Any built Keras model that `textgate.trace` takes.
        weights: How its weights came about, if it is a control.

    Raises:
        TypeError: If it is no Keras model.
        ValueError: If it has no recurrent layer that can be traced.
    """

    model: keras.Model
    weights: str = ""

    def __post_init__(self) -> None:
        checked_sites(self.model)

    @property
    def language_model(self) -> LanguageModel | None:
        """The model, if it is a language model of textgate."""
        return self.model if isinstance(self.model, LanguageModel) else None

    @property
    def fingerprint(self) -> str:
        """What tells it from other models."""
        return fingerprint(self.model)

    def cell(self, place: Place) -> str:
        """Return the kind of a place's cells."""
        if self.language_model is not None:
            return str(self.language_model.cell)
        return self._site(place.layer).spec.cell.kind

    def places(self, layer: str | None = None, signal: str | None = None) -> list[Place]:
        """Return where to look: in one layer or all, at one signal or each layer's memory.

        Raises:
            ValueError: If there is no such layer.
        """
        if layer:
            layers = [layer]
        elif self.language_model is not None:
            layers = [each.name for each in self.language_model.recurrent_layers]
        else:
            layers = [site.path for site in checked_sites(self.model)]
        return [Place(name, signal or self._site(name).spec.cell.memory) for name in layers]

    def _site(self, layer: str) -> Site:
        return resolve(layer, checked_sites(self.model))[0][0]

    def contrasts(
        self, pairs: pd.DataFrame, feature: str | Feature, with_source: bool = True
    ) -> Contrasts:
        """Return minimal pairs made ready for intervention, as `contrasts` does.

        Raises:
            TypeError: If the model is no language model of textgate.
        """
        if self.language_model is None:
            raise TypeError(
                "minimal pairs are read by a language model of textgate; for another model make "
                "items of its inputs, textgate.contrasts(model, base=…, source=…, good=…, bad=…). "
                f"Received: {type(self.model).__name__}"
            )
        return contrasts(self.model, pairs, feature, with_source)

    def runner(self, items: Contrasts, place: Place) -> Runner:
        """Return what runs the model on items with units of a place changed.

        Raises:
            ValueError: If the model has no such layer, or the layer no such signal.
        """
        return runner_for(self.model, items, *place)

    @contextlib.contextmanager
    def with_fresh_weights(self, seed: int) -> Iterator["Subject"]:
        """Have a model of the same architecture, untrained.

        A model that can't be cloned has its own weights shuffled instead, each among themselves,
        for the time of the `with` block.
        """
        if self.language_model is not None:
            config = {**self.language_model.get_config(), "seed": seed}
            yield Subject(type(self.language_model).from_config(config), DRAWN)
            return
        clone = _cloned(self.model, seed)
        if clone is not None:
            yield Subject(clone, DRAWN)
            return
        weights = [np.array(variable) for variable in self.model.weights]
        adapted = {id(weight) for layer in _adapted(self.model) for weight in layer.weights}
        generator = np.random.default_rng(seed)
        try:
            for variable, value in zip(self.model.weights, weights, strict=True):
                if value.dtype.kind == "f" and id(variable) not in adapted:
                    variable.assign(generator.permutation(value.ravel()).reshape(value.shape))
            yield Subject(self.model, SHUFFLED)
        finally:
            for variable, value in zip(self.model.weights, weights, strict=True):
                variable.assign(value)


@runtime_checkable
class Adapted(Protocol):
    """A layer of preprocessing, which has read its vocabulary or its scale off data."""

    weights: list[Any]

    def adapt(self, data: Any) -> None:
        """Read it off data."""


def _adapted(model: keras.Model) -> list[Adapted]:
    return [layer for layer in model._flatten_layers() if isinstance(layer, Adapted)]


def _anew(layer: keras.Layer) -> keras.Layer:
    """Return a layer with weights drawn anew; what was adapted to data is no matter of training."""
    return layer if isinstance(layer, Adapted) else type(layer).from_config(layer.get_config())


def _cloned(model: keras.Model, seed: int) -> keras.Model | None:
    """Return a copy with weights drawn anew, or `None` where Keras can't make one."""
    state = random.getstate()
    random.seed(seed)  # where Keras's initializers take their seeds from
    options = {"clone_function": _anew, "recursive": True} if _adapted(model) else {}
    try:
        clone = keras.models.clone_model(model, **options)
        return clone if clone.built and len(clone.weights) == len(model.weights) else None
    except (ValueError, TypeError, NotImplementedError):
        return None
    finally:
        random.setstate(state)
