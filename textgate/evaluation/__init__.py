"""How well a language model does: minimal pairs, pronouns in context, perplexity, intervals."""

from textgate.evaluation.agreement import agreement

__all__ = ["agreement"]
