"""Reads the files that Keras 1 and 2 wrote, as models of Keras 3.

`keras.saving.load_model` refuses most of them, and reads some of them wrongly without a word: the
hard sigmoid has become another function, masks are passed on in other ways
(`textgate.importing._masks`), and what a missing setting meant has changed. Here a model is made
anew from its configuration with the meaning that it had, and then given its weights.

Nothing of a file is run, nothing outside of it is read, and no memory is taken for more than it
holds: all shapes are compared before any variable gets its value.
"""

import contextlib
import os
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from textgate._reading import parse_json
from textgate.importing import _h5
from textgate.importing._file_kinds import kind_of, refuse
from textgate.importing._keras_zip import open_keras_zip, pair_by_path
from textgate.importing._layers import Origin
from textgate.importing._model_maker import ModelMaker
from textgate.importing._weights import pair_up
from textgate.importing.allocation import no_larger_than

Pairs = Iterable[tuple[Any, Callable[[], np.ndarray]]]


def load_keras_file(
    path: str | os.PathLike[str],
    into: keras.Model | str | os.PathLike[str] | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> keras.Model:
    """Load a model, or weights, from an HDF5 file, or a model from a `.keras` file of Keras 2.

    Args:
        path: The file: a whole model (`model.save("m.h5")`), or weights alone
            (`model.save_weights("w.h5")`).
        into: A built model that takes the weights; layers are matched by their names if these are
            the same, else by their order. It is changed in place. Or the JSON file of the model
            that the weights belong to (`model.to_json()`). `None` for a whole model.
        custom_objects: What the file names and Keras 3 lacks: a class by its name, a layer by the
            layer's name, a function by its name; for a `Lambda`, a function by the layer's name.
        safe_mode: `False` runs the code of `Lambda` layers: only for files that you trust.

    Returns:
        The model, not compiled. A warning names outputs that may differ from the old version's.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is of another kind, damaged, or needs what isn't given.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(2)])
    >>> model.save_weights("old.weights.h5")
    >>> load_keras_file("old.weights.h5", into=model) is model
    True
    >>> load_keras_file("old.weights.h5")
    Traceback (most recent call last):
    ValueError: the file holds weights alone; ... Received: old.weights.h5
    """
    path = Path(path)
    kind = kind_of(path)
    if kind not in ("hdf5", "keras 2"):
        refuse(path, "a file of Keras 1 or 2")
    architecture = None
    if isinstance(into, str | os.PathLike):
        architecture, into = _architecture(Path(into)), None
    elif into is not None and not (isinstance(into, keras.Model) and into.built):
        raise TypeError(f"`into` must be a built Keras model. Received: into={into!r:.80}")
    objects = dict(custom_objects or {})
    try:
        with no_larger_than(path):
            return _load(path, kind, into, architecture, objects, safe_mode)
    except (OSError, RuntimeError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"the file is truncated or damaged ({reason or type(error).__name__}). Received: {path}"
        ) from error


def _load(
    path: Path,
    kind: str,
    into: Any,
    architecture: dict[str, Any] | None,
    objects: dict[str, Any],
    safe_mode: bool,
) -> keras.Model:
    if kind == "keras 2":
        if into is not None or architecture is not None:
            raise ValueError(f"`into` is for weights in HDF5 files. Received: {path}")
        return _load_zip(path, objects, safe_mode)
    with h5py.File(path, "r") as file:
        if into is not None:
            return _load_into(file, into, path)
        return _load_whole(file, path, architecture, objects, safe_mode)


def _architecture(path: Path) -> dict[str, Any]:
    """Return the configuration that a JSON file has of a model."""
    if kind_of(path) != "json":
        refuse(path, "the JSON file of a Keras model")
    try:
        config = parse_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"the JSON file is damaged ({error}). Received: {path}") from error
    if not isinstance(config, dict) or "class_name" not in config:
        raise ValueError(f"the JSON file holds no Keras model. Received: {path}")
    return config


