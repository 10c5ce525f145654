"""Language models of recurrent layers, with their tokenizers, and how to load and score them."""

from textgate.models._cells import CELLS, matched_units, parameters_in_use
from textgate.models._kneser_ney import KneserNey
from textgate.models.language_model import LanguageModel
from textgate.models.loading import load, load_run
from textgate.models.text_model import TextModel

__all__ = [
    "CELLS",
    "KneserNey",
    "LanguageModel",
    "TextModel",
    "load",
    "load_run",
    "matched_units",
    "parameters_in_use",
]
