"""Brings language models back from files and from run directories."""

import json
import os
from pathlib import Path
from typing import Any

from textgate.models._text_model import TextModel

MODEL_FILE = "model.keras"
CONFIG_FILE = "config.json"


def load(path: str | os.PathLike[str]) -> Any:
    """Load a language model with its tokenizer.

    Nothing of the file is executed (Keras's `safe_mode`).

    Args:
        path: A `.keras` file, a run directory, or a directory with one run directory a model (a
            study): then its first, `lstm` before the others.

    Returns:
        The model: a `LanguageModel`, or a `KneserNey`.

    Raises:
        FileNotFoundError: If there is no such model.
        ValueError: If the file is not a language model, or its training isn't finished.

    Example:

    >>> load("no/such/run")
    Traceback (most recent call last):
    FileNotFoundError: there is no model at the given path; ... Received: no/such/run
    """
    import keras

    file = _model_file(Path(path))
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"not a Keras model that can be loaded safely ({reason}). Received: {file}"
        ) from error
    if not isinstance(model, TextModel):
        raise ValueError(
            "the file holds a Keras model but not a textgate language model with its tokenizer; "
            f"load it with keras.saving.load_model. Received: {file}"
        )
    return model


def load_run(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the configuration that a run directory was trained with.

    Args:
        path: The run directory, or a study's directory (then of its first model).

    Raises:
        FileNotFoundError: If it is not a run directory.
    """
    file = _model_file(Path(path)).with_name(CONFIG_FILE)
    if not file.is_file():
        raise FileNotFoundError(f"not a run directory: it has no {CONFIG_FILE}. Received: {path}")
    return json.loads(file.read_text(encoding="utf-8"))


def _model_file(path: Path) -> Path:
    if path.is_file():
        return path
    if (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    if (path / CONFIG_FILE).is_file():
        raise ValueError(
            "the training of this run isn't finished; give its command once more to go on. "
            f"Received: {path}"
        )
    runs = sorted(path.glob(f"*/{MODEL_FILE}"), key=lambda p: (p.parent.name != "lstm", p))
    if runs:
        return runs[0]
    raise FileNotFoundError(
        "there is no model at the given path; give a .keras file or a run directory that "
        f"`textgate train` has written. Received: {path}"
    )
