"""The values of one signal at one position of each example, or at many: what every probe reads.

A position is counted in each example's own unmasked steps, so that padding doesn't matter: 0 is the
first, 1 the second, −1 the last. With an anchor it is relative to a step that differs from example
to example, such as the antecedent of a pronoun: 0 is the anchor itself, 2 is two steps later. An
example that has no unmasked step there is left out.

Several steps of each example are read at once where the position is `"all"`, a slice of the
unmasked steps, or a boolean array that says which. Masked steps are never among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from textgate._special_tokens import PAD
from textgate.tracing import as_booleans, matching_nodes

if TYPE_CHECKING:
    from textgate.models import LanguageModel

Trace = xr.DataTree | xr.Dataset | xr.DataArray  # a trace, a node of it, or one signal
PerExample = ArrayLike  # a value for each example, or the name of a label of the trace
PerStep = ArrayLike  # a value for each example or each step, or the name of such a label
Position = int | str | slice | np.ndarray | xr.DataArray  # one step of each example, or several
ALL = "all"

_DIMS = ("example", "time", "unit")


@dataclass(frozen=True)
class Signal:
    """One signal of one layer.

    Attributes:
        values: Of dims `(example, time, unit)`, read when needed.
        mask: Where there is something, `(example, time)`.
        name: Name of the signal.
        layer: Name of the layer.
    """

    values: xr.DataArray
    mask: np.ndarray
    name: str
    layer: str

    @property
    def examples(self) -> int:
        """How many examples there are."""
        return len(self.mask)

    @property
    def units(self) -> np.ndarray:
        """The units' numbers in their layer."""
        if "unit" in self.values.coords:
            return self.values["unit"].values
        return np.arange(self.values.sizes["unit"])

    def at(self, position: int, anchor: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the values at a position, and which examples have one.

        Args:
            position: The position, relative to `anchor` if there is one.
            anchor: A step of each example, of shape `(examples,)`.

        Returns:
            `float64` values of shape `(rows, units)` and the rows' numbers among the examples.
        """
        rows, steps = self.places(position, anchor)
        return self.read(rows, steps), rows

    def places(
        self, position: Position, anchor: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the examples and the steps that a position stands for, example by example.

        Raises:
            ValueError: If it is no position, or there is an anchor for several steps.
        """
        if not is_pooled(position):
            steps = _steps(self.mask, position, anchor)
            rows = np.flatnonzero(steps >= 0)
            return rows, steps[rows]
        if anchor is not None:
            raise ValueError(
                "`anchor` goes with positions that are whole numbers, not with many steps at once. "
                f"Received: position={described(position)}"
            )
        rows, steps = np.nonzero(self.mask & _chosen(self, position))
        return rows, steps

    def read(self, rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return `float64` values of shape `(rows, units)`, one row for each example and step."""
        if len(np.unique(rows)) == len(rows):
            return _pointwise(self.values, rows, steps)
        return self.read_many(rows, steps).astype(np.float64)

    def read_many(self, rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Return the values at many steps in the signal's own precision.

        Raises:
            ValueError: If a value isn't finite.
        """
        values: np.ndarray = self.values.values[rows, steps]
        if not np.isfinite(values).all():
            bad = (~np.isfinite(values)).any(axis=1)
            raise ValueError(
                f"unmasked steps of {self.name!r} must have finite values. Received: "
                f"{int(bad.sum())} steps that haven't, the first in example {rows[bad.argmax()]} "
                f"at step {steps[bad.argmax()]}"
            )
        return values


def is_pooled(position: Any) -> bool:
    """Whether a position stands for several steps of an example, to be taken together."""
    return isinstance(position, str | slice) or np.ndim(position) == 2


def described(position: Any) -> str | int:
    """Return what a table says of a position: its number, `"all"` or another name."""
    if isinstance(position, str):
        return position
    if isinstance(position, slice):
        parts = ["" if part is None else str(part) for part in (position.start, position.stop)]
        return ":".join([*parts, *([] if position.step is None else [str(position.step)])])
    return "chosen" if is_pooled(position) else int(position)


def _chosen(signal: Signal, position: Position) -> np.ndarray:
    """Return which steps are chosen, masked ones perhaps among them; `(example, time)`."""
    if isinstance(position, slice):
        chosen = np.zeros_like(signal.mask)
        for example, mask in zip(chosen, signal.mask, strict=True):
            example[np.flatnonzero(mask)[position]] = True
        return chosen
    if isinstance(position, str) and position == ALL:
        return np.ones_like(signal.mask)
    given: Any = position
    if isinstance(position, str):
        coords: Mapping[Any, xr.DataArray] = signal.values.coords
        if position not in coords or set(coords[position].dims) != set(_DIMS[:2]):
            raise ValueError(
                f"`position` must be {ALL!r}, whole numbers, a slice, or a boolean array "
                f"(example, time) or the name of one. Received: position={position!r}"
            )
        given = coords[position]
    if isinstance(given, xr.DataArray) and set(given.dims) == set(_DIMS[:2]):
        given = given.transpose(*_DIMS[:2])
    chosen = as_booleans(np.asarray(given), "position")
    if chosen.shape != signal.mask.shape:
        raise ValueError(
            "`position` must have the examples and steps of the trace, "
            f"shape {signal.mask.shape}. Received: shape {chosen.shape}"
        )
    return chosen


def signal_of(trace: Trace, signal: str | None, layer: str | None = None) -> Signal:
    """Find a signal in a trace.

    Args:
        trace: A trace, one of its nodes, or one signal as a `DataArray` with the dims `example`,
            `time` and `unit`.
        signal: Name of the signal; `None` for a `DataArray`.
        layer: Name of the layer, or its end where unique; it may be left out if there is one only.

    Returns:
        The signal. Where the trace has no `mask`, steps of nothing but NaN count as masked.

    Raises:
        TypeError: If `trace` isn't a trace.
        ValueError: If the layer or the signal isn't in it.
    """
    if not isinstance(trace, Trace):
        raise TypeError(
            "`trace` must be what textgate.trace returns, a node of it, or one of its signals. "
            f"Received: {type(trace).__name__}"
        )
    path = str(trace.attrs.get("layer", ""))
    if isinstance(trace, xr.DataTree):
        trace, path = _node(trace, layer)
    if isinstance(trace, xr.DataArray):
        values, name = trace, signal or str(trace.name or "signal")
    elif signal in trace.data_vars:
        values, name = trace[signal], str(signal)
    else:
        raise ValueError(
            f"`signal` must name a signal of the trace; it has {[*trace.data_vars]}. "
            f"Received: signal={signal!r}"
        )
    if set(values.dims) != set(_DIMS):
        raise ValueError(
            f"A signal must have the dims {_DIMS}. Received: {name!r} with dims {values.dims}"
        )
    values = values.transpose(*_DIMS)
    if "mask" in values.coords:
        mask = as_booleans(values.coords["mask"].transpose("example", "time").values, "mask")
    else:
        mask = ~np.isnan(values.values).all(axis=2)
    return Signal(values, mask, name, path)


def per_example(signal: Signal, values: PerExample, argument: str) -> np.ndarray:
    """Return one value an example, from an array or from a label of the trace.

    Args:
        signal: The signal.
        values: The values, of shape `(examples,)`, or the name of a coordinate.
        argument: What to call `values` in errors.

    Raises:
        ValueError: If there is no such label, or not as many values as examples, or some are
            missing.
    """
    if isinstance(values, str):
        coords: Mapping[Any, xr.DataArray] = signal.values.coords
        if values not in coords:
            own = (*_DIMS, "mask")
            labels = [str(n) for n, c in coords.items() if n not in own and "unit" not in c.dims]
            raise ValueError(
                f"`{argument}` must be values, or name a label of the trace; it has {labels}. "
                f"Received: {argument}={values!r}"
            )
        values = coords[values].values
    array = np.asarray(values)
    if array.shape != (signal.examples,):
        raise ValueError(
            f"`{argument}` must have one value for each of the {signal.examples} examples. "
            f"Received: shape {array.shape}"
        )
    missing = [v is None or v != v for v in array.tolist()]
    if any(missing):
        raise ValueError(
            f"`{argument}` must have no missing values; leave such examples out of the trace by "
            f".isel(example=…). Received: {sum(missing)} missing"
        )
    return array


def anchor_of(signal: Signal, anchor: PerExample | None) -> np.ndarray | None:
    """Return the anchor of each example, checked; `None` if there is none."""
    if anchor is None:
        return None
    steps = per_example(signal, anchor, "anchor")
    if not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"`anchor` must be whole numbers of steps. Received: {steps.dtype}")
    length = signal.mask.shape[1]
    if steps.min() < 0 or steps.max() >= length:
        raise ValueError(
            f"`anchor` must be steps of the trace, from 0 to {length - 1}. "
            f"Received: from {steps.min()} to {steps.max()}"
        )
    return steps.astype(np.int64)


def _node(trace: xr.DataTree, layer: str | None) -> tuple[xr.Dataset, str]:
    if trace.has_data and not trace.children:
        return trace.to_dataset(), str(trace.attrs.get("layer", trace.name or ""))
    matches = matching_nodes(trace, layer)
    if len(matches) != 1:
        raise ValueError(
            f"`layer` must name one layer of the trace; it has {[*matching_nodes(trace)]}. "
            f"Received: layer={layer!r}"
        )
    ((path, node),) = matches.items()
    return node.to_dataset(), path


def _steps(mask: np.ndarray, position: Any, anchor: np.ndarray | None) -> np.ndarray:
    """Return the time index of a position in each example, −1 where it has none."""
    if isinstance(position, bool) or not isinstance(position, int | np.integer):
        raise ValueError(f"A position must be a whole number. Received: {position!r}")
    examples, length = mask.shape
    if anchor is not None:
        steps = anchor + int(position)
        inside = (steps >= 0) & (steps < length)
        there = mask[np.arange(examples), np.clip(steps, 0, max(length - 1, 0))]
        return np.where(inside & there, steps, -1)
    lengths = mask.sum(axis=1)
    rank = lengths + position if position < 0 else np.full(examples, position)
    order = np.argsort(~mask, axis=1, kind="stable")  # the unmasked steps first, in their order
    inside = (rank >= 0) & (rank < lengths)
    steps = order[np.arange(examples), np.clip(rank, 0, max(length - 1, 0))]
    return np.where(inside, steps, -1)


def _pointwise(values: xr.DataArray, rows: np.ndarray, steps: np.ndarray) -> np.ndarray:
    at = {"example": xr.DataArray(rows, dims="row"), "time": xr.DataArray(steps, dims="row")}
    return np.asarray(values.isel(at).transpose("row", "unit").values, np.float64)


def word_embeddings(lm: "LanguageModel", texts: Sequence[str]) -> xr.DataArray:
    """Return the word embedding at each step of texts, for the embedding-only baseline.

    Args:
        lm: A `textgate.models.LanguageModel`.
        texts: The texts that were traced.

    Returns:
        Dims `(example, time, unit)`, with the coordinates `mask` and `token`.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> lm = LanguageModel(WordTokenizer("she he ran".split()), units=4, seed=0)
    >>> word_embeddings(lm, ["she ran", "he"]).mask.sum("time").values.tolist()
    [3, 2]
    """
    ids = lm.encode(texts)
    table = np.asarray(lm.get_layer("embedding").embeddings, np.float32)
    coords = {"mask": (_DIMS[:2], ids != PAD), "token": (_DIMS[:2], lm.tokens(texts))}
    return xr.DataArray(table[ids], dims=_DIMS, coords=coords, name="embedding")
