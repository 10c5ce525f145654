"""From a recipe to a run directory with a trained model, in one call that can be repeated.

The same call goes on where a killed one stopped, and does nothing if the run is finished. What a
run directory holds is told by `textgate.models.runs.RunLayout`.
"""

import os
import platform
import shutil
from typing import Any

import numpy as np

from textgate._files import (
    CannotWriteError,
    alone_in,
    beside,
    is_partial,
    remove_partials,
    write_json,
    write_table,
)
from textgate._reading import read_json
from textgate.models import LanguageModel, load
from textgate.models.runs import RunLayout
from textgate.training._data import TrainingData
from textgate.training._fitting import fit
from textgate.training._recipe import LATER, Recipe

_UNIFORM = 1  # tells these random numbers from others of the same seed


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
        FileExistsError: If the directory holds something else, or a run of another recipe, or if
            another process is training in it.
        CannotWriteError: If the disk is full.
        ValueError: If the data cannot be learned from.
    """
    run = RunLayout(directory)
    if os.path.isfile(run.directory):
        raise FileExistsError(f"there is a file of that name. Received: {run.directory}")
    with alone_in(run.directory, "training"):
        return _train(recipe, run, progress, tensorboard, seconds_between_checkpoints)


def _train(
    recipe: Recipe,
    run: RunLayout,
    progress: bool,
    tensorboard: bool,
    seconds_between_checkpoints: float,
) -> LanguageModel:
    is_bare = _claim(run, recipe)
    if run.model.is_file():
        _clean(run)  # a run killed while it cleaned up
        return load(run.directory)
    try:
        data = TrainingData(recipe, run)
    except CannotWriteError:
        raise  # with room, the same command goes on
    except Exception:
        if is_bare:
            _release(run)  # so that the command can be given again with other data
            if not any(run.directory.iterdir()):
                run.directory.rmdir()
        raise
    lm = new_model(recipe, data)
    from textgate.training._progress import TrainingProgress
    from textgate.training._tensorboard import Board

    board = Board(lm, data.validation, run.tensorboard) if tensorboard else None
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
            run.directory,
            bar.stepped,
            validated,
            seconds_between_checkpoints,
        )
    write_table(run.history, history)
    with beside(run.model, "the model") as partial:
        lm.save(partial)
    _clean(run)
    return lm


def new_model(recipe: Recipe, data: TrainingData) -> LanguageModel:
    """Return the untrained model of a recipe.

    The output's bias begins at the words' log-frequencies, which saves the first some hundred steps
    of learning them; with `uniform` it begins as all weights do.
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
    if recipe.uniform is not None:
        random = np.random.default_rng([recipe.seed, _UNIFORM])
        for weight in lm.trainable_variables:
            value = random.uniform(-recipe.uniform, recipe.uniform, weight.shape)
            weight.assign(value.astype(np.float32))
    elif not recipe.tied:
        counts = data.word_counts + 0.1
        lm.get_layer("output").bias.assign(np.log(counts / counts.sum()).astype(np.float32))
    return lm


def _claim(run: RunLayout, recipe: Recipe) -> bool:
    """Make the directory this recipe's, or raise if it is another's; say if it can be let go."""
    directory, config = run.directory, run.config
    if config.is_file():
        try:
            earlier = read_json(config)
        except ValueError:
            raise FileExistsError(
                f"the run's {config.name} is no configuration; give another directory. "
                f"Received: {directory}"
            ) from None
        wanted = recipe.to_dict()
        # Settings of which the earlier version knew nothing were what they are by default.
        earlier = {**{key: Recipe().to_dict()[key] for key in LATER}, **earlier}
        differing = [key for key in wanted if earlier.get(key) != wanted[key]]
        if differing or set(earlier) - set(wanted):
            key = (differing or sorted(set(earlier) - set(wanted)))[0]
            raise FileExistsError(
                "the directory holds a run of another configuration, which is never overwritten: "
                f"its {key} is {earlier.get(key)!r}, not {wanted.get(key)!r}; give another "
                f"directory, or remove this one. Received: {directory}"
            )
        if not run.versions.is_file():  # killed between the two writes below
            write_json(run.versions, versions())
        return not run.vocabulary.is_file()
    # What was killed while `_release` removed it is not strange.
    own = (run.encoded, run.vocabulary, run.versions) if run.versions.is_file() else ()
    for path in sorted(directory.iterdir()):
        if path not in own and not is_partial(path):
            raise FileExistsError(
                f"the directory is not empty and not a run's (it holds {path.name!r}); give "
                f"another, or empty it. Received: {directory}"
            )
    _release(run)
    write_json(config, recipe.to_dict())
    write_json(run.versions, versions())
    return True


def _release(run: RunLayout) -> None:
    """Take back a claim, before anything was trained: what tells that it is one, last."""
    run.config.unlink(missing_ok=True)
    shutil.rmtree(run.encoded, ignore_errors=True)
    for path in (run.vocabulary, run.versions):
        path.unlink(missing_ok=True)


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


def _clean(run: RunLayout) -> None:
    """Remove what only an unfinished training needs."""
    remove_partials(run.directory)
    for path in (run.checkpoint, run.best):
        path.unlink(missing_ok=True)
    shutil.rmtree(run.encoded, ignore_errors=True)
