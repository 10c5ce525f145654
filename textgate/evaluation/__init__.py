"""How well a language model does: minimal pairs, pronouns and a rule to beat, perplexity."""

from textgate.evaluation.against_rule import against_rule
from textgate.evaluation.agreement import agreement, worst
from textgate.evaluation.intervals import interval
from textgate.evaluation.last_gendered_word import gendered_words, last_gendered_word
from textgate.evaluation.perplexity import perplexity
from textgate.evaluation.pronouns import pronouns
from textgate.evaluation.report import Report, evaluate
from textgate.evaluation.summary import GROUPINGS, summary

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
