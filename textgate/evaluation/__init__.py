"""How well a language model does: minimal pairs, pronouns in context, perplexity, intervals."""

from textgate.evaluation.agreement import agreement, worst
from textgate.evaluation.intervals import interval
from textgate.evaluation.perplexity import perplexity
from textgate.evaluation.pronouns import pronouns
from textgate.evaluation.report import Report, evaluate
from textgate.evaluation.summary import GROUPINGS, summary

__all__ = [
    "GROUPINGS",
    "Report",
    "agreement",
    "evaluate",
    "interval",
    "perplexity",
    "pronouns",
    "summary",
    "worst",
]
