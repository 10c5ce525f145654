"""AdamW with clipping by global norm, in one fused pass over each weight; and plain SGD.

Keras's optimizers write each step as a dozen operations over arrays of the weights' size, and with
a vocabulary of 20,000 that alone takes a tenth of a step. TensorFlow has all of Adam as one
operation.

Reference: Loshchilov & Hutter 2019, Decoupled weight decay regularization.
"""

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

_BETA1, _EPSILON = 0.9, 1e-7


class AdamW:
    """AdamW over TensorFlow variables, of the mean loss per word.

    Args:
        variables: What to optimise.
        weight_decay: The decoupled weight decay, times the learning rate in each step.
        clip: The largest global norm of the gradients.
        beta2: Decay of the second moment.
        decayed: For each variable, whether it decays; `None`: matrices do, vectors (biases) don't.

    Attributes:
        variables: Its own state, for checkpoints: how many steps were taken, and the moments.
        per_row: Whether the loss is summed over the steps of each row, or a mean over all words.
    """

    per_row = False

    def __init__(
        self,
        variables: Sequence[tf.Variable],
        weight_decay: float,
        clip: float,
        beta2: float,
        decayed: Sequence[bool] | None = None,
    ) -> None:
        self._weights = list(variables)
        self._decayed = [len(w.shape) > 1 for w in self._weights] if decayed is None else decayed
        self._decay, self._clip, self._beta2 = weight_decay, clip, beta2
        self._first = [tf.Variable(tf.zeros_like(w), trainable=False) for w in self._weights]
        self._second = [tf.Variable(tf.zeros_like(w), trainable=False) for w in self._weights]
        self._steps = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.variables = [self._steps, *self._first, *self._second]

    def apply(self, gradients: Sequence[Any], rate: tf.Tensor) -> tf.Tensor:
        """Take a step and return the gradients' global norm before clipping.

        Args:
            gradients: One for each variable, dense or `tf.IndexedSlices`.
            rate: The learning rate, a scalar.
        """
        gradients = [_single_rows(g, w) for g, w in zip(gradients, self._weights, strict=True)]
        norm = tf.sqrt(tf.add_n([2 * tf.nn.l2_loss(_values(g)) for g in gradients]))
        scale = self._clip / tf.maximum(norm, self._clip)
        taken = tf.cast(self._steps.assign_add(1), tf.float32)
        powers = [tf.pow(tf.constant(beta), taken) for beta in (_BETA1, self._beta2)]
        for weight, first, second, gradient, decays in zip(
            self._weights, self._first, self._second, gradients, self._decayed, strict=True
        ):
            if self._decay and decays:
                weight.assign_sub(rate * self._decay * weight)
            tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=powers[0],
                beta2_power=powers[1],
                lr=rate,
                beta1=_BETA1,
                beta2=self._beta2,
                epsilon=_EPSILON,
                grad=_scaled(gradient, scale),
            )
        return norm


class SGD:
    """Plain gradient descent with clipping, of the loss summed over the steps of each row.

    The mean is over the rows alone: that is the loss that Zaremba et al. 2014 (Recurrent neural
    network regularization) take a learning rate of 1 for, and whose gradient they clip.

    Args:
        variables: What to optimise.
        clip: The largest global norm of the gradients.

    Attributes:
        variables: Its own state, for checkpoints: none.
        per_row: As of `AdamW`.
    """

    per_row = True

    def __init__(self, variables: Sequence[tf.Variable], clip: float) -> None:
        self._weights, self._clip = list(variables), clip
        self.variables: list[tf.Variable] = []

    def apply(self, gradients: Sequence[Any], rate: tf.Tensor) -> tf.Tensor:
        """Take a step and return the gradients' global norm before clipping; see `AdamW`."""
        gradients = [_single_rows(g, w) for g, w in zip(gradients, self._weights, strict=True)]
        norm = tf.sqrt(tf.add_n([2 * tf.nn.l2_loss(_values(g)) for g in gradients]))
        scale = rate * self._clip / tf.maximum(norm, self._clip)
        for weight, gradient in zip(self._weights, gradients, strict=True):
            weight.assign_sub(_scaled(gradient, scale))
        return norm


def _single_rows(gradient: Any, weight: tf.Variable) -> Any:
    """Return a gradient that has each row once, so that its values' squares add up to its norm."""
    if gradient is None:
        return tf.zeros_like(weight)
    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(gradient.values, places, tf.size(rows))
    return tf.IndexedSlices(values, rows, tf.shape(weight, out_type=rows.dtype))


def _values(gradient: Any) -> tf.Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _scaled(gradient: Any, scale: tf.Tensor) -> tf.Tensor:
    """Return a gradient, scaled and dense; few rows are scaled before they are many."""
    if isinstance(gradient, tf.IndexedSlices):
        rows = gradient.indices[:, None]
        return tf.scatter_nd(rows, gradient.values * scale, gradient.dense_shape)
    return gradient * scale
