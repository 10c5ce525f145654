"""A language model written down for the page: its tokenizer, its equations and its weights.

The page has the equations of the stock cells in `page/engine/cells.js`. All else that it needs to
know of a cell, names and letters, what keeps and what writes, it reads from here, where it comes
from the cell's own `textgate.recurrence.Cell`. Weights are little-endian numbers in base64, in half
precision unless asked otherwise: that moves no probability by more than 0.002.

Half precision is right to 2⁻¹¹ between 1 and 2, and finer below, where nobody needs it: what counts
in a product with states between −1 and 1 is the absolute error. So a matrix in half precision is
written as whole multiples of a step, which have the same error everywhere. The two matrices of a
row a word have 2⁻¹¹ and 2⁻¹⁰, and the kernels, which are small and are used again at each step, the
finest step that two bytes hold. Of the two bytes the higher ones are much alike, and are deflated.
"""

import base64
import zlib
from typing import Any, Literal

import keras
import numpy as np

from textgate.layers import spec_of, weights_of
from textgate.models import LanguageModel
from textgate.recurrence import GRU, LSTM, SIMPLE_RNN, Cell, Spec
from textgate.tokenizers import CharacterTokenizer, WhitespaceTokenizer, WordTokenizer

Precision = Literal["float16", "float32"]
PRECISIONS = {"float16": "f2", "float32": "f4"}

# What `page/engine/cells.js` has.
CELLS = (LSTM, GRU, SIMPLE_RNN)
TOKENIZERS = (WordTokenizer, WhitespaceTokenizer, CharacterTokenizer)  # `page/engine/tokenizer.js`
ACTIVATIONS = (
    *("linear", "tanh", "sigmoid", "hard_sigmoid", "hard_tanh", "relu", "softplus", "softsign"),
    *("exponential", "silu", "elu"),
)
_LARGEST_HALF = float(np.finfo(np.float16).max)
# The steps of matrices in half precision.
_OF_EMBEDDING, _OF_OUTPUT, _OF_KERNELS = 2.0**-11, 2.0**-10, 2.0**-13
_COARSEST = 2.0**-10


class CannotHoldError(ValueError):
    """A page can't hold this model; a local server can show it."""


def payload_of(
    lm: Any,
    name: str = "",
    precision: Precision = "float16",
    title: str = "",
    path: str | None = None,
) -> dict[str, Any]:
    """Return a language model as the page's JSON holds it.

    Args:
        lm: A `textgate.models.LanguageModel` with recurrent layers and a tokenizer of ours.
        name: What it is called in the page; by default the kind of its cells.
        precision: That of the weights, `"float16"` or `"float32"`.
        title: Its name in text; by default the cells' title.
        path: The run as `textgate.load` takes it, for the code that the page offers to copy.

    Raises:
        CannotHoldError: If it is a model that a page can't hold; a `ValueError`.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["She fed her dog ."])
    >>> payload = payload_of(LanguageModel(tokenizer, cell="gru", units=3, seed=0))
    >>> payload["name"], payload["layers"][0]["kernel"]["shape"]
    ('gru', [3, 9])
    """
    if precision not in PRECISIONS:
        raise ValueError(
            f"`precision` must be one of {list(PRECISIONS)}. Received: precision={precision!r}"
        )
    _check(lm)
    specs = [spec_of(layer.cell) for layer in lm.recurrent_layers]
    matrix, bias, is_transposed = lm.readout_weights
    names = [layer.name for layer in lm.layers]
    tied = is_transposed and matrix is lm.get_layer("embedding").embeddings

    def packed(array: Any, step: float = _OF_KERNELS) -> dict[str, Any]:
        return _packed(keras.ops.convert_to_numpy(array), precision, step)

    return {
        "name": name or lm.cell,
        "title": title or specs[0].cell.title,
        "path": path,
        "precision": precision,
        "tokenizer": _tokenizer(lm.tokenizer),
        "layers": [
            _layer(layer, spec, precision)
            for layer, spec in zip(lm.recurrent_layers, specs, strict=True)
        ],
        "embedding": packed(lm.get_layer("embedding").embeddings, _OF_EMBEDDING),
        "projection": packed(lm.get_layer("projection").kernel) if "projection" in names else None,
        "output": {
            "kernel": None if tied else packed(matrix, _OF_OUTPUT),
            "bias": None if bias is None else packed(bias),
        },
    }


