"""Items to intervene on: what a model reads, its counterpart, and what it has to decide."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Contrasts:
    """Items to intervene on: what a model reads, its counterpart, and what it has to decide.

    Attributes:
        table: The items' own columns, of shape `(n, …)`, numbered from 0.
        base: The model's inputs for `n` examples, in the structure that its `predict` takes. For
            minimal pairs: `<bos>` and the prefix, `int32` of shape `(n, time)`, right-padded with
            0.
        source: The counterparts, of the same structure and shapes, alike step by step; `None` for
            items that are only ablated.
        good: The class (for minimal pairs, the word's id) that is right after the base, `(n,)`;
            unused where there is a `readout`.
        bad: The class that is right after the source, of the same shape.
        last: The step whose output decides, `(n,)`: for minimal pairs, that of the prefix's last
            word; `None` for an output without steps.
        feature: What the items are about.
        dropped: How many rows were left out, by reason.
        unknown: The unknown words for which rows were left out, with the number of rows.
        taken_apart: The words of several pieces for which rows were left out, likewise.
        output: Which of the model's outputs decides, by name or number; `None` if it has one.
        readout: A function of the model's outputs on these items, in order, to one number an item;
            `None` for the difference of two logits.
        sign: What the number that `readout` gives is multiplied with, `(n,)`, 1 or −1.
        groups: Columns of the table that tell which items belong together.
        prefixes: Whether base and source are right-padded ids that nothing is read of after `last`,
            so that they may be cut there.
    """

    table: pd.DataFrame
    base: Any
    source: Any
    good: np.ndarray
    bad: np.ndarray
    last: np.ndarray | None
    feature: str = "gender"
    dropped: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    taken_apart: Mapping[str, int] = field(default_factory=dict)
    output: str | int | None = None
    readout: Callable[[Any], Any] | None = None
    sign: np.ndarray | None = None
    groups: tuple[str, ...] = ("template", "lexeme")
    prefixes: bool = True

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        steps = f", {self.base.shape[1]} steps" if self.prefixes else ""
        return f"Contrasts({len(self)} items, {self.feature!r}{steps})"

    @property
    def mask(self) -> np.ndarray:
        """Which steps belong to the prefix of a minimal pair, booleans of shape `(n, time)`."""
        assert self.last is not None
        return np.arange(self.base.shape[1]) <= self.last[:, None]

    def select(self, rows: Any) -> "Contrasts":
        """Return some of the items.

        Args:
            rows: Booleans of shape `(n,)`, or positions.

        Raises:
            ValueError: If no item is left.
        """
        chosen = np.asarray(rows)
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        if not len(places):
            raise ValueError("a selection must leave at least one item. Received: none")
        width = slice(None)
        if self.prefixes and self.last is not None:
            width = slice(int(self.last[places].max()) + 1)

        def chosen_rows(inputs: Any) -> Any:
            if self.prefixes:
                return inputs[places, width]
            from keras import tree  # pairs need no Keras

            return tree.map_structure(lambda array: np.asarray(array)[places], inputs)

        return replace(
            self,
            table=self.table.iloc[places].reset_index(drop=True),
            base=chosen_rows(self.base),
            source=None if self.source is None else chosen_rows(self.source),
            good=self.good[places],
            bad=self.bad[places],
            last=None if self.last is None else self.last[places],
            sign=None if self.sign is None else self.sign[places],
        )
