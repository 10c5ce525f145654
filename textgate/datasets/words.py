"""How many words a text has: the tokenizer's rules, in short.

`textgate.tokenizers` comes after this room, so that nothing here may import it. The positions that
the data sets report are nevertheless positions in its list of words; a test holds the two together
on generated sentences and on English with contractions, quotation marks and dashes.
"""

import re

_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"'})
_LETTER = r"[^\W_]"
_CLITIC = r"'(?:s|d|m|ll|re|ve)"
_PIECE = re.compile(
    rf"\d+(?:[.,]\d+)+{_LETTER}*|{_CLITIC}(?!{_LETTER})|{_LETTER}+(?:'{_LETTER}+)*"
    r"|\.\.+|--+|[^\w\s]|_",
    re.IGNORECASE,
)
_LAST = re.compile(rf"(.*?)(n't|{_CLITIC})$", re.IGNORECASE)


def split(text: str) -> list[str]:
    """Return the words and marks of a text.

    Example:

    >>> from textgate.datasets import words as _words
    >>> _words.split("The girl can't hurt herself, can she?")
    ['The', 'girl', 'ca', "n't", 'hurt', 'herself', ',', 'can', 'she', '?']
    """
    words: list[str] = []
    for piece in _PIECE.findall(text.translate(_SAME)):
        last: list[str] = []
        while "'" in piece and (found := _LAST.match(piece)):
            piece = found[1]
            last.append(found[2])
        words.extend([piece] if piece else [])
        words.extend(reversed(last))
    return words
