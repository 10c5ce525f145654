"""Whole experiments made of the other rooms: the study up to its report, the ladder of models."""

from textgate.study._gates import hold_gates, holding_units, turned
from textgate.study._holders import Holders, holders, life_in_words
from textgate.study._redundancy import redundancy
from textgate.study._settings import Settings
from textgate.study.ladder import CORE, MORE, Ladder, Setting, compare, conclusions
from textgate.study.whole import STAGES, study

__all__ = [
    "CORE",
    "MORE",
    "STAGES",
    "Holders",
    "Ladder",
    "Setting",
    "Settings",
    "compare",
    "conclusions",
    "hold_gates",
    "holders",
    "holding_units",
    "life_in_words",
    "redundancy",
    "study",
    "turned",
]
