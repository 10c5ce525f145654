"""How many words a text has: the tokenizer's rule, for the English of this package.

`textgate.tokenizers` comes after this room, so that nothing here may import it. The positions that
the data sets report are nevertheless positions in its list of words; a test holds the two together
on generated sentences and on English with contractions and marks.
"""

import re

_WORD = re.compile(r"[A-Za-z]+?(?=n['’]t\b)|n['’]t\b|['’](?:s|d|m|ll|re|ve)\b|\w+|[^\w\s]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*|" + _WORD.pattern, re.IGNORECASE)


def split(text: str) -> list[str]:
    """Return the words and marks of a text.

    Example:

    >>> from textgate.datasets import _words
    >>> _words.split("The girl can't hurt herself, can she?")
    ['The', 'girl', 'ca', "n't", 'hurt', 'herself', ',', 'can', 'she', '?']
    """
    return [word for word in _NUMBER.findall(text) if word]
