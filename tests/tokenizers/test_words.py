"""What words are, in Python: examples, laws over all of Unicode, and the way back to text."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgate import tokenizers
from textgate.tokenizers import _split, _table

# All of Unicode but surrogates, with what the rules look at made frequent.
TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("'nNtTsdmlrevRLVE’‘“”``\".-—…,0123 \n\t\x00\u200d\u0301\u00adÉİß<>unk"),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I can't.", "I ca n't ."),
        ("She shouldn't've gone", "She should n't 've gone"),
        ("CAN'T WE'LL", "CA N'T WE 'LL"),
        (
            "it’s John’s; we’re, you've, he'd, I'm",
            "it 's John 's ; we 're , you 've , he 'd , I 'm",
        ),
        ("ca n't do 's", "ca n't do 's"),
        ("o'clock O'Brien's ma'am", "o'clock O'Brien 's ma'am"),
        ("'Tis 'I'm' the girls' dogs'", "' Tis ' I 'm ' the girls ' dogs '"),
        ("“Yes,” she said. ``No'' „so‟", '" Yes , " she said . " No " " so "'),
        ("a well-known thing--gone — or – so", "a well - known thing — gone — or – so"),
        ("wait... what…? no....", "wait ... what ... ? no ..."),
        ("rock'n't n't'so a's'b", "rock ' n't n't ' so a 's ' b"),
        ("3,000.50 in 1,2 2nd 1930s 5.", "3,000.50 in 1,2 2nd 1930s 5 ."),
        ("£5 (50%) a/b_c", "£ 5 ( 50 % ) a / b _ c"),
        ("the <unk>'s dog <bos>", "the <unk> 's dog < bos >"),
        ("co\u00adoperate\ufeff \u2060naïve", "cooperate naïve"),
        ("cafe\u0301 日本語 नमस्ते", "cafe\u0301 日本語 नमस्ते"),
        ("a\u00a0b\u2003c\u0085d\x00e\x1ff\ng\r\nh\u200bi", "a b c d e f g h i"),
        ("ok👍🏽 ❤️!", "ok 👍 🏽 ❤ !"),
    ],
)
def test_words(text, words):
    assert tokenizers.split(text) == words.split(" ")


def test_every_ascii_mark_stands_apart():
    for mark in set(string.punctuation) - {"'"}:
        assert tokenizers.split(f"so{mark}it {mark}is{mark}") == [
            *("so", mark, "it", mark, "is", mark)
        ]


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0", "\u00ad"])
def test_text_without_words(text):
    assert tokenizers.split(text) == []


@settings(max_examples=500, deadline=None)
@given(TEXT)
def test_a_token_alone_is_itself(text):
    for token in tokenizers.split(text):
        assert tokenizers.split(token) == [token]


@settings(max_examples=500, deadline=None)
@given(TEXT)
def test_detokenize_then_split_gives_the_tokens_back(text):
    tokens = tokenizers.split(text)
    assert tokenizers.split(tokenizers.detokenize(tokens)) == tokens


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "she",
                "n't",
                "N't",
                "'s",
                "'d",
                "ca",
                "'",
                '"',
                ",",
                ".",
                "...",
                "-",
                "—",
                "<unk>",
                "<",
                "unk",
                ">",
                "3,000",
                "3",
                "o'clock",
                "(",
                ")",
                "_",
                "`",
            ]
        ),
        max_size=60,
    )
)
def test_any_tokens_survive_being_written(tokens):
    assert tokenizers.split(tokenizers.detokenize(tokens)) == tokens


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_words_do_not_reach_across_blanks(texts):
    apart = [word for text in texts for word in tokenizers.split(text)]
    assert tokenizers.split(" ".join(texts)) == apart


@pytest.mark.parametrize(
    "text",
    [
        "She said: \"I can't, won't!\"",
        "(The girls' dogs cost $5.50—each.)",
        "A well-known doctor's 3,000 books...",
    ],
)
def test_english_is_written_as_it_was(text):
    assert tokenizers.detokenize(tokenizers.split(text)) == text


def test_memory_of_pieces_is_bounded_and_changes_nothing(monkeypatch):
    monkeypatch.setattr(_split, "_MOST_PIECES", 3)
    monkeypatch.setattr(_split, "_PIECES", _split.Pieces())
    text = "one, two's three! four. one, five six; " * 3
    assert tokenizers.split(text) == [w for p in text.split() for w in _split.split_piece(p)]
    assert len(_split._PIECES) <= 3


def test_tables_do_not_overlap_and_hold_python_whitespace():
    def codes(ranges):
        return [code for first, last in ranges for code in range(first, last + 1)]

    tables = [_table.SPACES, _table.DROPPED, _table.MARKS, _table.APOSTROPHES, _table.QUOTES]
    together = [code for table in tables for code in codes(table)] + list(_table.LOWER)
    assert len(together) == len(set(together))
    spaces = set(codes(_table.SPACES))
    assert all(code in spaces for code in range(0x3100) if chr(code).isspace())
    assert not any(chr(code).isalpha() for code in codes(_table.MARKS) if code < 0x2B00)


def test_lower_case_agrees_with_unicode_where_the_table_has_it():
    for capital, small in _table.LOWER.items():
        assert chr(capital).lower() == chr(small)
    assert not set(_table.LOWER.values()) & set(_table.LOWER)


def test_long_text_without_blanks_takes_linear_time():
    for text in ["a" * 200_000, "'" * 200_001, "1,2" * 70_000, "a'" * 100_000, "-." * 100_000]:
        assert tokenizers.split(text)


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(ValueError, match=r"surrogate.*Received"):
        tokenizers.split("so \ud800 it is")


@pytest.mark.parametrize("text", [b"she", None, 3])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(TypeError, match=r"must be a string.*Received"):
        tokenizers.split(text)
