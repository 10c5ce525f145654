"""Law 9: a model of an old Keras file gives what it gave where it came from."""

import json
import shutil
import warnings
import zipfile

import h5py
import keras
import numpy as np
import pytest

import textgate as tg
from textgate.importing import load_keras_file
from textgate.layers import keras2_hard_sigmoid

RANDOM = [f"random_{number}" for number in range(10)]
SEQUENTIAL = [
    "bare",
    "stateful",
    "time_major",
    "activations",
    "conv_groups",
    "sequential_in_sequential",
]
FUNCTIONAL = [
    "seq2seq",
    "bidirectional_states",
    "merges",
    "hierarchical",
    "sentence_encoder",
    "shared",
    "nested_masks",
    "over_cells",
    "stacked_states",
    "time_major_masked",
    "attention",
    "dictionary",
]
ZIPPED = [
    "bare",
    "time_major",
    "shared",
    "over_cells",
    "sentence_encoder",
    "seq2seq",
    "conv_groups",
]
KERAS_1 = ["keras_1", "keras_1_theano", "keras_1_functional", "keras_1_branches"]
# Keras's own word, at every call, for what these models do on purpose.
pytestmark = [
    pytest.mark.tensorflow_only,  # as the old files are
    pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask:UserWarning"),
]


def arrays_of(directory, name):
    with np.load(directory / f"{name}.npz") as file:
        xs = [file[key] for key in sorted(file) if key[0] == "x"]
        return xs, [file[f"y{i}"] for i in range(len(file.files) - len(xs))]


def outputs_of(model, xs):
    inputs = xs[0] if len(xs) == 1 else xs
    if isinstance(model, keras.Model) and isinstance(getattr(model, "input", None), dict):
        inputs = dict(zip(model.input, xs, strict=True))
    outputs = model(inputs)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    return [np.asarray(output) for output in keras.tree.flatten(outputs)]


def check(model, directory, name, atol=1e-5):
    xs, expected = arrays_of(directory, name)
    outputs = outputs_of(model, xs)
    assert len(outputs) == len(expected)
    for output, wanted in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(output, wanted, rtol=0, atol=atol)


def changed(directory, name, to, change=None, version=None):
    """A copy of a file with another configuration, or of another version."""
    shutil.copy(directory / f"{name}.h5", to)
    with h5py.File(to, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        if change is not None:
            config = change(config) or config
        file.attrs["model_config"] = json.dumps(config)
        if version:
            for holder in (file, file["model_weights"]):
                holder.attrs["keras_version"] = version
    return to


@pytest.mark.law(9)
@pytest.mark.parametrize("name", [*RANDOM, *SEQUENTIAL, *FUNCTIONAL, *KERAS_1, "cudnn"])
def test_outputs_are_those_of_the_old_version(old_files, name):
    check(tg.load(old_files / f"{name}.h5"), old_files, name)


@pytest.mark.parametrize("name", ["bare", "stateful", "keras_1", *FUNCTIONAL])
def test_what_was_loaded_is_saved_and_loaded_again(old_files, tmp_path, name):
    model = tg.load(old_files / f"{name}.h5")
    model.save(tmp_path / "model.keras")
    check(keras.saving.load_model(tmp_path / "model.keras"), old_files, name)


@pytest.mark.parametrize("name", ["bare", "seq2seq", "time_major_masked", "keras_1", "cudnn"])
def test_what_was_loaded_is_an_ordinary_model(old_files, tmp_path, name):
    model = tg.load(old_files / f"{name}.h5")
    xs, _ = arrays_of(old_files, name)
    inputs = xs[0] if len(xs) == 1 else xs
    check(tg.convert(model, to="textgate"), old_files, name)
    trace = tg.trace(model, inputs)
    nodes = [node for node in trace.subtree if "hidden_state" in node]
    assert nodes
    for node in nodes:
        first = node.isel(example=0)
        assert np.isfinite(first["hidden_state"].values[np.asarray(first["mask"])]).all()
    layer = nodes[0].path.lstrip("/")
    edited = tg.intervene(model, [tg.ZeroAblation(layer, "hidden_state")])
    before, after = outputs_of(model, xs), outputs_of(edited, xs)
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(before, after, strict=True))


