"""What a call of a SavedModel must fulfil, checked inside the graph, and how much it may ask for.

Nothing of Python is there when a SavedModel is served, so what a caller gets wrong has to be found
by operations of the graph. `demand` is such an operation: it lets a tensor through if a condition
holds, and fails the call with a message of ours otherwise (`tf.errors.InvalidArgumentError`, which
a server passes on to its client). Whatever is computed from the tensor that was let through comes
after the check.

The limits keep one call from taking a server's memory.
"""

from typing import Any

import tensorflow as tf

# Bytes of one text, and of all texts of a call.
TEXT_BYTES = 2**16
CALL_BYTES = 2**22
# Numbers that one call may hold at a time: of signals (texts × longest text × signals' units), or
# of probabilities (texts × vocabulary). 1 GiB as float32.
CALL_VALUES = 2**28


def demand(tensor: Any, condition: Any, message: str, *received: Any) -> tf.Tensor:
    """Return `tensor`, after an assertion.

    Args:
        tensor: What is to be let through.
        condition: A scalar boolean tensor.
        message: What is wrong and what would be right, up to "Received:".
        *received: Tensors to show, and words between them.

    Example:

    >>> int(demand(tf.constant(3), tf.constant(True), "never seen"))
    3
    """
    assertion = tf.debugging.Assert(condition, [f"{message} Received:", *received], summarize=8)
    with tf.control_dependencies([] if assertion is None else [assertion]):
        return tf.identity(tensor)
