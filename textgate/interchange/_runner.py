"""The seam between a model and all that is done with its units: the runner.

A runner belongs to one model, one layer, one signal and some items. It runs the model on the items
with sets of the layer's units changed, and reads its decision: one number an item, positive where
the model decides for `good`. Sweeps and the search for units know of a model nothing but this.

`runner_for` is the one place where it is decided how a model is run.
"""

from typing import Any, Protocol

import numpy as np

from textgate.interchange._items import Contrasts


class Runner(Protocol):
    """Runs a model with sets of units changed, and reads its decision.

    Attributes:
        items: The items.
        layer: The layer's name.
        signal: The signal that is changed.
        units: How many units the layer has.
        one_layer: Whether the name stands for one layer, not for a container of several.
    """

    items: Contrasts
    layer: str
    signal: str
    units: int
    one_layer: bool

    def clean(self) -> np.ndarray:
        """Return the decisions on the bases without any intervention, `(n,)`."""

    def source(self) -> np.ndarray:
        """Return the decisions on the sources, between the same two words, `(n,)`.

        Raises:
            ValueError: If the items have no sources.
        """

    def base_values(self) -> np.ndarray:
        """Return the signal on the bases, `float64` of `(n, time, units)`, NaN at padding."""

    def source_values(self) -> np.ndarray:
        """Return the signal on the sources, likewise.

        Raises:
            ValueError: If the items have no sources.
        """

    def activity(self) -> np.ndarray:
        """Return each unit's root mean square over the steps of the bases, `(units,)`."""

    def run(
        self,
        sets: Any,
        kind: str = "interchange",
        reference: Contrasts | None = None,
        seed: int = 0,
        by_position: bool = False,
    ) -> np.ndarray:
        """Return the decisions `(m, n)` with the units of each of the sets `(m, units)` changed."""

    def run_subspace(
        self,
        basis: Any,
        kind: str = "interchange",
        reference: Contrasts | None = None,
        seed: int = 0,
        by_position: bool = False,
    ) -> np.ndarray:
        """Return the decisions with the part of the signal in a subspace changed.

        They have the shape `(n,)` for a basis `(units, rank)`, `(m, n)` for bases
        `(m, units, rank)`.
        """


def runner_for(model: Any, items: Contrasts, layer: str, signal: str = "cell_state") -> Runner:
    """Return what runs a model on items with sets of a layer's units changed.

    Args:
        model: A `textgate.models.LanguageModel`, or any Keras model that `textgate.trace` takes.
        items: The items, as `textgate.interchange.contrasts` makes them.
        layer: The recurrent layer, as `textgate.trace` names it (`"lstm"`, `"encoder/lstm_1"`).
        signal: The signal to change: a state, a gate or the candidate.

    Returns:
        A `StackRunner` for minimal pairs in a language model of textgate, which is a plain stack of
        an embedding, recurrent layers and a read-out. Else a `ModelRunner`, which calls the model
        as it is; on a plain stack it gives the same numbers, later.

    Raises:
        ValueError: If the model has no such layer, or the layer no such signal.
        TypeError: If the model is no Keras model.

    Example:

    >>> import pandas as pd
    >>> from textgate.interchange import contrasts
    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> lm = LanguageModel(WordTokenizer("actress actor lost her his".split()), units=4, seed=0)
    >>> pairs = pd.DataFrame({
    ...     "good": ["actress lost her", "actor lost his"],
    ...     "bad": ["actress lost his", "actor lost her"],
    ...     "target": 2,
    ...     "counterpart_prefix": ["actor lost", "actress lost"],
    ... })
    >>> runner = runner_for(lm, contrasts(lm, pairs), "lstm")
    >>> nothing_and_all = np.array([[False] * 4, [True] * 4])
    >>> decisions = runner.run(nothing_and_all, "interchange")
    >>> bool(np.allclose(decisions, [runner.clean(), runner.source()], atol=1e-6))
    True
    """
    # Not above: what only speaks of runners needs no Keras.
    from textgate.interchange._clean_runs import is_stack
    from textgate.interchange._model_runner import ModelRunner
    from textgate.interchange._stack_runner import StackRunner

    if items.prefixes and is_stack(model):
        return StackRunner(model, items, layer, signal)
    return ModelRunner(model, items, layer, signal)
