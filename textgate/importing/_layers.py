"""Layers of Keras 3 from the entries of an old configuration, wrapped ones and cells included.

An entry is `{"class_name": …, "config": {…}}`. Nothing of a file is run: a `Lambda`'s code isn't
(unless the user says so), and classes are looked up in a closed list and among what the user gives.
"""

import base64
import dataclasses
import marshal
import types
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from textgate.importing import _configs

Entry = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a configuration comes from, and what is allowed.

    Attributes:
        version: The version of Keras that wrote it, such as `"2.2.4-tf"`.
        custom_objects: Classes, layers and functions of the user's, by the name of the class, of
            the layer or of the function.
        safe_mode: Whether code in the file is left alone.
    """

    version: str = "1"
    custom_objects: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    safe_mode: bool = True

    def is_before(self, *version: int) -> bool:
        """Whether Keras (not TensorFlow's) of before a version wrote it."""
        if "-tf" in self.version:
            return False
        numbers = [int(part) for part in self.version.split(".")[:3] if part.isdigit()]
        return tuple(numbers) < version


class LayerMaker:
    """Makes layers.

    Args:
        origin: Where the configurations come from.
        make_model: Makes a model from its entry: for models that are layers.

    Attributes:
        layers: All layers made so far, in order.
        time_major: The `id` of each layer that reads `(time, batch, features)`.
        last_cell_first: The `id` of each layer over a stack of cells that has the last cell's
            states first, as before Keras 2.2.3.
        stateful: The layers that are to be stateful once they are built.
    """

    def __init__(self, origin: Origin, make_model: Callable[[Entry], Any]) -> None:
        self._origin = origin
        self._make_model = make_model
        self.layers: list[Any] = []
        self.time_major: set[int] = set()
        self.last_cell_first: set[int] = set()
        self.stateful: list[Any] = []

    def make(self, entry: Entry) -> Any:
        """Return the layer of an entry.

        Raises:
            ValueError: If Keras 3 has no such layer, or it would run code.
        """
        class_name, config = parts_of(entry)
        layer = self._custom(class_name, config)
        if layer is None and class_name in ("Sequential", "Model", "Functional"):
            layer = self._make_model(entry)
        if layer is None:
            layer = self._stock(class_name, config)
        self.layers.append(layer)
        return layer

    def _stock(self, class_name: str, config: dict[str, Any]) -> Any:
        name = _configs.ALIASES.get(class_name, class_name)
        if class_name == "Lambda":
            return self._lambda(config)
        if name not in _configs.KNOWN:
            raise ValueError(_unknown(class_name, config))
        arguments = self._wrapped(class_name, config)
        rest = {key: value for key, value in config.items() if key not in _WRAPPED}
        arguments |= _configs.arguments(class_name, rest, self._origin.custom_objects)
        stateful = bool(arguments.pop("stateful", False)) or (
            name == "Bidirectional" and arguments["layer"] in self.stateful
        )
        try:
            layer = getattr(keras.layers, name)(**arguments)
        except (TypeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"the {_configs.describe(class_name, config)} can't be made ({reason}). "
                f"Received: {rest!r:.200}"
            ) from error
        if config.get("time_major") or id(arguments.get("layer")) in self.time_major:
            self.time_major.add(id(layer))
        if name == "RNN" and self._has_last_cell_first(config):
            self.last_cell_first.add(id(layer))
        if stateful:
            self.stateful.append(layer)
        return layer

    def _has_last_cell_first(self, config: dict[str, Any]) -> bool:
        class_name, cells = parts_of(config.get("cell", {}))
        if class_name != "StackedRNNCells":
            return False
        reverse = bool(cells.get("reverse_state_order")) and self._origin.is_before(2, 4)
        return reverse or self._origin.is_before(2, 2, 3)

    def _wrapped(self, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments that are layers or cells."""
        if class_name == "TimeDistributedDense":
            inner = {key: value for key, value in config.items() if key != "name"}
            return {"layer": self.make({"class_name": "Dense", "config": inner})}
        result: dict[str, Any] = {}
        for key in ("layer", "backward_layer", "cell"):
            if isinstance(config.get(key), Mapping):
                result[key] = self.make(config[key])
        if "cells" in config:
            result["cells"] = [self.make(cell) for cell in config["cells"]]
        return result

    def _custom(self, class_name: str, config: dict[str, Any]) -> Any:
        """Return the user's layer for an entry, `None` if there is none."""
        custom = self._origin.custom_objects
        given = custom.get(str(config.get("name")), custom.get(class_name))
        if given is None and class_name not in _configs.KNOWN:
            given = keras.saving.get_registered_object(class_name)
        if given is None or isinstance(given, keras.layers.Layer):
            return given
        if isinstance(given, type):
            config = {k: v for k, v in config.items() if k != "batch_input_shape"}
            config["dtype"] = _configs.policy(config.get("dtype"))
            try:
                return given.from_config(config)  # type: ignore[attr-defined]
            except (TypeError, ValueError) as error:
                reason = " ".join(str(error).split())[:200]
                raise ValueError(
                    f"the given class for the {_configs.describe(class_name, config)} doesn't take "
                    f"its configuration ({reason}). Received: {config!r:.200}"
                ) from error
        return keras.layers.Lambda(given, name=config.get("name"))

    def _lambda(self, config: dict[str, Any]) -> Any:
        """Return a `Lambda`, if the user wants its code to run."""
        what = _configs.describe("Lambda", config)
        if self._origin.safe_mode:
            raise ValueError(
                f"the {what} holds code, which is not run; pass "
                f"custom_objects={{{config.get('name')!r}: function}} with what it does, or "
                "safe_mode=False for a file that you trust. "
                f"Received: function_type={config.get('function_type')!r}"
            )
        function = config.get("function")
        if isinstance(function, str) and function in self._origin.custom_objects:
            run = self._origin.custom_objects[function]
        else:
            run = _function(function, what)
        return keras.layers.Lambda(
            run, arguments=config.get("arguments") or {}, name=config.get("name")
        )


_WRAPPED = ("layer", "backward_layer", "cell", "cells")


def parts_of(entry: Entry) -> tuple[str, dict[str, Any]]:
    """Return the class's name and the configuration of an entry."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("class_name"), str):
        raise ValueError(
            f"the file's model_config is damaged: a layer without a class. Received: {entry!r:.80}"
        )
    config = entry.get("config")
    if isinstance(config, list):  # of a Sequential before Keras 2.2.3
        config = {"layers": config}
    if not isinstance(config, Mapping):
        raise ValueError(
            "the file's model_config is damaged: a layer without a configuration. "
            f"Received: {entry!r:.80}"
        )
    config = dict(config)
    if entry.get("name"):
        config.setdefault("name", entry["name"])
    return str(entry["class_name"]), config


def _unknown(class_name: str, config: Mapping[str, Any]) -> str:
    why = (
        "which no longer exists in Keras 3"
        if class_name in _configs.GONE
        else "which isn't Keras's"
    )
    return (
        f"the {_configs.describe(class_name, config)}, {why}; pass custom_objects="
        f"{{{class_name!r}: class}} with a keras.layers.Layer that does the same, or "
        f"{{{config.get('name')!r}: layer}}. Received: {class_name}"
    )


def _function(stored: Any, what: str) -> Callable[..., Any]:
    """Return the function of a `Lambda`, whose code then runs: only for files that are trusted."""
    if isinstance(stored, Mapping) and isinstance(stored.get("config"), Mapping):
        stored = [stored["config"].get("code"), stored["config"].get("defaults"), None]
    try:
        code, defaults, _ = stored
        loaded = marshal.loads(base64.b64decode(code))  # trusted, says the user
        scope = {"keras": keras, "K": keras.ops, "ops": keras.ops, "np": np}
        return types.FunctionType(loaded, scope, argdefs=tuple(defaults or ()) or None)
    except (TypeError, ValueError, EOFError) as error:
        raise ValueError(
            f"the code of the {what} can't be read by this version of Python ({error}); pass "
            f"custom_objects with what it does. Received: {stored!r:.60}"
        ) from error
