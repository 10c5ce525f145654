"""The compiled steps of training and validation."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from textgate._special_tokens import PAD
from textgate.models import LanguageModel
from textgate.training._loss import summed_cross_entropy
from textgate.training._optimizer import SGD, AdamW
from textgate.training._sampling import Sampler


class Steps:
    """Steps of training and validation for one model, with the states of running text.

    Args:
        lm: The model.
        make_optimizer: Makes the optimizer of a list of variables; `None` to validate only.
        rows: The number of parallel streams of running text, whose states are carried from batch
            to batch; `None` if each row of a batch is a sentence.
        sampler: Draws the words over which training takes its softmax; `None` for all.

    Attributes:
        optimizer: What takes the steps, or `None`.
        states: The carried states of each recurrent layer.
    """

    def __init__(
        self,
        lm: LanguageModel,
        make_optimizer: Callable[[list[tf.Variable]], AdamW | SGD] | None,
        rows: int | None,
        sampler: Sampler | None = None,
    ) -> None:
        self._lm, self._sampler = lm, sampler
        self._weights = [weight.value for weight in lm.trainable_variables]
        # A sample of the output's words is a choice of columns of its matrix, far apart in memory.
        # So training keeps it transposed, and `to_model` brings it back.
        self._kernel, self._transposed = None, None
        if sampler is not None and not lm.tied:
            self._kernel = lm.get_layer("output").kernel.value
            self._transposed = tf.Variable(tf.transpose(self._kernel), trainable=False)
            self._weights = [
                self._transposed if weight is self._kernel else weight for weight in self._weights
            ]
        self.optimizer = None if make_optimizer is None else make_optimizer(self._weights)
        self.states: list[list[tf.Variable]] = []
        if rows is not None:
            sizes = [layer.state_size for layer in lm.recurrent_layers]
            self.states = [
                [tf.Variable(tf.zeros((rows, n)), trainable=False) for n in _listed(of_layer)]
                for of_layer in sizes
            ]
        ids = tf.TensorSpec((rows, None), tf.int32)
        rate = tf.TensorSpec((), tf.float32)
        drawn = [tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32), ids]
        signature = [ids, ids, rate, *(drawn if sampler is not None else [])]
        # Traced when it is first called: most trainings need both, a resumed one may need one.
        self._train = {
            dropout: tf.function(
                functools.partial(self._train_step, dropout), input_signature=signature
            )
            for dropout in (False, True)
        }
        self._validate = tf.function(self._validation_step, input_signature=[ids, ids])

    def train(
        self, batch: Any, rate: float, step: int = 0, dropout: bool = True
    ) -> tuple[float, int]:
        """Learn from a batch; return the summed loss in nats and the number of words predicted."""
        self._begin(batch)
        drawn = () if self._sampler is None else self._sampler.draw(batch.targets, step)
        loss, words = self._train[dropout](
            batch.inputs, batch.targets, tf.constant(rate, tf.float32), *drawn
        )
        return float(loss), int(words)

    def to_model(self) -> None:
        """Bring the model's weights up to date with the steps taken."""
        if self._kernel is not None:
            self._kernel.assign(tf.transpose(self._transposed))

    def from_model(self) -> None:
        """Go on from the model's weights, when they were set from outside."""
        if self._transposed is not None:
            self._transposed.assign(tf.transpose(self._kernel))

    def validate(self, batches: Any) -> float:
        """Return the loss per word, in nats, over batches; the carried states are as before."""
        self.to_model()
        before = [[state.numpy() for state in layer] for layer in self.states]
        loss, words = 0.0, 0
        for batch in batches:
            self._begin(batch)
            of_batch, in_batch = self._validate(batch.inputs, batch.targets)
            loss, words = loss + float(of_batch), words + int(in_batch)
        for layer, values in zip(self.states, before, strict=True):
            for state, value in zip(layer, values, strict=True):
                state.assign(value)
        return loss / max(words, 1)

    def _begin(self, batch: Any) -> None:
        """Forget the states of the rows in which a new stream begins."""
        if self.states and np.any(batch.begins):
            going_on = tf.constant(~np.asarray(batch.begins)[:, None], tf.float32)
            for layer in self.states:
                for state in layer:
                    state.assign(state * going_on)

    def _loss(
        self, inputs: Any, targets: Any, training: bool, drawn: tuple[Any, ...] = ()
    ) -> tuple[tf.Tensor, tf.Tensor]:
        initial = [[state.value() for state in layer] for layer in self.states] or None
        hidden, last = self._lm.hidden(inputs, initial_states=initial, training=training)
        if self.states:
            for layer, values in zip(self.states, last, strict=True):
                for state, value in zip(layer, values, strict=True):
                    state.assign(tf.stop_gradient(value))
        places = tf.where(tf.not_equal(targets, PAD))
        weights, offsets, transposed = self._lm.readout_weights
        matrix, bias = weights.value, None if offsets is None else offsets.value
        if drawn:
            ids, correction, targets = drawn
            matrix = tf.gather(matrix if transposed else self._transposed, ids)
            transposed = True
            bias = correction if bias is None else tf.gather(bias, ids) + correction
        loss = summed_cross_entropy(
            tf.gather_nd(hidden, places),
            matrix,
            bias,
            tf.gather_nd(targets, places),
            transposed,
        )
        return loss, tf.shape(places)[0]

    def _train_step(
        self, dropout: bool, inputs: Any, targets: Any, rate: Any, *drawn: Any
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if self.optimizer is None:
            raise ValueError("training needs an optimizer. Received: None")
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self._weights)
            loss, words = self._loss(inputs, targets, training=dropout, drawn=drawn)
            count = tf.shape(inputs)[0] if self.optimizer.per_row else words
            mean = loss / tf.cast(count, loss.dtype)
        self.optimizer.apply(tape.gradient(mean, self._weights), rate)
        return loss, words

    def _validation_step(self, inputs: Any, targets: Any) -> tuple[tf.Tensor, tf.Tensor]:
        return self._loss(inputs, targets, training=False)


def _listed(sizes: Any) -> list[int]:
    return [int(size) for size in (sizes if isinstance(sizes, list | tuple) else [sizes])]
