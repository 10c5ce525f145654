"""A small file makes no large model, whatever it says of itself."""

import io
import json
import resource
import zipfile

import h5py
import keras
import numpy as np
import pytest

import textgate as tg
from textgate.importing.allocation import no_larger_than
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

MOST = 2**18  # KiB that the process may grow by


@pytest.fixture(autouse=True)
def memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST


def lm_of(units=(3,)):
    return LanguageModel(WordTokenizer(["she", "he"]), units=units, embedding=2, seed=0)


def rewritten(path, changes):
    """Change members of a ZIP archive."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, changes.get(name, lambda old: old)(content))


def enlarged(key, size):
    """Replace all sizes of a name in a configuration."""

    def change(value):
        if isinstance(value, dict):
            return {k: size if k == key else change(v) for k, v in value.items()}
        return [change(v) for v in value] if isinstance(value, list) else value

    return lambda content: json.dumps(change(json.loads(content))).encode()


@pytest.mark.parametrize("size", [10**4, 10**7, 10**400, [10**7]], ids=repr)
def test_a_language_model_is_no_larger_than_its_file(tmp_path, size):
    path = tmp_path / "model.keras"
    lm_of().save(path)
    assert isinstance(tg.load(path), LanguageModel)
    rewritten(path, {"config.json": enlarged("units", size)})
    with pytest.raises(ValueError, match=r"Received: .*model\.keras"):
        tg.load(path)


@pytest.mark.parametrize("key", ["units", "output_dim", "input_dim"])
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_any_model_is_no_larger_than_its_file(tmp_path, key, name):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Embedding(5, 3), keras.layers.LSTM(3)]
    )
    path = tmp_path / name
    model.save(path)
    if name == "model.keras":
        rewritten(path, {"config.json": enlarged(key, 10**7)})
    else:
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = enlarged(key, 10**7)(file.attrs["model_config"])
    with pytest.raises(ValueError, match=r"more weights than it can hold.*Received: "):
        tg.load(path)


def test_an_array_that_a_file_only_declares(tmp_path):
    path = tmp_path / "model.keras"
    lm_of().save(path)

    def hollow(content):
        file = io.BytesIO(content)
        with h5py.File(file, "r+") as weights:
            names = []
            weights.visititems(lambda name, item: names.append((name, item)))
            name = next(n for n, item in names if isinstance(item, h5py.Dataset))
            del weights[name]
            weights.create_dataset(name, (2**33,), "f4", chunks=(1024,))
        return file.getvalue()

    rewritten(path, {"model.weights.h5": hollow})
    with pytest.raises(ValueError, match=r"Received: .*model\.keras"):
        tg.load(path)


def test_a_restored_model_is_no_larger_than_its_file(tmp_path):
    path = tg.export.saved_model(lm_of(), tmp_path / "sm")
    note = path / "assets.extra" / "textgate.json"
    content = json.loads(note.read_text())
    for change in ({"units": [10**6]}, {"units": "a"}, {"tokenizer": 3}, {"dropout": []}):
        note.write_text(json.dumps(content | {"model": content["model"] | change}))
        with pytest.raises(ValueError, match=r"describes no model.*Received: .*sm"):
            tg.export.restore(path)


def test_only_what_is_loaded_is_watched(tmp_path):
    path = tmp_path / "model.keras"
    lm_of().save(path)
    with no_larger_than(path), pytest.raises(ValueError, match="more weights"):
        keras.Variable(np.zeros, shape=(2**26,))
    assert keras.Variable(lambda shape, dtype: np.zeros(shape, dtype), shape=(2**12,)).shape
    with no_larger_than(path):
        lm_of((64,))