def test_the_mask_given_to_a_decoder_is_seen_in_a_trace(old_files):
    model = tg.load(old_files / "seq2seq.h5")
    xs, _ = arrays_of(old_files, "seq2seq")
    trace = tg.trace(model, xs, layers=["lstm_1"])
    np.testing.assert_array_equal(trace["lstm_1"]["mask"], xs[1] != 0)


def test_the_old_hard_sigmoid_is_kept(old_files):
    model = tg.load(old_files / "bare.h5")
    assert model.layers[0].recurrent_activation is keras2_hard_sigmoid
    config = model.layers[0].get_config()
    assert "keras2_hard_sigmoid" in json.dumps(config["recurrent_activation"])
    model.layers[0].cell.recurrent_activation = keras.activations.hard_sigmoid
    with pytest.raises(AssertionError):
        check(model, old_files, "bare", atol=1e-2)


# -- weights alone -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bare", "shared"])
def test_weights_alone_go_into_a_model(old_files, name):
    model = tg.load(old_files / f"{name}.h5")
    for variable in model.weights:
        variable.assign(keras.ops.zeros_like(variable))
    assert tg.load(old_files / f"{name}_weights.h5", into=model) is model
    check(model, old_files, name)


def test_weights_alone_go_into_a_model_with_other_names(old_files):
    model = keras.Sequential(
        [
            keras.Input((7, 5)),
            keras.layers.LSTM(
                4, return_sequences=True, recurrent_activation=keras2_hard_sigmoid, name="other"
            ),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="end"),
        ]
    )
    check(tg.load(old_files / "bare_weights.h5", into=model), old_files, "bare")


def test_weights_for_cudnn_go_into_ordinary_layers(old_files):
    model = tg.load(old_files / "cudnn.h5")
    copy = keras.models.clone_model(model)
    check(tg.load(old_files / "cudnn.h5", into=copy), old_files, "cudnn")


def test_weights_alone_and_the_json_of_their_model(old_files, tmp_path):
    with h5py.File(old_files / "bare.h5") as file:
        (tmp_path / "model.json").write_text(file.attrs["model_config"])
    model = tg.load(old_files / "bare_weights.h5", into=tmp_path / "model.json")
    check(model, old_files, "bare")


def test_weights_of_keras_3(tmp_path):
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2)])
    model.save_weights(tmp_path / "new.weights.h5")
    other = keras.models.clone_model(model)
    tg.load(tmp_path / "new.weights.h5", into=other)
    np.testing.assert_array_equal(other.weights[0], model.weights[0])


@pytest.mark.law(9)
@pytest.mark.parametrize("name", ZIPPED)
def test_keras_files_of_keras_2(old_files, name):
    check(tg.load(old_files / f"{name}.keras"), old_files, name)


