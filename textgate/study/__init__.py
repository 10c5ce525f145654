"""Whole experiments made of the other rooms: the study up to its report, the ladder of models."""

from textgate.study.gates import HOLDS, hold_gates, holding_units, turned
from textgate.study.holders import Holders, holders, life_in_words
from textgate.study.ladder import CORE, MORE, Ladder, Setting, compare
from textgate.study.ladder_conclusions import conclusions
from textgate.study.redundancy import redundancy
from textgate.study.settings import Settings
from textgate.study.whole import STAGES, study

__all__ = [
    "CORE",
    "HOLDS",
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
