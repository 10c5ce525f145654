"""Recipes that have been tried: for the generated sentences, and for real text."""

from typing import Any

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
}
