"""What is measured of a probe at a position: a row of the table that `probe` returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from textgate.evaluation import interval
from textgate.probing._r2 import Errors, measures_of_numbers
from textgate.probing._signals import PerStep, Position, Signal, described, signal_of
from textgate.probing._tasks import Sample, Task
from textgate.probing.classifiers import held_out, held_out_numbers
from textgate.probing.folds import (
    Split,
    by_example,
    by_group,
    check_folds,
    control_labels,
    control_numbers,
)

TOKEN = "token"


@dataclass
class Options:
    """The numbers that a probe takes, checked."""

    folds: int = 5
    strength: float = 1.0
    controls: int = 3
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        check_folds(self.folds)
        if not self.strength > 0:
            raise ValueError(f"`strength` must be above 0. Received: strength={self.strength!r}")
        if self.controls < 0:
            raise ValueError(f"`controls` must be at least 0. Received: controls={self.controls!r}")
        self.strength = float(self.strength)


_AGAINST = ("embedding", "seen", "control", "selectivity", "selectivity_low", "selectivity_high")
_OF_CLASSES = ("accuracy", "low", "high", "worst_class", "majority", *_AGAINST)
_OF_NUMBERS = ("r2", "low", "high", *_AGAINST)


@dataclass(frozen=True)
class Probes:
    """Probes of one task, a row of the table for each position.

    Attributes:
        task: The task.
        baseline: The features of the embedding-only baseline: for each step or each example.
        types: The word type of each example, or each step; `None` where it isn't known.
        options: The numbers.
    """

    task: Task
    baseline: Signal | np.ndarray | None
    types: np.ndarray | None
    options: Options

    @classmethod
    def of(
        cls,
        task: Task,
        embedding: ArrayLike | xr.DataArray | None,
        types: PerStep | None,
        options: Options,
    ) -> Self:
        kinds: np.ndarray | None = None
        if types is not None:
            kinds = task.each(types, "types")
        elif not task.over_steps:
            kinds = task.targets.groups
        elif TOKEN in task.signal.values.coords:
            kinds = task.each(TOKEN, "types")
        elif options.controls:
            raise ValueError(
                "a control task over steps needs the word type of each step, and the trace has no "
                f"{TOKEN!r}; give `types`, or leave it out with controls=0. "
                f"Received: controls={options.controls}"
            )
        return cls(task, _baseline(embedding, task.signal), kinds, options)

    def row(self, position: Position, sample: Sample) -> dict[str, Any]:
        """Return the row of a position."""
        numbers = sample.targets.are_numbers
        row = self.blank_row(position, sample)
        row |= (self._of_numbers if numbers else self._of_classes)(sample)
        return row

    def blank_row(self, position: Position, sample: Sample) -> dict[str, Any]:
        """Return the row of a position where there are too few examples to probe."""
        signal = self.task.signal
        examples = len(np.unique(sample.rows))
        steps = {"steps": len(sample.rows)} if self.task.over_steps else {}
        measures = _OF_NUMBERS if sample.targets.are_numbers else _OF_CLASSES
        return {
            "layer": signal.layer,
            "signal": signal.name,
            "position": described(position),
            "examples": examples,
            **steps,
            "left_out": signal.examples - examples,
            **dict.fromkeys(measures, np.nan),
            "groups": sample.targets.group_count,
        }

    def table(self, rows: list[dict[str, Any]]) -> pd.DataFrame:
        """Return the rows as a table."""
        options = self.options
        return pd.DataFrame(rows).assign(
            folds=options.folds, strength=options.strength, seed=options.seed
        )

    def _of_classes(self, sample: Sample) -> dict[str, Any]:
        """Return the accuracy for groups that weren't in training, and what it is held against."""
        options, y = self.options, sample.targets.y
        splits = by_group(sample.targets, options.folds, options.seed)
        correct = held_out(sample.values, y, splits, options.strength) == y
        low, high = self._interval(correct, sample.targets.groups)
        of_class = [float(correct[y == c].mean()) for c in range(len(sample.targets.classes))]
        measures = {
            "accuracy": float(correct.mean()),
            "low": low,
            "high": high,
            "worst_class": min(of_class),
            "majority": sample.targets.majority,
        }
        if self.baseline is not None:
            predicted = held_out(self._features(sample), y, splits, options.strength)
            measures["embedding"] = float((predicted == y).mean())
        types = self._types(sample)
        if types is None:
            return measures
        if self.task.over_steps:
            return measures | self._against_control(
                sample, types, splits, _seen_in_training(types, splits), correct
            )
        splits = by_example(sample.targets, options.folds, options.seed)
        seen = held_out(sample.values, y, splits, options.strength) == y
        everywhere = np.ones(len(y), bool)
        return measures | self._against_control(sample, types, splits, everywhere, seen)

    def _against_control(
        self,
        sample: Sample,
        types: np.ndarray,
        splits: Sequence[Split],
        counted: np.ndarray,
        correct: np.ndarray,
    ) -> dict[str, Any]:
        """Return the accuracy on the real and on the control task, where types were seen."""
        if not counted.any():
            return {}
        options, y = self.options, sample.targets.y
        seen, control = correct[counted].astype(float), np.zeros(int(counted.sum()))
        for random in control_labels(y, types, options.controls, options.seed):
            predicted = held_out(sample.values, random, splits, options.strength)
            control += (predicted == random)[counted]
        control /= options.controls
        low, high = self._interval(seen - control, sample.targets.groups[counted])
        return {
            "seen": float(seen.mean()),
            "control": float(control.mean()),
            "selectivity": float((seen - control).mean()),
            "selectivity_low": low,
            "selectivity_high": high,
        }

    def _of_numbers(self, sample: Sample) -> dict[str, Any]:
        """Return R² for groups that weren't in training, and what it is held against."""
        options, (y, groups) = self.options, (sample.targets.y, sample.targets.groups)
        splits = by_group(sample.targets, options.folds, options.seed)
        types = self._types(sample)
        drawn: list[np.ndarray] = []
        counted = np.zeros(len(y), bool)
        if types is not None:
            drawn = list(control_numbers(y, types, options.controls, options.seed))
            counted = _seen_in_training(types, splits)
        tasks = np.stack([y, *drawn], axis=1)
        predicted = held_out_numbers(sample.values, tasks, splits, options.strength)
        controls = [*zip(tasks.T[1:], predicted.T[1:], strict=True)]
        measures = measures_of_numbers(
            y, predicted[:, 0], controls, counted, groups, options.resamples, options.seed
        )
        if self.baseline is not None:
            features = self._features(sample)
            predicted = held_out_numbers(features, y[:, None], splits, options.strength)
            every = np.zeros_like(groups)
            measures["embedding"] = float(Errors.of(y, predicted[:, 0], every, 1).r2())
        return measures

    def _types(self, sample: Sample) -> np.ndarray | None:
        """Return the rows' word types; `None` if there are no control tasks to be done."""
        if not self.options.controls or self.types is None:
            return None
        types = self.types[sample.entries]
        return types if len(np.unique(types)) < len(types) else None

    def _features(self, sample: Sample) -> np.ndarray:
        """Return the rows' features of the embedding-only baseline."""
        if isinstance(self.baseline, Signal):
            return self.baseline.read(sample.rows, sample.steps)
        features: np.ndarray = self.baseline[sample.rows]  # type: ignore[index]
        return features

    def _interval(self, values: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
        options = self.options
        return interval(values, [groups], resamples=options.resamples, seed=options.seed)


def _seen_in_training(types: np.ndarray, splits: Sequence[Split]) -> np.ndarray:
    """Return which rows are of a word type that stands in training when they are held out."""
    seen = np.zeros(len(types), bool)
    for train, test in splits:
        seen[test] = np.isin(types[test], types[train])
    return seen


def _baseline(
    embedding: ArrayLike | xr.DataArray | None, signal: Signal
) -> Signal | np.ndarray | None:
    """Return the features of the embedding-only baseline, checked."""
    if embedding is None:
        return None
    if isinstance(embedding, xr.DataArray) and embedding.ndim == 3:
        steps = signal_of(embedding, None)
        if steps.mask.shape != signal.mask.shape:
            raise ValueError(
                f"`embedding` must have the examples and steps {signal.mask.shape} of the trace. "
                f"Received: {steps.mask.shape}"
            )
        return Signal(steps.values, signal.mask, "embedding", "")
    features = np.asarray(embedding, np.float64)
    if features.ndim != 2 or len(features) != signal.examples:
        raise ValueError(
            "`embedding` must be one vector for each example, or a DataArray with the dims "
            f"(example, time, unit). Received: shape {features.shape}"
        )
    return features