def test_damaged_keras_files_of_keras_2(old_files, tmp_path):
    with zipfile.ZipFile(old_files / "bare.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    path = tmp_path / "bad.keras"
    config = parts["config.json"]
    for change in (
        {"config.json": config.replace(b'"units": 4', b'"units": 5')},
        {"config.json": config[:100]},
        {"model.weights.h5": parts["model.weights.h5"][:1000]},
        {"model.weights.h5": b""},
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**parts, **change}.items():
                archive.writestr(name, content)
        with pytest.raises(ValueError, match="Received: "):
            tg.load(path)


def test_a_model_of_keras_3_in_the_old_format(tmp_path):
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = tmp_path / "new.h5"
        keras.saving.save_model(model, path)
    x = np.ones((1, 3, 2), "float32")
    np.testing.assert_allclose(tg.load(path)(x), model(x), atol=1e-6)


def test_weights_that_do_not_fit(old_files):
    path = old_files / "bare_weights.h5"
    model = keras.Sequential([keras.Input((7, 5)), keras.layers.LSTM(3), keras.layers.Dense(2)])
    before = [np.array(w) for w in model.weights]
    with pytest.raises(ValueError, match=r"don't fit the layer 'lstm.*Received: \[\(5, 16\)"):
        tg.load(path, into=model)
    for old, new in zip(before, model.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    with pytest.raises(ValueError, match="weights of 2 layers and the model 1 layers"):
        tg.load(path, into=keras.Sequential([keras.Input((7, 5)), keras.layers.LSTM(4)]))
    with pytest.raises(ValueError, match=r"weights alone.*into=model"):
        tg.load(path)
    with pytest.raises(TypeError, match="`into` must be a built Keras model"):
        tg.load(path, into=3)


# -- versions ------------------------------------------------------------------------------------


def test_settings_that_an_old_version_did_not_have(old_files, tmp_path):
    def without(config):
        for entry in config["config"]["layers"]:
            inner = entry["config"].get("layer", entry)["config"]
            for key in ("reset_after", "time_major", "implementation"):
                inner.pop(key, None)

    path = changed(old_files, "sequential_in_sequential", tmp_path / "old.h5", without)
    assert tg.load(path).layers[1].reset_after is False
    check(tg.load(path), old_files, "sequential_in_sequential")


def test_states_of_a_stack_of_cells_came_from_the_last_cell_down(old_files, tmp_path):
    path = changed(old_files, "stacked_states", tmp_path / "old.h5", version="2.1.6")
    xs, (y, h0, c0, h1, c1) = arrays_of(old_files, "stacked_states")
    for output, wanted in zip(outputs_of(tg.load(path), xs), (y, h1, c1, h0, c0), strict=True):
        np.testing.assert_allclose(output, wanted, atol=1e-5)


def test_time_distributed_handed_its_own_mask_on_before_keras_2_1_3(old_files, tmp_path):
    path = changed(old_files, "hierarchical", tmp_path / "old.h5", version="2.0.9")
    with pytest.raises(AssertionError):  # no mask of sentences
        check(tg.load(path), old_files, "hierarchical")


def test_masked_steps_that_differ_are_named(old_files, tmp_path):
    path = changed(old_files, "bidirectional_states", tmp_path / "old.h5", version="2.2.4")
    with pytest.warns(UserWarning, match=r"output 'end'.*'bidirectional_1' repeated"):
        tg.load(path)


def test_a_mask_that_cannot_be_given_is_named(old_files):
    with pytest.warns(
        UserWarning, match=r"output 'end'.*the layer 'gru' of 'decoder' gets no mask"
    ):
        model = tg.load(old_files / "decoder_model.h5")
    with pytest.raises(AssertionError):
        check(model, old_files, "decoder_model")


# -- what the user has to give -------------------------------------------------------------------


def test_code_is_not_run_unless_the_user_says_so(old_files):
    path = old_files / "lambda.h5"
    with pytest.raises(ValueError, match=r"'double' of class Lambda holds code.*Received: "):
        tg.load(path)
    check(tg.load(path, custom_objects={"double": lambda x: x * 2.0}), old_files, "lambda")
    check(
        tg.load(path, custom_objects={"double": keras.layers.Rescaling(2.0)}), old_files, "lambda"
    )
    check(tg.load(path, safe_mode=False), old_files, "lambda")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("LocallyConnected1D", "which no longer exists in Keras 3.*custom_objects="),
        ("AttentionDecoder", "which isn't Keras's; pass custom_objects=.'AttentionDecoder': class"),
        ("TFSMLayer", "which isn't Keras's"),
    ],
)
def test_a_layer_that_keras_lacks_is_named(old_files, tmp_path, name, message):
    def rename(config):
        config["config"]["layers"][1]["class_name"] = name

    path = changed(old_files, "bare", tmp_path / "old.h5", rename)
    with pytest.raises(ValueError, match=f"'lstm.*' of class {name}, {message}.*Received: {name}$"):
        tg.load(path)


def test_a_custom_layer_and_a_custom_activation_are_taken_from_the_user(old_files, tmp_path):
    class Mine(keras.layers.LSTM):
        @classmethod
        def from_config(cls, config):
            return cls(4, recurrent_activation=keras2_hard_sigmoid, return_sequences=True)

    def rename(config):
        config["config"]["layers"][1]["class_name"] = "Mine"
        config["config"]["layers"][3]["config"]["activation"] = "mine"

    path = changed(old_files, "bare", tmp_path / "old.h5", rename)
    with pytest.raises(ValueError, match=r"pass custom_objects=\{'mine': function\}.*'mine'$"):
        tg.load(path, custom_objects={"Mine": Mine})
    model = tg.load(path, custom_objects={"Mine": Mine, "mine": lambda x: x})
    check(model, old_files, "bare")


