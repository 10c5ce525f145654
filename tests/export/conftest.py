"""Two small language models with random weights, exported once and loaded again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import textgate as tg

SENTENCES = [
    "She came out and played with her dog .",
    "he fed his cat , herself and it , its they their them him himself hers a b c .",
]
# Of different lengths, the empty one among them, and with unknown words.
TEXTS = [
    "She came out and played with",
    "",
    "he fed his Zorblax",
    "The DOG didn't, Her",
    "<unk> <unk>",
]


def randomised(model, seed=0):
    """The model with weights large enough to tell its gates apart."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.6, weight.shape))
    return model


@dataclass
class Exported:
    lm: Any
    path: Path
    loaded: Any


def exported(directory, cell, units, **options):
    import tensorflow as tf

    tokenizer = tg.tokenizers.WordTokenizer.train(SENTENCES)
    lm = tg.models.LanguageModel(tokenizer, cell=cell, units=units, **options)
    path = tg.export.saved_model(randomised(lm), directory / cell)
    return Exported(lm, path, tf.saved_model.load(str(path)))


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("SavedModels are made by TensorFlow")
    return tmp_path_factory.mktemp("exported")


@pytest.fixture(scope="session")
def lstm(directory):
    return exported(directory, "lstm", (5, 4))


@pytest.fixture(scope="session")
def gru(directory):
    return exported(directory, "gru", (6,), embedding=7, tied=True)


@pytest.fixture(params=["lstm", "gru"])
def model(request):
    return request.getfixturevalue(request.param)
