"""Activations that Keras 3 computes otherwise than the versions that old files come from."""

from typing import Any

import keras
from keras import ops

Tensor = Any  # of the backend, or symbolic


@keras.saving.register_keras_serializable(package="textgate")
def keras2_hard_sigmoid(x: Tensor) -> Tensor:
    """Return clip(0.2 x + 0.5, 0, 1), the hard sigmoid of Keras 1 and 2.

    Keras 3 computes clip(x / 6 + 0.5, 0, 1) under the same name. It was the default
    `recurrent_activation` of LSTM and GRU layers until Keras 2.2, so that most old models have it.

    Args:
        x: A tensor of any shape.

    Returns:
        A tensor of the same shape.

    Example:

    >>> import numpy as np
    >>> np.asarray(keras2_hard_sigmoid(np.array([-3.0, 0.0, 1.0, 3.0]))).round(1).tolist()
    [0.0, 0.5, 0.7, 1.0]
    >>> np.asarray(keras.activations.hard_sigmoid(np.array([1.0]))).round(2).tolist()
    [0.67]
    """
    x = ops.convert_to_tensor(x)
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)
