"""What a training shows in TensorBoard: losses, and histograms of the gates.

The gates are those that the layers compute on one batch of the validation data, read from a twin
of each layer that has its weights and `return_gates=True`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from textgate._special_tokens import PAD
from textgate.layers import GRU, LSTM
from textgate.models import LanguageModel


class Board:
    """Writes events for TensorBoard.

    Args:
        lm: The model.
        validation: Batches, of which the first is looked at.
        directory: Where events go.
    """

    def __init__(self, lm: LanguageModel, validation: Any, directory: Path) -> None:
        self._lm = lm
        self._batch = next(iter(validation.epoch(0)))
        self._writer = tf.summary.create_file_writer(str(directory))

    def write(self, row: dict[str, Any]) -> None:
        """Write a row of the history and the gates as they are now."""
        step = row["step"]
        with self._writer.as_default():
            for name in ("loss", "validation_loss", "learning_rate"):
                tf.summary.scalar(name, row[name], step=step)
            for name, values in gates(self._lm, self._batch.inputs).items():
                tf.summary.histogram(name, values, step=step)
        self._writer.flush()


def gates(lm: LanguageModel, ids: np.ndarray) -> dict[str, np.ndarray]:
    """Return the values of each signal at all words of some sentences.

    Args:
        lm: The model.
        ids: Of shape `(batch, time)`, right-padded with 0.

    Returns:
        `layer/signal` to values of shape `(words, units)`; none of layers that have no gates.
    """
    if not all(isinstance(layer, LSTM | GRU) for layer in lm.recurrent_layers):
        return {}
    x: Any = tf.gather(lm.get_layer("embedding").embeddings.value, ids)
    is_word = np.asarray(ids) != PAD
    at_words = {}
    for layer in lm.recurrent_layers:
        config = {**layer.get_config(), "return_gates": True}
        twin = type(layer).from_config(config)
        twin.build(x.shape)
        twin.set_weights(layer.get_weights())
        x, *_, signals = twin(x)
        for name, values in signals.items():
            at_words[f"{layer.name}/{name}"] = np.asarray(values)[is_word]
    return at_words
