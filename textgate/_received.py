"""What an object is that isn't what was asked for, and the way from it.

People come with a model of PyTorch, with one of Keras 2, with ragged tensors, with a path. Each is
told by its class, so that nothing has to be imported for it, and named together with what to do;
without that, it would meet an error from somewhere inside.
"""

import os
from collections.abc import Iterable
from typing import Any

_FEW = 6  # names of many that an error lists


def check_model(model: Any, error: type[Exception] = TypeError) -> None:
    """Raise unless an object is a Keras model.

    Args:
        model: The object.
        error: What to raise.
    """
    import keras

    if not isinstance(model, keras.Model):
        raise error(
            f"`model` must be a Keras model; {_way_to_a_model(model)}. Received: {_name(model)}"
        )


def _way_to_a_model(received: Any) -> str:
    """Return what an object is and how to get a Keras model from it."""
    import keras

    packages = _packages(received)
    if isinstance(received, type):
        return "this is a class; make a model of it first"
    if isinstance(received, str | os.PathLike):
        return "this is a path, so load it by textgate.load(path)"
    if isinstance(received, keras.Layer):
        return "this is a layer, so wrap it in keras.Sequential([layer])"
    if "torch" in packages:
        return "this is one of PyTorch, so bring it in by textgate.from_torch"
    if "tf_keras" in packages:
        return (
            "this is one of Keras 2 (tf_keras), so save it there as .h5 or .keras and read that by "
            "textgate.load"
        )
    if "tensorflow" in packages:
        return (
            "this is a loaded SavedModel, of which only the graphs are left; textgate.load(path) "
            "brings those of textgate back"
        )
    return "load one by textgate.load"


def check_backend() -> None:
    """Raise a `ValueError` if Keras runs on a backend that textgate doesn't compute with."""
    import keras

    if keras.backend.backend() in ("torch", "openvino"):
        raise ValueError(
            "textgate computes with Keras on TensorFlow or JAX; set KERAS_BACKEND before Keras is "
            f"imported. Received: backend {keras.backend.backend()!r}"
        )


def check_plain(inputs: Any) -> None:
    """Raise a `TypeError` for tensors that aren't arrays: ragged and sparse ones, PyTorch's.

    Args:
        inputs: A tensor, or a structure of tensors.
    """
    from keras import tree

    kinds = {type(leaf): leaf for leaf in tree.flatten(inputs)}
    for leaf in kinds.values():
        way = _way_to_an_array(leaf)
        if way is not None:
            raise TypeError(f"`inputs` must be arrays; {way}. Received: {_name(leaf)}")


def _way_to_an_array(received: Any) -> str | None:
    """Return what a tensor is and how to get an array from it; `None` if it is one."""
    name, packages = type(received).__name__, _packages(received)
    if "tensorflow" in packages and name.startswith("Ragged"):
        return (
            "this is ragged, so pad it first, as by inputs.to_tensor(), and let the model mask the "
            "padding"
        )
    if "tensorflow" in packages and name.startswith("Sparse"):
        return "this is sparse, so make it dense first, as by tf.sparse.to_dense(inputs)"
    if "scipy" in packages:
        return "this is sparse, so make it dense first, as by inputs.toarray()"
    if "torch" in packages and not _is_readable(received):
        return "this is one of PyTorch, so hand over inputs.detach().cpu().numpy()"
    return None


def _is_readable(received: Any) -> bool:
    """Whether NumPy reads a tensor; PyTorch refuses one with a gradient, or on another device."""
    import numpy as np

    try:
        return np.asarray(received).dtype != object
    except (RuntimeError, TypeError):
        return False


def check_table(name: str, table: Any) -> None:
    """Raise a `TypeError` unless something is a table.

    Args:
        name: What it is called, for the error: `"pairs"`.
        table: What should be a `pandas.DataFrame`.
    """
    import pandas as pd

    if not isinstance(table, pd.DataFrame):
        raise TypeError(
            f"`{name}` must be a table (pandas.DataFrame), as textgate.datasets.minimal_pairs "
            f"returns it. Received: {_name(table)}"
        )


def few(values: Iterable[Any]) -> str:
    """Return values as an error lists them: the first few, and how many there are.

    Example:

    >>> few("abc"), few(range(50))
    ("['a', 'b', 'c']", '[0, 1, 2, 3, 4, 5, … of 50]')
    """
    listed = list(values)
    if len(listed) <= _FEW + 2:
        return repr(listed)
    return f"[{', '.join(map(repr, listed[:_FEW]))}, … of {len(listed)}]"


def _packages(received: Any) -> set[str]:
    """Return the packages that an object's class and its parents come from."""
    kind = received if isinstance(received, type) else type(received)
    return {each.__module__.partition(".")[0] for each in kind.__mro__}


def _name(received: Any) -> str:
    """Return what to call an object that was received."""
    is_class = isinstance(received, type)
    return f"the class {received.__name__}" if is_class else type(received).__name__
