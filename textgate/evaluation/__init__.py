"""How well a language model does: minimal pairs, pronouns and a rule to beat, perplexity."""

from textgate.evaluation._against_rule import against_rule
from textgate.evaluation._agreement import agreement, worst
from textgate.evaluation._intervals import interval
from textgate.evaluation._last_gendered_word import gendered_words, last_gendered_word
from textgate.evaluation._perplexity import perplexity
from textgate.evaluation._pronouns import pronouns
from textgate.evaluation._summary import GROUPINGS, summary
from textgate.evaluation.report import Report, evaluate

__all__ = [
    "GROUPINGS",
    "Report",
    "against_rule",
    "agreement",
    "evaluate",
    "gendered_words",
    "interval",
    "last_gendered_word",
    "perplexity",
    "pronouns",
    "summary",
    "worst",
]
