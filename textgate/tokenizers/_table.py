r"""The one table of characters that the tokenizer knows, and the rewriting rules made from it.

Python's `str` methods and `\w`, and the classes of RE2 (TensorFlow's regular expressions), follow
different versions of Unicode and differ on thousands of code points. So nothing here asks either of
them what a letter is. This table names, by code point, what is a space, what is dropped, what is a
mark of punctuation and how letters lose their case; *every other character is part of a word*.

`RULES` is the whole tokenizer: a list of (pattern, replacement), each applied everywhere, after
which the tokens stand between spaces. The patterns keep to what Python's `re` and RE2 both have
with the same meaning (classes of listed characters, leftmost-first alternatives; no look-around, no
`\w`), so the same strings run in Python and in a TensorFlow graph.
"""

# (first, last) code points, inclusive, in each table.
Ranges = tuple[tuple[int, int], ...]

# Characters that separate words: the control characters, NUL and the line ends included, and
# Unicode's spaces.
SPACES: Ranges = (
    (0x0000, 0x0020),
    (0x007F, 0x00A0),
    (0x1680, 0x1680),
    (0x2000, 0x200B),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
)

# Characters without a mark of their own, which are taken out: soft hyphen, direction marks, word
# joiner, invisible operators, variation selectors, byte order mark.
DROPPED: Ranges = (
    (0x00AD, 0x00AD),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x2064),
    (0x2066, 0x2069),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
)

# Typographic variants that are read as the plain ASCII mark.
APOSTROPHES: Ranges = ((0x2018, 0x2019), (0x201B, 0x201B), (0x02BC, 0x02BC))
QUOTES: Ranges = ((0x201C, 0x201F),)

# Punctuation and symbols: each is a token of its own (the apostrophe is not always: see `RULES`).
MARKS: Ranges = (
    (0x0021, 0x002F),  # ! " # $ % & ' ( ) * + , - . /
    (0x003A, 0x0040),  # : ; < = > ? @
    (0x005B, 0x0060),  # [ \ ] ^ _ `
    (0x007B, 0x007E),  # { | } ~
    (0x00A1, 0x00A9),  # ¡ … ©
    (0x00AB, 0x00AC),  # « ¬
    (0x00AE, 0x00B1),  # ® ¯ ° ±
    (0x00B4, 0x00B4),  # ´
    (0x00B6, 0x00B8),  # ¶ · ¸
    (0x00BB, 0x00BB),  # »
    (0x00BF, 0x00BF),  # ¿
    (0x00D7, 0x00D7),  # ×
    (0x00F7, 0x00F7),  # ÷
    (0x037E, 0x037E),  # Greek question mark
    (0x0387, 0x0387),  # Greek ano teleia
    (0x055A, 0x055F),  # Armenian
    (0x0589, 0x058A),
    (0x05BE, 0x05BE),  # Hebrew
    (0x05C0, 0x05C0),
    (0x05C3, 0x05C3),
    (0x05F3, 0x05F4),
    (0x060C, 0x060D),  # Arabic
    (0x061B, 0x061B),
    (0x061F, 0x061F),
    (0x066A, 0x066D),
    (0x06D4, 0x06D4),
    (0x0964, 0x0965),  # Devanagari
    (0x2010, 0x2017),  # hyphens and dashes
    (0x201A, 0x201A),  # low quotation mark
    (0x2020, 0x2027),  # dagger, bullet, ellipsis
    (0x2030, 0x205E),  # per mille, primes, guillemets, …
    (0x20A0, 0x20CF),  # currencies
    (0x2190, 0x2BFF),  # arrows, mathematics, boxes, shapes, dingbats
    (0x2E00, 0x2E7F),  # supplemental punctuation
    (0x3001, 0x3003),  # Chinese, Japanese and Korean
    (0x3008, 0x3020),
    (0x3030, 0x3030),
    (0xFE10, 0xFE1F),
    (0xFE30, 0xFE6F),
    (0xFF01, 0xFF0F),
    (0xFF1A, 0xFF20),
    (0xFF3B, 0xFF40),
    (0xFF5B, 0xFF65),
    (0xFFFC, 0xFFFD),
    (0x1F000, 0x1FAFF),  # emoji and other pictures
)

