"""Language models of recurrent layers, with their tokenizers, and how to load and score them."""

from textgate.models._cells import CELLS, equations_of, matched_units, parameters_in_use
from textgate.models._from_torch import from_torch
from textgate.models._kneser_ney import KneserNey
from textgate.models._language_model import LanguageModel
from textgate.models._loading import load, load_language_model, load_run
from textgate.models._next_words import NextWords
from textgate.models._text_model import TextModel

__all__ = [
    "CELLS",
    "KneserNey",
    "LanguageModel",
    "NextWords",
    "TextModel",
    "equations_of",
    "from_torch",
    "load",
    "load_language_model",
    "load_run",
    "matched_units",
    "parameters_in_use",
]
