"""Classes, groups and folds: who may be trained on and who is tested, for every probe alike.

The unit of generalisation. A probe of gender that has seen *Mary* in training can answer for
*Mary* in the test by remembering her, and would be right without any notion of gender. So the
folds are made of whole groups (lexemes): no name is in both halves. Folds are stratified as far as
the groups allow.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from textgate._received import few

Split = tuple[np.ndarray, np.ndarray]  # rows to train on, rows to test on


@dataclass(frozen=True)
class Targets:
    """What is to be predicted, and what belongs together.

    Attributes:
        y: The class of each example (or step) as a whole number, of shape `(n,)`; or a float,
            where numbers are to be predicted.
        groups: The group of each example as a number, of shape `(n,)`.
        classes: The classes' names.
    """

    y: np.ndarray
    groups: np.ndarray
    classes: tuple[str, ...]

    def of(self, rows: np.ndarray) -> "Targets":
        """Return those of some examples, with the classes and groups numbered anew."""
        _, groups = np.unique(self.groups[rows], return_inverse=True)
        if self.are_numbers:
            return Targets(self.y[rows], groups, ())
        present, y = np.unique(self.y[rows], return_inverse=True)
        return Targets(y, groups, tuple(self.classes[code] for code in present))

    @property
    def are_numbers(self) -> bool:
        """Whether numbers are to be predicted, not classes."""
        return bool(self.y.dtype.kind == "f")

    @property
    def majority(self) -> float:
        """The share of the most frequent class."""
        return float(np.bincount(self.y).max() / len(self.y))

    @property
    def group_count(self) -> int:
        """How many groups there are."""
        return len(np.unique(self.groups))


def targets_of(labels: np.ndarray, groups: np.ndarray) -> Targets:
    """Return labels and groups as numbers.

    Raises:
        ValueError: If there is only one class.
    """
    classes, y = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"`labels` must have at least two classes. Received: only {classes.tolist()}"
        )
    return Targets(y, pd.factorize(groups)[0], tuple(str(c) for c in classes))


def obstacle(targets: Targets, folds: int) -> str | None:
    """Return what stands in the way of so many folds, or `None`."""
    if targets.are_numbers and len(np.unique(targets.y)) < 2:
        values = np.unique(targets.y).tolist()
        return f"`labels` must have at least two values. Received: {few(values)}"
    if not targets.are_numbers and (not len(targets.y) or len(targets.classes) < 2):
        return f"`labels` must have at least two classes. Received: {few(targets.classes)}"
    if targets.group_count < folds:
        return (
            "there must be at least as many groups as folds; give more data or fewer `folds`. "
            f"Received: {targets.group_count} groups, folds={folds}"
        )
    for code, name in enumerate(targets.classes):
        members = targets.y == code
        if members.sum() < folds or len(np.unique(targets.groups[members])) < 2:
            return (
                f"each class must have an example for every fold, from two groups at least. "
                f"Received: class {name!r} with {int(members.sum())} examples from "
                f"{len(np.unique(targets.groups[members]))} groups, folds={folds}"
            )
    return None


def check_folds(folds: int) -> None:
    """Raise a `ValueError` unless `folds` is a number of folds."""
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise ValueError(f"`folds` must be a whole number from 2. Received: folds={folds!r}")


def by_group(targets: Targets, folds: int, seed: int) -> list[Split]:
    """Return folds that no group is split by.

    Raises:
        ValueError: If there are too few groups or too few of a class.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    if reason := obstacle(targets, folds):
        raise ValueError(reason)
    if targets.are_numbers:
        return _of_equal_size(targets.groups, folds, seed)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return list(splitter.split(targets.y, targets.y, targets.groups))


def _of_equal_size(groups: np.ndarray, folds: int, seed: int) -> list[Split]:
    """Return folds of whole groups, each about as large: the largest groups are dealt out first."""
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    fold_of, filled = np.empty(len(sizes), int), np.zeros(folds)
    for group in order[np.argsort(-sizes[order], kind="stable")]:
        fold_of[group] = filled.argmin()
        filled[fold_of[group]] += sizes[group]
    fold = fold_of[groups]
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]


def by_example(targets: Targets, folds: int, seed: int) -> list[Split]:
    """Return folds that split the examples at random, so that groups stand on both sides."""
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a class with few members; `obstacle` has looked at that
        return list(splitter.split(targets.y, targets.y))


def control_labels(y: np.ndarray, types: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Yield labels of a control task: one for each type, drawn at random (Hewitt & Liang 2019).

    A type is a word form: every example of a type gets the type's label. The labels are the types'
    own (their most frequent ones), shuffled among the types, so that the classes stay about as
    frequent as they are.

    Args:
        y: The true classes, of shape `(n,)`.
        types: The type of each example, of shape `(n,)`.
        draws: How many such tasks.
        seed: Seed.
    """
    _, codes = np.unique(types, return_inverse=True)
    counts = np.zeros((codes.max() + 1, y.max() + 1))
    np.add.at(counts, (codes, y), 1)
    own = counts.argmax(axis=1)
    if len(np.unique(own)) < len(np.unique(y)):
        # Types of mixed labels: by their majority a class would be gone, so draw by frequency.
        random = np.random.default_rng([seed, 1])
        frequency = np.bincount(y) / len(y)
        for _ in range(draws):
            yield random.choice(len(frequency), len(own), p=frequency)[codes]
        return
    random = np.random.default_rng([seed, 0])
    for _ in range(draws):
        yield random.permutation(own)[codes]


def control_numbers(
    y: np.ndarray, types: np.ndarray, draws: int, seed: int
) -> Iterator[np.ndarray]:
    """Yield numbers of a control task: each type's mean, shuffled among the types.

    Args:
        y: The true numbers, of shape `(n,)`.
        types: The type of each row, of shape `(n,)`.
        draws: How many such tasks.
        seed: Seed.
    """
    _, codes = np.unique(types, return_inverse=True)
    own = np.bincount(codes, y) / np.bincount(codes)
    random = np.random.default_rng([seed, 0])
    for _ in range(draws):
        yield random.permutation(own)[codes]
