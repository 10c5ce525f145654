"""Tokenizers whose vocabulary is given: white space and characters, and what they refuse."""

import pickle
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgate import tokenizers
from textgate.tokenizers import CharacterTokenizer, Tokenizer, WhitespaceTokenizer, WordTokenizer

WORDS = ["<unk>", "<eos>", "the", "U.S.", "@-@", "re-elected", "n't", "naïve"]
CHARACTERS = ["?", " ", "\n", "a", "b", "é", "ë", "e", "."]
BOTH = [
    WhitespaceTokenizer(WORDS),
    WhitespaceTokenizer(WORDS, begin=None, end=None),
    CharacterTokenizer(CHARACTERS, unknown="?", begin="\n", end="\n"),
]
TEXT = st.text(
    st.sampled_from("abeéë.U S@-\n\t\r\x0b\x0c\u00a0\u2003\u0301\u0308😀ïnt'"), max_size=20
)


def test_rows_are_ids_from_one_on():
    tokenizer = BOTH[0]
    assert tokenizer.vocabulary == ("", *WORDS)
    assert tokenizer.encode("the U.S. re-elected @-@ ca n't") == [3, 4, 6, 5, 1, 7]
    assert (tokenizer.unknown_id, tokenizer.begin_id, tokenizer.end_id) == (1, 2, 2)
    assert tokenizer.tokens_to_ids(["<eos>", "", "x"]) == [2, 0, 1]
    assert tokenizer.detokenize(["", "<eos>", "the", "U.S.", "<unk>", "<eos>"]) == "the U.S. <unk>"
    assert len(tokenizer) == 9
    assert "U.S." in tokenizer
    assert "" not in tokenizer


@pytest.mark.parametrize("tokenizer", [*BOTH, WordTokenizer(["a", "b"])], ids=repr)
def test_each_is_a_tokenizer_and_comes_back_from_its_configuration(tokenizer, tmp_path):
    assert isinstance(tokenizer, Tokenizer)
    tokenizers.save(tokenizer, tmp_path / "tokenizer.json")
    text = "the a\nU.S. b"
    for again in (
        tokenizers.load(tmp_path / "tokenizer.json"),
        pickle.loads(pickle.dumps(tokenizer)),
    ):
        assert type(again) is type(tokenizer)
        assert again == tokenizer
        assert again.encode(text) == tokenizer.encode(text)
        assert (again.unknown_id, again.begin_id) == (tokenizer.unknown_id, tokenizer.begin_id)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_graph_gives_the_same_tokens_and_ids(texts):
    for tokenizer in BOTH:
        given_texts = tf.constant(texts, tf.string, shape=[len(texts)])
        tokens = tokenizer.graph.split(given_texts).to_list()
        assert [[t.decode() for t in row] for row in tokens] == list(map(tokenizer.split, texts))
        assert tokenizer(given_texts).to_list() == [tokenizer.encode(text) for text in texts]


@pytest.mark.parametrize(
    ("tokenizer", "text"),
    [
        (WordTokenizer(["zoë", "naïve"]), "Zoë was naïve, zoë"),
        (WordTokenizer([unicodedata.normalize("NFD", "zoë"), "naïve"]), "Zoë was naïve, zoë"),
        (WhitespaceTokenizer(WORDS), "the naïve U.S."),
        (CharacterTokenizer(CHARACTERS, unknown="?"), "bé.ë"),
        (CharacterTokenizer(["e", "\u0301", "b"]), "bébé"),
    ],
    ids=repr,
)
def test_canonically_equal_text_gives_equal_tokens(tokenizer, text):
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert forms[0] != forms[1]
    first, second = map(tokenizer.encode, forms)
    assert first == second
    assert first.count(tokenizer.unknown_id) < 3
    assert tokenizer(tf.constant(forms)).to_list() == [first, first]


def test_words_are_counted_in_either_form():
    texts = ["zoë ran", unicodedata.normalize("NFD", "zoë ran")]
    assert WordTokenizer.train(texts).vocabulary[4:] == ("ran", "zoë")


