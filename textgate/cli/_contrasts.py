"""Contrasts for `textgate units --contrasts`: what any model reads, from one `.npz` file.

base            the inputs, (items, steps, …); of several inputs each as base/NAME
source          the same with what is to be found exchanged, likewise
good, bad       the classes that are right for the base and for the source, one or one an item
step            where the output has steps: the one that decides, one or one an item
good_class      by choice what the base's class is called, one an item
anything else   one value an item: items with equal values belong together
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from textgate.cli._models import arrays_at, names_of_inputs

if TYPE_CHECKING:
    import numpy as np

_NEEDED = ("base", "source", "good", "bad")


def contrasts_at(path: Path, model: Any, feature: str | None, output: str | None) -> Any:
    """Return the contrasts of a file for a model.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it lacks an array or holds other things; as `textgate.contrasts` besides.
    """
    import pandas as pd

    import textgate

    arrays = arrays_at(path, "--contrasts")
    if not isinstance(arrays, dict):
        arrays = {"base": arrays}
    parts = {name: _inputs(name, arrays, model, path) for name in ("base", "source")}
    missing = [name for name in _NEEDED if parts.get(name, arrays.get(name)) is None]
    if missing:
        raise ValueError(
            f"--contrasts needs the arrays {', '.join(_NEEDED)}; `step` and columns of groups are "
            f"by choice. Received: {path} without {', '.join(missing)}"
        )
    rest = {
        name: array
        for name, array in arrays.items()
        if name not in (*_NEEDED, "step") and "/" not in name
    }
    count = len(_leaf(parts["base"]))
    for name, array in rest.items():
        if array.shape != (count,):
            raise ValueError(
                f"--contrasts: {name!r} must have one value for each of the {count} items. "
                f"Received: {path} with shape {array.shape}"
            )
    table = pd.DataFrame({name: array.astype(str) for name, array in rest.items()})
    return textgate.contrasts(
        model,
        base=parts["base"],
        source=parts["source"],
        good=_number(arrays["good"]),
        bad=_number(arrays["bad"]),
        step=_number(arrays["step"]) if "step" in arrays else None,
        output=output,
        table=table if rest else None,
        groups=[name for name in rest if name != "good_class"] or None,
        feature=feature,
    )


def _inputs(name: str, arrays: "dict[str, np.ndarray]", model: Any, path: Path) -> Any:
    """Return the inputs of a name: its array, or by name those of each input."""
    parts = {
        key.removeprefix(f"{name}/"): array
        for key, array in arrays.items()
        if key.startswith(f"{name}/")
    }
    if not parts:
        return arrays.get(name)
    names = names_of_inputs(model)
    if names and set(names) != set(parts):
        raise ValueError(
            f"--contrasts must have {', '.join(f'{name}/{each}' for each in names)}, one array for "
            f"each input of the model. Received: {path} with {', '.join(parts)}"
        )
    return parts


def _leaf(inputs: Any) -> "np.ndarray":
    return next(iter(inputs.values())) if isinstance(inputs, dict) else inputs


def _number(array: "np.ndarray") -> Any:
    return array.item() if array.ndim == 0 else array
