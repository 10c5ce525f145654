"""The architecture of a `LanguageModel`: the arguments that decide it, checked, and its graph."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from textgate._backend import Tensor
from textgate.models._cells import CELLS, make_layer


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What `LanguageModel` is told besides its tokenizer and its name; see there.

    Raises:
        ValueError: If an argument is out of range.
    """

    cell: str
    units: Any
    embedding: Any
    tied: bool
    dropout: float
    seed: int | None
    embedding_scale: float
    forget_bias: float | None
    dtype: Any

    def __post_init__(self) -> None:
        units = _checked_units(self.units)
        embedding = self.embedding
        if embedding is None:
            embedding = units[-1] if self.tied else units[0]
        if self.cell not in CELLS:
            received = f"Received: cell={self.cell!r}"
            raise ValueError(f"`cell` must be one of {', '.join(CELLS)}. {received}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(
                f"`dropout` must be at least 0 and less than 1. Received: dropout={self.dropout!r}"
            )
        if not _is_positive(embedding):
            raise ValueError(
                f"`embedding` must be a positive integer or None. Received: embedding={embedding!r}"
            )
        if not self.embedding_scale > 0:
            raise ValueError(
                "`embedding_scale` must be above 0. "
                f"Received: embedding_scale={self.embedding_scale!r}"
            )
        bias = self.forget_bias
        if bias is not None and not abs(bias) < math.inf:
            raise ValueError(
                f"`forget_bias` must be a number or None. Received: forget_bias={bias!r}"
            )
        plain = {
            "units": units,
            "embedding": int(embedding),
            "tied": bool(self.tied),
            "dropout": float(self.dropout),
            "embedding_scale": float(self.embedding_scale),
            "forget_bias": None if bias is None else float(bias),
            "dtype": None if self.dtype is None else keras.dtype_policies.get(self.dtype).name,
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)

    @property
    def config(self) -> dict[str, Any]:
        """The arguments, ready for JSON."""
        return {**dataclasses.asdict(self), "units": list(self.units)}

    @property
    def layer_names(self) -> list[str]:
        """The names of the recurrent layers, from the input up."""
        return [_numbered(CELLS[self.cell].layer, index) for index in range(len(self.units))]

    @property
    def dropout_names(self) -> list[str]:
        """The names of the dropout layers: below each recurrent layer, and below the output."""
        if not self.dropout:
            return []
        return [_numbered("dropout", index) for index in range(len(self.units) + 1)]

    @property
    def has_projection(self) -> bool:
        """Whether a linear layer stands between the last recurrent one and a tied output."""
        return self.tied and self.units[-1] != self.embedding

    def graph(self, vocabulary: int) -> tuple[Tensor, Tensor]:
        """Return inputs and outputs of the model's graph, with new weights.

        Args:
            vocabulary: How many words the model knows.
        """
        random = np.random.default_rng(self.seed)

        def fresh() -> int:
            return int(random.integers(2**31 - 1))

        inputs = keras.Input((None,), dtype="int32", name="ids")
        scale = self.embedding_scale
        embedding = keras.layers.ReversibleEmbedding(
            vocabulary,
            self.embedding,
            tie_weights=True,
            embeddings_initializer=keras.initializers.RandomUniform(-scale, scale, seed=fresh()),
            mask_zero=True,
            dtype=self.dtype,
            name="embedding",
        )
        x = embedding(inputs)
        for index, (name, size) in enumerate(zip(self.layer_names, self.units, strict=True)):
            x = self._dropped(x, index, fresh)
            layer = make_layer(
                self.cell,
                size,
                kernel_initializer=keras.initializers.GlorotUniform(seed=fresh()),
                recurrent_initializer=keras.initializers.Orthogonal(seed=fresh()),
                dtype=self.dtype,
                name=name,
            )
            # The last states are for reading on from there; the graph doesn't use them.
            x, *_ = layer(x)
            if self.forget_bias is not None and CELLS[self.cell].is_recurrent:
                _set_forget_bias(layer.cell, self.forget_bias)
        x = self._dropped(x, len(self.units), fresh)
        if not self.tied:
            return inputs, self._dense(vocabulary, "output", fresh)(x)
        if self.has_projection:
            x = self._dense(self.embedding, "projection", fresh, use_bias=False)(x)
        return inputs, embedding(x, reverse=True)

    def _dropped(self, x: Tensor, index: int, fresh: Callable[[], int]) -> Tensor:
        if not self.dropout:
            return x
        name = self.dropout_names[index]
        return keras.layers.Dropout(self.dropout, seed=fresh(), dtype=self.dtype, name=name)(x)

    def _dense(self, size: int, name: str, fresh: Callable[[], int], use_bias: bool = True) -> Any:
        initializer = keras.initializers.GlorotUniform(seed=fresh())
        return keras.layers.Dense(
            size, use_bias=use_bias, kernel_initializer=initializer, dtype=self.dtype, name=name
        )


def _numbered(kind: str, index: int) -> str:
    return kind if index == 0 else f"{kind}_{index}"


def _is_positive(value: Any) -> bool:
    is_integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return is_integer and bool(value > 0)


def _checked_units(units: int | Sequence[int]) -> tuple[int, ...]:
    sizes = (units,) if _is_positive(units) else units
    if not isinstance(sizes, list | tuple) or not sizes or not all(map(_is_positive, sizes)):
        raise ValueError(
            "`units` must be a positive integer, or one for each recurrent layer. "
            f"Received: units={units!r}"
        )
    return tuple(int(size) for size in sizes)


def _set_forget_bias(cell: Any, value: float) -> None:
    """Set the bias of the gates that retain, if the cell has gates."""
    from textgate.layers import spec_of  # as in `textgate.models._cells`, not yet there above

    equations = spec_of(cell).cell
    if not equations.gates:
        return
    bias = np.array(keras.ops.convert_to_numpy(cell.bias))
    columns = equations.columns_of(equations.retention[0], cell.units)
    np.atleast_2d(bias)[0, columns] = value  # a GRU may have two biases; the first is the input's
    cell.bias.assign(bias)
