"""A trace saved from memory is what it would be had it been streamed."""

import keras
import numpy as np
import pytest

import textgate as tg


def test_a_saved_trace_is_the_trace(tmp_path):
    model = keras.Sequential(
        [keras.Input((None, 3)), keras.layers.Masking(), keras.layers.GRU(4, name="low")]
    )
    x = np.random.default_rng(0).normal(size=(6, 5, 3))
    x[1, 3:] = x[2, :2] = x[4] = 0
    words = [["the", "café", "", "", ""]] * 6
    trace = tg.trace(model, x, labels={"sex": list("fmfmfm"), "n": range(6)}, tokens=words)
    streamed = tg.trace(
        model, x, labels={"sex": list("fmfmfm"), "n": range(6)}, tokens=words,
        to=tmp_path / "streamed.zarr", batch_size=4,
    )  # fmt: skip
    saved = tg.tracing.save(trace, tmp_path / "saved.zarr")
    for found in (saved, tg.tracing.open(tmp_path / "saved.zarr")):
        assert found.attrs == streamed.attrs
        for leaf in streamed.leaves:
            one, other = leaf.to_dataset().load(), found[leaf.path].to_dataset().load()
            assert list(one.data_vars) == list(other.data_vars)
            assert set(one.coords) == set(other.coords)
            assert one.identical(other)
    part = tg.tracing.save(trace.isel(example=[4, 1]), tmp_path / "part.zarr")
    assert part["low"]["sex"].values.tolist() == ["f", "m"]
    with pytest.raises(FileExistsError, match="Received: "):
        tg.tracing.save(trace, tmp_path / "saved.zarr")
    with pytest.raises(TypeError, match="Received: Dataset"):
        tg.tracing.save(trace["low"].to_dataset(), tmp_path / "no.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "part.zarr", "saved.zarr", "streamed.zarr"
    ]  # fmt: skip
