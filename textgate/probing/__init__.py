"""Which units hold a feature: sweeps, probes with controls, erasure, and the protocol.

Names are imported when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

# At once, or the module of the same name would stand in the function's place; it is light.
from textgate.probing.contrasts import Contrasts, contrasts

if TYPE_CHECKING:
    from textgate.probing.set_runner import SetRunner

# Public name -> the module of this package that defines it.
_NAMES = {
    "SetRunner": "set_runner",
}

__all__ = ["Contrasts", "SetRunner", "contrasts"]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        return getattr(importlib.import_module(f"textgate.probing.{_NAMES[name]}"), name)
    raise AttributeError(f"module 'textgate.probing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
