"""The training loop, and the checkpoint that makes it exact to resume.

Everything that decides the next step is in the checkpoint, one file that is replaced at once:
weights, the optimizer's moments, the seeds of dropout, the carried states, the best loss so far
and for how long there was no better one, the history, and how many batches of which epoch are
done. The order of the data is a function of seed and epoch (`textgate.datasets._pipelines`). When a
checkpoint is written doesn't matter to the result: from any of them the training runs through the
same numbers.

The best weights lie in a file of their own, written before the checkpoint that knows of them. If
the process dies between the two, the resumed run comes to the same point and writes the same.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from textgate._files import write_arrays
from textgate._reading import read_arrays
from textgate.models import LanguageModel
from textgate.models.runs import RunLayout
from textgate.training._optimizer import SGD, AdamW
from textgate.training._recipe import Recipe
from textgate.training._sampling import Sampler
from textgate.training.step import Steps


def fit(
    lm: LanguageModel,
    batches: Any,
    validation: Any,
    recipe: Recipe,
    directory: Path | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
    validated: Callable[[dict[str, Any]], None] | None = None,
    seconds_between_checkpoints: float = 30.0,
) -> pd.DataFrame:
    """Train a model until the validation loss stops falling, and leave it with its best weights.

    Args:
        lm: The model; trained in place.
        batches: `textgate.datasets.SentenceBatches` or `WindowBatches` (as `recipe.running` says).
        validation: Likewise, not shuffled; epoch 0 of it is gone through.
        recipe: How to train.
        directory: Where checkpoints go, and come from if there are any; `None` for none.
        report: Called after each step with `step`, `steps`, `epoch`, `words` (of this step) and
            `loss` (its loss per word).
        validated: Called after each validation with its row of the history.
        seconds_between_checkpoints: How much work may be lost.

    Returns:
        The history, a row for each validation: `step`, `epoch`, `words` (read so far),
        `loss` (per word since the row before, in nats), `validation_loss`, `learning_rate`,
        `best`.

    Raises:
        CannotWriteError: If a checkpoint cannot be written.
        ValueError: If the loss is no longer a number.
    """
    loop = _Loop(lm, batches, validation, recipe, directory)
    loop.report, loop.validated = report, validated
    loop.seconds = seconds_between_checkpoints
    loop.run()
    return pd.DataFrame(loop.state["history"])


class _Loop:
    """A training with its state."""

    report: Callable[[dict[str, Any]], None] | None = None
    validated: Callable[[dict[str, Any]], None] | None = None
    seconds = 30.0

    def __init__(
        self,
        lm: LanguageModel,
        batches: Any,
        validation: Any,
        recipe: Recipe,
        directory: Path | None,
    ) -> None:
        self.lm, self.batches, self.validation = lm, batches, validation
        self.recipe = recipe
        self.run_files = None if directory is None else RunLayout(directory)
        sampler = None
        if recipe.sampled is not None:
            counts = batches.text.counts
            sampler = Sampler(counts, recipe.frequent, recipe.sampled, recipe.seed)
        rows = recipe.batch_size if recipe.running else None
        self.steps = Steps(lm, self._optimizer, rows, sampler)
        self.per_epoch = batches.batches_per_epoch()
        self.total = self.per_epoch * recipe.epochs
        self.every = recipe.validate or self.per_epoch
        self.best: list[np.ndarray] | None = None
        self.state: dict[str, Any] = {
            "step": 0,
            "words": 0,
            "loss": 0.0,
            "loss_words": 0,
            "best_loss": None,
            "without_better": 0,
            "done": False,
            "history": [],
        }

    def _optimizer(self, weights: list[tf.Variable]) -> AdamW | SGD:
        """Return the optimizer, which decays recurrent matrices but not what is single words'."""
        words = len(self.lm.tokenizer)
        decayed = [len(weight.shape) > 1 and words not in weight.shape for weight in weights]
        recipe = self.recipe
        if recipe.optimizer == "sgd":
            return SGD(weights, recipe.clip)
        return AdamW(weights, recipe.weight_decay, recipe.clip, recipe.beta2, decayed)

    def run(self) -> None:
        """Train from the checkpoint, or the beginning, to the end."""
        self._restore()
        saved = time.monotonic()
        while not self.state["done"]:
            epoch, start = divmod(self.state["step"], self.per_epoch)
            for batch in self.batches.epoch(epoch, start=start):
                self._step(batch, epoch)
                step = self.state["step"]
                if step % self.every == 0 or step == self.total:
                    self._validate(epoch)
                if self.state["done"] or time.monotonic() - saved > self.seconds:
                    self._save()
                    saved = time.monotonic()
                if self.state["done"]:
                    break
        self._take_best()

    def _step(self, batch: Any, epoch: int) -> None:
        state = self.state
        rate = self.recipe.rate(state["step"], self.total)
        dropout = state["step"] >= self.recipe.undropped * self.total
        loss, words = self.steps.train(batch, rate, state["step"], dropout)
        if not np.isfinite(loss):
            raise ValueError(
                "the loss is no longer a number; give a lower learning rate. "
                f"Received: loss={loss} at step {state['step']}, "
                f"learning_rate={self.recipe.learning_rate}"
            )
        state["step"] += 1
        state["words"] += words
        state["loss"] += loss
        state["loss_words"] += words
        if self.report is not None:
            self.report(
                {
                    "step": state["step"],
                    "steps": self.total,
                    "epoch": epoch,
                    "words": words,
                    "loss": loss / max(words, 1),
                }
            )

    def _validate(self, epoch: int) -> None:
        state = self.state
        loss = self.steps.validate(self.validation.epoch(0))
        better = state["best_loss"] is None or loss < state["best_loss"]
        row = {
            "step": state["step"],
            "epoch": epoch,
            "words": state["words"],
            "loss": state["loss"] / max(state["loss_words"], 1),
            "validation_loss": loss,
            "learning_rate": self.recipe.rate(state["step"] - 1, self.total),
            "best": better,
        }
        state["history"].append(row)
        state["loss"], state["loss_words"] = 0.0, 0
        state["without_better"] = 0 if better else state["without_better"] + 1
        if better:
            state["best_loss"] = loss
            self.best = self.lm.get_weights()
            if self.run_files is not None:
                arrays = {str(number): weight for number, weight in enumerate(self.best)}
                write_arrays(self.run_files.best, arrays, {"step": state["step"]})
        worse = state["without_better"] >= self.recipe.patience
        state["done"] = worse or state["step"] >= self.total
        if self.validated is not None:
            self.validated(row)

    def _variables(self) -> dict[str, tf.Variable]:
        """Every variable that decides what comes next, by a name of its own."""
        named = {f"model/{n}": v.value for n, v in enumerate(self.lm.variables)}
        optimizer = self.steps.optimizer
        named |= {
            f"optimizer/{n}": v for n, v in enumerate(optimizer.variables if optimizer else [])
        }
        states = [state for layer in self.steps.states for state in layer]
        return named | {f"states/{n}": v for n, v in enumerate(states)}

    def _save(self) -> None:
        if self.run_files is None:
            return
        self.steps.to_model()
        arrays = {name: variable.numpy() for name, variable in self._variables().items()}
        write_arrays(self.run_files.checkpoint, arrays, self.state)

    def _restore(self) -> None:
        run = self.run_files
        if run is None or not run.checkpoint.is_file():
            return
        arrays, state = read_arrays(run.checkpoint)
        variables = self._variables()
        is_ours = _kinds(state) == _kinds(self.state) | {"best_loss": type(state.get("best_loss"))}
        if not is_ours or _shapes(arrays) != _shapes(variables):
            raise _no_checkpoint(run.checkpoint)
        self.state = state
        for name, variable in variables.items():
            variable.assign(arrays[name])
        self.steps.from_model()
        if run.best.is_file():
            best, _ = read_arrays(run.best)
            weights = {str(number): weight for number, weight in enumerate(self.lm.get_weights())}
            if _shapes(best) != _shapes(weights):
                raise _no_checkpoint(run.best)
            self.best = [best[name] for name in weights]

    def _take_best(self) -> None:
        if self.best is not None:
            self.lm.set_weights(self.best)


def _kinds(state: dict[str, Any]) -> dict[str, type]:
    return {name: type(value) for name, value in state.items()}


def _shapes(arrays: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(array.shape) for name, array in arrays.items()}


def _no_checkpoint(path: Path) -> ValueError:
    return ValueError(
        f"the file is no checkpoint of this training; remove the run directory to train anew. "
        f"Received: {path}"
    )
