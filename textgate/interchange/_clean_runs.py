"""What a language model computes without any intervention, as far as interventions start from it.

Everything here is computed once and shared by all edited runs: the layers below the edited one,
the states at every step, and of the output layer only what tells two words apart. Since logits are
linear in the top layer's hidden state, the logit of one word minus that of another is

    h · (column of the one − column of the other) + (bias of the one − bias of the other),

so that no softmax over the vocabulary is ever needed.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops, tree

from textgate import recurrence
from textgate.layers import spec_of, weights_of
from textgate.models import LanguageModel

_ROWS = 256  # items read at a time


@dataclass(frozen=True)
class Stack:
    """A language model as equations and numbers, `float32`.

    Attributes:
        names: Names of the recurrent layers, from the input up.
        specs: Their equations.
        weights: Their weights.
        embedding: Of shape `(vocabulary, dimension)`.
    """

    names: tuple[str, ...]
    specs: tuple[recurrence.Spec, ...]
    weights: tuple[recurrence.Weights, ...]
    embedding: np.ndarray


def is_stack(model: Any) -> bool:
    """Whether a model is a language model of textgate: embedding, recurrent layers, read-out."""
    return isinstance(model, LanguageModel)


def check_stack(lm: Any) -> None:
    """Raise a `TypeError` if something is not a language model of textgate."""
    if not is_stack(lm):
        raise TypeError(
            "`lm` must be a textgate.models.LanguageModel, as textgate.load returns it. "
            f"Received: {type(lm).__name__}"
        )


def stack_of(lm: Any) -> Stack:
    """Return what a language model consists of.

    Args:
        lm: A `textgate.models.LanguageModel`.

    Raises:
        TypeError: If it is something else.
    """
    check_stack(lm)
    layers = lm.recurrent_layers
    return Stack(
        names=tuple(layer.name for layer in layers),
        specs=tuple(spec_of(layer.cell) for layer in layers),
        weights=tuple(
            recurrence.Weights(*(None if w is None else float32(w) for w in weights_of(layer.cell)))
            for layer in layers
        ),
        embedding=float32(lm.get_layer("embedding").embeddings),
    )


def float32(variable: Any) -> np.ndarray:
    """Return a variable or tensor as a `float32` array."""
    tensor = ops.convert_to_tensor(variable)
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))


def readout_difference(lm: Any, good: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what turns the top hidden state into logit of `good` − logit of `bad`.

    Args:
        lm: The language model.
        good: Ids of shape `(n,)`.
        bad: Ids of shape `(n,)`.

    Returns:
        Vectors of shape `(n, units of the top layer)`, and offsets of shape `(n,)`.
    """
    if not lm.tied:
        output = lm.get_layer("output")
        kernel, bias = float32(output.kernel), output.bias
        offset = np.zeros(len(good), np.float32)
        if bias is not None:
            bias = float32(bias)
            offset = bias[good] - bias[bad]
        return np.ascontiguousarray((kernel[:, good] - kernel[:, bad]).T), offset
    embedding = float32(lm.get_layer("embedding").embeddings)
    vectors = embedding[good] - embedding[bad]
    if any(layer.name == "projection" for layer in lm.layers):
        vectors = vectors @ float32(lm.get_layer("projection").kernel).T
    return vectors, np.zeros(len(good), np.float32)


def run_clean(
    stack: Stack, ids: np.ndarray, wanted: dict[int, tuple[str, ...]]
) -> dict[int, dict[str, np.ndarray]]:
    """Run the model on ids and keep some signals.

    Args:
        stack: The model.
        ids: Of shape `(n, time)`, right-padded; what comes after a row's last word is computed
            like the rest, and doesn't flow back.
        wanted: For each layer's index the names of the signals to keep, and `"inputs"` for what
            the layer reads. Layers above the highest one named are not run.

    Returns:
        For each layer's index, `{name: (n, time, units)}`.
    """
    top = max(wanted)
    kept: dict[int, dict[str, list[np.ndarray]]] = {
        index: {name: [] for name in names} for index, names in wanted.items()
    }
    for begin in range(0, len(ids), _ROWS):
        x: Any = ops.convert_to_tensor(stack.embedding[ids[begin : begin + _ROWS]])
        for index in range(top + 1):
            signals, _ = recurrence.sequence(stack.specs[index], x, stack.weights[index])
            for name, parts in kept.get(index, {}).items():
                part = x if name == "inputs" else signals[name]
                parts.append(np.asarray(ops.convert_to_numpy(part)))
            x = signals["hidden_state"]
    return {
        index: {name: np.concatenate(parts) for name, parts in names.items()}
        for index, names in kept.items()
    }


def tensors_of(structure: Any) -> Any:
    """Return a structure of arrays as tensors."""
    return tree.map_structure(
        lambda array: None if array is None else ops.convert_to_tensor(array), structure
    )
