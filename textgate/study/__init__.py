"""Whole experiments made of the other rooms: the study up to its report, the ladder of models."""

from textgate.study._gender_units import (
    GenderUnits,
    flip_rate,
    gender_units,
    holding_units,
    life_in_words,
)
from textgate.study._held_gates import hold_gates
from textgate.study._lesson import Question, costs_beyond_intervals, table_of_holds, write_lesson
from textgate.study._settings import Settings
from textgate.study._study import STAGES, study
from textgate.study.ladder import CORE, MORE, Conditions, Ladder, compare, conclusions, redundancy

__all__ = [
    "CORE",
    "MORE",
    "STAGES",
    "Conditions",
    "GenderUnits",
    "Ladder",
    "Question",
    "Settings",
    "compare",
    "conclusions",
    "costs_beyond_intervals",
    "flip_rate",
    "gender_units",
    "hold_gates",
    "holding_units",
    "life_in_words",
    "redundancy",
    "study",
    "table_of_holds",
    "write_lesson",
]
