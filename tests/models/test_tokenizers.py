"""A language model asks its tokenizer: white space and characters, with a beginning and without."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import textgate as tg
from textgate.evaluation import agreement, perplexity
from textgate.models import KneserNey, LanguageModel
from textgate.tokenizers import CharacterTokenizer, WhitespaceTokenizer, WordTokenizer

WORDS = ["<unk>", "the", "U.S.", "actress", "actor", "lost", "her", "his", "<eos>", "re-elected"]
CHARACTERS = "".join(sorted(set("the U.S. actress actor lost her his he-élected")))
TOKENIZERS = {
    "eos": WhitespaceTokenizer(WORDS),
    "none": WhitespaceTokenizer(WORDS, begin=None, end=None),
    "characters": CharacterTokenizer(CHARACTERS),
    "characters, eos": CharacterTokenizer(
        ["<unk>", "<eos>", *CHARACTERS], "<unk>", "<eos>", "<eos>"
    ),
}
TEXTS = ["the U.S. actress lost", "the actor", "re-elected"]


def shaken(tokenizer, cell="gru"):
    lm = LanguageModel(tokenizer, cell=cell, units=(5,), seed=0)
    random = np.random.default_rng(0)
    lm.set_weights([random.normal(size=w.shape) for w in lm.get_weights()])
    return lm


def by_hand(lm, ids):
    """Return log p of each id but the first, from the model's logits in float64."""
    logits = np.asarray(lm(np.array([ids])), np.float64)[0]
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return logs[np.arange(len(ids) - 1), ids[1:]]


@pytest.fixture(params=TOKENIZERS)
def lm(request):
    return shaken(TOKENIZERS[request.param])


def test_texts_begin_as_the_tokenizer_says(lm):
    tokenizer = lm.tokenizer
    first = [] if tokenizer.begin_id is None else [tokenizer.begin_id]
    for row, words, text in zip(lm.encode(TEXTS), lm.tokens(TEXTS), TEXTS, strict=True):
        ids = [*first, *tokenizer.encode(text)]
        assert row[: len(ids)].tolist() == ids
        assert not row[len(ids) :].any()
        assert words[len(first) : len(ids)].tolist() == tokenizer.split(text)
    scores = lm.token_logprobs(TEXTS)
    assert np.isnan(scores[:, 0]).all()
    ids = [*first, *tokenizer.encode(TEXTS[0])]
    np.testing.assert_allclose(scores[0, 1 : len(ids)], by_hand(lm, ids), rtol=1e-4)


def test_it_is_saved_with_its_tokenizer(lm, tmp_path):
    lm.save(tmp_path / "model.keras")
    again = tg.load(tmp_path / "model.keras")
    assert again.tokenizer == lm.tokenizer
    np.testing.assert_array_equal(again.token_logprobs(TEXTS), lm.token_logprobs(TEXTS))


def test_traces_have_its_tokens(lm):
    node = tg.trace(lm, TEXTS)["gru"]
    np.testing.assert_array_equal(node["token"], lm.tokens(TEXTS))
    np.testing.assert_array_equal(node["mask"], lm.tokens(TEXTS) != "")


def test_served_it_says_what_it_says_in_python(lm, tmp_path):
    served = tf.saved_model.load(tg.export.saved_model(lm, tmp_path / "served"))
    texts = TEXTS[:2]
    said = served.signatures["score"](text=tf.constant(texts))
    expected = lm.token_logprobs(texts)
    np.testing.assert_allclose(
        said["token_logprobs"], np.nan_to_num(expected), rtol=1e-4, atol=1e-5
    )
    tokens = [[token.decode() for token in row] for row in said["tokens"].numpy()]
    np.testing.assert_array_equal(tokens, lm.tokens(texts))
    probabilities = served.signatures["serving_default"](text=tf.constant(texts))["probabilities"]
    best = np.sort(np.exp(lm.next_logprobs(texts)))[:, ::-1]
    np.testing.assert_allclose(probabilities, best[:, : probabilities.shape[1]], rtol=1e-4)
    about = served.describe()["description"].numpy().decode()
    assert ("Nothing is read before" in about) == (lm.tokenizer.begin_id is None)
    if lm.tokenizer.begin_id is None:
        with pytest.raises(tf.errors.InvalidArgumentError, match="must have a word"):
            served.signatures["score"](text=tf.constant(["the", ""]))
    assert tg.export.restore(tmp_path / "served").tokenizer == lm.tokenizer


def test_nothing_stands_before_a_text():
    lm = shaken(TOKENIZERS["none"])
    with pytest.raises(ValueError, match=r"must have a token.*Received: ' '"):
        lm.next_logprobs(["the", " "])
    assert shaken(TOKENIZERS["eos"]).next_logprobs([""]).shape == (1, 11)


def test_a_tokenizer_without_a_graph_is_not_exported(tmp_path):
    class Plain:
        kind, pieces = "plain", False
        unknown_id, begin_id, end_id = 1, None, None
        vocabulary = ("", "<unk>")

        def __len__(self):
            return 2

    with pytest.raises(TypeError, match=r"doesn't run inside TensorFlow.*Received: Plain"):
        tg.export.saved_model(LanguageModel(Plain(), units=2), tmp_path / "served")


# -- evaluation --------------------------------------------------------------------------------


def test_perplexity_counts_ends_where_there_are_ends(lm):
    tokenizer = lm.tokenizer
    first = [] if tokenizer.begin_id is None else [tokenizer.begin_id]
    last = [] if tokenizer.end_id is None else [tokenizer.end_id]
    logs = [by_hand(lm, [*first, *tokenizer.encode(text), *last]) for text in TEXTS[:2]]
    result = perplexity(lm, [*TEXTS[:2], "", "\t"[: tokenizer.kind == "whitespace"]])
    assert result["words"] == sum(map(len, logs))
    np.testing.assert_allclose(result["loss"], -np.concatenate(logs).mean(), rtol=1e-4)


