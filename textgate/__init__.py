"""textgate: what the gates of LSTMs and GRUs do with text.

`import textgate as tg` is cheap: every name below is imported when it is first used, so that
neither TensorFlow nor Keras is loaded before it is needed. Two things happen at once all the same,
because they can't happen later:

- TensorFlow's start-up messages are silenced (unless `TF_CPP_MIN_LOG_LEVEL` is set already);
- textgate's layers are registered with Keras as soon as Keras is there, so that
  `keras.saving.load_model` knows them (see `textgate._registration`).
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

from textgate._version import __version__

if TYPE_CHECKING:
    from textgate import (
        datasets,
        evaluation,
        export,
        interventions,
        layers,
        mechanics,
        models,
        plots,
        probing,
        recurrence,
        report,
        study,
        tokenizers,
        tracing,
        training,
    )
    from textgate.interventions import (
        Clamp,
        MeanAblation,
        Patch,
        ResampleAblation,
        Steer,
        ZeroAblation,
        intervene,
    )
    from textgate.layers import convert
    from textgate.models import load
    from textgate.tracing import trace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The rooms, and the names at the front door with the room each lives in.
_ROOMS = (
    "datasets",
    "evaluation",
    "export",
    "interventions",
    "layers",
    "mechanics",
    "models",
    "plots",
    "probing",
    "recurrence",
    "report",
    "study",
    "tokenizers",
    "tracing",
    "training",
)
_FUNCTIONS = {
    "Clamp": "interventions",
    "MeanAblation": "interventions",
    "Patch": "interventions",
    "ResampleAblation": "interventions",
    "Steer": "interventions",
    "ZeroAblation": "interventions",
    "convert": "layers",
    "intervene": "interventions",
    "load": "models",
    "trace": "tracing",
}

__all__ = [
    "Clamp",
    "MeanAblation",
    "Patch",
    "ResampleAblation",
    "Steer",
    "ZeroAblation",
    "__version__",
    "convert",
    "datasets",
    "evaluation",
    "export",
    "intervene",
    "interventions",
    "layers",
    "load",
    "mechanics",
    "models",
    "plots",
    "probing",
    "recurrence",
    "report",
    "study",
    "tokenizers",
    "trace",
    "tracing",
    "training",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"textgate.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"textgate.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'textgate' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__


from textgate import _registration  # noqa: E402  (after the environment is set)

_registration.watch_imports()
