"""One layer's configuration, as Keras 1 and 2 wrote it, as arguments of the layer in Keras 3.

Keras 1 had other names for most settings (`output_dim`, `inner_activation`, `init`, …), Keras 2
some that Keras 3 lacks (`implementation`, `time_major`, …). What has no effect on what a layer
computes is dropped; what has one and can't be expressed is refused by name. Only layers of the
closed list below are made, so that a file can't bring in anything else.
"""

import inspect
from collections.abc import Mapping
from typing import Any

import keras

from textgate.layers import keras2_hard_sigmoid

# Layers that Keras 1 or 2 had and Keras 3 has under the same name.
KNOWN = frozenset(
    (  # noqa: SIM905
        "Dense Activation Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D "
        "GaussianNoise GaussianDropout AlphaDropout ActivityRegularization Flatten Reshape "
        "Permute RepeatVector Masking Embedding LSTM GRU SimpleRNN RNN LSTMCell GRUCell "
        "SimpleRNNCell StackedRNNCells Bidirectional TimeDistributed ConvLSTM1D ConvLSTM2D "
        "ConvLSTM3D Conv1D Conv2D Conv3D Conv1DTranspose Conv2DTranspose Conv3DTranspose "
        "SeparableConv1D SeparableConv2D DepthwiseConv1D DepthwiseConv2D MaxPooling1D "
        "MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D "
        "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalAveragePooling1D "
        "GlobalAveragePooling2D GlobalAveragePooling3D UpSampling1D UpSampling2D UpSampling3D "
        "ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D "
        "BatchNormalization LayerNormalization GroupNormalization UnitNormalization Add "
        "Subtract Multiply Average Maximum Minimum Concatenate Dot ReLU LeakyReLU ELU PReLU "
        "Softmax Attention AdditiveAttention MultiHeadAttention EinsumDense Rescaling "
        "Identity"
    ).split()
)
# Other names for them.
ALIASES = {
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "LSTMV2": "LSTM",
    "GRUV2": "GRU",
    "LSTMCellV2": "LSTMCell",
    "GRUCellV2": "GRUCell",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "SyncBatchNormalization": "BatchNormalization",
    "LayerNormalizationV1": "LayerNormalization",
    "TimeDistributedDense": "TimeDistributed",
    "ThresholdedReLU": "ReLU",
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "AtrousConvolution1D": "Conv1D",
    "Deconvolution2D": "Conv2DTranspose",
    "MaxPool1D": "MaxPooling1D",
    "AvgPool1D": "AveragePooling1D",
}
# Layers of Keras 1 and 2 that are no more.
GONE = frozenset(
    (  # noqa: SIM905
        "LocallyConnected1D LocallyConnected2D Highway MaxoutDense Merge ConvRNN2D "
        "ConvRecurrent2D DenseFeatures RandomFourierFeatures TFOpLambda SlicingOpLambda "
        "TensorFlowOpLayer ClassMethod InstanceMethod InstanceProperty KerasInputLayer "
        "ParametricSoftplus SReLU"
    ).split()
)

_KERAS_1 = {
    "output_dim": "units",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "bias": "use_bias",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "b_constraint": "bias_constraint",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "p": "rate",
    "sigma": "stddev",
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample": "strides",
    "subsample_length": "strides",
    "border_mode": "padding",
    "pool_length": "pool_size",
    "stride": "strides",
    "atrous_rate": "dilation_rate",
    "length": "size",
    "dim_ordering": "data_format",
}
# Where a layer's word is another one than that of most.
_RENAMED: dict[str, dict[str, str]] = {
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
    },
    "PReLU": {"init": "alpha_initializer"},
    "BatchNormalization": {
        "gamma_init": "gamma_initializer",
        "beta_init": "beta_initializer",
    },
    "LeakyReLU": {"alpha": "negative_slope"},
    "ReLU": {"theta": "threshold"},
}
_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": None}
# Settings that change nothing of what a trained layer computes.
_WITHOUT_EFFECT = frozenset(
    (  # noqa: SIM905
        "batch_input_shape input_shape batch_shape input_dtype input_dim input_length "
        "batch_size ragged sparse weights implementation consume_less forget_bias_init "
        "unit_forget_bias time_major dynamic autotune experimental_autocast use_cudnn fused "
        "renorm renorm_clipping renorm_momentum virtual_batch_size adjustment synchronized"
    ).split()
)
_NEVER_PASSED = ("weights", "implementation", "input_length", "batch_input_shape")
_KERAS_1_OBJECTS = {
    "WeightRegularizer": "L1L2",
    "ActivityRegularizer": "L1L2",
    "normal": "RandomNormal",
    "uniform": "RandomUniform",
    "one": "Ones",
    "zero": "Zeros",
    "maxnorm": "MaxNorm",
    "nonneg": "NonNeg",
    "unitnorm": "UnitNorm",
    "m": "max_value",
}
_TRAINING_OBJECTS = {
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}


