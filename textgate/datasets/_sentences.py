"""Splits paragraphs of English into sentences, by rule.

A sentence ends at `.`, `!`, `?` or `…`, with the quotation marks and brackets that close there, if
blanks follow and then something that begins a sentence: a capital, a figure or an opening mark. A
full stop after an abbreviation (*Mr.*, *e.g.*) or an initial (*J. Smith*) doesn't count; nor does
speech that the narrator goes on after (*"Stop!" she cried*), since no capital follows.
"""

import re
from collections.abc import Iterator

# After these, a full stop doesn't end a sentence, whatever follows.
_ABBREVIATIONS = re.compile(
    "adm|bros|capt|cf|co|col|dept|dr|ed|esq|fig|gen|gov|hon|jr|lieut|lt|maj|messrs|mlle|mme|mr|mrs|"
    "ms|mt|no|nos|pp|prof|rev|sec|sen|sergt|sgt|sr|st|viz|vol|vols|vs",
    re.IGNORECASE,
)

_END = re.compile(
    r"""([.!?…]+)        # 1: what ends a sentence
        (["'”’»)\]]*)     # 2: what closes with it
        \s+
        (?=["'“‘«(\[¿¡—-]*[^\W_a-z])""",
    re.VERBOSE,
)
_LAST_WORD = re.compile(r"[^\s\"'“”‘’(\[—-]*$")


def split_sentences(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph, without the blanks around them.

    Example:
        >>> list(split_sentences('Dr. Lee came at 5 p.m. sharp. "Why?" she asked. No one knew...'))
        ['Dr. Lee came at 5 p.m. sharp.', '"Why?" she asked.', 'No one knew...']
    """
    start = 0
    for match in _END.finditer(paragraph):
        following = paragraph[match.end() : match.end() + 8].lstrip("\"'“‘«([¿¡—-")
        if following[:1].islower():
            continue
        if match.group(1) == "." and not match.group(2) and _abbreviated(paragraph, match.start()):
            continue
        sentence = paragraph[start : match.end(2)].strip()
        if sentence:
            yield sentence
        start = match.end()
    sentence = paragraph[start:].strip()
    if sentence:
        yield sentence


def _abbreviated(paragraph: str, stop: int) -> bool:
    """Say whether the word before the full stop at `stop` is an abbreviation or an initial."""
    word = _LAST_WORD.search(paragraph, max(0, stop - 24), stop)
    text = word.group() if word else ""
    if len(text) == 1:
        return text.isupper() and text != "I"
    # In e.g. and U.S. the stops stand between single letters.
    if "." in text and all(len(part) <= 1 for part in text.split(".")):
        return text not in ("a.m", "p.m")
    return _ABBREVIATIONS.fullmatch(text) is not None
