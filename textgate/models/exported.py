"""From a SavedModel back to the language model that it was made of."""

import os
from pathlib import Path

from textgate._reading import read_json
from textgate.importing.allocation import no_larger_than
from textgate.models._language_model import LanguageModel

# What `textgate.export` says of the model, where TensorFlow leaves room for files of others.
EXTRA = Path("assets.extra", "textgate.json")


def is_exported(path: Path) -> bool:
    """Whether a path is the directory of a SavedModel that `textgate.export` has written."""
    return os.path.isfile(path / EXTRA)


def restore(path: str | os.PathLike[str]) -> LanguageModel:
    """Make the language model again that a SavedModel was made of.

    So that whoever has only the SavedModel can trace and edit it with all of textgate. Its graphs
    are not run: the model is made from its description and its weights.

    Args:
        path: A directory that `saved_model` has written.

    Returns:
        The model with its tokenizer, untrained parts (such as dropout's random seed) new.

    Raises:
        FileNotFoundError: If there is no SavedModel of textgate's.
        ValueError: If it was made of another kind of model, or is damaged.
    """
    import tensorflow as tf

    path = Path(path)
    note = path / EXTRA
    if not os.path.isfile(note):
        raise FileNotFoundError(
            "there is no SavedModel that textgate has exported; give the directory that holds "
            f"saved_model.pb. Received: {path}"
        )
    try:
        config = read_json(note)["model"]
    except (ValueError, KeyError):
        raise ValueError(f"the SavedModel's {EXTRA} is damaged. Received: {path}") from None
    if config is None:
        raise ValueError(
            "the SavedModel was made of a model that is not a textgate language model; load it by "
            f"tf.saved_model.load. Received: {path}"
        )
    try:
        with no_larger_than(path):
            lm = LanguageModel.from_config(config)
    except Exception as error:  # whatever a changed description may lead to
        reason = " ".join(str(error).split())[:200]
        raise ValueError(
            f"the SavedModel's {EXTRA} describes no model ({reason}). Received: {path}"
        ) from error
    try:
        reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
        values = [
            reader.get_tensor(f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE").astype(weight.dtype)
            for number, weight in enumerate(lm.weights)
        ]
        lm.set_weights(values)
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"the SavedModel's weights are damaged ({reason}). Received: {path}"
        ) from error
    return lm