def describe(class_name: str, config: Mapping[str, Any]) -> str:
    """Return how an error names a layer."""
    return f"layer {config.get('name', '?')!r} of class {class_name}"


def arguments(
    class_name: str, config: Mapping[str, Any], custom_objects: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the arguments that make the layer in Keras 3.

    Args:
        class_name: As the file has it.
        config: As the file has it, of any version; without what it wraps (`layer`, `cell`, …).
        custom_objects: Activations of the user's, by name.

    Raises:
        ValueError: If a setting can't be expressed.
    """
    name = ALIASES.get(class_name, class_name)
    accepted = _accepted(getattr(keras.layers, name))
    result: dict[str, Any] = _defaults(class_name)
    for old, value in config.items():
        key = _RENAMED.get(name, {}).get(old, old)
        if key not in accepted:
            key = _KERAS_1.get(old, old)
        if old == "dropout" and name == "Embedding":  # only in training; Keras 2 dropped it too
            continue
        if key in _NEVER_PASSED or (key not in accepted and key in _WITHOUT_EFFECT):
            continue
        if key not in accepted:
            _check_neutral(class_name, config, old, value)
            continue
        result[key] = _value(key, _plain(value), custom_objects, describe(class_name, config))
    if name == "BatchNormalization" and isinstance(result.get("axis"), list):
        (result["axis"],) = result["axis"]
    if result.get("name"):
        result["name"] = str(result["name"]).replace("/", "_")
    return result


def _defaults(class_name: str) -> dict[str, Any]:
    """Return what a layer did where its configuration says nothing."""
    if class_name.startswith("CuDNN"):
        more = {"reset_after": True} if class_name == "CuDNNGRU" else {}
        return {"activation": "tanh", "recurrent_activation": "sigmoid", **more}
    if class_name == "ThresholdedReLU":
        return {"threshold": 1.0}
    if class_name.startswith(("LSTM", "GRU")):
        more = {"reset_after": False} if class_name.startswith("GRU") else {}
        return {"recurrent_activation": keras2_hard_sigmoid, **more}
    return {}


def _accepted(cls: type) -> set[str]:
    """Return the names of a layer's settings, those of its base classes included."""
    names: set[str] = set()
    for base in cls.__mro__:
        if "__init__" not in vars(base):
            continue
        parameters = inspect.signature(vars(base)["__init__"]).parameters
        names |= parameters.keys() - {"self", "args", "kwargs"}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            break
        if issubclass(base, keras.layers.RNN):  # the rest is for `RNN` alone, but for this one
            return names | {"name", "trainable", "dtype", "zero_output_for_mask"}
    return names


def _check_neutral(class_name: str, config: Mapping[str, Any], key: str, value: Any) -> None:
    """Refuse a setting that Keras 3 lacks, unless it says that nothing is to be done."""
    if key in ("trainable", "dtype") or key.rpartition("_")[2] in _TRAINING_OBJECTS:
        return
    neutral = value in (None, False, 0, {}, []) or (key in ("groups", "rank") and value == 1)
    if key == "mode" and class_name.startswith("BatchNormalization"):
        neutral = value in (0, 2)
    if not neutral:
        raise ValueError(
            f"the {describe(class_name, config)} has the setting {key!r}, which Keras 3 lacks; "
            f"pass custom_objects={{{class_name!r}: class}} with a layer that has it. "
            f"Received: {key}={value!r}"
        )


def _plain(value: Any) -> Any:
    """Return a value of JSON, also where an array was written for it."""
    if isinstance(value, dict) and value.get("type") == "ndarray":
        return value.get("value")
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        return tuple(value.get("items", ()))
    return value


def _value(key: str, value: Any, custom_objects: Mapping[str, Any], layer: str) -> Any:
    if key == "activation" or key.endswith("_activation"):
        return activation(value, custom_objects, layer)
    kind = key.rpartition("_")[2]
    if kind in _TRAINING_OBJECTS:
        return _training_object(kind, value, custom_objects)
    if key == "dtype":
        return policy(value)
    if key == "data_format":
        return _ORDERINGS.get(value, value)
    return value


def policy(value: Any) -> str | None:
    """Return the name of a layer's dtype; `None` where an old file only had that of its inputs."""
    if isinstance(value, dict):
        config = value.get("config")
        value = config.get("name") if isinstance(config, dict) else None
    if not isinstance(value, str) or not value.endswith(("float16", "float32", "float64")):
        return None
    return value


def activation(value: Any, custom_objects: Mapping[str, Any], layer: str = "model") -> Any:
    """Return an activation as the old version computed it.

    Raises:
        ValueError: If it is none that Keras has, and the user hasn't given it.
    """
    if isinstance(value, dict):  # a function, or a layer that stands for one
        name = value.get("class_name")
        config = value.get("config")
        if name == "function":
            value = config
        elif name in ("ReLU", "LeakyReLU", "ELU", "Softmax") and isinstance(config, dict):
            return getattr(keras.layers, name)(**arguments(name, config, custom_objects))
        else:
            value = value.get("registered_name") or name
    if value is None or value in custom_objects:
        return custom_objects.get(value)
    if value == "hard_sigmoid":
        return keras2_hard_sigmoid
    found = None
    if isinstance(value, str):
        registered = keras.saving.get_registered_object(value)
        found = registered or vars(keras.activations).get(value.rpartition(">")[2])
    if not callable(found):
        raise ValueError(
            f"the {layer} has an activation that Keras 3 lacks; pass "
            f"custom_objects={{{value!r}: function}}. Received: {value!r}"
        )
    return found


def _training_object(kind: str, value: Any, custom_objects: Mapping[str, Any]) -> Any:
    """Return an initializer, regularizer or constraint; a plain one where Keras 3 has none such.

    They only matter in further training.
    """
    fallback = keras.initializers.Zeros() if kind == "initializer" else None
    name: Any = value
    config: Any = {}
    if isinstance(value, dict):
        name = value.get("class_name", value.get("name"))
        config = value.get("config", {k: v for k, v in value.items() if k != "name"})
    if not isinstance(name, str) or not isinstance(config, dict):
        return fallback
    if name in custom_objects:
        given = custom_objects[name]
        return given(**config) if isinstance(given, type) else given
    cls = vars(_TRAINING_OBJECTS[kind]).get(_KERAS_1_OBJECTS.get(name, _camel_case(name)))
    if not inspect.isclass(cls):
        return fallback
    accepted = inspect.signature(cls.__init__).parameters
    named = {_KERAS_1_OBJECTS.get(str(key), str(key)): _plain(v) for key, v in config.items()}
    settings = {key: setting for key, setting in named.items() if key in accepted}
    if settings.get("distribution") == "normal":
        settings["distribution"] = "truncated_normal"
    try:
        return cls(**settings)
    except (TypeError, ValueError):
        return fallback


def _camel_case(name: str) -> str:
    """Return `GlorotUniform` for `glorot_uniform`."""
    if "_" not in name and not name.islower():
        return name
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
