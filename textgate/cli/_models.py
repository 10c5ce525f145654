"""What the commands read besides text: models of every kind, and inputs from NumPy's files."""

from pathlib import Path
from typing import Any

MODEL = (
    "A run directory, a .keras file, an old .h5 file, or a directory that `textgate export` wrote."
)
INPUTS = (
    "Inputs instead of text: a .npy file of shape (examples, steps, …), or a .npz file with one "
    "array for each input, by name."
)


def language_model_at(path: Path, command: str) -> Any:
    """Return the language model at a path.

    Args:
        path: The model.
        command: What needs it, for the error: `"textgate next"`.

    Raises:
        ValueError: If it is another model; it says which commands take that.
    """
    import textgate
    from textgate.models import TextModel

    model = textgate.load(path)
    if not isinstance(model, TextModel):
        raise ValueError(
            f"{command} needs a language model of textgate with its tokenizer, and this is another "
            "Keras model; `textgate trace` and `textgate units` take its inputs from a file. "
            f"Received: {path}"
        )
    return model


def is_language_model(model: Any) -> bool:
    """Whether a model reads text by itself."""
    from textgate.models import TextModel

    return isinstance(model, TextModel)


def inputs_at(path: Path, model: Any) -> Any:
    """Return a model's inputs from a file, as `model.predict` takes them.

    Args:
        path: A `.npy` or `.npz` file.
        model: The model.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is of another kind, or its arrays aren't the model's inputs.
    """
    arrays = arrays_at(path, "--inputs")
    return arrays if not isinstance(arrays, dict) else _for_model(arrays, model, path)


def arrays_at(path: Path, option: str) -> Any:
    """Return the array of a `.npy` file, or those of a `.npz` file by name. No code is run."""
    import numpy as np

    if not path.is_file():
        raise FileNotFoundError(f"{option}: there is no such file. Received: {path}")
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content
        with content:
            arrays = {name: content[name] for name in content.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError  # an archive of other things
        return arrays
    except Exception:  # zipfile's, zlib's, and NumPy's own
        raise ValueError(
            f"{option} takes a .npy or .npz file of plain arrays; this is none, or it is damaged. "
            f"Received: {path}"
        ) from None


def names_of_inputs(model: Any) -> list[str]:
    """Return the names of a model's inputs; of a subclassed model none are known."""
    return [tensor.name for tensor in getattr(model, "inputs", None) or []]


def _for_model(arrays: dict[str, Any], model: Any, path: Path) -> Any:
    """Return the arrays of a `.npz` file as the model takes them."""
    names = names_of_inputs(model)
    if len(arrays) == 1 and len(names) <= 1:
        return next(iter(arrays.values()))
    if names and set(names) != set(arrays):
        raise ValueError(
            f"--inputs must have an array for each input of the model, {', '.join(names)}. "
            f"Received: {path} with {', '.join(arrays)}"
        )
    return arrays
