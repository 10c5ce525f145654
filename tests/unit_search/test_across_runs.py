"""Over runs: what is confirmed in each, and correlations with their n."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.unit_search.planted import pairs, planted
from textgate.unit_search import Goals, find_units_over_runs
from textgate.unit_search._across_runs import _associations, spearman


def test_spearman_is_the_textbooks_and_says_nothing_of_what_does_not_vary():
    x, y = np.array([1.0, 2, 3, 4, 5, 6]), np.array([2.0, 1, 4, 3, 9, 9])
    expected = stats.spearmanr(x, y)
    rho, p = spearman(x, y)
    assert rho == pytest.approx(expected.statistic)
    assert 0 < p < 0.2
    assert np.isnan(spearman(x, np.ones(6))).all()
    assert np.isnan(spearman(x[:3], y[:3])).all()


@pytest.mark.tensorflow_only
def test_runs_are_told_apart(tmp_path):
    paths = []
    for number, holds in enumerate(({1: 1.0}, dict.fromkeys(range(12), 0.3))):
        path = tmp_path / f"run-{number}.keras"
        planted("gru", 12, holds).save(path)
        paths.append(path)
    found = find_units_over_runs(paths, pairs(), controls=20)
    table = found.table.set_index("run")
    one, spread = (table.loc[str(path)] for path in paths)
    assert one["sufficient_size"] == one["necessary_size"] == 1
    assert one["sufficient_units"] == "1"
    assert pd.isna(spread["sufficient_size"])
    assert spread["claim"] == "neither"
    assert (found.table["signal"] == "hidden_state").all()
    assert set(found.associations["with"]) == {"accuracy", "dropout"}
    assert found.associations["rho"].isna().all()  # two runs say nothing
    assert "a small sufficient set in 1 of 2 runs, of 1 unit; " in found.summary()
    names = {
        path.relative_to(tmp_path / "out").as_posix() for path in found.to_csv(tmp_path / "out")
    }
    assert {"runs.csv", "associations.csv", "run-0/units.csv", "run-1/finding.json"} <= names


def test_a_run_without_a_small_set_counts_as_large_and_one_without_the_feature_not_at_all():
    table = pd.DataFrame(
        {
            "run": list("abcdef"),
            "claim": ["both", "both", "both", "neither", "absent", "both"],
            "accuracy": [0.99, 0.98, 0.97, 0.9, 0.5, 0.95],
            "dropout": 0.1,
            "sufficient_size": [1, 2, 3, np.nan, np.nan, 4],
            "necessary_size": np.nan,
        }
    )
    found = _associations(table, Goals(), 0).set_index(["size", "with"])
    row = found.loc[("sufficient size", "accuracy")]
    assert row["rho"] == -1
    assert row["n"] == 5
    assert row["without_small_set"] == 1
    assert np.isnan(found.loc[("sufficient size", "dropout"), "rho"])


def test_no_runs_are_refused():
    with pytest.raises(ValueError, match="at least one run"):
        find_units_over_runs([])
    with pytest.raises(FileNotFoundError, match="no model at the given path"):
        find_units_over_runs(["no/such/run"])
