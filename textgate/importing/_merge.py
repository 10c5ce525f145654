"""The `Merge` layer of Keras 1 as the layer that came for it."""

from collections.abc import Mapping
from typing import Any

import keras

_LAYERS = {
    "sum": keras.layers.Add,
    "mul": keras.layers.Multiply,
    "ave": keras.layers.Average,
    "max": keras.layers.Maximum,
}


def merged(config: Mapping[str, Any]) -> Any:
    """Return the layer for the configuration of a `Merge`.

    Raises:
        ValueError: If it merges by a function.
    """
    mode, name = config.get("mode", "sum"), config.get("name")
    axes = config.get("dot_axes", -1)
    if mode in _LAYERS:
        return _LAYERS[mode](name=name)
    if mode == "concat":
        return keras.layers.Concatenate(axis=config.get("concat_axis", -1), name=name)
    if mode == "dot" and isinstance(axes, int | list | tuple):
        flat = [axis[0] if isinstance(axis, list | tuple) else axis for axis in _pair(axes)]
        return keras.layers.Dot(axes=tuple(flat), name=name)
    raise ValueError(
        f"the layer {name!r} merges its inputs by what Keras 3 has no layer for; pass "
        f"custom_objects={{{name!r}: layer}} with one that does the same. Received: mode={mode!r}"
    )


def _pair(axes: Any) -> Any:
    return (axes, axes) if isinstance(axes, int) else axes
