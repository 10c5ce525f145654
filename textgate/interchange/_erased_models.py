"""Models that run with a signal erased: their decisions, and what is left in the signal.

A language model of textgate is read at its top layer's hidden state, with no softmax over the
vocabulary; any other Keras model is run by `ModelRunner`. Both make an eraser from the same thing:
the signal at the steps that can know of the feature.
"""

from typing import Any, Protocol

import numpy as np

from textgate.interchange._clean_runs import check_stack, is_stack, readout_difference
from textgate.interchange._items import Contrasts
from textgate.interchange._model_runner import ModelRunner
from textgate.interchange._runner import runner_for
from textgate.interventions import Affine, intervene
from textgate.models import LanguageModel
from textgate.probing.erasure import Eraser
from textgate.tokenizers import beginning
from textgate.tracing import Site, checked_sites, nodes_of, resolve, trace


class ErasedModel(Protocol):
    """A model with one signal of one layer erased.

    Attributes:
        layer: The layer's path.
        signal: The signal.
    """

    layer: str
    signal: str

    def states(self, items: Contrasts) -> tuple[np.ndarray, np.ndarray]:
        """Return what an eraser is made from.

        Returns:
            Features `(rows, units)` and the items' classes `(rows,)`.
        """

    def run(self, items: Contrasts, eraser: Eraser | None) -> tuple[np.ndarray, np.ndarray]:
        """Return the decisions `(n,)`, and the signal after the last step `(n, units)`."""


def erased_model(
    model: Any, items: Contrasts, layer: str, signal: str | None, steps: str
) -> ErasedModel:
    """Return what runs a model on items like these with a signal erased.

    Raises:
        ValueError: If there is no such layer or signal, or the name stands for several layers.
        TypeError: If the model is none that the items are for.
    """
    kind = ErasedStack if items.prefixes and is_stack(model) else _ErasedAny
    return kind(model, layer, signal, steps)


def _site_of(model: Any, layer: str, signal: str | None) -> tuple[Site, str]:
    """Return the site that a layer's name stands for, and the signal."""
    places = resolve(layer, checked_sites(model))
    if len(places) > 1:
        raise ValueError(
            "what is erased lies within one layer; name one. "
            f"Received: layer={layer!r}, which stands for {[site.path for site, _ in places]}"
        )
    site = places[0][0]
    cell = site.spec.cell
    if signal not in (None, *cell.signals):
        raise ValueError(
            f"`signal` must be one that {site.path!r} computes, {list(cell.signals)}. "
            f"Received: signal={signal!r}"
        )
    return site, signal or cell.memory


class ErasedStack:
    """A language model of textgate; see `ErasedModel`."""

    def __init__(self, lm: LanguageModel, layer: str, signal: str | None, steps: str) -> None:
        check_stack(lm)
        site, self.signal = _site_of(lm, layer, signal)
        self.lm, self.steps, self.layer = lm, steps, site.path

    def states(self, items: Contrasts) -> tuple[np.ndarray, np.ndarray]:
        """Return the signal at each step from the antecedent on; see `ErasedModel`."""
        values = runner_for(self.lm, items, self.layer, self.signal).base_values()
        chosen = items.mask
        if "antecedent_position" in items.table:
            behind = len(beginning(self.lm.tokenizer))
            begins = items.table["antecedent_position"].to_numpy(np.int64) + behind
            chosen &= np.arange(chosen.shape[1]) >= begins[:, None]
        chosen |= self._at_last(items)
        if self.steps == "last":
            chosen = self._at_last(items)
        return _rows(values, chosen, items)

    def run(self, items: Contrasts, eraser: Eraser | None) -> tuple[np.ndarray, np.ndarray]:
        """See `ErasedModel`."""
        erasures = []
        if eraser is not None:
            steps = self._at_last(items) if self.steps == "last" else None
            affine = {"matrix": eraser.matrix, "offset": eraser.offset}
            erasures = [Affine(self.layer, self.signal, **affine, steps=steps)]
        top = self.lm.recurrent_layers[-1].name
        traced = trace(
            intervene(self.lm, erasures),
            items.base,
            layers=[self.layer, top],
            signals=[self.signal, "hidden_state"],
            progress=False,
        )
        rows = np.arange(len(items))
        nodes = nodes_of(traced)
        states = nodes[self.layer][self.signal].values[rows, items.last]
        hidden = nodes[top]["hidden_state"].values[rows, items.last]
        vectors, offsets = readout_difference(self.lm, items.good, items.bad)
        return np.asarray((hidden * vectors).sum(axis=1) + offsets), states

    @staticmethod
    def _at_last(items: Contrasts) -> np.ndarray:
        """Where each item's last step is, booleans `(n, time)`."""
        assert items.last is not None
        return np.asarray(np.arange(items.base.shape[1]) == items.last[:, None])


class _ErasedAny:
    """Any Keras model; see `ErasedModel`.

    Its last step is the one that decides, in a layer that puts out all steps and where the output
    has steps; else the last that the layer goes through.
    """

    def __init__(self, model: Any, layer: str, signal: str | None, steps: str) -> None:
        self._site, self.signal = _site_of(model, layer, signal)
        self.model, self.layer, self.steps = model, layer, steps
        self._runners: dict[int, tuple[Contrasts, ModelRunner]] = {}

    def states(self, items: Contrasts) -> tuple[np.ndarray, np.ndarray]:
        """Return the signal where it differs from that of the counterpart; see `ErasedModel`."""
        runner = self._runner(items)
        values, last = runner.base_values(), self._at_last(runner)
        chosen = last
        if self.steps == "every":
            chosen = runner.mask.copy()
            if items.source is not None:
                chosen &= np.any(values != runner.source_values(), axis=-1)
            chosen |= last
        return _rows(values, chosen, items)

    def run(self, items: Contrasts, eraser: Eraser | None) -> tuple[np.ndarray, np.ndarray]:
        """See `ErasedModel`."""
        runner = self._runner(items)
        last = self._at_last(runner)
        if eraser is None:
            decisions, values = runner.clean(), runner.base_values()
        else:
            where = last if self.steps == "last" else runner.mask
            decisions, values = runner.run_mapped(eraser.matrix, eraser.offset, where)
        # An item that the layer masks throughout has no last step: nothing is left in it.
        states = values[np.arange(len(items)), last.argmax(axis=1)]
        return decisions, np.asarray(np.nan_to_num(states))

    def _runner(self, items: Contrasts) -> ModelRunner:
        if id(items) not in self._runners:
            runner = ModelRunner(self.model, items, self.layer, self.signal)
            self._runners[id(items)] = items, runner
        return self._runners[id(items)][1]

    def _at_last(self, runner: ModelRunner) -> np.ndarray:
        """Where each item's last step is, booleans `(n, time)`."""
        mask, layer = runner.mask, self._site.layer
        steps, last = np.arange(mask.shape[1]), runner.items.last
        if last is not None and layer.return_sequences and last.max() < mask.shape[1]:
            return np.asarray((steps == last[:, None]) & mask)
        numbers = np.where(mask, -steps if layer.go_backwards else steps, -len(steps))
        return np.asarray((numbers == numbers.max(axis=1, keepdims=True)) & mask)


def _rows(
    values: np.ndarray, chosen: np.ndarray, items: Contrasts
) -> tuple[np.ndarray, np.ndarray]:
    """Return the values at the chosen steps, and the class of each."""
    classes = items.table["good_class"].astype(str).to_numpy(str)
    return values[chosen].astype(np.float32), np.repeat(classes, chosen.sum(axis=1))
