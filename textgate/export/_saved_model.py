"""From a Keras model to a SavedModel directory."""

import contextlib
import functools
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from textgate import __version__
from textgate._backend import require_tensorflow
from textgate._files import beside, cannot_write, remove_partials, write_text
from textgate._received import check_model
from textgate.export import _description as description
from textgate.export._language import TOP, LanguageEndpoints
from textgate.export._model import ModelEndpoints, resources_of
from textgate.export._texts import GraphTokenizer
from textgate.interventions import Edited
from textgate.models import LanguageModel
from textgate.models.exported import EXTRA
from textgate.tracing import fingerprint


def saved_model(
    model: keras.Model,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    inputs: Any = None,
    card: str | None = None,
    half: bool = False,
) -> Path:
    """Write a model as a SavedModel that plain TensorFlow loads and serves.

    The endpoints are signatures (`loaded.signatures["gates"](text=…)`, and what servers call), and
    functions of the loaded object with the same arguments (`loaded.gates(text)`); what they are is
    in `textgate.export` and in the SavedModel's own `describe()`.

    Args:
        model: A `LanguageModel`, or any built Keras model with recurrent layers.
        path: The directory to write.
        overwrite: Whether a SavedModel that is there is replaced; nothing else ever is.
        inputs: An example of the model's inputs, or `tf.TensorSpec`s for them; only needed for a
            subclassed model, which doesn't say what it takes.
        card: Text to put beside it as `README.md`.
        half: Whether to keep the weights of a `LanguageModel` in half precision, which takes half
            the room. They are read as float32 in each call, and computing goes on as before.

    Returns:
        The path.

    Raises:
        FileExistsError: If something is there already and `overwrite` isn't given, or if it is not
            a SavedModel.
        CannotWriteError: If the disk is full, or writing isn't permitted.
        TypeError: If `model` is not a Keras model.
        ValueError: If the model isn't built or has no recurrent layer, if a subclassed model's
            inputs aren't known, if Keras doesn't run on TensorFlow, or if a weight is too large
            for half precision.

    Example:

    >>> import tempfile, keras, tensorflow as tf
    >>> model = keras.Sequential([keras.Input((None, 3), name="x"), keras.layers.GRU(4, name="g")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     loaded = tf.saved_model.load(saved_model(model, folder + "/gru"))
    >>> loaded.signatures["gates"](x=tf.ones((2, 5, 3)))["g/update_gate"].shape
    TensorShape([2, 5, 4])
    """
    path = Path(path)
    _check(model)
    _check_free(path, overwrite)
    if half:
        model = _rounded(model)
    root = _root_of(model, inputs, half)
    note: dict[str, Any] = {
        "textgate": __version__,
        "fingerprint": fingerprint(model),
        "model": None,
    }
    if isinstance(model, LanguageModel):
        note["model"] = model.get_config()
    with beside(path, "the SavedModel", replaces=overwrite) as partial:
        # Custom gradients are Python functions; see `signals.forget_gradients`.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        try:
            with _quiet():
                tf.saved_model.save(root, str(partial), signatures=root.endpoints, options=options)
        except tf.errors.OpError as error:
            raise cannot_write("the SavedModel", path, error) from error
        text = json.dumps(note, ensure_ascii=False, indent=1) + "\n"
        write_text(partial / EXTRA, text)
        if card is not None:
            write_text(partial / "README.md", card)
    return path


def _check(model: Any) -> None:
    if isinstance(model, Edited):
        raise TypeError(
            "`model` must be without interventions: export its `model`, whose SavedModel clamps "
            "signals on request (endpoint `edit` of a language model), and keep the interventions "
            f"by `to_json`. Received: {len(model.interventions)} interventions"
        )
    check_model(model)
    require_tensorflow("A SavedModel needs")
    if not model.built:
        raise ValueError(
            "The model has no weights yet; call it once on a batch, or `model.build(input_shape)`. "
            f"Received: model {model.name!r}, which is not built"
        )


