"""Data: generated sentences and minimal pairs, and (see below) corpora of plain text.

Names are imported when they are first used, so that TensorFlow is loaded by those that need it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textgate.datasets.generated import sentences
    from textgate.datasets.pairs import minimal_pairs

# Public name -> the module of this package that defines it.
_NAMES = {
    "minimal_pairs": "pairs",
    "sentences": "generated",
}

__all__ = ["minimal_pairs", "sentences"]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"textgate.datasets.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'textgate.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
