"""The weights of a PyTorch model by name, from whatever someone has of it.

That may be a module, a state dict (in memory, in a file of `torch.save`, or in safetensors), a file
with a whole pickled module, or a checkpoint that has one of these somewhere inside.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from textgate.importing._file_kinds import kind_of, refuse
from textgate.importing._pickles import Record, Tensor
from textgate.importing._safetensors import read_safetensors
from textgate.importing._torch_files import read_torch_file

# Where checkpoints keep the model, the likeliest first.
_USUAL_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "module")
_SETTINGS = ("bidirectional", "batch_first", "dropout", "nonlinearity", "mode", "proj_size")


@dataclasses.dataclass(frozen=True)
class TorchWeights:
    """The weights of a model.

    Attributes:
        arrays: Each weight by its name in the state dict.
        settings: What is known of each module by its name: its `class`, `bidirectional`, ….
        source: What it was read from, for error messages.
    """

    arrays: dict[str, np.ndarray]
    settings: dict[str, dict[str, Any]]
    source: str


def read_weights(source: Any) -> TorchWeights:
    """Return the weights of a PyTorch model.

    Args:
        source: A path, a state dict, or a module.

    Raises:
        FileNotFoundError: If there is no such file.
        TypeError: If it is none of these.
        ValueError: If the file is of another kind, damaged, or holds no weights, or several models.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        kind = kind_of(path)
        if kind == "safetensors":
            return TorchWeights(read_safetensors(path), {}, str(path))
        if kind not in ("torch", "old torch"):
            refuse(path, "a file of PyTorch or safetensors")
        return _from_object(read_torch_file(path, kind), str(path))
    if isinstance(source, Mapping):
        return _from_object(source, f"a mapping of {len(source)} names")
    if hasattr(source, "state_dict") and hasattr(source, "named_modules"):
        arrays = {name: _array(name, value) for name, value in source.state_dict().items()}
        settings = {name: _settings(module) for name, module in source.named_modules()}
        return TorchWeights(arrays, settings, f"a {type(source).__name__}")
    raise TypeError(
        "weights of PyTorch must be a path, a state dict or a module. "
        f"Received: {type(source).__name__}"
    )


def _from_object(found: Any, source: str) -> TorchWeights:
    models = list(_models_in(found))
    if len(models) != 1:
        names = ", ".join(name or "itself" for name, _ in models) or f"{type(found).__name__}"
        raise ValueError(
            f"the source must hold the weights of one model; it holds {len(models)}: give the "
            f"state dict that you mean. Received: {source} with {names}"
        )
    ((_, model),) = models
    if isinstance(model, Record):
        arrays: dict[str, np.ndarray] = {}
        settings: dict[str, dict[str, Any]] = {}
        for name, module in _modules_in(model):
            settings[name] = _record_settings(module)
            for kind in ("_parameters", "_buffers"):
                for key, value in _members(module, kind):
                    if isinstance(value, Tensor):
                        full = f"{name}.{key}" if name else str(key)
                        arrays[full] = value.array()
        return TorchWeights(arrays, settings, source)
    return TorchWeights({str(k): _array(str(k), v) for k, v in model.items()}, {}, source)


def _models_in(value: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield modules and state dicts in what a file holds, with where they are."""
    if _is_module(value) or _is_state_dict(value):
        yield name, value
        return
    if depth > 3:
        return
    if isinstance(value, Mapping):
        for key in _USUAL_KEYS:
            inside = list(_models_in(value.get(key), key, depth + 1))
            if inside:
                yield from inside
                return
        items = [(str(key), inner) for key, inner in value.items()]
    elif isinstance(value, list | tuple):
        items = [(str(index), inner) for index, inner in enumerate(value)]
    else:
        return
    for key, inner in items:
        for place, model in _models_in(inner, f"{name}.{key}" if name else key, depth + 1):
            if _has_weights(model):
                yield place, model


def _is_module(value: Any) -> bool:
    return isinstance(value, Record) and "_modules" in _attributes(value)


def _is_state_dict(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(isinstance(v, Tensor | np.ndarray) or hasattr(v, "detach") for v in value.values())
    )


def _has_weights(model: Any) -> bool:
    """Whether a module has parameters; loss functions, pickled beside a model, have none."""
    if not isinstance(model, Record):
        return True
    return any(
        isinstance(value, Tensor)
        for _, module in _modules_in(model)
        for _, value in _members(module, "_parameters")
    )


def _attributes(record: Any) -> Mapping[Any, Any]:
    """Return the attributes of an object in a pickle."""
    state = record.state
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[0], Mapping):
        state = state[0]
    return state if isinstance(state, Mapping) else {}


def _members(record: Record, kind: str) -> list[tuple[Any, Any]]:
    """Return the parameters, buffers or modules of a module, with their names."""
    members = _attributes(record).get(kind)
    return list(members.items()) if isinstance(members, Mapping) else []


def _modules_in(record: Record, name: str = "", depth: int = 0) -> Iterator[tuple[str, Record]]:
    if depth > 50:
        raise ValueError(f"the file's modules are nested too deep. Received: {name!r:.80}")
    yield name, record
    inside = _attributes(record).get("_modules")
    for key, module in inside.items() if isinstance(inside, Mapping) else ():
        if isinstance(module, Record):
            yield from _modules_in(module, f"{name}.{key}" if name else str(key), depth + 1)


def _record_settings(record: Record) -> dict[str, Any]:
    attributes = _attributes(record)
    settings = {key: attributes[key] for key in _SETTINGS if key in attributes}
    return {"class": record.name, **settings}


def _settings(module: Any) -> dict[str, Any]:
    settings = {key: getattr(module, key) for key in _SETTINGS if hasattr(module, key)}
    return {"class": type(module).__name__, **settings}


def _array(name: str, value: Any) -> np.ndarray:
    """Return a tensor's values, bfloat16 as float32."""
    if isinstance(value, Tensor):
        return value.array()
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"a weight must be numbers. Received: {name!r} of {array.dtype}")
    return array
