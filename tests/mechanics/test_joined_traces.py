"""Law 11: traces of different lengths, joined, are what one trace of all their examples is."""

import keras
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import textgate as tg


@pytest.mark.law(11)
@pytest.mark.parametrize("as_trees", [False, True])
def test_what_the_gates_did_is_the_same(as_trees):
    model = keras.Sequential(
        [
            keras.Input((None, 3)), keras.layers.Masking(),
            keras.layers.LSTM(4, return_sequences=True, name="lstm"),
        ]
    )  # fmt: skip
    x = np.random.default_rng(0).normal(size=(7, 6, 3)).astype("float32")
    x[:4, 4:] = x[5, 2] = x[6, :3] = 0
    words = np.where(np.any(x != 0, axis=-1), "word", "")
    whole = tg.trace(model, x, tokens=words)["lstm"].to_dataset()
    parts = [
        tg.trace(model, x[:4, :4], tokens=words[:4, :4]),
        tg.trace(model, x[4:], tokens=words[4:]),
    ]
    if not as_trees:
        parts = [part["lstm"].to_dataset() for part in parts]
    joined = xr.concat(parts, "example", join="outer")
    node = tg.mechanics.node_of(joined)
    np.testing.assert_array_equal(node.mask.values, whole.mask.values)
    np.testing.assert_array_equal(node.token.values, whole.token.values)
    for measure in (tg.mechanics.saturation, tg.mechanics.half_life, tg.mechanics.binariness):
        pd.testing.assert_frame_equal(measure(joined), measure(whole), rtol=1e-5)
    ledger = tg.mechanics.ledger(joined, step=3)
    xr.testing.assert_allclose(ledger, tg.mechanics.ledger(whole, step=3), atol=1e-5)
