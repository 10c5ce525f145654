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
        "epochs": 4,
        "learning_rate": 2e-3,
        "warmup": 500,
        "beta2": 0.999,
        "dropout": 0.2,
        "undropped": 0.0,
        "unknown": 0.0,
        "sampled": 2000,
        "frequent": 2000,
        "schedule": "cosine",
        "validate": 2000,
        "patience": 4,
    },
}
