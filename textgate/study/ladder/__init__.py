"""The ladder: what each step up from a constant model to the LSTM brings."""

from textgate.study.ladder._comparison import CORE, MORE, Ladder, Setting, compare
from textgate.study.ladder._conclusions import conclusions

__all__ = ["CORE", "MORE", "Ladder", "Setting", "compare", "conclusions"]
