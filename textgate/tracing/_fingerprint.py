"""A short name for a model as it is: its architecture and its weights."""

import hashlib

import keras
import numpy as np

from textgate.tracing._sites import find_sites


def fingerprint(model: keras.Model) -> str:
    """Return a hash of a model's architecture and weights, 16 hexadecimal digits.

    Equal for a model saved and loaded, different as soon as a weight, a layer or an option of a
    recurrent cell differs. States of stateful layers and of random generators don't count.

    Args:
        model: A built Keras model.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.LSTM(4)])
    >>> len(fingerprint(model))
    16
    """
    digest = hashlib.blake2b(digest_size=8)

    def add(*parts: object) -> None:
        digest.update(repr(parts).encode())

    for layer in model._flatten_layers(include_self=False):
        add(type(layer).__qualname__, layer.dtype_policy.name)
    for site in find_sites(model)[0]:
        spec = site.spec
        names = [getattr(f, "__name__", "") for f in (spec.activation, spec.recurrent_activation)]
        options = (spec.reset_after, dict(spec.fixed_gates), spec.coupled, spec.leak)
        variant = (*options, *sorted(spec.settings.items()))
        add(site.path, spec.cell.kind, spec.units, names, variant, site.layer.go_backwards)
    for variable in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_tensor(variable))
        add(value.shape, str(value.dtype))
        digest.update(value.tobytes() if value.dtype.kind not in "biuf" else value.data)
    return digest.hexdigest()