def test_training_keeps_tokens_and_ends_as_they_are():
    lines = ["the U.S. <unk> @-@", "", " the  <unk> did n't \n"]
    trained = WhitespaceTokenizer.train(lines)
    assert trained.vocabulary == ("", "<eos>", "<unk>", "the", "@-@", "U.S.", "did", "n't")
    assert WhitespaceTokenizer.train(lines, min_count=2).vocabulary[1:] == ("<eos>", "<unk>", "the")
    assert WhitespaceTokenizer.train(lines, size=4).vocabulary == (
        "",
        "<eos>",
        "<unk>",
        "the",
        "@-@",
    )
    assert WhitespaceTokenizer.train(["a b a"], size=3).vocabulary == ("", "a", "<eos>", "<unk>")
    assert CharacterTokenizer.train(["ab a"], size=3).vocabulary == ("", "<unk>", "<eos>", "a")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WordTokenizer(["a", "U.S.", "re-elected"]), r"Whitespace.*'U.S.', 're-elected'$"),
        (lambda: WordTokenizer([f"a-{c}" for c in "bcdef"]), "'a-b', 'a-c', 'a-d' and 2 more"),
        (lambda: WhitespaceTokenizer(["a b", "<unk>", "<eos>"]), r"white space.*'a b'"),
        (lambda: WhitespaceTokenizer(["a", "<unk>"]), "`begin`.*None.*begin='<eos>'"),
        (lambda: WhitespaceTokenizer(["a"], unknown="?"), "unknown='\\?'"),
        (lambda: WhitespaceTokenizer(["a", "a"], None, None, None), "once. Received: 'a' again"),
        (lambda: WhitespaceTokenizer(["a", ""], None, None, None), "Received: ''"),
        (lambda: WhitespaceTokenizer(["a"], None, None, None).encode("a b"), "Received: 'b'"),
        (lambda: CharacterTokenizer(["a", "the"]), "several.*'the'"),
        (lambda: CharacterTokenizer(["a"]).encode("ab"), "Received: 'b'"),
        (lambda: WhitespaceTokenizer(WORDS).encode("a \udcff"), "surrogate"),
        (lambda: WhitespaceTokenizer(WORDS).ids_to_tokens([9]), r"from 0 to 8\. Received: 9"),
        (lambda: WhitespaceTokenizer.train(["", " "]), "no tokens"),
        (lambda: CharacterTokenizer.train([""]), "no characters"),
        (lambda: WhitespaceTokenizer.train(["a"], size=2), "room.*size=2"),
        (lambda: tokenizers.from_config({"kind": "runes"}), r"characters.*Received: kind='runes'"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make()
    assert "Received: " in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_text_is_not_written():
    tokenizer = CharacterTokenizer(["\n", "a", "<eos>"], begin="\n", end="<eos>")
    assert tokenizer.detokenize(["\n", "a", "\n", "a", "<eos>", ""]) == "a\na"


def test_vocabularies_of_before_stay_as_they_are():
    config = {"vocabulary": ["<pad>", "<unk>", "<bos>", "<eos>", "U.S.", "a"], "rules": 1}
    assert tokenizers.from_config(config).encode("a") == [5]


def test_an_unknown_token_without_an_id_is_an_error_in_the_graph():
    tokenizer = CharacterTokenizer("ab")
    with pytest.raises(tf.errors.InvalidArgumentError, match="lacks a token"):
        tokenizer(tf.constant(["abc"]))


def test_a_class_of_ones_own_is_found_again():
    class Upper(WhitespaceTokenizer):
        kind = "upper"

        def split(self, text):
            return super().split(text.upper())

    with pytest.raises(ValueError, match="kinds"):
        tokenizers.from_config({"kind": "upper"})
    try:
        tokenizers.register(Upper)
        again = tokenizers.from_config(Upper(["A"], None, None, None).get_config())
        assert again.encode("a A") == [1, 1]
        clashing = type("Other", (Upper,), {})
        with pytest.raises(ValueError, match=r"another class.*Received: Other"):
            tokenizers.register(clashing)
        with pytest.raises(TypeError, match="kind"):
            tokenizers.register(int)
    finally:
        from textgate.tokenizers import _registry

        del _registry._KINDS["upper"]


def test_pieces_of_the_word_that_differs():
    span = tokenizers.target_pieces
    characters = CharacterTokenizer(" abcdefghinorstw.")
    assert span(characters, "she is.", "she was.", 1) == (range(3, 6), range(3, 7))
    assert span(characters, "a dog is", "a dogs is", 1) == (range(1, 5), range(1, 6))
    assert span(WordTokenizer(["a"]), "x her", "x his", 1) == (range(1, 2), range(1, 2))
    white = WhitespaceTokenizer(WORDS)
    assert span(white, "the U.S. is", "the U.S. are", 4) == (range(2, 3), range(2, 3))
    with pytest.raises(ValueError, match="must differ"):
        span(white, "a", "a", 0)
