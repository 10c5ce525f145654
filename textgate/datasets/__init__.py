"""Data: generated sentences, minimal pairs, plain text, and the batches that models train on.

Names are imported when they are first used, so that TensorFlow is loaded by those that need it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgate.datasets.corpus import Corpus
    from textgate.datasets.encoded import EncodedText
    from textgate.datasets.generated import sentences
    from textgate.datasets.pairs import minimal_pairs
    from textgate.datasets.pipelines import (
        SentenceBatch,
        SentenceBatches,
        UnknownDropout,
        WindowBatch,
        WindowBatches,
    )

# Public name -> the module of this package that defines it.
_NAMES = {
    "Corpus": "corpus",
    "EncodedText": "encoded",
    "SentenceBatch": "pipelines",
    "SentenceBatches": "pipelines",
    "UnknownDropout": "pipelines",
    "WindowBatch": "pipelines",
    "WindowBatches": "pipelines",
    "minimal_pairs": "pairs",
    "sentences": "generated",
}

__all__ = [
    "Corpus",
    "EncodedText",
    "SentenceBatch",
    "SentenceBatches",
    "UnknownDropout",
    "WindowBatch",
    "WindowBatches",
    "minimal_pairs",
    "sentences",
]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"textgate.datasets.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'textgate.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
