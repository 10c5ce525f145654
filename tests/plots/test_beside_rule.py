"""The figure of a model beside the rule draws the table's numbers, and says what they come to."""

import numpy as np
import pandas as pd
import pytest

from textgate import plots

KINDS = ("all", "within 20 words, no attractors", "with attractors")


@pytest.fixture
def table():
    rows = []
    for n, by in enumerate(KINDS):
        for group in ("all", "feminine", "masculine"):
            model, rule = 0.9 - 0.1 * n, 0.8 - 0.05 * n
            row = {"by": by, "group": group, "accuracy": model, "rule": rule}
            row |= {"low": model - 0.03, "high": model + 0.01, "difference": model - rule}
            rows.append(row | {"rule_low": rule - 0.02, "rule_high": rule + 0.04})
    rows.append({**rows[0], "by": "distance", "group": "1-2", "accuracy": 0.1})
    return pd.DataFrame(rows)


def test_points_and_intervals_are_those_of_the_table(table):
    figure = plots.beside_rule(table)
    figure.canvas.draw()
    (axes,) = figure.axes
    rows = table[table["by"].isin(KINDS)]
    for drawn, (name, low, high) in zip(
        axes.containers,
        (("accuracy", "low", "high"), ("rule", "rule_low", "rule_high")),
        strict=True,
    ):
        line, _, (bars,) = drawn
        np.testing.assert_allclose(line.get_xdata(), 100 * rows[name])
        ends = np.array([segment[:, 0] for segment in bars.get_segments()])
        np.testing.assert_allclose(ends, 100 * rows[[low, high]])
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:3] == ["all contexts", "all contexts: she", "all contexts: he"]
    assert list(axes.get_yticks()) == list(range(len(rows)))[::-1]  # the first is on top
    caption = figure.get_supxlabel().replace("\n", " ")
    assert "all contexts +10.0; near, nobody between +5.0; others between +0.0" in caption


def test_a_model_behind_the_rule_is_said_to_be(table):
    behind = table.assign(difference=-0.023)
    assert "all contexts −2.3" in plots.beside_rule(behind).get_supxlabel()


def test_a_table_of_something_else_is_refused(table):
    with pytest.raises(ValueError, match="'rule' is missing"):
        plots.beside_rule(table.drop(columns="rule"))
    with pytest.raises(ValueError, match=r"rows by all or .* Received: rows by \['distance'\]"):
        plots.beside_rule(table[table["by"] == "distance"])
