"""The values of one signal at one position of each example: what every probe reads.

A position is counted in each example's own unmasked steps, so that padding doesn't matter: 0 is the
first, 1 the second, −1 the last. With an anchor it is relative to a step that differs from example
to example, such as the antecedent of a pronoun: 0 is the anchor itself, 2 is two steps later. An
example that has no unmasked step there is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

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
        return self.mask.shape[0]

    def at(self, position: int, anchor: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the values at a position, and which examples have one.

        Args:
            position: The position, relative to `anchor` if there is one.
            anchor: A step of each example, of shape `(examples,)`.

        Returns:
            `float64` values of shape `(rows, units)` and the rows' numbers among the examples.
        """
        steps = _steps(self.mask, position, anchor)
        rows = np.flatnonzero(steps >= 0)
        return _pointwise(self.values, rows, steps[rows]), rows


def signal_of(trace: Any, signal: str | None, layer: str | None = None) -> Signal:
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
    if isinstance(trace, xr.DataTree):
        node, name = _node(trace, layer)
    elif isinstance(trace, xr.Dataset):
        node, name = trace, str(trace.attrs.get("layer", ""))
    elif isinstance(trace, xr.DataArray):
        node, name = None, str(trace.attrs.get("layer", ""))
    else:
        raise TypeError(
            "`trace` must be what textgate.trace returns, a node of it, or one of its signals. "
            f"Received: {type(trace).__name__}"
        )
    if node is None:
        values = trace
        said = signal or str(trace.name or "signal")
    else:
        if signal not in node.data_vars:
            raise ValueError(
                f"`signal` must name a signal of the trace; it has {[*node.data_vars]}. "
                f"Received: signal={signal!r}"
            )
        values, said = node[signal], str(signal)
    if set(values.dims) != set(_DIMS):
        raise ValueError(
            f"A signal must have the dims {_DIMS}. Received: {said!r} with dims {values.dims}"
        )
    values = values.transpose(*_DIMS)
    if "mask" in values.coords:
        mask = np.asarray(values.coords["mask"].transpose("example", "time").values, bool)
    else:
        mask = ~np.isnan(values.values).all(axis=2)
    return Signal(values, mask, said, name)


def per_example(trace: Any, signal: Signal, given: Any, what: str) -> np.ndarray:
    """Return one value an example, given as such or as the name of a label of the trace.

    Args:
        trace: The trace the signal is from; unused for values that are given.
        signal: The signal.
        given: The values, of shape `(examples,)`, or the name of a coordinate.
        what: What to call the argument in errors.

    Raises:
        ValueError: If there is no such label, or not as many values as examples, or some are
            missing.
    """
    if isinstance(given, str):
        coords: Mapping[Any, Any] = signal.values.coords
        if given not in coords:
            known = [str(n) for n, c in coords.items() if c.dims == ("example",)]
            raise ValueError(
                f"`{what}` must be values, or name a label of the trace; it has {known}. "
                f"Received: {what}={given!r}"
            )
        given = coords[given].values
    values = np.asarray(given)
    if values.shape != (signal.examples,):
        raise ValueError(
            f"`{what}` must have one value for each of the {signal.examples} examples. "
            f"Received: shape {values.shape}"
        )
    missing = [v is None or v != v for v in values.tolist()]
    if any(missing):
        raise ValueError(
            f"`{what}` must have no missing values; leave such examples out of the trace by "
            f".isel(example=…). Received: {sum(missing)} missing"
        )
    return values


def anchors(trace: Any, signal: Signal, given: Any) -> np.ndarray | None:
    """Return the anchor of each example, checked; `None` if there is none."""
    if given is None:
        return None
    values = per_example(trace, signal, given, "anchor")
    if not np.issubdtype(values.dtype, np.integer):
        raise ValueError(f"`anchor` must be whole numbers of steps. Received: {values.dtype}")
    length = signal.mask.shape[1]
    if values.min() < 0 or values.max() >= length:
        raise ValueError(
            f"`anchor` must be steps of the trace, from 0 to {length - 1}. "
            f"Received: from {values.min()} to {values.max()}"
        )
    return values.astype(np.int64)


def _node(trace: xr.DataTree, layer: str | None) -> tuple[xr.Dataset, str]:
    if trace.has_data and not trace.children:
        return trace.to_dataset(), str(trace.attrs.get("layer", trace.name or ""))
    leaves = {leaf.relative_to(trace).lstrip("./"): leaf for leaf in trace.leaves}
    found = [
        path for path in leaves if layer is None or path == layer or path.endswith(f"/{layer}")
    ]
    if len(found) != 1:
        raise ValueError(
            f"`layer` must name one layer of the trace; it has {[*leaves]}. "
            f"Received: layer={layer!r}"
        )
    return leaves[found[0]].to_dataset(), found[0]


def _steps(mask: np.ndarray, position: int, anchor: np.ndarray | None) -> np.ndarray:
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


def word_embeddings(lm: Any, texts: Sequence[str]) -> xr.DataArray:
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
    coords = {"mask": (_DIMS[:2], ids != 0), "token": (_DIMS[:2], lm.tokens(texts))}
    return xr.DataArray(table[ids], dims=_DIMS, coords=coords, name="embedding")
