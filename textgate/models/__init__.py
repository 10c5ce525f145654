"""Language models of recurrent layers, with their tokenizers, and how to load and score them."""

from textgate.models.language_model import LanguageModel
from textgate.models.loading import load, load_run

__all__ = ["LanguageModel", "load", "load_run"]