def _check(lm: Any) -> None:
    if not isinstance(lm, LanguageModel):
        raise CannotHoldError(
            "a page holds language models of textgate; any other model is shown with a local "
            f"server behind the page. Received: {type(lm).__name__}"
        )
    if type(lm.tokenizer) not in TOKENIZERS or lm.tokenizer.begin_id is None:
        raise CannotHoldError(
            "a page can hold tokenizers of words, white space and characters with a token at the "
            "beginning of a text; another model is shown with a local server behind the page. "
            f"Received: {lm.tokenizer!r}"
        )
    for layer in lm.recurrent_layers:
        cell = getattr(layer, "cell", None)
        if cell is None:
            raise CannotHoldError(
                f"a page shows recurrent layers, and {layer.name!r} is none. "
                f"Received: a model of cell {lm.cell!r}"
            )
        spec = spec_of(cell)
        if spec.cell not in CELLS:
            raise CannotHoldError(
                f"a page has the equations of {', '.join(c.title for c in CELLS)}; a model with "
                "another cell is shown with a local server behind the page. "
                f"Received: {spec.cell.title} in layer {layer.name!r}"
            )
        for function in (spec.activation, spec.recurrent_activation):
            if _name_of(function) not in ACTIVATIONS:
                raise CannotHoldError(
                    f"a page has the activations {', '.join(ACTIVATIONS)}. Received: "
                    f"{_name_of(function)!r} in layer {layer.name!r}"
                )


def _tokenizer(tokenizer: Any) -> dict[str, Any]:
    return {
        "kind": tokenizer.kind,
        "vocabulary": list(tokenizer.vocabulary),
        "unknown": tokenizer.unknown_id,
        "begin": tokenizer.begin_id,
        **tokenizer.rules,
    }


def described(cell: Cell, units: int, squashed: bool) -> dict[str, Any]:
    """Return how to speak of a cell: its signals, its memory, what keeps and what writes.

    Args:
        cell: The cell.
        units: How many units the layer has.
        squashed: Whether candidate and output lie between −1 and 1.
    """
    ranges = {"gate": [0, 1], "candidate": [-1, 1] if squashed else None, "state": None}
    return {
        "kind": cell.kind,
        "title": cell.title,
        "convention": cell.convention,
        "units": units,
        "signals": [
            {
                "name": signal.name,
                "symbol": signal.letter,
                "kind": signal.role,
                "meaning": signal.meaning,
                "range": [-1, 1]
                if signal.name == "hidden_state" and squashed
                else ranges[signal.role],
            }
            for signal in cell.table
        ],
        "in_plots": list(cell.in_plots),
        "states": list(cell.states),
        "memory": cell.memory,
        "keeping": cell.keeping or None,
        "candidate": cell.candidate,
        **{
            name: dict(zip(("signal", "scale", "offset"), cell.derived(name), strict=True))
            for name in ("retention", "writing")
        },
    }


def is_squashed(spec: Spec) -> bool:
    """Whether a cell's candidate and output lie between −1 and 1."""
    return _name_of(spec.activation) in ("tanh", "softsign", "hard_tanh")


def _layer(layer: Any, spec: Spec, precision: str) -> dict[str, Any]:
    weights = weights_of(layer.cell)

    def packed(array: Any) -> dict[str, Any]:
        return _packed(keras.ops.convert_to_numpy(array), precision, _OF_KERNELS)

    return {
        "name": layer.name,
        **described(spec.cell, spec.units, is_squashed(spec)),
        "columns": list(spec.cell.columns),
        "activation": _name_of(spec.activation),
        "recurrent_activation": _name_of(spec.recurrent_activation),
        "reset_after": spec.biases == 2,
        "coupled": spec.coupled,
        "leak": spec.leak,
        "fixed_gates": dict(spec.fixed_gates),
        "kernel": packed(weights.kernel),
        "recurrent_kernel": packed(weights.recurrent_kernel),
        "bias": None if weights.bias is None else packed(weights.bias),
    }


def _name_of(activation: Any) -> str:
    name = keras.activations.serialize(activation)
    return name if isinstance(name, str) else str(name)


def _packed(array: np.ndarray, precision: str, step: float) -> dict[str, Any]:
    numbers = np.asarray(array, np.float32)
    if precision == "float16":
        largest = float(np.abs(numbers).max(initial=0))
        while largest >= 32767 * step and step < _COARSEST:
            step *= 2
        if numbers.ndim == 2 and largest < 32767 * step:
            return _multiples(numbers, step)
        # An imported model gives words that it doesn't have a logit far below all others.
        numbers = np.clip(numbers, -_LARGEST_HALF, _LARGEST_HALF)
    code = PRECISIONS[precision]
    data = np.ascontiguousarray(numbers, f"<{code}").tobytes()
    return {"shape": list(numbers.shape), "type": code, "data": _base64(data)}


def _multiples(numbers: np.ndarray, step: float) -> dict[str, Any]:
    """Return a matrix as multiples of a step: their lower bytes, and their higher ones deflated."""
    whole = np.rint(numbers / step).astype("<i2")
    low, high = whole.view(np.uint8).reshape(-1, 2).T
    return {
        "shape": list(numbers.shape),
        "type": "i2",
        "step": step,
        "data": _base64(low.tobytes()),
        "high": _base64(zlib.compress(high.tobytes(), 9)),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