def _load_whole(
    file: h5py.File,
    path: Path,
    architecture: dict[str, Any] | None,
    custom_objects: dict[str, Any],
    safe_mode: bool,
) -> keras.Model:
    config = architecture or _h5.json_attribute(file, "model_config")
    if config is None:
        raise ValueError(
            "the file holds weights alone; give the model that they belong to: "
            f"tg.load(path, into=model). Received: {path}"
        )
    weights = file.get("model_weights", file)
    version = _h5.text(file, "keras_version") or _h5.text(weights, "keras_version") or "1"
    if version.startswith("3."):
        return _load_keras_3(path, custom_objects, safe_mode)
    backend = _h5.text(file, "backend") or _h5.text(weights, "backend") or "tensorflow"
    stored = _h5.StoredWeights(weights, version, backend)
    maker = ModelMaker(Origin(version, custom_objects, safe_mode), stored.shapes)
    return _build(
        maker, config, path, lambda model: pair_up(maker.order[id(model)], stored, maker.order)
    )


def _load_zip(path: Path, custom_objects: dict[str, Any], safe_mode: bool) -> keras.Model:
    config, version, file = open_keras_zip(path)
    maker = ModelMaker(Origin(version, custom_objects, safe_mode), lambda name: [])
    with file:
        return _build(maker, config, path, lambda model: pair_by_path(model, file, maker))


def _build(maker: ModelMaker, config: Any, path: Path, pairs: Callable[[Any], Pairs]) -> Any:
    """Make a model and give its variables their values."""
    custom_objects = dict(maker.origin.custom_objects)
    with keras.saving.custom_object_scope(custom_objects), _without_values(maker, custom_objects):
        model = _made(maker, config, path)
        for variable, value in pairs(model):
            _set(variable, value)
    maker.finish()
    for warning in maker.warnings:
        warnings.warn(warning, UserWarning, stacklevel=5)
    return model


def _made(maker: ModelMaker, config: Any, path: Path) -> keras.Model:
    try:
        with warnings.catch_warnings():  # of Keras, about masks that are looked after here
            warnings.filterwarnings("ignore", "Layer .* was passed an input with a mask")
            return maker.make(config)
    except (TypeError, AttributeError, IndexError, KeyError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"the file's model_config is damaged ({type(error).__name__}: {reason}). "
            f"Received: {path}"
        ) from error


def _load_keras_3(path: Path, custom_objects: dict[str, Any], safe_mode: bool) -> keras.Model:
    try:
        return keras.saving.load_model(
            path, custom_objects=custom_objects or None, compile=False, safe_mode=safe_mode
        )
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"Keras can't load its file ({reason}). Received: {path}") from error


def _load_into(file: h5py.File, model: keras.Model, path: Path) -> keras.Model:
    weights = file.get("model_weights", file)
    if "layer_names" not in weights.attrs and "layer_names0" not in weights.attrs:
        if "layers" not in file and "_layer_checkpoint_dependencies" not in file:
            raise ValueError(f"the HDF5 file holds no weights of Keras. Received: {path}")
        try:
            model.load_weights(path)
        except ValueError as error:
            reason = " ".join(str(error).split())[:300]
            raise ValueError(
                f"the weights don't fit the model ({reason}). Received: {path}"
            ) from error
        return model
    version = _h5.text(weights, "keras_version") or "1"
    stored = _h5.StoredWeights(weights, version, _h5.text(weights, "backend") or "tensorflow")
    pairs = [(variable, value()) for variable, value in pair_up(model.layers, stored, {})]
    for variable, array in pairs:  # all of them fit
        variable.assign(array)
    return model


def _set(variable: Any, value: Callable[[], np.ndarray]) -> None:
    """Give a variable its value, or, where it has none yet, say where it will get it from."""
    if variable._value is None:
        variable._initializer = lambda shape, dtype: value().astype(dtype)
    else:
        variable.assign(value())


@contextlib.contextmanager
def _without_values(maker: ModelMaker, custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Inside, variables are made without values; they get them at the end, if all went well.

    So a file can't have memory taken for shapes that it only claims, and no time is lost on
    initial values. Layers of the user's may need values at once and are made as usual.
    """
    if custom_objects:
        yield
        return
    with keras.StatelessScope():
        try:
            yield
        except BaseException:
            for layer in maker.layers:
                for variable in layer.variables:
                    variable._initializer = lambda shape, dtype: np.zeros(shape[:0], dtype)
            raise
