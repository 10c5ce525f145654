"""Tokenizers: text to ids of words, the same in Python and inside a TensorFlow graph."""

from textgate.tokenizers._split import detokenize, split
from textgate.tokenizers._word_tokenizer import WordTokenizer

__all__ = ["WordTokenizer", "detokenize", "split"]
