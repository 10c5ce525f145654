"""Recipes: for the generated sentences, for real text, and the classic ones for pretokenised text.

The set-ups of Zaremba et al. 2014 (Recurrent neural network regularization, section 4.1) are what
perplexities on the Penn Treebank are compared with: running text, states carried from window to
window, plain SGD from a rate of 1, dropout between the layers alone. There each epoch begins where
the text does; here, at a place that goes with the epoch. The best weights on the validation text
are kept, not the last ones.
"""

from typing import Any

# What the three of Zaremba et al. share; the paper's own numbers stand in `PRESETS`.
_ZAREMBA: dict[str, Any] = {
    "tokens": "whitespace",
    "running": True,
    "batch_size": 20,
    "forget_bias": None,
    "optimizer": "sgd",
    "learning_rate": 1.0,
    "warmup": 0,
    "schedule": "epochs",
    "weight_decay": 0.0,
    "undropped": 0.0,
    "sampled": None,
    "unknown": 0.0,
    "patience": 100,
}

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "text": {
        "running": True,
        "units": (256, 256),
        "vocabulary": 20_000,
        "batch_size": 32,
        "window": 40,
        "restarts": 0.05,
        "tied": True,
        # With embeddings from ±0.05 and dropout from the first step, two epochs of 10 million words
        # didn't teach such a model the gender of a pronoun; so, 1 million words begin to.
        "embedding_scale": 0.5,
        "forget_bias": None,
        "dropout": 0.0,
        "undropped": 0.0,
        "epochs": 2,
        "learning_rate": 2e-3,
        "warmup": 500,
        "beta2": 0.999,
        "unknown": 0.0,
        "sampled": 2000,
        "frequent": 2000,
        "schedule": "cosine",
        "validate": 4000,
        "patience": 4,
    },
    "zaremba-small": {
        **_ZAREMBA,
        "units": (200, 200),
        "uniform": 0.1,
        "dropout": 0.0,
        "window": 20,
        "epochs": 13,
        "constant_epochs": 4,
        "decay": 2.0,
        "clip": 5.0,
    },
    "zaremba-medium": {
        **_ZAREMBA,
        "units": (650, 650),
        "uniform": 0.05,
        "dropout": 0.5,
        "window": 35,
        "epochs": 39,
        "constant_epochs": 6,
        "decay": 1.2,
        "clip": 5.0,
    },
    "zaremba-large": {
        **_ZAREMBA,
        "units": (1500, 1500),
        "uniform": 0.04,
        "dropout": 0.65,
        "window": 35,
        "epochs": 55,
        "constant_epochs": 14,
        "decay": 1.15,
        "clip": 10.0,
    },
}
