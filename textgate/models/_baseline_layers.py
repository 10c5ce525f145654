"""Layers without learned recurrence, which stand where an LSTM or a GRU would.

They have no weights: what they are given are embeddings, which are learned, and what they put out
goes to the output layer, which is learned too. So the whole model is linear from the embeddings to
the logits, and can do what sums over words can do.

Each returns its outputs at all steps and then its states, like a recurrent layer with
`return_sequences=True` and `return_state=True`, and reads on from states that are given to it. The
number of units is that of the embedding's dimensions.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class _Baseline(keras.layers.Layer):
    """A layer `(batch, time, units)` -> outputs `(batch, time, …)`, and states."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = int(units)
        self.supports_masking = True

    @property
    def state_size(self) -> list[int]:
        """The size of each state."""
        return [self.units]

    @property
    def outputs(self) -> int:
        """The number of outputs at each step."""
        return self.units

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if self.outputs > 1 and sequences_shape[-1] != self.units:
            raise ValueError(
                f"`embedding` must be None or as many dimensions as the {type(self).__name__} has "
                f"units, {self.units}. Received: embedding={sequences_shape[-1]}"
            )
        self.built = True

    def initial(self, sequences: Any) -> list[Any]:
        """Return the states before the first step."""
        batch = ops.shape(sequences)[0]
        return [ops.zeros((batch, size), dtype=sequences.dtype) for size in self.state_size]

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, time = sequences_shape[:2]
        return (batch, time, self.outputs), *((batch, size) for size in self.state_size)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        mask = mask[0] if isinstance(mask, list) else mask
        return [mask, *(None for _ in self.state_size)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def _seen(sequences: Any, mask: Any) -> tuple[Any, Any]:
    """Return which steps count, and how many did so far, both `(batch | 1, time)`."""
    ones = ops.ones_like(sequences[:1, :, 0])
    counts = ones if mask is None else ops.cast(mask, sequences.dtype)
    return counts, ops.cumsum(counts, axis=1)


@keras.saving.register_keras_serializable(package="textgate")
class Constant(_Baseline):
    """Puts out a single 0 at each step, so that what follows knows of no word."""

    @property
    def state_size(self) -> list[int]:
        return []

    @property
    def outputs(self) -> int:
        return 1

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> tuple[Any, ...]:
        return (ops.zeros_like(sequences[:, :, :1]),)


@keras.saving.register_keras_serializable(package="textgate")
class Average(_Baseline):
    """The mean of the embeddings so far, this step's included: h_t = (x_1 + … + x_t) / t.

    The states are the mean, and the number of words that it is of.

    Args:
        units: Number of units.
        **kwargs: `name`, `dtype`.

    Example:

    >>> import numpy as np
    >>> outputs, mean, count = Average(1)(np.array([[[1.0], [2.0], [6.0]]], "float32"))
    >>> np.asarray(outputs)[0, :, 0].tolist()
    [1.0, 1.5, 3.0]
    """

    @property
    def state_size(self) -> list[int]:
        return [self.units, 1]

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> tuple[Any, ...]:
        mean, count = initial_state or self.initial(sequences)
        counted, seen = _seen(sequences, mask)
        total = ops.cumsum(sequences * counted[..., None], axis=1) + (mean * count)[:, None]
        seen = seen + count  # (batch, time)
        outputs = total / ops.maximum(seen, 1.0)[..., None]
        return outputs, outputs[:, -1], seen[:, -1:]


@keras.saving.register_keras_serializable(package="textgate")
class Smoothing(_Baseline):
    """Exponential averages of the embeddings at fixed rates: h_t = a ⊙ h_{t-1} + (1 − a) ⊙ x_t.

    This is a GRU's leak with a gate that neither the words nor the past can move. Each unit has
    one rate; neighbours have different ones. As a slow average varies less than what it averages,
    each is put out times √((1 + a) / (1 − a)), which gives it the variance of independent inputs.

    Args:
        units: Number of units.
        half_lives: After how many words a half is left, a = 2^(−1 / half-life); 0 for the word
            itself. Unit u has the u-th, over and over.
        **kwargs: `name`, `dtype`.

    Example:

    >>> import numpy as np
    >>> layer = Smoothing(2, half_lives=[0, 1])
    >>> _, last = layer(np.array([[[8.0, 8.0], [2.0, 2.0]]], "float32"))
    >>> np.asarray(last)[0].tolist()
    [2.0, 3.0]
    """

    def __init__(self, units: int, half_lives: Sequence[float] = (0, 8), **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if not half_lives or any(half_life < 0 for half_life in half_lives):
            raise ValueError(
                "`half_lives` must be numbers of words, 0 or more, at least one. "
                f"Received: half_lives={half_lives!r}"
            )
        self.half_lives = tuple(float(half_life) for half_life in half_lives)
        self.rates = tuple(0.5 ** (1 / h) if h else 0.0 for h in self.half_lives)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> tuple[Any, ...]:
        (before,) = initial_state or self.initial(sequences)
        counted, seen = _seen(sequences, mask)
        # How many words after word s step t is: (batch | 1, t, s); and what of them is before t.
        after = seen[:, :, None] - seen[:, None, :]
        causal = ops.cast(ops.tril(ops.ones_like(after)) * counted[:, None, :], sequences.dtype)
        after = ops.maximum(after, 0.0)
        # All averages of one rate are one product over time.
        kinds = len(self.rates)
        averages: list[Any] = []
        order: list[int] = []
        for kind, rate in enumerate(self.rates[: self.units]):
            left = ops.power(rate, after) * causal * (1 - rate)
            from_words = ops.matmul(left, sequences[:, :, kind::kinds])
            from_before = ops.power(rate, seen)[..., None] * before[:, None, kind::kinds]
            averages.append(from_words + from_before)
            order.extend(range(kind, self.units, kinds))
        place = [order.index(unit) for unit in range(self.units)]
        h = ops.take(ops.concatenate(averages, axis=-1), place, axis=-1)
        gains = [((1 + rate) / (1 - rate)) ** 0.5 for rate in self.rates]
        gain = [gains[unit % kinds] for unit in range(self.units)]
        return h * ops.convert_to_tensor(gain, dtype=sequences.dtype), h[:, -1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "half_lives": list(self.half_lives)}


@keras.saving.register_keras_serializable(package="textgate")
class LastWords(_Baseline):
    """The embeddings of the last words side by side, zeros before the first.

    With a linear output this is a linear autoregression on words (the log-bilinear model of Mnih &
    Hinton 2007). The padding must be on the right; a mask isn't looked at.

    Args:
        units: Number of units: the embedding's dimensions.
        words: How many words, this step's included.
        **kwargs: `name`, `dtype`.

    Example:

    >>> import numpy as np
    >>> outputs, _ = LastWords(1, words=2)(np.array([[[1.0], [2.0], [3.0]]], "float32"))
    >>> np.asarray(outputs)[0].tolist()
    [[1.0, 0.0], [2.0, 1.0], [3.0, 2.0]]
    """

    def __init__(self, units: int, words: int = 5, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        if words < 1:
            raise ValueError(f"`words` must be at least 1. Received: words={words!r}")
        self.words = int(words)

    @property
    def state_size(self) -> list[int]:
        return [self.units * self.words]

    @property
    def outputs(self) -> int:
        return self.units * self.words

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> tuple[Any, ...]:
        (before,) = initial_state or self.initial(sequences)
        # The state is an output: the latest word first. In time, it stands last.
        past = ops.reshape(before, (-1, self.words, self.units))
        line = ops.concatenate([ops.flip(past, axis=1), sequences], axis=1)
        time = ops.shape(sequences)[1]
        lags = [line[:, self.words - lag : self.words - lag + time] for lag in range(self.words)]
        outputs = ops.concatenate(lags, axis=-1)
        return outputs, outputs[:, -1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "words": self.words}


LAYERS: dict[str, Any] = {
    "constant": Constant,
    "average": Average,
    "smoothing": Smoothing,
    "last_words": LastWords,
}
