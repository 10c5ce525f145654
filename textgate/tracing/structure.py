"""What a compiled function has fixed of a model, and what a call would leave behind on it."""

import itertools
import weakref
from collections.abc import Hashable
from typing import Any

import keras
from keras import tree


def state_variables(model: keras.Model) -> list[Any]:
    """Return the variables that a call may assign.

    Keras doesn't list the states of recurrent layers among a model's variables.
    """
    found = {id(v): v for v in model.variables if not v.trainable}
    for layer in model._flatten_layers():
        for value in tree.flatten(getattr(layer, "states", None) or []):
            if isinstance(value, keras.Variable):
                found[id(value)] = value
    return list(found.values())


class LossesKept:
    """Keeps the losses that a model's layers have collected, which a call replaces."""

    def __init__(self, model: keras.Model) -> None:
        self._kept = [
            (layer, list(layer._losses), set(layer._loss_ids)) for layer in model._flatten_layers()
        ]

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        for layer, losses, ids in self._kept:
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)


# What calls, `fit`, `predict` and `evaluate` keep on the side, on a model or a layer.
_ASIDE = frozenset(
    [
        *("_called", "_dropout_mask", "_recurrent_dropout_mask", "_losses", "_losses_override"),
        *("_inbound_nodes", "_outbound_nodes", "_tracked", "_jit_compile"),
        *("train_function", "test_function", "predict_function", "unrolled_steps_per_execution"),
        *("stop_training", "stop_evaluating", "stop_predicting", "_jax_state"),
        *("_jax_state_synced", "_textgate_scoring"),
    ]
)
_tokens: "weakref.WeakKeyDictionary[Any, int]" = weakref.WeakKeyDictionary()
_count = itertools.count()


def structure_of(model: keras.Model) -> Hashable:
    """Return a key that changes with whatever a compiled function has fixed of a model.

    That is: its layers, their plain attributes (numbers, names, flags, functions) and which
    variables they hold; not the values of the variables.
    """
    parts = []
    for layer in model._flatten_layers():
        plain = tuple(
            (name, _plain(value))
            for name, value in sorted(vars(layer).items())
            if name not in _ASIDE and not name.startswith("_self_") and _is_plain(value)
        )
        parts.append((token(layer), plain))
    return tuple(parts), tuple(token(v) for v in model.variables)


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return len(value) < 100 and all(_is_plain(part) for part in value)
    if isinstance(value, dict):
        return len(value) < 100 and all(_is_plain(part) for part in value.values())
    return (
        value is None
        or isinstance(value, bool | int | float | str | keras.DTypePolicy)
        or (callable(value) and not isinstance(value, keras.Layer))
    )


def _plain(value: Any) -> Hashable:
    if isinstance(value, tuple | list):
        return tuple(_plain(part) for part in value)
    if isinstance(value, dict):
        return tuple((str(name), _plain(part)) for name, part in value.items())
    if isinstance(value, keras.DTypePolicy):
        return value.name
    return token(value) if callable(value) else (type(value).__name__, value)


def token(value: Any) -> int:
    """Return a number that no other object gets, not even after this one is gone."""
    try:
        if value not in _tokens:
            _tokens[value] = next(_count)
        return _tokens[value]
    except TypeError:  # built-in functions have no weak references, and don't go
        return -1 - id(value)