@pytest.mark.parametrize("name", ["eos", "none"])
def test_running_text_is_one_stream(name):
    lm, lines = shaken(TOKENIZERS[name]), ["the U.S. lost", "", "the actor her", "his"]
    end = [] if lm.tokenizer.end_id is None else [lm.tokenizer.end_id]
    stream = [token for line in lines for token in [*lm.tokenizer.encode(line), *end]]
    result = perplexity(lm, lines, running=True)
    assert result["words"] == len(stream)
    # What is read before the first: the beginning, or what the text ends with.
    logs = by_hand(lm, [*(end or stream[-1:]), *stream])
    np.testing.assert_allclose(result["loss"], -logs.mean(), rtol=1e-4)


def test_kneser_ney_is_a_distribution_over_what_can_come():
    texts = ["the actor lost his", "the actress lost her", "", "the U.S."]
    for name in ("eos", "none"):
        tokenizer = TOKENIZERS[name]
        for order in (1, 2, 3):
            encoded = tg.datasets.EncodedText.encode(texts, tokenizer, keep_empty=True)
            lm = KneserNey(tokenizer, order=order).count(encoded)
            for text in ("the", "the actor lost", "lost re-elected"):
                np.testing.assert_allclose(np.exp(lm.next_logprobs([text])).sum(), 1, atol=1e-6)
            if name == "eos":  # four ends, and "the" three times
                ends = np.exp(lm.next_logprobs(["U.S."]))[0, tokenizer.end_id]
                assert ends > 0.2


PAIRS = pd.DataFrame(
    {
        "good": ["the U.S. actress lost her", "the U.S. actor lost his"],
        "bad": ["the U.S. actress lost his", "the U.S. actor lost her"],
        "target": 7,  # among the words of `WordTokenizer`, which makes four of U.S.
        "good_class": ["feminine", "masculine"],
        "bad_class": ["masculine", "feminine"],
        "counterpart_prefix": ["the U.S. actor lost", "the U.S. actress lost"],
    }
)


def test_pieces_of_a_word_are_summed(lm):
    items = agreement(lm, PAIRS)
    first = [] if lm.tokenizer.begin_id is None else [lm.tokenizer.begin_id]
    for row in items.itertuples():
        before = len([*first, *lm.tokenizer.encode("the U.S. actress lost")])
        before -= 2 * (lm.tokenizer.pieces and "actor" in row.good)
        for side in ("good", "bad"):
            logs = by_hand(lm, [*first, *lm.tokenizer.encode(getattr(row, side))])
            np.testing.assert_allclose(getattr(row, f"logprob_{side}"), logs.sum(), rtol=1e-4)
            target = getattr(row, f"target_logprob_{side}")
            np.testing.assert_allclose(target, logs[before - 1 :].sum(), rtol=1e-4)
    assert (items["correct"] == (items["logprob_good"] > items["logprob_bad"])).all()


@pytest.mark.parametrize("name", ["eos", "none"])
def test_contrasts_of_pretokenised_text(name):
    lm = shaken(TOKENIZERS[name])
    items = tg.contrasts(lm, PAIRS)
    text = lm.tokenizer.ids_to_tokens(items.source[0])
    assert text == ["<eos>", "the", "U.S.", "actor", "lost"][name == "none" :]
    assert lm.tokenizer.ids_to_tokens([items.good[0], items.bad[0]]) == ["her", "his"]
    # A decision is the difference of the log-probabilities that agreement gives.
    scores = agreement(lm, PAIRS)
    expected = scores["target_logprob_good"] - scores["target_logprob_bad"]
    rows = np.arange(2)
    logits = np.asarray(lm(items.base))[rows, items.last]
    np.testing.assert_allclose(logits[rows, items.good] - logits[rows, items.bad], expected, 1e-3)


def test_words_of_several_pieces_are_counted_and_named():
    lm = shaken(CharacterTokenizer("abcdefghilmnorst "))
    table = PAIRS.assign(
        good=["actor lost him", "actor lost her"],
        bad=["actor lost his", "actor lost his"],
        counterpart_prefix="doctr lost",
        target=2,
    )
    table = table.drop(columns=["good_class", "bad_class"])
    items = tg.contrasts(lm, table, with_source=False, feature="x")
    assert "".join(lm.tokenizer.ids_to_tokens(items.base[0])) == "actor lost hi"
    assert lm.tokenizer.ids_to_tokens([items.good[0], items.bad[0]]) == ["m", "s"]
    assert items.dropped == {"words of several pieces": 1}
    assert items.taken_apart == {"her": 1, "his": 1}
    other = table.assign(counterpart_prefix=["doctr lost", "sheriff lost"])
    with pytest.raises(ValueError, match=r"1 \(counterpart of another length\)"):
        tg.contrasts(lm, other[1:], feature="x")
    with pytest.raises(ValueError, match=r"1 \(words of several pieces\).*pieces are 'her', 'his'"):
        tg.contrasts(lm, table[1:], with_source=False, feature="x")


def test_words_keep_their_own_numbers():
    lm = shaken(WordTokenizer(["the", "actress", "actor", "lost", "her", "his", "U", "S"]))
    items = tg.contrasts(lm, PAIRS)
    assert items.base.shape == (2, 8)  # <bos> the U . S . actress lost
    assert agreement(lm, PAIRS)["target_logprob_good"].notna().all()
