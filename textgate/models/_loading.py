"""Brings models back from files and from run directories."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from textgate import importing
from textgate._reading import read_json
from textgate.importing.allocation import no_larger_than
from textgate.models._text_model import TextModel
from textgate.models.exported import is_exported, restore
from textgate.models.runs import RunLayout, StudyLayout


def load(
    path: str | os.PathLike[str],
    into: Any = None,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
) -> Any:
    """Load a model: a language model with its tokenizer, or any other Keras model, old ones too.

    Nothing of the file is executed (Keras's `safe_mode`). A model of Keras 1 or 2 gives what it
    gave there (`textgate.importing`), and is an ordinary model of Keras 3.

    Args:
        path: A `.keras` file, a run directory, a directory with one run directory a model (a
            study): then its first, `lstm` before the others; an HDF5 file (`.h5`); or a SavedModel
            that textgate has exported from a language model. Files of Keras 1, 2 and 3 are taken.
        into: Of an HDF5 file with weights alone: the built Keras model that they belong to, or the
            JSON file that describes it.
        custom_objects: Layers and functions that the file names and Keras lacks, by name.
        safe_mode: `False` runs code in the file (`Lambda` layers): only for files that you trust.

    Returns:
        A `LanguageModel`, a `KneserNey`, or another Keras model.

    Raises:
        FileNotFoundError: If there is no such model.
        ValueError: If the file is of another kind, or its training isn't finished.

    Example:

    >>> load("no/such/run")
    Traceback (most recent call last):
    FileNotFoundError: there is no model at the given path; ... Received: no/such/run
    """
    import keras

    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"`path` must be the path of a model. Received: {type(path).__name__}")
    file = _model_file(Path(path))
    if is_exported(file):
        return restore(file)
    kind = importing.kind_of(file)
    if kind in ("hdf5", "keras 2"):
        return importing.load_keras_file(file, into, custom_objects, safe_mode)
    if kind != "keras":
        importing.refuse(file, "a Keras model")
    if into is not None:
        raise ValueError(f"`into` is for weights in HDF5 files. Received: {file}")
    try:
        with no_larger_than(file):
            return keras.saving.load_model(
                file, custom_objects=custom_objects, compile=False, safe_mode=safe_mode
            )
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"not a Keras model that can be loaded safely ({reason}). Received: {file}"
        ) from error


def load_language_model(path: str | os.PathLike[str]) -> Any:
    """Load a language model with its tokenizer, as `load` does.

    Raises:
        ValueError: If it is another model.
    """
    model = load(path)
    if not isinstance(model, TextModel):
        raise ValueError(
            "the file holds a Keras model but not a textgate language model with its tokenizer. "
            f"Received: {path}"
        )
    return model


def load_run(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the configuration that a run directory was trained with.

    Args:
        path: The run directory, or a study's directory (then of its first model).

    Raises:
        FileNotFoundError: If it is not a run directory.
    """
    config = RunLayout.of(_model_file(Path(path))).config
    if not config.is_file():
        raise FileNotFoundError(f"not a run directory: it has no {config.name}. Received: {path}")
    return read_json(config)


def _model_file(path: Path) -> Path:
    if os.path.isfile(path):
        return path
    run = RunLayout(path)
    if os.path.isfile(run.model):
        return run.model
    if os.path.isfile(run.config):
        raise ValueError(
            "the training of this run isn't finished; give its command once more to go on. "
            f"Received: {path}"
        )
    models = StudyLayout(path).models()
    if models:
        return models[0]
    if is_exported(path):
        return path
    if os.path.isdir(path) and importing.kind_of(path) == "saved model":
        importing.refuse(path, "a Keras model")
    raise FileNotFoundError(
        "there is no model at the given path; give a .keras file or a run directory that "
        f"`textgate train` has written. Received: {path}"
    )
