"""Functions of a signal that users write: what they must be, and how they are kept as JSON."""

from collections.abc import Callable
from typing import Any

import keras

from textgate.interventions._contribution import Target


def check_is_function(function: Any) -> None:
    """Raise an error if something can't be the function of an intervention.

    Raises:
        TypeError: If it can't be called, or can't be told from others by its hash.
    """
    if not callable(function) or isinstance(function, type):
        raise TypeError(
            "`function` must take a signal and return what becomes of it, as `lambda c: 0.5 * c`. "
            f"Received: function={function!r}"
        )
    try:
        hash(function)
    except TypeError:
        raise TypeError(
            "`function` must be hashable, since what is compiled for it is kept; wrap it in a "
            f"function. Received: a {type(function).__name__}"
        ) from None


def check_in_place(function: Callable[[Any], Any], target: Target) -> None:
    """Raise a `ValueError` if a function doesn't make of a target's signal one of the same kind.

    It is tried as it will be used: on a tensor of which only the shape and the type are known.
    """
    shape, dtype = (None, len(target.numbers)), target.site.cell.compute_dtype
    where = f"{target.name} of {target.site.path!r}: the function"
    trial = _Trial(function)
    try:
        result = trial.compute_output_spec(keras.KerasTensor(shape, dtype))
    except Exception as kerass:
        error = trial.error or kerass
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ValueError(
            f"{where} must compute with `keras.ops` (not NumPy, nor Python's `if` and `float`) on "
            f"a tensor of shape (batch, {shape[1]}). Received: a function that raises "
            f"{type(error).__name__}{': ' + lines[0] if lines else ''}"
        ) from error
    received = type(result).__name__
    if isinstance(result, keras.KerasTensor):
        if tuple(result.shape) == shape and result.dtype == dtype:
            return
        sizes = str(tuple(result.shape)).replace("None", "batch")
        received = f"{result.dtype} of shape {sizes}"
    raise ValueError(
        f"{where} must return a tensor like the one it gets, {dtype} of shape (batch, {shape[1]}), "
        f"as `keras.ops.full_like` makes one of a number. Received: {received}"
    )


class _Trial(keras.Operation):  # type: ignore[misc]  # Keras has no types
    """Calls a function on symbolic tensors of the backend, and remembers its own error."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function = function
        self.error: Exception | None = None

    def call(self, signal: Any) -> Any:
        try:
            return self.function(signal)
        except Exception as error:
            self.error = error
            raise


def registered_name(function: Callable[[Any], Any], intervention: Any) -> str:
    """Return the name under which Keras knows a function.

    Raises:
        ValueError: If it isn't registered.
    """
    name = keras.saving.get_registered_name(function)
    if keras.saving.get_registered_object(name) is not function:
        raise ValueError(
            "JSON has no code in it: give the function a name by which it is found again, with "
            '`@keras.saving.register_keras_serializable("mine")`, or keep the Python file. '
            f"Received: {intervention!r}"
        )
    return str(name)


def registered_function(name: Any) -> Callable[[Any], Any]:
    """Return the function that Keras knows under a name.

    Raises:
        ValueError: If there is none.
    """
    function: Callable[[Any], Any] | None = None
    if isinstance(name, str):
        function = keras.saving.get_registered_object(name)
    if function is None:
        raise ValueError(
            "The function of an intervention must be registered with Keras before it is read; "
            f"import the module that defines it. Received: {str(name)[:80]!r}"
        )
    return function