# Capital letters and what to add to get the small ones, as (first, last, step, offset). Latin,
# Greek and Cyrillic pairs of one character each; whatever is not here has no case.
CAPITALS: tuple[tuple[int, int, int, int], ...] = (
    (0x0041, 0x005A, 1, 32),  # A–Z
    (0x00C0, 0x00D6, 1, 32),  # À–Ö
    (0x00D8, 0x00DE, 1, 32),  # Ø–Þ
    (0x0100, 0x012E, 2, 1),  # Ā–Į
    (0x0132, 0x0136, 2, 1),  # Ĳ–Ķ
    (0x0139, 0x0147, 2, 1),  # Ĺ–Ň
    (0x014A, 0x0176, 2, 1),  # Ŋ–Ŷ
    (0x0178, 0x0178, 1, -121),  # Ÿ
    (0x0179, 0x017D, 2, 1),  # Ź–Ž
    (0x01CD, 0x01DB, 2, 1),  # Ǎ–Ǜ
    (0x0218, 0x021A, 2, 1),  # Ș Ț
    (0x0386, 0x0386, 1, 38),  # Ά
    (0x0388, 0x038A, 1, 37),  # Έ–Ί
    (0x038C, 0x038C, 1, 64),  # Ό
    (0x038E, 0x038F, 1, 63),  # Ύ Ώ
    (0x0391, 0x03A1, 1, 32),  # Α–Ρ
    (0x03A3, 0x03AB, 1, 32),  # Σ–Ϋ
    (0x0400, 0x040F, 1, 80),  # Ѐ–Џ
    (0x0410, 0x042F, 1, 32),  # А–Я
    (0x1E00, 0x1E94, 2, 1),  # Ḁ–Ẕ
    (0x1EA0, 0x1EFE, 2, 1),  # Ạ–Ỿ
)

LOWER: dict[int, int] = {
    code: code + offset
    for first, last, step, offset in CAPITALS
    for code in range(first, last + 1, step)
}


def _without(ranges: Ranges, code: int) -> Ranges:
    """Return `ranges` without one code point."""
    parts: list[tuple[int, int]] = []
    for first, last in ranges:
        if first <= code <= last:
            parts += [(first, code - 1)] * (first < code) + [(code + 1, last)] * (code < last)
        else:
            parts.append((first, last))
    return tuple(parts)


def _class(*tables: Ranges) -> str:
    """Write tables as the inside of a character class, the same for `re` and RE2."""
    return "".join(
        f"{_escape(first)}-{_escape(last)}" if first < last else _escape(first)
        for table in tables
        for first, last in table
    )


def _escape(code: int) -> str:
    if code < 0x80:
        return f"\\x{code:02x}"
    return chr(code)


_SPACE = _class(_without(SPACES, 0x20))
_MARK = _class(MARKS)
# A character of a word: nothing of the above.
_WORD = f"[^{_class(SPACES, MARKS)}]"
# While apostrophes are looked into, each has one of these on either side (both are spaces in the
# table, so no text has them any more).
_END, _BEGIN = "\\x1e", "\\x1f"
_CLITIC = "[sSdDmM]|[lL][lL]|[rR][eE]|[vV][eE]"

RULES: tuple[tuple[str, str], ...] = (
    # One way of writing.
    (f"[{_class(DROPPED)}]+", ""),
    (f"[{_SPACE}]", " "),
    (f"[{_class(APOSTROPHES)}]", "'"),
    (f"[{_class(QUOTES)}]|``|''", '"'),
    ("\\.\\.+|\u2026", "..."),
    ("--+", "\u2014"),
    # Tokens stand apart: <unk> where a text has it already, numbers with their inner marks (3,000
    # and 2.5), words with the apostrophes in them or before them, an ellipsis, single marks.
    # Whole words are matched, not only those with an apostrophe, lest `re` try each of their ends.
    (
        f"<unk>|[0-9]+(?:[.,][0-9]+)+{_WORD}*|{_WORD}+(?:'{_WORD}+)*|(?:'{_WORD}+)+"
        f"|\\.\\.\\.|[{_MARK}]",
        r" \0 ",
    ),
    # Clitics stand apart from their words, any number in a row: should n't 've. Each apostrophe
    # gets an end of the piece before and a beginning of the piece after, and a clitic is a piece
    # that fills the space between two of these (n't takes an n from the piece before).
    ("'", "\x1e\x1f'"),
    (
        f"([nN]){_END}{_BEGIN}('[tT])[{_END} ]|{_BEGIN}('(?:{_CLITIC}))[{_END} ]",
        r" \1\2\3 ",
    ),
    # Any other apostrophe is a quotation mark before or after a word and a letter within one.
    (f" {_END}?{_BEGIN}'|{_END}?{_BEGIN}' ", " ' "),
    (f"{_END}{_BEGIN}'", "'"),
    (f"[{_END}{_BEGIN}]", ""),
)
