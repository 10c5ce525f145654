"""A user's own decision: a function of a model's outputs to one number an example.

The protocol reads it on halves of the items, and on each with many sets of units changed. So the
function must go by an example's own outputs. One that has numbers of its own for the examples, such
as their targets, would mix them up, and that is found out when it is first called.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import tree

_TOLERANCE = 1e-4  # of what the same outputs give in another order


class Readout:
    """A function of outputs that reads each example by itself.

    Args:
        function: It takes what the model returns for some examples, and returns a number for each.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._checked = False

    def __call__(self, outputs: Any) -> np.ndarray:
        """Return a number for each example.

        Raises:
            ValueError: If the function doesn't return as many numbers as there are examples, or
                doesn't go by the examples alone.
        """
        decisions = self._of(outputs)
        if not self._checked:
            backwards = self._of(tree.map_structure(lambda array: np.asarray(array)[::-1], outputs))
            scale = np.abs(decisions).max(initial=0)
            if not np.allclose(backwards[::-1], decisions, atol=_TOLERANCE * scale, equal_nan=True):
                raise ValueError(
                    "`readout` must read each example by its outputs alone; what differs from item "
                    "to item goes into `good` and `bad`, 1 where a positive number is right and 0 "
                    "where a negative one is. Received: a function that gives other numbers when "
                    "the examples come in another order"
                )
            self._checked = True
        return decisions

    def _of(self, outputs: Any) -> np.ndarray:
        examples = len(tree.flatten(outputs)[0])
        try:
            decisions = np.asarray(self._function(outputs))
        except (ValueError, IndexError) as error:
            raise ValueError(
                "`readout` must take the outputs of any number of examples. Received: a function "
                f"that fails on those of {examples}: {' '.join(str(error).split())}"
            ) from error
        if decisions.shape != (examples,):
            raise ValueError(
                "`readout` must return one number for each example. "
                f"Received: shape {decisions.shape} for {examples} examples"
            )
        return decisions
