"""The tokenizer's vocabulary: training, ids, files, and what it refuses."""

import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgate.tokenizers import WordTokenizer, _split
from textgate.tokenizers import _word_tokenizer as word_tokenizer

SPECIAL = ("<pad>", "<unk>", "<bos>", "<eos>")


@pytest.fixture
def tokenizer():
    return WordTokenizer(["she", "She", "dog", "n't", ".", "zoë", "ss"])


def test_special_tokens_come_first(tokenizer):
    assert tokenizer.vocabulary[:4] == SPECIAL
    assert len(tokenizer) == 11
    assert WordTokenizer(tokenizer.vocabulary) == tokenizer
    assert tokenizer.tokens_to_ids(SPECIAL) == [0, 1, 2, 3]


def test_case_is_kept_and_falls_back_to_lower_case(tokenizer):
    assert tokenizer.encode("She she SHE DOG Dog ZOË ẞ isn't cat.") == [
        5, 4, 4, 6, 6, 9, 1, 1, 7, 1, 8
    ]  # fmt: skip


def test_text_cannot_name_padding_or_the_ends_of_a_sentence():
    tokenizer = WordTokenizer(["<", ">", "pad", "bos", "eos", "unk"])
    ids = tokenizer.encode("<pad> <bos><eos> <unk>")
    assert [i for i in ids if i < 4] == [1]


def test_ids_and_tokens_are_inverse(tokenizer):
    ids = list(range(len(tokenizer)))
    assert tokenizer.tokens_to_ids(tokenizer.ids_to_tokens(ids)) == ids


def test_detokenize_leaves_out_what_is_no_text(tokenizer):
    tokens = ["<bos>", "She", "is", "n't", "<unk>", ".", "<eos>", "<pad>"]
    assert tokenizer.detokenize(tokens) == "She isn't <unk>."


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab'n \n.’t", max_size=12), max_size=12))
def test_training_counts_as_a_plain_loop_does(texts):
    counts = {}
    for text in texts:
        for word in _split.split(text):
            counts[word] = counts.get(word, 0) + 1
    wanted = sorted(counts, key=lambda word: (-counts[word], word))
    if not wanted:
        with pytest.raises(ValueError, match="no words"):
            WordTokenizer.train(texts)
        return
    assert WordTokenizer.train(texts).vocabulary[4:] == tuple(wanted)
    assert WordTokenizer.train(texts, size=5).vocabulary[4:] == (wanted[0],)
    often = [word for word in wanted if counts[word] >= 2]
    if often:
        assert WordTokenizer.train(iter(texts), min_count=2).vocabulary[4:] == tuple(often)


def test_training_in_small_memory_counts_the_same(monkeypatch):
    texts = [f"the {word}, the {word}'s dog" for word in ["one", "two", "three", "four"] * 5]
    whole = WordTokenizer.train(texts)
    monkeypatch.setattr(word_tokenizer, "_MOST_PIECES", 3)
    assert WordTokenizer.train(texts) == whole


def test_past_its_limit_training_forgets_the_rarest_words(monkeypatch):
    monkeypatch.setattr(word_tokenizer, "_MOST_PIECES", 10)
    monkeypatch.setattr(word_tokenizer, "_MOST_WORDS", 20)
    texts = [f"often word{number} often" for number in range(500)]
    counts = word_tokenizer.count_words(texts)
    assert len(counts) <= 31
    assert counts["often"] == 1000


def test_unknown_in_the_text_is_no_word_of_the_vocabulary():
    assert "<unk>" not in WordTokenizer.train(["a <unk> <unk> b"]).vocabulary[4:]


def test_file_brings_the_tokenizer_back(tokenizer, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("old")
    tokenizer.save(path)
    assert WordTokenizer.load(path) == tokenizer
    assert [p.name for p in tmp_path.iterdir()] == ["tokenizer.json"]


def test_config_goes_through_json_and_pickle(tokenizer):
    config = json.loads(json.dumps(tokenizer.get_config()))
    assert WordTokenizer.from_config(config) == tokenizer
    again = pickle.loads(pickle.dumps(tokenizer))
    assert again == tokenizer
    assert again.encode("DOG") == [6]


def test_failed_save_leaves_the_old_file(tokenizer, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    old = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(word_tokenizer.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        WordTokenizer(["other"]).save(path)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["tokenizer.json"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff\x00", b'{"vocabulary": 3}'])
def test_file_that_is_no_tokenizer(content, tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"not a tokenizer.*Received: .*x\.json"):
        WordTokenizer.load(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="Received"):
        WordTokenizer.load(tmp_path / "none.json")


def test_file_of_other_rules(tokenizer):
    with pytest.raises(ValueError, match=r"other rules.*Received: rules=99"):
        WordTokenizer.from_config(tokenizer.get_config() | {"rules": 99})


@pytest.mark.parametrize(
    ("vocabulary", "error"),
    [
        (["a", "a"], ValueError),
        (["a", "<unk>"], ValueError),
        ([""], ValueError),
        (["\ud800"], ValueError),
        (["a", 3], TypeError),
        ("abc", TypeError),
    ],
)
def test_vocabularies_that_are_refused(vocabulary, error):
    with pytest.raises(error, match="Received"):
        WordTokenizer(vocabulary)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"texts": []}, ValueError, "no words"),
        ({"texts": ["a b"], "size": 7}, ValueError, "only 2 different words.*size=7"),
        ({"texts": ["a b"], "min_count": 2}, ValueError, "only 0 different words"),
        ({"texts": ["a b"], "size": 4}, ValueError, "size must be at least 5"),
        ({"texts": ["a b"], "size": 5.0}, TypeError, "size must be a whole number"),
        ({"texts": ["a b"], "min_count": 0}, ValueError, "min_count must be at least 1"),
        ({"texts": "a b"}, TypeError, "wrap it in a list"),
        ({"texts": ["a", 3]}, TypeError, "must be a string"),
    ],
)
def test_training_that_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        WordTokenizer.train(**arguments)


@pytest.mark.parametrize("index", [-1, 11])
def test_ids_outside_of_the_vocabulary(tokenizer, index):
    with pytest.raises(ValueError, match=f"from 0 to 10. Received: {index}"):
        tokenizer.ids_to_tokens([0, index])
