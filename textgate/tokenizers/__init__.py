"""Tokenizers: text to ids of tokens, the same in Python and inside a TensorFlow graph.

`Tokenizer` says what every room may rely on. `WordTokenizer` has textgate's own rules for words,
`WhitespaceTokenizer` reads pretokenised text, `CharacterTokenizer` characters.
"""

from textgate.tokenizers._character_tokenizer import CharacterTokenizer
from textgate.tokenizers._protocol import Tokenizer, beginning
from textgate.tokenizers._registry import from_config, load, register, save
from textgate.tokenizers._split import detokenize, split
from textgate.tokenizers._targets import shared_length, target_pieces
from textgate.tokenizers._whitespace_tokenizer import WhitespaceTokenizer
from textgate.tokenizers._word_tokenizer import WordTokenizer

__all__ = [
    "CharacterTokenizer",
    "Tokenizer",
    "WhitespaceTokenizer",
    "WordTokenizer",
    "beginning",
    "detokenize",
    "from_config",
    "load",
    "register",
    "save",
    "shared_length",
    "split",
    "target_pieces",
]
