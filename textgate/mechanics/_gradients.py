"""Gradient paths: how a loss reaches back to the memory of earlier words.

Training tells a layer at word s what it should have stored there by the gradient of the loss at a
later word with respect to the state, ∂loss/∂c_s. It arrives by two kinds of way:

- *along the cell alone*: c_t = f_t ⊙ c_{t-1} + …, so that ∂c_t/∂c_{t-1} along this path is f_t,
  unit by unit, and from the last step T before the target back to s the gradient is ∂loss/∂c_T
  times the product of f between. It passes where f ≈ 1 and stops where f ≈ 0. For a GRU's hidden
  state it is the product of z;
- *through everything else*: h_s goes into all gates and the candidate of step s + 1, which change
  the states after it.

The full gradient is the sum over all ways. It is computed by automatic differentiation: a
perturbation of 0 is added to the state of each step, and the loss is differentiated by it.

A simple RNN has no path along the cell. Its state is computed anew at each step, so that all of its
gradient goes through the recurrent weights and the tanh, and the product here is 0.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import pandas as pd
import xarray as xr

from textgate import recurrence
from textgate._backend import Tensor, require_tensorflow
from textgate.mechanics._calls import call_of
from textgate.mechanics._nodes import DIMS
from textgate.tracing import Call, SiteCall, one_site
from textgate.tracing.inputs import TextReader


def gradient_paths(
    model: keras.Model,
    inputs: Any,
    target: int | str | Sequence[int] | None = None,
    *,
    layer: str | None = None,
    loss: Callable[[Tensor], Tensor] | None = None,
) -> xr.Dataset:
    """Return ∂loss/∂state at each step before a target, in full and along the cell alone.

    Args:
        model: A textgate language model, or any built Keras model if a `loss` is given. It must
            run on Keras's TensorFlow backend.
        inputs: Texts, for a language model; otherwise one batch of what the model takes.
        target: For a language model: the word whose −log p (given the words before it) is the
            loss, by its number in `model.tokens(inputs)`, where `<bos>` is 0, one an example if
            they differ; or the word itself, the last such one. The last word by default. With a
            `loss`: the number of the last step that counts; by default the last one read.
        layer: The recurrent layer; it may be left out where there is only one.
        loss: A function of the model's outputs that returns a number for each example.

    Returns:
        With the dims `(example, time, unit)`, NaN at masked steps and after the step T from which
        the target is predicted:

        - `full`: ∂loss/∂c_s (LSTM) or ∂loss/∂h_s (GRU, simple RNN), over all ways;
        - `passed`: the product of the retention (f, z, or 0) from s + 1 to T: the share of the
          gradient at T that comes back to s along the cell alone;
        - `cell`: `passed` times ∂loss/∂c_T, the gradient along the cell alone;
        - `retention`: the retention at s itself;

        and the coordinates `mask` and `token` `(example, time)`, `step` (T), `target` (the word)
        and `loss` `(example)`.

    Raises:
        TypeError: If `model` is not a Keras model, or `target` of the wrong kind.
        ValueError: If the layer or target is unknown, the model isn't a language model and no
            `loss` is given, or the backend isn't TensorFlow.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["She fed her dog ."])
    >>> lm = LanguageModel(tokenizer, units=(4,), seed=0)
    >>> paths = gradient_paths(lm, ["She fed her dog ."], target="her")
    >>> paths.full.sizes
    Frozen({'example': 1, 'time': 6, 'unit': 4})
    >>> bool(paths.full.isel(time=2).equals(paths.cell.isel(time=2)))  # where both begin
    True
    """
    require_tensorflow("Gradient paths need")
    site_call = one_site(model, layer)
    site = site_call.site
    prediction: _Prediction | None = None
    end: Any = target
    if loss is None:
        prediction = _prediction(model, inputs, target)
        inputs, end = prediction.ids, prediction.steps
        loss = _surprisal(prediction.ids, prediction.steps)
    gradient = _gradient(model, inputs, site_call, loss)
    full, mask = gradient.full, gradient.mask
    backwards = bool(site.layer.go_backwards)
    steps = _last_steps(mask, backwards, end)
    passed = _passed(gradient.retention, mask, steps, backwards)
    last = full[np.arange(len(full)), steps][:, None]
    places = np.arange(mask.shape[1])
    before = places >= steps[:, None] if backwards else places <= steps[:, None]
    counts = (before & mask)[..., None]
    parts = {
        "full": full,
        "cell": passed * last,
        "passed": passed,
        "retention": gradient.retention,
    }
    coords: dict[str, Any] = {
        "time": places,
        "unit": np.arange(site.spec.units),
        "mask": (("example", "time"), mask),
        "step": ("example", steps),
        "loss": ("example", gradient.losses),
    }
    if prediction is not None:
        coords["token"] = (("example", "time"), prediction.words)
        coords["target"] = ("example", prediction.targets)
    cell = site.spec.cell
    attributes = {"layer": site.path, "cell": cell.kind, "go_backwards": int(backwards)}
    data = {name: (DIMS, np.where(counts, values, np.nan)) for name, values in parts.items()}
    return xr.Dataset(data, coords, attributes)


class _Gradient(NamedTuple):
    """The gradient of a loss with respect to the state at each step of one layer's call.

    Attributes:
        full: Over all ways, `(example, time, unit)`.
        retention: The share of the old state that was kept, likewise.
        mask: Which steps were read, `(example, time)`.
        losses: The loss, `(example,)`.
    """

    full: np.ndarray
    retention: np.ndarray
    mask: np.ndarray
    losses: np.ndarray


def _gradient(
    model: keras.Model, inputs: Any, site_call: SiteCall, loss: Callable[[Tensor], Tensor]
) -> _Gradient:
    import tensorflow as tf

    spec = site_call.site.spec
    nudges: list[Tensor] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:

        def nudge(call: Call) -> list[recurrence.Edit]:
            shape = (*call.inputs.shape[:2], spec.units)
            nudges.append(tf.zeros(shape, call.inputs.dtype))
            tape.watch(nudges[-1])
            return [recurrence.Edit(spec.cell.memory, offset=nudges[-1])]

        tensors = keras.tree.map_structure(keras.ops.convert_to_tensor, inputs)
        layer_call = call_of(model, tensors, site_call, nudge)
        losses = tf.convert_to_tensor(loss(layer_call.outputs))
        total = tf.reduce_sum(losses)
    gradient = tape.gradient(total, nudges[0], unconnected_gradients="zero")
    full = np.asarray(tf.cast(gradient, tf.float64 if gradient.dtype == tf.float64 else tf.float32))
    if losses.shape != full.shape[:1]:
        raise ValueError(
            f"`loss` must return a number for each example, of shape ({len(full)},). "
            f"Received: shape {tuple(losses.shape)}"
        )
    source, scale, offset = spec.cell.derived("retention")
    retention = scale * np.asarray(layer_call.signals[source], full.dtype) + offset
    return _Gradient(full, retention, layer_call.mask, np.asarray(losses))


class _Prediction(NamedTuple):
    """What a language model is to predict: a word of each text.

    Attributes:
        ids: The texts as the model takes them, `(example, time)`.
        words: The words, likewise.
        steps: The step from which the target is predicted, `(example,)`.
        targets: The words predicted, `(example,)`.
    """

    ids: np.ndarray
    words: np.ndarray
    steps: np.ndarray
    targets: np.ndarray


def _prediction(model: keras.Model, texts: Any, target: Any) -> _Prediction:
    if not isinstance(model, TextReader):
        raise ValueError(
            "For a model other than a textgate language model, give `loss=`, a function of its "
            f"outputs. Received: {type(model).__name__} {model.name!r}"
        )
    texts = [texts] if isinstance(texts, str) else list(texts)
    ids, words = np.asarray(model.encode(texts)), np.asarray(model.tokens(texts))
    lengths = (words != "").sum(axis=1)
    if isinstance(target, str):
        occurrences = np.char.lower(words) == target.lower()
        occurrences[:, 0] = False  # <bos> is given
        lacking = np.flatnonzero(~occurrences.any(axis=1))
        if lacking.size:
            raise ValueError(
                f"The target doesn't stand in text {lacking[0]}, {texts[lacking[0]]!r}. "
                f"Received: target={target!r}"
            )
        at = words.shape[1] - 1 - np.argmax(occurrences[:, ::-1], axis=1)
    elif target is None:
        at = lengths - 1
    else:
        at = _one_each(target, len(texts))
    if (at < 1).any() or (at >= lengths).any():
        wrong = int(np.flatnonzero((at < 1) | (at >= lengths))[0])
        raise ValueError(
            f"`target` must be the number of a word, from 1 to {int(lengths[wrong]) - 1} in text "
            f"{wrong}, {texts[wrong]!r}. Received: target={target!r}"
        )
    return _Prediction(ids, words, at - 1, words[np.arange(len(texts)), at])


def _surprisal(ids: np.ndarray, steps: np.ndarray) -> Callable[[Tensor], Tensor]:
    """Return the function from logits to −log p of the word after each step."""
    rows = np.arange(len(ids))

    def loss(logits: Tensor) -> Tensor:
        import tensorflow as tf

        at = np.stack([rows, steps], axis=1)
        chosen = tf.gather_nd(logits, at)  # (batch, vocabulary)
        if chosen.dtype not in (tf.float32, tf.float64):
            chosen = tf.cast(chosen, tf.float32)
        after = np.stack([rows, ids[rows, steps + 1]], axis=1)
        return -tf.gather_nd(tf.nn.log_softmax(chosen), after)

    return loss


def _one_each(target: Any, examples: int) -> np.ndarray:
    """Return whole numbers, one for each example."""
    numbers = np.asarray(target)
    if numbers.dtype.kind not in "iu" or numbers.shape not in ((), (examples,)):
        raise TypeError(
            f"`target` must be a word, a whole number, or one for each of the {examples} examples. "
            f"Received: target={target!r}"
        )
    return np.broadcast_to(numbers, (examples,)).astype(int)


def _last_steps(mask: np.ndarray, backwards: bool, target: Any) -> np.ndarray:
    """Return the last step that is read up to the target, for each example."""
    examples, length = mask.shape
    end = 0 if backwards else length - 1
    steps = _one_each(end if target is None else target, examples)
    if steps.min() < 0 or steps.max() >= length:
        raise ValueError(
            f"With a `loss`, `target` is a step from 0 to {length - 1}. Received: {target!r}"
        )
    places = np.arange(length)
    if backwards:
        read = np.where(mask & (places >= steps[:, None]), places, length)
        return np.where(mask.any(axis=1), read.min(axis=1), steps).clip(max=length - 1)
    read = np.where(mask & (places <= steps[:, None]), places, -1)
    return np.where(mask.any(axis=1), read.max(axis=1), steps).clip(min=0)


def _passed(
    retention: np.ndarray, mask: np.ndarray, steps: np.ndarray, backwards: bool
) -> np.ndarray:
    """Return, for each step s, the product of the retention after s up to the last step."""
    turned = slice(None, None, -1 if backwards else 1)
    length = mask.shape[1]
    last = length - 1 - steps if backwards else steps
    within = (np.arange(length) <= last[:, None]) & mask[:, turned]
    keep = np.where(within[..., None], retention[:, turned], 1.0)
    since = np.cumprod(keep[:, ::-1], axis=1)[:, ::-1]  # from s on, s itself included
    after = np.concatenate([since[:, 1:], np.ones_like(since[:, :1])], axis=1)
    return after[:, turned]


def gradient_norms(paths: xr.Dataset) -> pd.DataFrame:
    """Return the size of the gradient at each word, in full and along the cell alone.

    Args:
        paths: What `gradient_paths` returns.

    Returns:
        A row for each example and step up to the last before the target: `example`, `step`,
        `word` (where known), `distance` (how many words it is before the last one read; 0 there),
        `full` and `cell` (Euclidean norms over the units), and `passed` (the mean over units of
        the product of the retention since).
    """
    parts = []
    for example in range(paths.sizes["example"]):
        one = paths.isel(example=example)
        steps = np.flatnonzero(np.isfinite(one["full"].values).all(axis=1))
        distance = np.arange(len(steps))[:: 1 if paths.attrs["go_backwards"] else -1]
        words = one["token"].values[steps] if "token" in one.coords else steps.astype(str)
        parts.append(
            pd.DataFrame(
                {
                    "example": example,
                    "step": steps,
                    "word": words,
                    "distance": distance,
                    "full": np.linalg.norm(one["full"].values[steps], axis=1),
                    "cell": np.linalg.norm(one["cell"].values[steps], axis=1),
                    "passed": one["passed"].values[steps].mean(axis=1),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
