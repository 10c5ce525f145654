"""Whole experiments made of the other rooms: the ladder of models."""

from textgate.study.ladder import CORE, MORE, Ladder, Setting, compare
from textgate.study.redundancy import redundancy

__all__ = ["CORE", "MORE", "Ladder", "Setting", "compare", "redundancy"]
