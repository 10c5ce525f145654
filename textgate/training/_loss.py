"""The softmax cross-entropy over a large vocabulary, in as few passes over memory as possible.

With 20,000 words and 256 features, five sixths of a training step's multiplications are the three
products of the softmax: logits = h W + b, and back, dh = dlogits Wᵀ and dW = hᵀ dlogits. What
makes it slower than these products is the array of logits, `(words, vocabulary)`: automatic
differentiation writes and reads it about eight times over. Here

- only positions with a target have logits, none of the padding;
- loss and dlogits come from one pass over the logits, in which TensorFlow computes both anyway;
- the upstream gradient, one number for all words, scales the small results instead of dlogits.
"""

from typing import Any

import tensorflow as tf

from textgate.recurrence.fast.custom_gradients import custom_gradient


def summed_cross_entropy(
    features: tf.Tensor, matrix: tf.Tensor, bias: Any, labels: tf.Tensor, transposed: bool
) -> tf.Tensor:
    """Return Σ −log softmax(features · matrix + bias)[label], exact, with a fast gradient.

    Args:
        features: Of shape `(words, features)`.
        matrix: Of shape `(features, vocabulary)`, or transposed.
        bias: Of shape `(vocabulary,)`, or `None`.
        labels: The right words, int32 of shape `(words,)`.
        transposed: Whether `matrix` is `(vocabulary, features)`.

    Returns:
        A scalar, in nats.
    """

    @custom_gradient
    def function(features: tf.Tensor, matrix: tf.Tensor, *bias: tf.Tensor) -> Any:
        logits = tf.matmul(features, matrix, transpose_b=transposed)
        if bias:
            logits = logits + bias[0]
        losses, d_logits = tf.raw_ops.SparseSoftmaxCrossEntropyWithLogits(
            features=logits, labels=labels
        )

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            d_features = tf.matmul(d_logits, matrix, transpose_b=not transposed)
            if transposed:
                d_matrix = tf.matmul(d_logits, features, transpose_a=True)
            else:
                d_matrix = tf.matmul(features, d_logits, transpose_a=True)
            results = [upstream * d_features, upstream * d_matrix]
            if bias:
                # As a product: a column sum by TensorFlow takes longer than the matrix products.
                ones = tf.ones((1, tf.shape(d_logits)[0]), d_logits.dtype)
                results.append(upstream * tf.matmul(ones, d_logits)[0])
            return tuple(results)

        return tf.reduce_sum(losses), gradient

    arguments = (features, matrix) if bias is None else (features, matrix, bias)
    return function(*(tf.convert_to_tensor(argument) for argument in arguments))
