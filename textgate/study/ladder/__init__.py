"""The ladder: what each step up from a constant model to the LSTM brings."""

from textgate.study.ladder._comparison import CORE, LEARNING_RATES, MORE, QUICK, Ladder, compare
from textgate.study.ladder._conclusions import conclusions
from textgate.study.ladder._redundancy import redundancy
from textgate.study.ladder._runs import Conditions

__all__ = [
    "CORE",
    "LEARNING_RATES",
    "MORE",
    "QUICK",
    "Conditions",
    "Ladder",
    "compare",
    "conclusions",
    "redundancy",
]
