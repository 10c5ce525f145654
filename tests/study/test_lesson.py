"""A lesson says its question, its answers and what follows, in the terminal and as a page."""

import pandas as pd
from matplotlib.figure import Figure

from textgate.study import Question, costs_beyond_intervals, table_of_holds, write_lesson


def held():
    rows = [
        ("none", "none", "as trained", "all", 1.0, 0.94, 1.0),
        ("all", "forget_gate", "0", "all", 0.5, 0.4, 0.6),
        ("all", "forget_gate", "mean", "all", 0.95, 0.9, 0.99),
        ("all", "forget_gate", "mean", "distance", 0.1, 0.0, 0.2),
        ("all", "input_gate", "1", "all", 0.7, 0.6, 0.8),
        ("random 1 (gender)", "forget_gate", "0", "all", 0.99, 0.95, 1.0),
        ("random 2 (gender)", "forget_gate", "0", "all", 0.3, 0.2, 0.4),
    ]
    columns = ["units", "gate", "held", "by", "accuracy", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def test_the_page_and_the_terminal_say_the_same(tmp_path):
    figure = Figure()
    figure.suptitle("What it does")
    questions = [
        Question("Which?", "Units *3* and `4`.\n\n| a | b |\n|---|---|", ("why_which", figure)),
        Question("And then?", "Nothing."),
    ]
    said = write_lesson(tmp_path / "why.md", "Why?", "We ask.", questions, "It is so.")
    page = (tmp_path / "why.md").read_text(encoding="utf-8")
    for part in ("Why?", "We ask.", "1. Which?", "2. And then?", "Nothing.", "It is so."):
        assert part in said
        assert part in page
    assert "Units 3 and 4.\n\n| a | b |\n|---|---|" in said
    assert "![What it does](why_which.png)" in page
    assert (tmp_path / "why_which.png").read_bytes().startswith(b"\x89PNG")


def test_a_table_has_one_gate_of_all_items():
    assert table_of_holds(held(), "forget_gate", "f").splitlines() == [
        "| f held at | all units | as many random units |",
        "|---|---|---|",
        "| nothing (as trained) | 100% (94–100) | 100% (94–100) |",
        "| 0 | 50% (40–60) | 99% (95–100) |",
        "| mean | 95% (90–99) |  |",
    ]


def test_only_what_lies_below_the_interval_costs():
    table = held()
    costs = [costs_beyond_intervals(table, row) for _, row in table.iterrows()]
    assert costs == [False, True, False, True, True, False, True]
