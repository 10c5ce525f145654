"""From a recipe to a run directory with a trained model, in one call that can be repeated.

A run directory holds

    config.json        the recipe
    versions.json      what it was trained with
    vocabulary.json    the tokenizer
    history.csv        a row for each validation
    model.keras        the model with its tokenizer, when the training is finished
    checkpoint.npz, best.npz, data/     while it is not
    tensorboard/       if asked for

The same call goes on where a killed one stopped, and does nothing if the run is finished.
"""

import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from textgate._files import (
    CannotWriteError,
    beside,
    is_partial,
    remove_partials,
    write_json,
    write_text,
)
from textgate.models import LanguageModel, load
from textgate.models.loading import CONFIG_FILE, MODEL_FILE
from textgate.training._data import TrainingData, remove_encoded, remove_prepared
from textgate.training._fitting import BEST, CHECKPOINT, fit
from textgate.training._recipe import Recipe

_VERSIONS = "versions.json"


def train(
    recipe: Recipe,
    directory: str | os.PathLike[str],
    progress: bool = True,
    tensorboard: bool = False,
    seconds_between_checkpoints: float = 30.0,
) -> LanguageModel:
    """Train a model by a recipe, or go on with a training that was interrupted.

    However often it was interrupted, by `kill -9` too, the model has exactly the weights that an
    undisturbed training on the same machine gives.

    Args:
        recipe: What to train, on what, and how.
        directory: The run directory; made if it isn't there.
        progress: Whether to show a progress bar.
        tensorboard: Whether to write losses and histograms of the gates for TensorBoard.
        seconds_between_checkpoints: How much work a killed run may lose.

    Returns:
        The trained model, as `textgate.load(directory)` gives it.

    Raises:
        FileExistsError: If the directory holds something else, or a run of another recipe.
        CannotWriteError: If the disk is full.
        ValueError: If the data cannot be learned from.
    """
    directory = Path(directory)
    is_new = _claim(directory, recipe)
    if (directory / MODEL_FILE).is_file():
        _clean(directory)  # a run killed while it cleaned up
        return load(directory)
    try:
        data = TrainingData(recipe, directory)
    except CannotWriteError:
        raise  # with room, the same command goes on
    except Exception:
        if is_new:
            _release(directory)  # so that the command can be given again with other data
        raise
    lm = new_model(recipe, data)
    from textgate.training._progress import TrainingProgress
    from textgate.training._tensorboard import Board

    board = Board(lm, data.validation, directory / "tensorboard") if tensorboard else None
    with TrainingProgress(progress) as bar:

        def validated(row: dict[str, Any]) -> None:
            bar.validated(row)
            if board is not None:
                board.write(row)

        history = fit(
            lm,
            data.train,
            data.validation,
            recipe,
            directory,
            bar.stepped,
            validated,
            seconds_between_checkpoints,
        )
    write_text(directory / "history.csv", history.to_csv(index=False))
    with beside(directory / MODEL_FILE, "the model") as partial:
        lm.save(partial)
    _clean(directory)
    return lm


def new_model(recipe: Recipe, data: TrainingData) -> LanguageModel:
    """Return the untrained model of a recipe.

    The output's bias begins at the words' log-frequencies, which saves the first some hundred steps
    of learning them.
    """
    lm = LanguageModel(
        data.tokenizer,
        cell=recipe.cell,
        units=recipe.units,
        embedding=recipe.embedding,
        tied=recipe.tied,
        dropout=recipe.dropout,
        seed=recipe.seed,
        embedding_scale=recipe.embedding_scale,
        forget_bias=recipe.forget_bias,
    )
    if not recipe.tied:
        counts = data.word_counts + 0.1
        lm.get_layer("output").bias.assign(np.log(counts / counts.sum()).astype(np.float32))
    return lm


def _claim(directory: Path, recipe: Recipe) -> bool:
    """Make the directory this recipe's own, or raise if it is another's; say whether it is new."""
    config = directory / CONFIG_FILE
    if directory.is_dir() and not config.is_file():
        found = [path.name for path in directory.iterdir() if not is_partial(path)]
        if found:
            raise FileExistsError(
                f"the directory is not empty and not a run's (it holds {found[0]!r}); give "
                f"another, or empty it. Received: {directory}"
            )
    if directory.exists() and not directory.is_dir():
        raise FileExistsError(f"there is a file of that name. Received: {directory}")
    if config.is_file():
        try:
            there = json.loads(config.read_text(encoding="utf-8"))
        except ValueError:
            raise FileExistsError(
                f"the run's {CONFIG_FILE} is no configuration; give another directory. "
                f"Received: {directory}"
            ) from None
        given = recipe.to_dict()
        differing = [key for key in given if there.get(key) != given[key]]
        if differing or set(there) - set(given):
            key = (differing or sorted(set(there) - set(given)))[0]
            raise FileExistsError(
                "the directory holds a run of another configuration, which is never overwritten: "
                f"its {key} is {there.get(key)!r}, not {given.get(key)!r}; give another directory, "
                f"or remove this one. Received: {directory}"
            )
        return False
    write_json(directory / _VERSIONS, versions())
    write_json(config, recipe.to_dict())
    return True


def _release(directory: Path) -> None:
    """Take back a claim, before anything was trained."""
    remove_prepared(directory)
    for name in (CONFIG_FILE, _VERSIONS):
        (directory / name).unlink(missing_ok=True)
    if not any(directory.iterdir()):
        directory.rmdir()


def versions() -> dict[str, str]:
    """Return the versions of what decides the numbers."""
    import keras
    import tensorflow as tf

    import textgate

    return {
        "textgate": textgate.__version__,
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
    }


def _clean(directory: Path) -> None:
    remove_partials(directory)
    for name in (CHECKPOINT, BEST):
        (directory / name).unlink(missing_ok=True)
    remove_encoded(directory)
