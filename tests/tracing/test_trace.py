"""What a trace keeps and how it is labelled; what it takes as inputs."""

import keras
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from keras import layers

import textgate as tg
from tests.tracing import kinds, reference

SENTENCES = ["She came out and played.", "", "He left", "with her dog she met Mary"]


@pytest.fixture(scope="module")
def model():
    return kinds.functional_masked().model


@pytest.fixture(scope="module")
def ids():
    return kinds.ids_with_gaps(batch=5)


def assert_same(a, b):
    assert [leaf.path for leaf in a.leaves] == [leaf.path for leaf in b.leaves]
    for leaf in a.leaves:
        xr.testing.assert_allclose(
            leaf.to_dataset(), b[leaf.path].to_dataset().load(), rtol=0, atol=1e-6
        )


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize("units", [[2, 0], slice(1, None, 2)])
@pytest.mark.parametrize("steps", [slice(1, 5, 2), [0, 3, 4]])
def test_choices_keep_what_they_say(model, ids, tmp_path, stored, units, steps):
    full = tg.trace(model, ids)
    part = tg.trace(
        model,
        ids,
        layers=["gru", "lstm"],
        signals=["writing", "hidden_state"],
        units=units,
        steps=steps,
        batch_size=2,
        to=tmp_path / "part.zarr" if stored else None,
    )
    assert {leaf.path for leaf in part.leaves} == {"/lstm", "/gru"}
    for name in ("lstm", "gru"):
        expected = full[name].to_dataset()[["hidden_state", "writing"]].isel(unit=units, time=steps)
        xr.testing.assert_allclose(part[name].to_dataset().load(), expected, rtol=0, atol=1e-6)
        assert list(part[name].data_vars) == ["hidden_state", "writing"]


def test_units_by_layer(model, ids):
    part = tg.trace(model, ids, units={"lstm": [3], "gru": [0, 1]})
    assert {leaf.name: leaf.sizes["unit"] for leaf in part.leaves} == {
        "lstm": 1,
        "gru": 2,
        "simple": 2,
    }
    assert part["lstm"]["unit"].values.tolist() == [3]


def test_containers_ends_and_calls_are_names(ids):
    both = kinds.bidirectional("concat").model
    assert len(list(tg.trace(both, ids, layers="both").leaves)) == 2
    assert [leaf.path for leaf in tg.trace(both, ids, layers=["backward_lstm"]).leaves] == [
        "/both/backward_lstm"
    ]
    kind = kinds.subclassed_loop()
    trace = tg.trace(kind.model, kind.inputs, layers=["memory/call_1", "top"])
    assert [leaf.path for leaf in trace.leaves] == ["/top", "/memory/call_1"]


def test_labels_and_tokens(model, ids, tmp_path):
    words = np.char.add("w", ids.astype(str))
    labels = pd.DataFrame({"sex": list("fmfmf"), "number": [1, 2, 1, 2, 2]}, index=range(3, 8))
    trace = tg.trace(model, ids, labels=labels, tokens=words, batch_size=2)
    for leaf in trace.leaves:
        assert leaf["sex"].dims == leaf["number"].dims == ("example",)
        assert leaf["sex"].values.tolist() == list("fmfmf")
        np.testing.assert_array_equal(leaf["token"].values, words)
        assert {"mask", "token", "initial_hidden_state"} <= set(leaf.coords)
    stored = tg.trace(model, ids, labels=labels, tokens=words, to=tmp_path / "a", batch_size=2)
    for leaf in trace.leaves:
        xr.testing.assert_identical(leaf.to_dataset(), stored[leaf.path].to_dataset().load())
        assert stored[leaf.path]["token"].dtype == words.dtype


def test_attributes_say_what_it_is(model, ids):
    node = tg.trace(model, ids)["gru"]
    assert node.attrs["layer"] == "gru"
    assert node.attrs["cell"] == "gru"
    assert "z_t ⊙ h_{t-1}" in node.attrs["conventions"]
    assert node.attrs["fingerprint"] == tg.tracing.fingerprint(model)
    assert f"keras {keras.__version__}" in node.attrs["libraries"]
    assert f"textgate {tg.__version__}" in node.attrs["libraries"]


def test_fingerprint_follows_weights_and_architecture(tmp_path):
    model = kinds.sequential().model
    before = tg.tracing.fingerprint(model)
    model.save(tmp_path / "m.keras")
    assert tg.tracing.fingerprint(keras.saving.load_model(tmp_path / "m.keras")) == before
    model.get_layer("upper").cell.activation = keras.activations.relu
    assert tg.tracing.fingerprint(model) != before
    model.get_layer("upper").cell.activation = keras.activations.tanh
    weight = model.get_layer("lower").cell.bias
    weight.assign(weight + 1e-3)
    assert tg.tracing.fingerprint(model) != before


def test_retention_of_the_lstm_takes_no_memory(model, ids):
    node = tg.trace(model, ids)["lstm"]
    assert np.shares_memory(node["retention"].values, node["forget_gate"].values)
    with pytest.raises(ValueError, match="read-only"):
        node["retention"].values[0] = 0


