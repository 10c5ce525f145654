"""The figure of a finding shows its figures, each direction apart, beside their controls."""

import pytest

from tests.unit_search.planted import pairs, planted
from textgate import plots
from textgate.unit_search import find_units

pytestmark = pytest.mark.tensorflow_only


@pytest.fixture(scope="module")
def found():
    lm = planted("gru", 12, {2: 1.0, 5: 1.0, 7: 1.0})
    return find_units(lm, pairs(), side_tasks={}, texts=[], controls=20)


def test_bars_are_the_tables(found, tmp_path):
    figure = plots.units_found(found)
    left, middle, right = figure.axes
    rows = found.tables["interventions"]
    for axes, what, kinds in (
        (left, "flipped", ["interchange", "interchange", "interchange others"]),
        (middle, "accuracy", ["none", *["zero", "mean", "resample"] * 2]),
    ):
        heights = [bar.get_height() for bars in axes.containers[1::2] for bar in bars]
        assert len(heights) == 2 * len(kinds)
        for height in heights:
            assert (abs(rows[what] - height) < 1e-12).any()
    sets = [text.get_text() for text in left.get_xticklabels()]
    assert sets == ["sufficient\nset", "necessary\nset", "all but\nthe sufficient"]
    starred = {t.get_text() for t in right.get_yticklabels() if t.get_text().endswith("*")}
    assert starred == {"2*", "5*", "7*"}
    assert "2, 5, 7" in figure.get_supxlabel()
    figure.savefig(tmp_path / "figure.png")


def test_nothing_tried_is_nothing_to_draw():
    empty = find_units(planted("gru", 12, {}), pairs(), side_tasks={}, texts=[])
    with pytest.raises(ValueError, match="nothing to draw"):
        plots.units_found(empty)
    with pytest.raises(ValueError, match="Received: 'units'"):
        plots.units_found("units")
