"""A lesson: a question, the smaller questions that answer it, and what follows; to be read aloud.

It is a page in Markdown with its figures beside it, and the same text for the terminal.
"""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._files import write_figure, write_text

_WIDTH = 96  # characters of a line in the terminal


@dataclass(frozen=True)
class Question:
    """One of the smaller questions.

    Attributes:
        text: The question.
        answer: What was measured, in a few sentences; a `| table |` by choice.
        figure: What shows it, and the name of its file without an ending; or `None`.
    """

    text: str
    answer: str
    figure: tuple[str, Any] | None = None


def write_lesson(
    path: Path, title: str, opening: str, questions: Sequence[Question], conclusion: str
) -> str:
    """Write a lesson and its figures, and return it as text for the terminal.

    Args:
        path: The page, `….md`; the figures go beside it.
        title: The question of the lesson.
        opening: What one has to know, and which model is asked.
        questions: The smaller questions, with their answers.
        conclusion: What follows.

    Example:

    >>> questions = [Question("Is it?", "Yes.")]
    >>> print(write_lesson(Path("why.md"), "Why?", "We ask.", questions, "It is."))
    Why?
    <BLANKLINE>
    We ask.
    <BLANKLINE>
    1. Is it?
    Yes.
    <BLANKLINE>
    What follows. It is.
    """
    page = [f"# {title}", opening]
    said = [_plain(title), _plain(opening)]
    for number, question in enumerate(questions, 1):
        page += [f"## {number}. {question.text}", question.answer]
        said.append(f"{_plain(f'{number}. {question.text}')}\n{_plain(question.answer)}")
        if question.figure is not None:
            name, figure = question.figure
            write_figure(path.parent / f"{name}.png", figure)
            page.append(f"![{figure.get_suptitle()}]({name}.png)")
    page += ["## What follows", conclusion]
    said.append(_plain(f"What follows. {conclusion}"))
    write_text(path, "\n\n".join(page) + "\n")
    return "\n\n".join(said)


def _plain(text: str) -> str:
    """Return Markdown as lines for the terminal; tables stay as they are."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("|"):
            paragraphs.append(paragraph)
        else:
            paragraphs.append(textwrap.fill(re.sub(r"[*`]", "", paragraph), _WIDTH))
    return "\n\n".join(paragraphs)


def costs_beyond_intervals(held: pd.DataFrame, row: pd.Series) -> bool:
    """Whether a hold costs accuracy: its interval lies below that of the model as trained.

    Args:
        held: What `hold_gates` returns.
        row: One of its rows.
    """
    return bool(row["high"] < held["low"].iloc[0])


def table_of_holds(held: pd.DataFrame, gate: str, letter: str) -> str:
    """Return the accuracy of each hold of one gate as a Markdown table, a column a set of units.

    Of random sets the first one stands for all.

    Args:
        held: What `hold_gates` returns.
        gate: The gate.
        letter: Its letter.
    """
    held = held[(held["by"] == "all") & held["gate"].isin(["none", gate])]
    is_random = held["units"].str.startswith("random")
    held = held[~is_random | held["units"].str.startswith("random 1 ")]
    held = held.assign(units=held["units"].where(~is_random, "as many random"))
    sets = [str(name) for name in held["units"].unique() if name != "none"]
    trained = held[held["units"] == "none"].iloc[0]
    lines = [
        f"| {letter} held at | {' | '.join(f'{name} units' for name in sets)} |",
        "|---|" + "---|" * len(sets),
        f"| nothing (as trained) | {' | '.join([_share(trained)] * len(sets))} |",
    ]
    for value in held.loc[held["units"] != "none", "held"].unique():
        at = held[held["held"] == value].set_index("units")
        cells = [_share(at.loc[name]) if name in at.index else "" for name in sets]
        lines.append(f"| {value} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _share(row: pd.Series) -> str:
    share = f"{row['accuracy']:.0%}"
    return f"{share} ({100 * row['low']:.0f}–{100 * row['high']:.0f})" if row["low"] >= 0 else share
