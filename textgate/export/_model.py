"""The endpoints of any Keras model with recurrent layers, on the model's own inputs.

An endpoint's arguments and results must be single tensors with names: inputs are called as the
model's `keras.Input`s, or by their place in a nested structure (`"encoder/ids"`).
"""

import re
import warnings
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import keras
import tensorflow as tf
from keras import tree

from textgate.export import _signals as signals
from textgate.tracing import find_sites

Endpoint = Callable[..., dict[str, tf.Tensor]]


@runtime_checkable
class _Shaped(Protocol):
    """An array, a tensor, or what describes one."""

    shape: Any
    dtype: Any


class ModelEndpoints:
    """Calls a model and returns its outputs, or the signals of its recurrent layers.

    Args:
        model: The model.
        inputs: What it takes, where the model itself doesn't say: arrays or specifications, in
            the structure of its inputs.

    Raises:
        ValueError: If the model has no recurrent layer that can be traced, or its inputs aren't
            known.
    """

    def __init__(self, model: keras.Model, inputs: Any = None) -> None:
        self.model = model
        self.sites, problems = find_sites(model)
        listed = "; ".join(f"layer {p.path!r}: {p.reason}" for p in problems)
        if not self.sites:
            raise ValueError(
                "The model has no recurrent layer whose gates could be exported. "
                f"{listed or 'It has none at all'}. Received: model {model.name!r}"
            )
        if problems:
            warnings.warn(f"Without their gates: {listed}.", UserWarning, stacklevel=4)
        self.structure = _structure_of(model) if inputs is None else inputs
        if self.structure is None:
            raise ValueError(
                "The model doesn't say what its inputs are; give an example as `inputs=`, or "
                f"tf.TensorSpecs. Received: inputs=None for model {model.name!r}"
            )
        self.specs = _specs(self.structure)
        self.called: dict[str, int] = {}

    def signatures(self) -> dict[str, list[tf.TensorSpec]]:
        """Return the types of each endpoint's arguments."""
        return {"serving_default": self.specs, "gates": self.specs}

    def serving_default(self, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the model's outputs."""
        outputs, _ = self._run(inputs)
        return _named(outputs, "output")

    def gates(self, *inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return every signal of every recurrent layer, and its mask where it has one."""
        _, calls = self._run(inputs)
        outputs = {}
        for site in self.sites:
            of_site = calls.get(site.path, [])
            for number, (call, of_call) in enumerate(of_site):
                prefix = site.path if len(of_site) == 1 else f"{site.path}/call_{number}"
                outputs.update(signals.outputs_of(site, of_call, call.mask, prefix))
                if call.mask is not None:
                    outputs[f"{prefix}/mask"] = call.mask
        if not outputs:
            raise ValueError(
                "The model doesn't call any of its recurrent layers on these inputs. Received: "
                f"layers {[site.path for site in self.sites]}"
            )
        return outputs

    def _run(self, inputs: tuple[tf.Tensor, ...]) -> tuple[Any, signals.Recorded]:
        arguments = {"training": False} if self.model._call_has_training_arg else {}
        # What a call would assign (states of stateful layers, random seeds) is forgotten.
        with (
            keras.StatelessScope(collect_losses=True),
            signals.recorded(self.sites) as calls,
        ):
            packed = tree.pack_sequence_as(self.structure, list(inputs))
            outputs = self.model(packed, **arguments)
        return outputs, calls


def resources_of(model: keras.Model) -> tuple[list[tf.Variable], list[Any]]:
    """Return the variables and the lookup tables that a call of a model may read."""
    variables = {id(v): v for v in model.variables}
    tables = []
    for layer in model._flatten_layers():
        for value in tree.flatten(getattr(layer, "states", None) or []):
            if isinstance(value, keras.Variable):
                variables[id(value)] = value
        for value in vars(layer).values():
            if isinstance(value, tf.saved_model.experimental.TrackableResource):
                tables.append(value)
    return [variable.value for variable in variables.values()], tables


def _structure_of(model: keras.Model) -> Any:
    structure = getattr(model, "_inputs_struct", None)  # of a Functional model
    if structure is not None:
        return structure
    inputs = getattr(model, "inputs", None)
    return inputs[0] if inputs and len(inputs) == 1 else inputs


def _specs(structure: Any) -> list[tf.TensorSpec]:
    specs: list[tf.TensorSpec] = []
    taken: set[str] = set()
    for path, leaf in tree.flatten_with_path(structure):
        if not isinstance(leaf, _Shaped):
            raise TypeError(
                "`inputs` must be arrays or tf.TensorSpecs, in the structure that the model takes. "
                f"Received: a {type(leaf).__name__}"
            )
        name = getattr(leaf, "name", None) if _is_symbolic(leaf) else None
        name = _free(_plain(name or "/".join(map(str, path)) or "inputs"), taken)
        shape = tuple(leaf.shape) if _is_symbolic(leaf) else (None, *leaf.shape[1:])
        specs.append(tf.TensorSpec(shape, leaf.dtype, name))
    return specs


def _is_symbolic(leaf: Any) -> bool:
    return isinstance(leaf, keras.KerasTensor | tf.TypeSpec)


def _named(outputs: Any, default: str) -> dict[str, tf.Tensor]:
    taken: set[str] = set()
    named = {}
    for path, leaf in tree.flatten_with_path(outputs):
        place = "/".join(map(str, path))
        name = _plain(place) if place and not place[0].isdigit() else f"{default}_{place or 0}"
        named[_free(name, taken)] = tf.convert_to_tensor(leaf)
    return named


def _plain(name: str) -> str:
    """Return a name that can be an argument's: of letters, digits and underscores."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII).strip("_") or "inputs"
    return f"input_{plain}" if plain[0].isdigit() else plain


def _free(name: str, taken: set[str]) -> str:
    free, number = name, 0
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free
