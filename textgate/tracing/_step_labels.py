"""Labels of steps: a class or a number for each step of each example, kept beside the signals.

A label belongs to the steps of the inputs, so it lands on the nodes whose time axis is as long as
it is, and on no others. Where that could mean two things, because the model has two inputs of that
length, it has to be said by layer.

Of what kind it is, is noted with it (attribute `label`): `bool`, `int` and `str` are classes,
`float` is a number. A step may have no label, as `<bos>` has none: that is NaN, or `""` for
strings. Classes that are numbers become floats then, and are told from numbers by the note.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from textgate._special_tokens import BOS, EOS, TOKENS
from textgate.tracing import _labelled as labelled
from textgate.tracing._selection import Kept, kept_steps
from textgate.tracing._sites import resolve

Node = tuple[str, int]  # a site's path and the number of the call


@dataclass(frozen=True)
class StepLabel:
    """One label.

    Attributes:
        name: Its name.
        values: Of shape `(example, time)`.
        kind: `"bool"`, `"int"`, `"str"` or `"float"`.
        layer: The layer that it is meant for; `None` for all that it fits.
        places: The sites' paths and calls that `layer` stands for, a call of `None` for all.
    """

    name: str
    values: np.ndarray
    kind: str
    layer: str | None = None
    places: tuple[tuple[str, int | None], ...] = ()

    def is_for(self, node: Node, length: int) -> bool:
        """Whether it lands on a node whose time axis has this length."""
        path, call = node
        meant = any(place in self.places for place in ((path, call), (path, None)))
        return (self.layer is None or meant) and self.values.shape[1] == length

    def variable(self, steps: np.ndarray) -> xr.Variable:
        """Return its values at some steps."""
        return xr.Variable(labelled.DIMS[:2], self.values[:, steps], {"label": self.kind})


@dataclass(frozen=True)
class StepLabels:
    """All labels of a trace's steps."""

    labels: tuple[StepLabel, ...] = ()

    def of_node(self, node: Node, length: int, kept: Kept) -> dict[str, xr.Variable]:
        """Return the coordinates of a node whose time axis has this length."""
        steps = kept_steps(kept.steps, length)
        found = (label for label in self.labels if label.is_for(node, length))
        return {label.name: label.variable(steps) for label in found}

    def check_examples(self, examples: int) -> None:
        """Raise a `ValueError` unless each label has a row for every example."""
        for label in self.labels:
            if len(label.values) != examples:
                raise _wrong_shape(label.name, label.values.shape, f"({examples}, time)")

    def check_lengths(self, lengths: Mapping[Node, int], inputs: Sequence[int]) -> None:
        """Raise a `ValueError` for a label that fits no node, or for one that could be misplaced.

        Args:
            lengths: The length of each node's time axis.
            inputs: The lengths of the model's inputs.
        """
        for label in self.labels:
            fitting = [node for node, length in lengths.items() if label.is_for(node, length)]
            if not fitting:
                raise self._unfitting(label, lengths)
            twice = inputs.count(label.values.shape[1]) > 1
            if twice and label.layer is None and len(fitting) > 1:
                raise ValueError(
                    f"Step label {label.name!r} fits the steps of several inputs; say whose they "
                    f"are by a layer: {{{label.name!r}: {{{fitting[0][0]!r}: …}}}}. "
                    f"Received: shape {label.values.shape} for inputs of the lengths "
                    f"{list(inputs)}"
                )

    def _unfitting(self, label: StepLabel, lengths: Mapping[Node, int]) -> ValueError:
        rows = len(label.values)
        paths = {path for path, _ in label.places}
        meant = [n for (path, _), n in lengths.items() if label.layer is None or path in paths]
        wanted = " or ".join(f"({rows}, {length})" for length in sorted(set(meant)))
        return _wrong_shape(label.name, label.values.shape, wanted, label.layer)


def step_labels_of(
    given: Any, kept: Iterable[Kept], texts: np.ndarray | None, taken: Iterable[str]
) -> StepLabels:
    """Return labels of steps, checked as far as they can be before the model is called.

    Args:
        given: A mapping from names to labels, or to mappings from layers to labels.
        kept: The layers that are traced.
        texts: The tokens of each text, of shape `(example, time)`, where the inputs are texts.
        taken: Names that are taken by labels of examples.

    Raises:
        TypeError: If it is no mapping.
        ValueError: If a name is taken, a layer unknown, or values are of no kind or no shape.
    """
    if given is None:
        return StepLabels()
    if not isinstance(given, Mapping):
        raise TypeError(
            "`step_labels` must be a mapping from names to arrays of shape (example, time). "
            f"Received: {type(given).__name__}"
        )
    sites = [k.site for k in kept]
    labels = []
    for name, values in given.items():
        labelled.check_name(name, taken)
        by_layer = values if isinstance(values, Mapping) else {None: values}
        for layer, part in by_layer.items():
            places = () if layer is None else resolve(layer, sites)
            array, kind = _values(name, part, texts)
            of_sites = tuple((site.path, call) for site, call in places)
            labels.append(StepLabel(name, array, kind, layer, of_sites))
    return StepLabels(tuple(labels))


