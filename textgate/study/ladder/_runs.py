"""One rung of the ladder: training a model on the ladder's data, and measuring it.

Each run has a directory with `model.keras` and `run.json`, which appears when the training is
finished; when it has been measured, `items.csv` and, for models with units, `redundancy.csv` are
added. A run that was interrupted is done again from its beginning, a finished one is read.
"""

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textgate._files import beside, write_json
from textgate._reading import read_json
from textgate._special_tokens import BOS, EOS, padded
from textgate.models import (
    KneserNey,
    LanguageModel,
    matched_units,
    parameters_in_use,
)
from textgate.study.ladder import _task
from textgate.study.ladder._redundancy import redundancy

Model = LanguageModel | KneserNey
COUNTED = ("constant", "kneser_ney")  # nothing is learned by gradient, nor left to chance


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What is the same for all models of a comparison.

    Attributes:
        parameters: The parameters in use that models are to have.
        embedding: Dimension of the embedding of recurrent models.
        texts: Texts of training; a twentieth as many validate.
        epochs: How often they are gone through.
        batch_size: Texts in a batch.
        dropout: As in `LanguageModel`.
        items: Items of each test split.
        budget: The most seconds that a model is trained for; one that takes longer is stopped
            there, and the table says so.
    """

    parameters: int = 40_000
    embedding: int = 32
    texts: int = 40_000
    epochs: int = 3
    batch_size: int = 32
    dropout: float = 0.0
    items: int = 1000
    budget: float = 40.0


class Data:
    """The texts of a comparison, encoded, and its test items."""

    def __init__(self, conditions: Conditions) -> None:
        from textgate.datasets import EncodedText
        from textgate.tokenizers import WordTokenizer

        train = _task.sentences("train", conditions.texts)
        held_out = _task.sentences("validation", max(conditions.texts // 20, 50))
        self.tokenizer = WordTokenizer.train(train)
        self.train = EncodedText.encode(train, self.tokenizer)
        self.validation = EncodedText.encode(held_out, self.tokenizer)
        self.texts = _task.sentences("test", conditions.items)
        self.pairs = pd.concat(
            [_task.pairs(split, conditions.items) for split in ("test", "far")],
            ignore_index=True,
        )
        self.pairs["item"] = np.arange(len(self.pairs))
        self.word_counts = self.train.target_counts


class _OutOfTimeError(Exception):
    """The budget is used up."""


def train(
    rung: str, rate: float, seed: int, conditions: Conditions, data: Data
) -> tuple[Model, dict[str, Any]]:
    """Train a model of a rung.

    Args:
        rung: A key of `textgate.models.CELLS`, or `"kneser_ney"`.
        rate: The highest learning rate.
        seed: Of the weights, the dropout and the order of the data.
        conditions: What all models share.
        data: Its data.

    Returns:
        The model, and what is to be known of the training: `rung`, `learning_rate`, `seed`,
        `units`, `embedding`, `parameters`, `words` (read), `seconds`, `stopped` (by the budget),
        `validation_loss` (nats a word; infinite if the training diverged).
    """
    began = time.monotonic()
    size = len(data.tokenizer)
    facts: dict[str, Any] = {"rung": rung, "learning_rate": rate, "seed": seed, "stopped": False}
    if rung == "kneser_ney":
        counted = KneserNey(data.tokenizer).count(data.train)
        facts |= {"units": 0, "embedding": 0, "words": data.train.words}
        return counted, _finished(facts, counted, _loss(counted, data.validation), began)
    units, dimension = matched_units(rung, conditions.parameters, size, conditions.embedding)
    dropout = conditions.dropout if rung != "constant" else 0.0
    lm = LanguageModel(
        data.tokenizer,
        cell=rung,
        units=units,
        embedding=dimension,
        dropout=dropout,
        seed=seed,
        embedding_scale=0.5,
    )
    share = (data.word_counts + 0.1) / (data.word_counts + 0.1).sum()
    lm.get_layer("output").bias.assign(np.log(share).astype(np.float32))
    facts |= {"units": units, "embedding": dimension, "words": 0}
    if rung == "constant":  # the words' frequencies are all it can learn
        facts["words"] = data.train.words
        return lm, _finished(facts, lm, _loss(lm, data.validation), began)
    loss = _fit(lm, rate, seed, conditions, data, facts, began)
    return lm, _finished(facts, lm, loss, began)


def _fit(
    lm: LanguageModel,
    rate: float,
    seed: int,
    conditions: Conditions,
    data: Data,
    facts: dict,
    began: float,
) -> float:
    from textgate.datasets import SentenceBatches
    from textgate.training import Recipe, fit

    recipe = Recipe(
        data="ladder",
        cell=facts["rung"],
        units=(facts["units"],),
        embedding=facts["embedding"],
        dropout=conditions.dropout,
        batch_size=conditions.batch_size,
        epochs=conditions.epochs,
        learning_rate=rate,
        warmup=100,
        patience=conditions.epochs,
        sampled=None,
        unknown=0.0,
        seed=seed,
    )

    def report(step: dict[str, Any]) -> None:
        facts["words"] += step["words"]
        if time.monotonic() - began > conditions.budget:
            raise _OutOfTimeError

    batches = SentenceBatches(data.train, conditions.batch_size, seed=seed)
    held_out = SentenceBatches(data.validation, 256, shuffle=False)
    try:
        history = fit(lm, batches, held_out, recipe, report=report)
    except _OutOfTimeError:
        facts["stopped"] = True
        return _loss(lm, data.validation)
    except ValueError as error:
        if "no longer a number" not in str(error):
            raise
        return float("inf")
    return float(history["validation_loss"].min())


def _loss(lm: Model, text: Any) -> float:
    """Return the loss in nats a word, `<eos>` included."""
    from textgate.models import scoring

    ids = padded([[BOS, *text[index].tolist(), EOS] for index in range(len(text))])
    return -float(np.nanmean(scoring.token_logprobs(lm, ids, 256).astype(np.float64)))


def _finished(facts: dict[str, Any], lm: Model, loss: float, began: float) -> dict[str, Any]:
    return {
        **facts,
        "parameters": parameters_in_use(lm),
        "seconds": time.monotonic() - began,
        "validation_loss": loss,
    }


def measure(
    lm: Model, data: Data, seed: int = 0
) -> tuple[pd.DataFrame, dict[str, float], pd.DataFrame | None]:
    """Measure a trained model on the test items.

    Returns:
        The items as `textgate.evaluation.agreement` gives them, without their sentences; `bits` (a
        word of the test texts) and `accuracy` (on the split `test`); and accuracy without some
        units, where there are units.
    """
    from textgate.evaluation import agreement, perplexity

    items = agreement(lm, data.pairs, batch_size=256).drop(columns=["good", "bad", "prefix"])
    loss = float(perplexity(lm, data.texts, batch_size=256)["loss"])
    near = items["split"] == "test"
    facts = {"bits": loss / np.log(2), "accuracy": float(items.loc[near, "correct"].mean())}
    removed = None
    if isinstance(lm, LanguageModel) and lm.cell != "constant":
        some = data.pairs[data.pairs["split"] == "test"].head(300)
        removed = redundancy(lm, some, seed=seed)
    return items, facts, removed


def name_of(rung: str, rate: float, seed: int) -> str:
    """Return the name of a run's directory, within the comparison's."""
    return f"{rung}/counted" if rung in COUNTED else f"{rung}/rate-{rate:g}-seed-{seed}"


def save(directory: Path, lm: Model, facts: dict[str, Any]) -> None:
    """Write a trained model to its run directory, which is there whole or not at all."""
    with beside(directory, "the model") as partial:
        partial.mkdir()
        lm.save(partial / "model.keras")
        write_json(partial / "run.json", facts)


def load_facts(directory: Path) -> dict[str, Any] | None:
    """Return what is known of a finished training, or `None`."""
    file = directory / "run.json"
    return read_json(file) if file.is_file() else None
