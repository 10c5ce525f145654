"""Figures of probes show the tables' numbers, and the controls beside them."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import textgate as tg


def table_of(**columns):
    given = {
        "layer": "lstm",
        "signal": "cell_state",
        "position": [1, -1, 0, 2],
        "examples": [90, 100, 100, 3],
        "accuracy": [0.9, 0.5, 0.8, np.nan],
        "low": [0.85, 0.4, 0.7, np.nan],
        "high": [0.95, 0.6, 0.9, np.nan],
        "majority": [0.5, 0.5, 0.5, np.nan],
        "embedding": [0.55, 0.5, 0.75, np.nan],
        "control": np.nan,
        **columns,
    }
    return pd.DataFrame(given)


def test_accuracy_over_positions():
    figure = tg.plots.probe_accuracy(table_of(), anchor="the antecedent")
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines) == ["probe, lexemes not seen", "word embedding alone", "most frequent class"]
    np.testing.assert_array_equal(lines["probe, lexemes not seen"].get_xdata(), [-1, 0, 1])
    np.testing.assert_array_equal(lines["probe, lexemes not seen"].get_ydata(), [0.5, 0.8, 0.9])
    np.testing.assert_array_equal(lines["word embedding alone"].get_ydata(), [0.5, 0.75, 0.55])
    assert axes.get_xlabel() == "steps after the antecedent"
    assert axes.get_ylabel() == "accuracy"
    assert "cell state of “lstm”" in figure.get_suptitle()
    assert "90–100 sentences" in figure.get_supxlabel()
    with_control = tg.plots.probe_accuracy(table_of(control=0.6, seen=0.9), title="Mine")
    assert len(with_control.axes[0].lines) == 5
    assert with_control.get_suptitle() == "Mine"
    assert "Selectivity" in with_control.get_supxlabel()


def test_temporal_generalization():
    values = np.random.default_rng(0).random((3, 3))
    found = xr.Dataset(
        {
            "accuracy": (("tested_at", "trained_at"), values.T),
            "majority": ("tested_at", [0.5] * 3),
        },
        coords={"trained_at": [-1, 0, 1], "tested_at": [-1, 0, 1]},
        attrs={"layer": "lstm", "signal": "cell_state"},
    )
    figure = tg.plots.temporal_generalization(found, anchor="the antecedent")
    axes = figure.axes[0]
    (image,) = axes.images
    np.testing.assert_allclose(np.asarray(image.get_array()), values)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["-1", "0", "1"]
    assert axes.get_ylabel() == "step at which the probe is trained, after the antecedent"
    assert {text.get_text() for text in axes.texts} == {f"{100 * v:.0f}" for v in values.flat}
    low, high = image.get_clim()
    assert low + high == pytest.approx(1)  # chance is white


def test_draws_what_probing_returns(tmp_path):
    random = np.random.default_rng(0)
    names = np.repeat(np.arange(12), 4)
    values = random.normal(size=(48, 3, 2)) + 3 * (names % 2)[:, None, None]
    data = xr.DataArray(values, dims=("example", "time", "unit"))
    table = tg.probing.probe_over_positions(
        data, names % 2, names, None, np.ones(48, int), [-1, 0, 1, 2], folds=2, resamples=20
    )
    tg.plots.probe_accuracy(table).savefig(tmp_path / "accuracy.png")
    found = tg.probing.temporal_generalization(
        data, names % 2, names, None, range(3), folds=2, resamples=20
    )
    tg.plots.temporal_generalization(found).savefig(tmp_path / "matrix.png")
    assert all((tmp_path / f).stat().st_size > 10_000 for f in ("accuracy.png", "matrix.png"))


@pytest.mark.parametrize(
    "table",
    [
        table_of().drop(columns="low"),
        table_of(accuracy=np.nan),
        table_of(position=0),
        table_of(layer=["a", "b", "a", "b"]),
    ],
)
def test_says_what_is_wrong(table):
    with pytest.raises(ValueError, match="Received"):
        tg.plots.probe_accuracy(table)
    with pytest.raises(ValueError, match="Received: DataFrame"):
        tg.plots.temporal_generalization(table)
