"""Whole experiments made of the other rooms: the study up to its report, the ladder of models."""

from textgate.study.ladder import CORE, MORE, Ladder, Setting, compare
from textgate.study.redundancy import redundancy
from textgate.study.settings import Settings
from textgate.study.whole import STAGES, study

__all__ = [
    "CORE",
    "MORE",
    "STAGES",
    "Ladder",
    "Setting",
    "Settings",
    "compare",
    "redundancy",
    "study",
]