def _check_free(path: Path, overwrite: bool) -> None:
    remove_partials(path.parent)  # of exports that were killed; one may have to come back
    if not os.path.lexists(path):
        return
    is_saved_model = path.is_dir() and not path.is_symlink() and (path / "saved_model.pb").is_file()
    if not overwrite:
        raise FileExistsError(
            "something is there already; give another path, or overwrite=True (--overwrite) to "
            f"replace a SavedModel. Received: {path}"
        )
    if not is_saved_model:
        raise FileExistsError(
            "what is there is not a SavedModel and is never overwritten; give another path. "
            f"Received: {path}"
        )


def _root_of(model: keras.Model, inputs: Any, half: bool) -> tf.Module:
    """Return the object that is exported: the endpoints and all that they read."""
    root = tf.Module(name="textgate")
    endpoints: Any
    if isinstance(model, LanguageModel):
        tokenizer: Any = model.tokenizer
        if not isinstance(tokenizer, GraphTokenizer):
            raise TypeError(
                "The model's tokenizer doesn't run inside TensorFlow, as those of words, white "
                "space and characters do; keep the model as a .keras file with `lm.save`. "
                f"Received: {type(tokenizer).__name__}"
            )
        endpoints = LanguageEndpoints(model)
        about = description.of_language_model(endpoints, min(TOP, endpoints.vocabulary))
        root.tokenizer = tokenizer.graph
        # In the order of `model.weights`, for `restore`.
        root.weights = [variable.value for variable in model.weights]
        if half:
            about += "\n\nIts weights are kept in half precision, and computed with in float32."
            root.weights = [_halved(value) for value in root.weights]
    else:
        endpoints = ModelEndpoints(model, inputs)
        about = description.of_model(endpoints)
        root.weights, root.tables = resources_of(model)
    functions: dict[str, Any] = {}
    for name, specs in endpoints.signatures().items():
        endpoint = getattr(endpoints, name)
        if half:
            endpoint = _reading(endpoint, model.weights, root.weights)
        functions[name] = tf.function(endpoint, input_signature=specs, autograph=False)
    functions["describe"] = tf.function(
        lambda: {"description": tf.constant(about)}, input_signature=[], autograph=False
    )
    for name, function in functions.items():
        setattr(root, name, function)
    root.endpoints = {
        name: function.get_concrete_function() for name, function in functions.items()
    }
    return root


def _rounded(model: keras.Model) -> LanguageModel:
    """Return a copy of a language model whose weights half precision holds exactly.

    It is this model that is exported, and whose fingerprint the export has.
    """
    if not isinstance(model, LanguageModel):
        raise ValueError(
            "only language models of textgate can be kept in half precision; leave `half` out. "
            f"Received: half=True and model {model.name!r}"
        )
    copy = LanguageModel.from_config(model.get_config())
    for weight, mine in zip(model.weights, copy.weights, strict=True):
        value = tf.convert_to_tensor(weight.value)
        if value.dtype.is_floating:
            received = f"Received: {weight.path!r}"
            if not bool(tf.reduce_all(tf.math.is_finite(value))):
                raise ValueError(
                    f"a weight is infinite or not a number: the training has failed. {received}"
                )
            largest = float(tf.reduce_max(tf.abs(value)))
            value = tf.cast(value, tf.float16)
            if not bool(tf.reduce_all(tf.math.is_finite(value))):
                raise ValueError(
                    "a weight is too large for half precision; leave `half` out. "
                    f"{received} with values up to {largest:g}"
                )
        mine.assign(tf.cast(value, mine.dtype))
    return copy


def _halved(value: tf.Variable) -> tf.Variable:
    """Return a floating-point variable in half precision, any other as it is."""
    if not value.dtype.is_floating:
        return value
    return tf.Variable(tf.cast(value, tf.float16), trainable=False)


def _reading(endpoint: Any, weights: list[Any], halved: list[tf.Variable]) -> Any:
    """Return an endpoint whose model reads its weights from other variables, as float32."""

    @functools.wraps(endpoint)
    def reading(*arguments: Any) -> Any:
        values = [
            (weight, tf.cast(half, weight.dtype))
            for weight, half in zip(weights, halved, strict=True)
        ]
        with keras.StatelessScope(state_mapping=values):
            return endpoint(*arguments)

    return reading


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow from announcing where it wrote, which is not the final place."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
