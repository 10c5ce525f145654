"""The ladder's figures draw the tables' numbers, a frame a rung, and explain themselves."""

import numpy as np
import pandas as pd
import pytest

from tests.study.ladder.made_up_ladder import DISTANCES, made_up
from textgate import plots
from textgate.plots import palette

RUNGS = ("constant", "smoothing", "simple_rnn", "gru", "lstm")


@pytest.fixture(scope="module")
def ladder():
    def share(number):
        return lambda distance, held: 0.5 + 0.1 * number - 0.01 * (number > 0) * held

    return made_up({rung: share(number) for number, rung in enumerate(RUNGS)}, seeds=2)


def frame_of(figure, rung):
    (axes,) = (axes for axes in figure.axes if axes.get_title(loc="left") == rung)
    return axes


def explains_itself(figure):
    figure.canvas.draw()
    return figure.get_suptitle() and len(figure.get_supxlabel()) > 80


def test_accuracy_has_a_frame_a_rung_with_its_numbers(ladder):
    figure = plots.ladder_accuracy(ladder.accuracy)
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(RUNGS)
    table = ladder.accuracy
    for rung in RUNGS:
        distances, referents = frame_of(figure, rung).containers
        for drawn, by in ((distances, "distance"), (referents, "referents to remember")):
            rows = table[(table["rung"] == rung) & (table["by"] == by)]
            line, _, (bars,) = drawn
            np.testing.assert_allclose(line.get_ydata(), rows["accuracy"])
            ends = np.array([segment[:, 1] for segment in bars.get_segments()])
            np.testing.assert_allclose(ends, rows[["low", "high"]])
        bands = frame_of(figure, rung).collections
        edges = bands[0].get_paths()
        if rung != "constant":  # of one seed, so that there is no band
            heights = np.concatenate([path.vertices[:, 1] for path in edges])
            rows = table[(table["rung"] == rung) & (table["by"] == "distance")]
            assert heights.min() == pytest.approx(rows["seed_low"].min())
            assert heights.max() == pytest.approx(rows["seed_high"].max())
    labels = [text.get_text() for text in frame_of(figure, "lstm").get_xticklabels()]
    assert labels == [name.replace("-", "–") for name in DISTANCES] + ["1", "2", "3", "4"]
    assert explains_itself(figure)


def test_the_grey_line_is_the_rung_that_all_are_compared_with(ladder):
    def grey(figure, rung):
        lines = frame_of(figure, rung).lines
        return [line.get_ydata() for line in lines if line.get_color() == "0.6"][1:]  # but chance

    by_distance = ladder.accuracy[ladder.accuracy["by"] == "distance"]
    table = by_distance.groupby("rung")["accuracy"].apply(list)
    figure = plots.ladder_accuracy(ladder.accuracy)
    np.testing.assert_allclose(grey(figure, "smoothing")[0], table["lstm"])
    assert not grey(figure, "lstm")
    figure = plots.ladder_accuracy(ladder.accuracy, against="gru")
    np.testing.assert_allclose(grey(figure, "lstm")[0], table["gru"])
    assert "Grey: gru" in figure.get_supxlabel()


def test_redundancy_draws_means_the_spread_and_the_others(ladder):
    table = ladder.redundancy
    figure = plots.ladder_redundancy(table)
    rungs = [axes.get_title(loc="left") for axes in figure.axes]
    assert rungs == list(RUNGS[1:])  # a constant has no units
    means = table.groupby(["rung", "share"])["accuracy"].mean()
    for rung in rungs:
        axes = frame_of(figure, rung)
        (mine,) = (line for line in axes.lines if line.get_marker() == "o")
        np.testing.assert_allclose(mine.get_ydata(), means[rung])
        assert sum(line.get_color() == "0.8" for line in axes.lines) == len(rungs) - 1
        band = axes.collections[0].get_paths()[0].vertices
        at_half = band[np.isclose(band[:, 0], 0.5), 1]
        values = table[(table["rung"] == rung) & (table["share"] == 0.5)]["accuracy"]
        assert at_half.min() == pytest.approx(values.quantile(0.05))
        assert at_half.max() == pytest.approx(values.quantile(0.95))
        assert any("8 units" in text.get_text() for text in axes.texts)
    assert explains_itself(figure)


def test_the_red_line_stands_where_half_is_lost(ladder):
    table = ladder.redundancy[lambda rows: rows["rung"] == "gru"].iloc[:3]
    table = table.assign(share=[0.0, 0.5, 1.0], accuracy=[0.9, 0.8, 0.5])
    (axes,) = plots.ladder_redundancy(table).axes
    (red,) = (line for line in axes.lines if line.get_color() == palette.VERMILLION)
    assert red.get_xdata()[0] == pytest.approx(2 / 3)  # 0.7, between 0.8 at ½ and 0.5 at 1
    guessing = table.assign(accuracy=0.5)
    (axes,) = plots.ladder_redundancy(guessing).axes
    assert not [line for line in axes.lines if line.get_color() == palette.VERMILLION]


@pytest.mark.parametrize("rungs", [1, 2, 7, 16])
def test_any_number_of_rungs_fits(ladder, rungs):
    one = ladder.accuracy[ladder.accuracy["rung"] == "gru"]
    parts = [one.assign(rung=f"rung {number}") for number in range(rungs)]
    figure = plots.ladder_accuracy(pd.concat(parts))
    assert len(figure.axes) == rungs
    assert explains_itself(figure)


def test_one_seed_is_said_to_be_one(ladder):
    one = ladder.accuracy[ladder.accuracy["rung"] == "constant"]
    assert "One model was trained of each" in plots.ladder_accuracy(one).get_supxlabel()


def test_mistakes_are_named(ladder):
    with pytest.raises(ValueError, match="Received: 'transformer'"):
        plots.ladder_accuracy(ladder.accuracy, against="transformer")
    by_split = ladder.accuracy[ladder.accuracy["by"] == "split"]
    with pytest.raises(ValueError, match="grouping 'distance'"):
        plots.ladder_accuracy(by_split)
    for draw in (plots.ladder_accuracy, plots.ladder_redundancy):
        with pytest.raises(ValueError, match="without accuracy"):
            draw(ladder.accuracy.drop(columns="accuracy").assign(share=0, seed=0, units=3))
        with pytest.raises(ValueError, match="0 rows"):
            draw(ladder.accuracy.iloc[:0].assign(share=0, seed=0, units=3))
