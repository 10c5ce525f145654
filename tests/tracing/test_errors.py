"""Whatever a user can get wrong gets one line that names it, and leaves nothing behind."""

import shutil

import keras
import numpy as np
import pytest
import xarray as xr
from keras import layers, ops

import textgate as tg
from tests.tracing import kinds


@pytest.fixture(scope="module")
def kind():
    return kinds.functional_masked()


class Leaky(layers.Layer):
    """A cell with equations of its own."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = self.units = units

    def build(self, shape):
        self.kernel = self.add_weight((shape[-1], self.units))

    def call(self, x, states):
        h = 0.9 * states[0] + ops.matmul(x, self.kernel)
        return h, [h]


class OwnLoop(layers.LSTM):
    def inner_loop(self, *args, **kwargs):
        return super().inner_loop(*args, **kwargs)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"layers": ["encoder"]}, ["'lstm', 'gru', 'simple'", "'encoder'"]),
        ({"layers": "LSTM"}, ["'lstm', 'gru', 'simple'", "'LSTM'"]),
        ({"layers": []}, ["'lstm', 'gru', 'simple'"]),
        ({"layers": ["lstm/call_1"]}, ["called 1 times", "call_1"]),
        ({"signals": ["forget"]}, ["'forget_gate'", "'retention'", "'forget'"]),
        ({"signals": []}, ["'forget_gate'"]),
        ({"signals": ["update_gate"], "layers": ["lstm"]}, ["'forget_gate'", "update_gate"]),
        ({"units": [0, 3], "layers": ["gru"]}, ["0 to 2", "'gru'", "[0, 3]"]),
        ({"units": [-1]}, ["'lstm'", "[-1]"]),
        ({"units": {"nothing": [1]}}, ["'nothing'"]),
        ({"steps": slice(-2, None)}, ["slice(-2, None"]),
        ({"steps": [3, 1]}, ["[3, 1]"]),
        ({"steps": [2, 6]}, ["0 to 5", "[2, 6]"]),
        ({"batch_size": 0}, ["batch_size=0"]),
        ({"labels": {"sex": ["f"]}}, ["'sex'", "7 examples", "1 values"]),
        ({"labels": {"mask": [1] * 7}}, ["'mask'"]),
        ({"labels": {"sex": ["f", 1, 2, 3, 4, 5, None]}}, ["'sex'", "NoneType"]),
        ({"tokens": [["a"]] * 7}, ["(7, 6)", "(7, 1)"]),
    ],
)
def test_choices(kind, options, said):
    with pytest.raises(ValueError, match=r"Received: ") as raised:
        tg.trace(kind.model, kind.inputs, **options)
    for part in said:
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "options",
    [{"layers": [3]}, {"units": [0.5]}, {"steps": "all"}, {"labels": ["f"] * 7}, {"signals": 1}],
)
def test_choices_of_the_wrong_kind(kind, options):
    with pytest.raises((TypeError, ValueError), match=r"Received: "):
        tg.trace(kind.model, kind.inputs, **options)


def test_what_is_no_model_or_not_ready():
    with pytest.raises(TypeError, match=r"Sequential\(\[layer\]\).*Received: LSTM"):
        tg.trace(layers.LSTM(3), kinds.features())
    with pytest.raises(TypeError, match=r"Received: str"):
        tg.trace("runs/she-her", kinds.features())
    with pytest.raises(ValueError, match=r"no weights yet.*Received: model 'unbuilt'"):
        tg.trace(keras.Sequential([layers.LSTM(3)], name="unbuilt"), kinds.features())
    with pytest.raises(ValueError, match=r"no weights yet.*not built"):
        tg.trace(kinds.Loops(), kinds.features())
    dense = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="dense")
    with pytest.raises(ValueError, match=r"none at all.*Received: model 'dense'"):
        tg.trace(dense, np.ones((2, 3)))


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (np.ones((4, 5, 2), "float32"), "(4, 5, 2)"),
        (np.ones((4,), "float32"), "(4,)"),
        ([[1.0, 2.0], [3.0]], "different lengths"),
        (np.ones((0, 5, 3), "float32"), "at least one"),
        ([np.ones((2, 5, 3)), np.ones((3, 5, 3))], "same number of examples"),
        ({"a": object()}, "object"),
        ("She came out", ""),
    ],
)
def test_inputs_that_do_not_fit(inputs, said):
    model = kinds.sequential().model
    with pytest.raises((ValueError, TypeError), match=r"Received: ") as raised:
        tg.trace(model, inputs)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.tensorflow_only
def test_unknown_ids_are_an_error(kind):
    bad = np.full((2, 3), kinds.VOCABULARY)
    with pytest.raises(ValueError, match=r"cannot be called on these inputs.*Received: "):
        tg.trace(kind.model, bad)


def test_what_cannot_be_traced_is_named_and_the_rest_is_traced():
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.RNN(Leaky(4), return_sequences=True, name="leaky"),
            OwnLoop(3, return_sequences=True, name="loop"),
            layers.GRU(2, name="gru"),
        ]
    )
    with pytest.warns(UserWarning, match=r"'leaky'.*Leaky.*LSTMCell.*'loop'.*inner_loop"):
        trace = tg.trace(model, kinds.features())
    assert [leaf.path for leaf in trace.leaves] == ["/gru"]
    tg.trace(model, kinds.features(), layers=["gru"])  # asked for: no warning
    with pytest.raises(ValueError, match=r"has no such recurrent layer.*'gru'.*Received: 'leaky'"):
        tg.trace(model, kinds.features(), layers=["leaky"])
    alone = keras.Sequential([keras.Input((None, 3)), layers.RNN(Leaky(4), name="leaky")])
    with pytest.raises(ValueError, match=r"no recurrent layer that can be traced.*'leaky'"):
        tg.trace(alone, kinds.features())


def test_a_layer_that_keeps_silent_is_named():
    class Own(layers.LSTM):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            return sequences[:, :, : self.units]

    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            Own(2, return_sequences=True, name="own"),
            layers.GRU(2, name="gru"),
        ]
    )
    with pytest.warns(UserWarning, match=r"Not traced: layers \['own'\]"):
        trace = tg.trace(model, kinds.features())
    assert [leaf.path for leaf in trace.leaves] == ["/gru"]


@pytest.mark.tensorflow_only
def test_a_layer_in_a_loop_of_tensorflow_is_named():
    import tensorflow as tf

    class Mapped(keras.Model):
        def __init__(self):
            super().__init__()
            self.memory = layers.LSTM(2, name="memory")

        def call(self, x):
            return tf.map_fn(self.memory, x, fn_output_signature="float32")

    model = Mapped()
    model(np.ones((2, 3, 4, 3), "float32"))
    with pytest.raises(ValueError, match=r"loop in Python.*Received: layer 'memory'") as raised:
        tg.trace(model, np.ones((2, 3, 4, 3), "float32"))
    assert "\n" not in str(raised.value)


def test_an_existing_store_is_left_alone(kind, tmp_path):
    there = tmp_path / "gates.zarr"
    there.write_text("mine")
    with pytest.raises(FileExistsError, match=r"Received: to="):
        tg.trace(kind.model, kind.inputs, to=there)
    assert there.read_text() == "mine"


def test_an_interrupted_trace_leaves_nothing_behind(kind, tmp_path):
    def batches():
        yield kind.inputs
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tg.trace(kind.model, batches(), to=tmp_path / "gates.zarr")
    with pytest.raises(ValueError, match="cannot be called"):
        tg.trace(kind.model, iter([kind.inputs, np.ones((2, 3, 4))]), to=tmp_path / "gates.zarr")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def store(kind, tmp_path):
    tg.trace(kind.model, kind.inputs, to=tmp_path / "gates.zarr", batch_size=3)
    assert [p.name for p in tmp_path.iterdir()] == ["gates.zarr"]
    return tmp_path / "gates.zarr"


def chunk(store):
    return sorted(store.glob("lstm/forget_gate/c/**/*"))[-1]


def damage_missing(store):
    chunk(store).unlink()


def damage_cut(store):
    chunk(store).write_bytes(chunk(store).read_bytes()[:-1])


def damage_metadata(store):
    (store / "zarr.json").write_text('{"attributes"')


def damage_node(store):
    (store / "gru" / "zarr.json").unlink()


def damage_whole_layer(store):
    shutil.rmtree(store / "gru")


@pytest.mark.parametrize(
    "damage", [damage_missing, damage_cut, damage_metadata, damage_node, damage_whole_layer]
)
def test_a_damaged_store_is_named_on_opening(store, damage):
    tg.tracing.open(store)
    damage(store)
    with pytest.raises(ValueError, match=r"(?s)damaged.*Received: ") as raised:
        tg.tracing.open(store)
    assert str(store) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_no_flipped_bit_goes_unnoticed(kind, tmp_path, rng):
    path = tmp_path / "gates.zarr"
    words = np.full(kind.inputs.shape[:2], "the")
    labels = {"sex": ["f"] * len(words), "n": range(len(words))}
    tg.trace(kind.model, kind.inputs, to=path, batch_size=3, tokens=words, labels=labels)
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        whole = file.read_bytes()
        bits = np.unpackbits(np.frombuffer(whole, np.uint8))
        bits[rng.integers(len(bits))] ^= 1
        file.write_bytes(np.packbits(bits).tobytes())
        with pytest.raises(ValueError, match=r"(damaged|not a trace).*Received: .*gates") as raised:
            tg.tracing.open(path).load()
        assert "\n" not in str(raised.value)
        if file.name != "zarr.json":
            assert f"chunk {file.relative_to(path).as_posix()!r}" in str(raised.value)
        file.write_bytes(whole)
    tg.tracing.open(path).load()


def test_a_damaged_chunk_hides_no_other(store):
    whole = tg.tracing.open(store)
    damaged = chunk(store)
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    trace = tg.tracing.open(store)
    np.testing.assert_array_equal(trace["gru"]["mask"], whole["gru"]["mask"])
    np.testing.assert_array_equal(trace["lstm"]["forget_gate"][0], whole["lstm"]["forget_gate"][0])
    with pytest.raises(ValueError, match=r"chunk 'lstm/forget_gate/c/"):
        trace["lstm"]["forget_gate"].values  # noqa: B018


def test_xarray_alone_reads_a_store_and_sees_the_damage(kind, tmp_path):
    path = tmp_path / "gates.zarr"
    trace = tg.trace(kind.model, kind.inputs, to=path)
    alone = xr.open_datatree(path, engine="zarr", consolidated=False)
    np.testing.assert_array_equal(alone["lstm"]["forget_gate"], trace["lstm"]["forget_gate"])
    damaged = chunk(path)
    damaged.write_bytes(b"?" + damaged.read_bytes()[1:])
    with pytest.raises(ValueError, match="checksum"):
        xr.open_datatree(path, engine="zarr", consolidated=False)["lstm"]["forget_gate"].load()


def test_what_is_no_store(tmp_path):
    import zarr

    with pytest.raises(FileNotFoundError, match=r"Received: "):
        tg.tracing.open(tmp_path / "nothing.zarr")
    zarr.open_group(tmp_path / "other.zarr", mode="w")
    with pytest.raises(ValueError, match=r"not a trace.*Received: "):
        tg.tracing.open(tmp_path / "other.zarr")
