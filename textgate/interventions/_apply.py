"""A change of one's own: a function of a signal."""

from dataclasses import dataclass, field
from typing import Any

from textgate.interventions._base import Intervention
from textgate.interventions._contribution import Contribution, Target
from textgate.interventions._functions import check_is_function


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Intervention):
    """Makes of a signal what a function says.

    The function becomes part of the compiled program. It is called while that is compiled, so
    numbers that it takes from elsewhere are those of its first use, and it is written with
    `keras.ops`. Two layers, or two calls, that the name stands for each go through it.

    For an intervention with parameters that JSON keeps, write a subclass of `Intervention`, whose
    `contributions` returns `Contribution(function=…)`.

    Args:
        layer: The layer's name; see `Intervention`.
        signal: The signal.
        function: From the signal of the chosen units at one step, a tensor of shape
            `(batch, chosen units)`, to what it becomes, of the same shape and type.
        units: The units; all by default.
        steps: The steps; all by default.
        subspace: The directions; see `Intervention`.

    Raises:
        TypeError: If `function` can't be called. When it meets a model, a `ValueError` says if
            what it returns has another shape or type, or if it computes with something else than
            `keras.ops`.

    Example: a cell state that can't grow beyond 1.

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4, name="lstm")])
    >>> bounded = Apply("lstm", "cell_state", lambda c: keras.ops.clip(c, -0.1, 0.1), units=[0, 2])
    >>> trace = tg.trace(tg.intervene(model, [bounded]), 9 * np.ones((2, 5, 3)))
    >>> largest = abs(trace["lstm"]["cell_state"]).max(["example", "time"])
    >>> bool(np.all(largest[[0, 2]] <= 0.1)), largest.sizes["unit"]
    (True, 4)
    """

    units: Any = field(default=None, kw_only=True)
    function: Any = None

    idempotent = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_is_function(self.function)

    def contributions(self, target: Target) -> list[Contribution]:
        """See `Intervention.contributions`."""
        return [Contribution(function=self.function)]