@pytest.mark.tensorflow_only
@pytest.mark.parametrize("as_pairs", [False, True])
def test_data_sets(model, ids, as_pairs, tmp_path):
    import tensorflow as tf

    whole = tg.trace(model, ids)
    source = (ids, ids[:, 0]) if as_pairs else ids
    dataset = tf.data.Dataset.from_tensor_slices(source).batch(2)
    assert_same(whole, tg.trace(model, dataset))
    assert_same(whole, tg.trace(model, dataset, to=tmp_path / "set.zarr"))


class Parts(keras.utils.PyDataset):
    """Batches of growing length."""

    def __init__(self, ids, sizes):
        super().__init__()
        ends = np.cumsum(sizes)
        self.parts = [ids[end - size : end, : 3 + at] for at, (size, end) in
                      enumerate(zip(sizes, ends, strict=True))]  # fmt: skip

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, at):
        return (self.parts[at], np.zeros(len(self.parts[at])))


def test_batches_of_different_length(model, ids, tmp_path):
    sizes = [1, 2, 2]
    parts = Parts(ids, sizes)
    ragged = tg.trace(model, parts)
    assert_same(ragged, tg.trace(model, parts, to=tmp_path / "ragged.zarr"))
    assert_same(ragged, tg.trace(model, (part for part in parts.parts)))
    start = 0
    for part in parts.parts:
        alone = tg.trace(model, part)
        rows = slice(start, start + len(part))
        for leaf in alone.leaves:
            found = ragged[leaf.path].to_dataset().isel(example=rows)
            inside = found.isel(time=slice(part.shape[1]))
            xr.testing.assert_allclose(inside, leaf.to_dataset(), rtol=0, atol=1e-6)
            beyond = found.isel(time=slice(part.shape[1], None))
            assert np.isnan(beyond["hidden_state"].values).all()
            assert not beyond["mask"].values.any()
        start += len(part)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_texts(batch_size, tmp_path):
    tokenizer = tg.tokenizers.WordTokenizer.train(SENTENCES)
    lm = tg.models.LanguageModel(tokenizer, cell="lstm", units=(4, 3))
    trace = tg.trace(lm, SENTENCES, batch_size=batch_size)
    ids, words = lm.encode(SENTENCES), lm.tokens(SENTENCES)
    assert_same(tg.trace(lm, ids, tokens=words), trace)
    for leaf in trace.leaves:
        np.testing.assert_array_equal(leaf["token"].values, words)
        np.testing.assert_array_equal(leaf["mask"].values, ids != 0)
    to = tmp_path / "text.zarr"
    assert_same(trace, tg.trace(lm, SENTENCES, batch_size=batch_size, to=to))
    with pytest.raises(TypeError, match=r"texts come as a list.*Received: "):
        tg.trace(lm, SENTENCES[0])


@pytest.mark.tensorflow_only
def test_a_model_that_takes_strings():
    import tensorflow as tf

    lookup = layers.TextVectorization(vocabulary=["she", "he", "came"])
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            lookup,
            layers.Embedding(10, 3, mask_zero=True),
            layers.LSTM(2, name="lstm"),
        ]
    )
    texts = np.array([["she came"], ["he"], ["came she he"]])
    trace = tg.trace(model, tf.constant(texts))
    np.testing.assert_array_equal(trace["lstm"]["mask"].values.sum(axis=1), [2, 1, 3])


def test_layers_of_different_length():
    model = keras.Sequential(
        [
            keras.Input((8, 3)),
            layers.LSTM(3, return_sequences=True, name="fine"),
            layers.AveragePooling1D(2),
            layers.GRU(2, name="coarse"),
        ]
    )
    words = [[f"w{t}" for t in range(8)]] * 2
    trace = tg.trace(model, kinds.features(batch=2, time=8), tokens=words)
    assert trace["fine"].sizes["time"] == 8
    assert trace["coarse"].sizes["time"] == 4
    assert "token" in trace["fine"].coords
    assert "token" not in trace["coarse"].coords


def test_documents_of_different_numbers_of_sentences():
    kind = kinds.time_distributed()
    inner = kind.model.get_layer("each").layer
    x = keras.Input((None, None, 3))
    model = keras.Model(x, layers.TimeDistributed(inner, name="each")(x))
    for count in (2, 3, 4):
        data = np.random.default_rng(count).normal(size=(2, count, 5, 3)).astype("float32")
        trace = tg.trace(model, data)
        assert len(list(trace.leaves)) == count
        for n in range(count):
            expected = reference.run(inner.cell, data[:, n])["hidden_state"]
            found = trace[f"each/inner/call_{n}"]["hidden_state"].values
            np.testing.assert_allclose(found, expected, atol=2e-6)


def test_run_eagerly_models_are_called_as_they_are():
    class Eager(keras.Model):
        def __init__(self):
            super().__init__()
            self.lstm = layers.LSTM(2, name="lstm")

        def call(self, x):
            return self.lstm(x) if float(np.asarray(x)[0, 0, 0]) > 99 else self.lstm(x * 2)

    model = Eager()
    x = kinds.features()
    model(x)
    model.compile(run_eagerly=True)
    expected = keras.Sequential([keras.Input((None, 3)), model.lstm])
    assert_same(tg.trace(expected, 2 * x), tg.trace(model, x))