def _values(name: str, given: Any, texts: np.ndarray | None) -> tuple[np.ndarray, str]:
    """Return a label's values, of shape `(example, time)`, and their kind."""
    if isinstance(given, xr.DataArray) and set(given.dims) == set(labelled.DIMS[:2]):
        given = given.transpose(*labelled.DIMS[:2])
    array = _array(given)
    if texts is not None:
        array = _on_words(name, array, texts)
    elif array.ndim == 1 and len(array) and all(map(_is_row, array)):
        lengths = sorted({len(row) for row in array})
        raise ValueError(
            f"Step label {name!r} must have rows of one length, padded where the inputs are. "
            f"Received: rows of {lengths[0]} to {lengths[-1]} values"
        )
    if array.ndim != 2:
        raise _wrong_shape(name, array.shape, "(example, time)")
    return _of_one_kind(name, array)


def _array(given: Any) -> np.ndarray:
    """Return an array; of lists one of objects, in one dimension if they differ in length."""
    if hasattr(given, "dtype") or hasattr(given, "to_numpy"):
        return np.asarray(given)
    rows = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else given
    try:
        return np.array(rows, dtype=object)
    except ValueError:  # lists of different lengths, the first dimensions of which agree
        return _rows(rows)


def _rows(rows: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(rows), dtype=object)
    array[:] = [list(row) for row in rows]
    return array


def _is_row(value: Any) -> bool:
    return isinstance(value, list | tuple | np.ndarray)


def _on_words(name: str, array: np.ndarray, texts: np.ndarray) -> np.ndarray:
    """Return labels of words at the steps of their words; labels of all steps as they are."""
    if array.shape == texts.shape:
        return array
    special = ("", TOKENS[BOS], TOKENS[EOS])
    words = ~np.isin(texts, special)
    rows = array.ndim == 2 or (array.ndim == 1 and all(map(_is_row, array)))
    if not rows or len(array) != len(texts):
        raise _wrong_shape(name, array.shape, f"a row for each of the {len(texts)} texts")
    longest = int(words.sum(axis=1).max(initial=0))
    padded = array.ndim == 2 and array.shape[1] == longest
    placed = np.full(texts.shape, None, dtype=object)
    for number, (row, at) in enumerate(zip(array, words, strict=True)):
        count = int(at.sum())
        if len(row) != count and not padded:
            raise ValueError(
                f"Step label {name!r} must have a value for each word; text {number} has {count} "
                f"words. Received: {len(row)} values"
            )
        placed[number, at] = np.fromiter(row, object, len(row))[:count]
    return placed


def _of_one_kind(name: str, array: np.ndarray) -> tuple[np.ndarray, str]:
    """Return values as an array of their kind, NaN or `""` where there is none."""
    if array.dtype.kind == "O":
        return _of_objects(name, array)
    kind = {"b": "bool", "i": "int", "u": "int", "f": "float", "U": "str"}.get(array.dtype.kind)
    if kind is None:
        raise _mixed(name, [str(array.dtype)])
    if kind == "float" and np.isinf(array).any():
        raise ValueError(
            f"Step label {name!r} must have finite numbers, and NaN where a step has none. "
            f"Received: {int(np.isinf(array).sum())} infinite values"
        )
    return array, kind


def _of_objects(name: str, array: np.ndarray) -> tuple[np.ndarray, str]:
    there = np.array([v is not None and v == v for v in array.flat], bool).reshape(array.shape)
    kinds = {_kind_of(value) for value in array[there]}
    if kinds <= {"int", "float"} and kinds != {"int"}:
        kinds = {"float"}
    if len(kinds) != 1 or not kinds <= {"bool", "int", "float", "str"}:
        raise _mixed(name, sorted(kinds))
    (kind,) = kinds
    if kind == "str":
        return np.where(there, array, "").astype(str), kind
    if there.all() and kind != "float":
        return array.astype(kind), kind
    numbers = np.full(array.shape, np.nan)
    numbers[there] = array[there].astype(float)
    return (_of_one_kind(name, numbers)[0] if kind == "float" else numbers), kind


def _kind_of(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, int | np.integer):
        return "int"
    if isinstance(value, float | np.floating):
        return "float"
    return "str" if isinstance(value, str) else type(value).__name__


def _mixed(name: str, types: list[str]) -> ValueError:
    return ValueError(
        f"Step label {name!r} must have bools, whole numbers or strings, which are classes, or "
        f"other numbers, all of one kind. Received: {types}"
    )


def _wrong_shape(
    name: str, shape: tuple[int, ...], wanted: str, layer: str | None = None
) -> ValueError:
    whose = "" if layer is None else f" of layer {layer!r}"
    return ValueError(
        f"Step label {name!r} must have a value for each step{whose}: {wanted}. "
        f"Received: shape {shape}"
    )
