"""Files of PyTorch are read as data: nothing of them is run, and nothing believed without bytes."""

import collections
import io
import json
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import pytest

import textgate as tg
from textgate.importing import kind_of, read_weights
from textgate.importing._pickles import Record, load

DATA = pathlib.Path(__file__).with_name("data")


def error_of(run):
    """The message of the ValueError that a function raises, if it does."""
    try:
        run()
    except ValueError as error:
        return str(error)
    return None


class Runs:
    """Pickled as a call of a function of the operating system."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_something_runs_nothing(tmp_path):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        found = load(io.BytesIO(pickle.dumps([1, Runs(tmp_path / "made")], protocol)))
        assert found[0] == 1
        assert isinstance(found[1], Record)
        assert (found[1].module, found[1].name) in [("posix", "mkdir"), ("nt", "mkdir")]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "code",
    [
        b"cbuiltins\neval\n(S'1/0'\ntR.",
        b"cos\nsystem\n(S'touch made'\ntR.",
        b"(S'touch made'\nios\nsystem\n.",
        b"c__builtin__\ngetattr\n(c__builtin__\n__import__\nS'__call__'\ntR(S'os'\ntR.",
        b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c\x0bopen('made')\x85R.",
        b"\x80\x02cbuiltins\nprint\n)\x81}X\x01\x00\x00\x00aK\x01sb.",
        # Changes a function of the reader's, and calls it.
        b"\x80\x02ccollections\nOrderedDict\nN}X\x08\x00\x00\x00__code__K\x01s\x86b)R.",
    ],
)
def test_known_attacks_do_nothing(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    error = error_of(lambda: load(io.BytesIO(code)))
    assert error is None or "Received: " in error
    assert not list(tmp_path.iterdir())
    assert capsys.readouterr().out == ""


def test_containers_and_strange_objects_come_out_whole():
    value = {"a": [1, 2.5, None, True, (3, "ü")], "b": {1, 2}, "c": collections.OrderedDict(x=b"y")}
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert load(io.BytesIO(pickle.dumps(value, protocol))) == value
    found = load(io.BytesIO(pickle.dumps(collections.defaultdict(list, a=1))))
    assert isinstance(found, Record)
    assert found.items == {"a": 1}
    assert load(io.BytesIO(b"\x80\x02U\x02\xc3\xbc.")) == "ü"  # a string of Python 2


def test_a_checkpoint_is_searched_for_its_model():
    weights = read_weights(DATA / "lm-lstm-checkpoint.pt")
    assert "module.rnn.weight_ih_l0" in weights.arrays
    weights = read_weights(DATA / "lm-lstm-2017.pt")
    assert weights.settings["rnn"]["class"] == "LSTM"
    assert weights.settings[""]["class"] == "RNNModel"


def test_several_models_are_not_one(tmp_path):
    one = {"weight_ih_l0": np.zeros((4, 1)), "weight_hh_l0": np.zeros((4, 1))}
    with pytest.raises(ValueError, match=r"it holds 2: .*Received: a mapping of 2 names with g, d"):
        read_weights({"g": one, "d": one})
    assert set(read_weights({"epoch": 3, "g": one}).arrays) == set(one)


def test_bfloat16():
    for name in ("bfloat16.pt", "bfloat16.safetensors"):
        np.testing.assert_array_equal(read_weights(DATA / name).arrays["half"], [1.5, -2.0])


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("lm*-[a-z0-9]*.pt")))
def test_truncated_files(name, tmp_path):
    whole = (DATA / name).read_bytes()
    path = tmp_path / "part.pt"
    for part in (0.1, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(ValueError, match="Received: ") as caught:
            tg.from_torch(path)
        assert "\n" not in str(caught.value)


def test_damaged_files_do_no_more_than_raise(tmp_path, rng):
    path = tmp_path / "bad.pt"
    for name in ("lm-lstm-old.pt", "lm-lstm-new.pt", "lm-lstm-tar.pt", "lm.safetensors"):
        whole = bytearray((DATA / name).read_bytes())
        for _ in range(40):
            bad = bytearray(whole)
            for place in rng.integers(0, len(bad), size=8):
                bad[place] = rng.integers(256)
            path.write_bytes(bad)
            error = error_of(lambda: read_weights(path))
            assert error is None or "Received: " in error


def zipped(path, pickled, storages=()):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, content in dict(storages).items():
            archive.writestr(f"archive/data/{key}", content)
    return path


def tensor_pickle(shape, stride, numel, offset=0):
    """A pickled state dict of one tensor in storage 0."""

    def number(n):
        return b"\x8a\x08" + struct.pack("<q", n)

    def numbers(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    storage = (
        b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
    )
    storage += number(numel) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(offset)
    tensor += numbers(shape) + numbers(stride) + b"\x89}tR"
    return b"\x80\x02}X\x01\x00\x00\x00w" + tensor + b"s."


@pytest.mark.parametrize(
    ("shape", "stride", "numel", "offset", "message"),
    [
        ((10**12,), (1,), 10**12, 0, "holds fewer numbers than it says"),
        ((10**6, 10**6), (0, 0), 4, 0, "larger than what the file holds"),
        ((2, 2), (2, 1), 4, 1, "larger than what the file holds"),
        ((2, 2), (-2, 1), 4, 2, "is damaged"),
        ((-1, 2), (2, 1), 4, 0, "is damaged"),
        ((2,), (2, 1), 4, 0, "is damaged"),
    ],
)
def test_shapes_are_believed_as_far_as_there_are_bytes(
    tmp_path, shape, stride, numel, offset, message
):
    pickled = tensor_pickle(shape, stride, numel, offset)
    path = zipped(tmp_path / "bad.pt", pickled, {"0": bytes(16)})
    with pytest.raises(ValueError, match=f"{message}.*Received: "):
        read_weights(path)
    good = zipped(tmp_path / "good.pt", tensor_pickle((2, 2), (1, 2), 4), {"0": bytes(range(16))})
    expected = np.frombuffer(bytes(range(16)), "<f4").reshape(2, 2).T
    np.testing.assert_array_equal(read_weights(good).arrays["w"], expected)


def test_an_archive_that_unpacks_to_too_much(tmp_path):
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", tensor_pickle((4,), (1,), 4))
        archive.writestr("archive/data/0", bytes(16))
    content = path.read_bytes()
    size = content.rindex(struct.pack("<I", 16))
    path.write_bytes(content[:size] + struct.pack("<I", 2**31) + content[size + 4 :])
    with pytest.raises(ValueError, match=r"too large to be true|truncated or damaged"):
        read_weights(path)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}, "larger than what"),
        ({"dtype": "F32", "shape": [10**12], "data_offsets": [0, 8]}, "larger than what"),
        ({"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}, "larger than what"),
        ({"dtype": "F4", "shape": [2], "data_offsets": [0, 8]}, "can't be read"),
        ({"dtype": "F32"}, "can't be read"),
        (3, "can't be read"),
    ],
)
def test_bad_safetensors(tmp_path, entry, message):
    table = json.dumps({"w": entry}).encode()
    path = tmp_path / "bad.safetensors"
    path.write_bytes(len(table).to_bytes(8, "little") + table + bytes(8))
    with pytest.raises(ValueError, match=f"array 'w'.*{message}.*Received: "):
        read_weights(path)


def test_kinds_of_files():
    kinds = {path.name: kind_of(path) for path in DATA.iterdir()}
    assert kinds["lm-lstm-new.pt"] == "torch"
    assert kinds["lm-lstm-old.pt"] == kinds["lm-lstm-tar.pt"] == "old torch"
    assert kinds["lm.safetensors"] == "safetensors"
    assert kinds["lm.npz"] == "npz"