def test_a_setting_that_keras_lacks_is_named(old_files, tmp_path):
    def change(config):
        config["config"]["layers"][1]["config"]["quantile"] = 0.7

    path = changed(old_files, "bare", tmp_path / "old.h5", change)
    with pytest.raises(ValueError, match=r"has the setting 'quantile'.*Received: quantile=0.7"):
        tg.load(path)


# -- bad files -----------------------------------------------------------------------------------


def test_truncated_and_damaged_files(old_files, tmp_path):
    path = tmp_path / "bad.h5"
    whole = (old_files / "bare.h5").read_bytes()
    for end in (100, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match=r"(truncated|damaged|lacks|fit).*Received: "):
            tg.load(path)
    damaged = [
        lambda config: {"class_name": "Sequential"},
        lambda config: {"class_name": "Sequential", "config": {"layers": [1, 2]}},
        lambda config: {"class_name": "Model", "config": {"layers": [], "input_layers": []}},
        lambda config: [1, 2],
        lambda config: {"class_name": "Mine", "config": {}},
        lambda config: {**config, "config": {**config["config"], "layers": [{"class_name": 3}]}},
    ]
    for change in damaged:
        changed(old_files, "bare", path, change)
        with pytest.raises(ValueError, match="Received: ") as caught:
            tg.load(path)
        assert "\n" not in str(caught.value)


def test_shapes_that_the_file_does_not_hold_take_no_memory(old_files, tmp_path):
    def huge(config):
        config["config"]["layers"][1]["config"]["units"] = 10**12

    path = changed(old_files, "bare", tmp_path / "old.h5", huge)
    with pytest.raises(ValueError, match="more weights than it can hold"):
        tg.load(path)
    keras.layers.Dense(2)(np.ones((1, 2)))  # nothing is left to be made later
    with keras.StatelessScope():
        pass
    shutil.copy(old_files / "bare.h5", path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense"]
        name = group.attrs["weight_names"][0]
        del group[name]
        group.create_dataset(name, (10**12, 10**3), "float32", chunks=(100, 10), compression="gzip")
    with pytest.raises(ValueError, match="declared larger than what the file holds"):
        tg.load(path)


def test_nothing_outside_of_the_file_is_read(old_files, tmp_path):
    path = shutil.copy(old_files / "bare.h5", tmp_path / "old.h5")
    (tmp_path / "secret").write_bytes(bytes(28 * 2 * 4))
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense"]
        name = group.attrs["weight_names"][0]
        shape = group[name].shape
        del group[name]
        outside = [(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]
        group.create_dataset(name, shape, "float32", external=outside)
    with pytest.raises(ValueError, match="stands in another file, which isn't read"):
        tg.load(path)
    with h5py.File(path, "r+") as file:
        del file["model_weights/dense"]
        file["model_weights/dense"] = h5py.ExternalLink(str(old_files / "bare.h5"), "/")
    with pytest.raises(ValueError, match="stands in another file, which isn't read"):
        tg.load(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"\x80\x04\x95\x00\x00", "a Python pickle"),
        (b"\x1f\x8b\x08\x00\x00", "compressed file"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", r"PyTorch.*tg\.from_torch"),
        (b"{}", "a JSON file"),
        (b"what?", "neither a Keras file"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path, content, kind):
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{kind}.*Received: .*model.h5"):
        tg.load(path)
    with pytest.raises(ValueError, match=kind):
        load_keras_file(path)
    with pytest.raises(FileNotFoundError):
        tg.load(tmp_path / "nothing.h5")


def test_an_ordinary_keras_file(tmp_path):
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.LSTM(2)])
    model.save(tmp_path / "model.keras")
    loaded = tg.load(tmp_path / "model.keras")
    x = np.ones((1, 3, 2), "float32")
    np.testing.assert_allclose(loaded(x), model(x), atol=1e-6)
