"""Simpler models: each against an independent computation, and on a task whose answer is known."""

import itertools
import math
import re

import numpy as np
import pytest
import tensorflow as tf

import textgate as tg
from textgate.datasets import EncodedText, SentenceBatches
from textgate.models import CELLS, KneserNey, LanguageModel, matched_units, parameters_in_use
from textgate.models._baseline_layers import Average, Constant, LastWords, Smoothing
from textgate.tokenizers import WordTokenizer
from textgate.training import Recipe, fit

TEXTS = ["She fed her dog .", "He fed his cat", "Ann", "They can't have seen it ."]


def model(cell, **kwargs):
    lm = LanguageModel(
        WordTokenizer.train(TEXTS), cell=cell, units=kwargs.pop("units", 4), **kwargs
    )
    random = np.random.default_rng(0)
    lm.set_weights([random.normal(size=w.shape) for w in lm.get_weights()])
    return lm


# -- the layers against NumPy ------------------------------------------------------------------

MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0]], bool)


def averaged(x, mask, half_lives):
    """Word by word, unit by unit."""
    outputs = np.zeros(x.shape)
    for row, unit in itertools.product(range(x.shape[0]), range(x.shape[2])):
        half_life = half_lives[unit % len(half_lives)]
        rate = 2 ** (-1 / half_life) if half_life else 0.0
        h = 0.0
        for t in range(x.shape[1]):
            if mask[row, t]:
                h = rate * h + (1 - rate) * x[row, t, unit]
            outputs[row, t, unit] = h * math.sqrt((1 + rate) / (1 - rate))
    return outputs


@pytest.mark.parametrize(("units", "time"), [(5, 6), (1, 6), (2, 1)])
def test_smoothing_is_the_recursion(rng, units, time):
    x = rng.normal(size=(3, time, units))
    layer = Smoothing(units, half_lives=[0, 3, 20])
    for mask in (np.ones((3, time), bool), MASK[:, :time]):
        outputs, _ = layer(x.astype("float32"), mask=mask)
        np.testing.assert_allclose(outputs, averaged(x, mask, (0, 3, 20)), atol=1e-5)
    unmasked, _ = layer(x.astype("float32"))
    np.testing.assert_allclose(
        unmasked, averaged(x, np.ones((3, time), bool), (0, 3, 20)), atol=1e-5
    )


def test_the_average_is_of_the_words_that_count(rng):
    x = rng.normal(size=(3, 6, 2)).astype("float32")
    outputs, _, count = Average(2)(x, mask=MASK)
    for row, t in itertools.product(range(3), range(6)):
        there = x[row, : t + 1][MASK[row, : t + 1]]
        expected = there.mean(axis=0) if len(there) else np.zeros(2)
        np.testing.assert_allclose(outputs[row, t], expected, atol=1e-6)
    assert np.asarray(count)[:, 0].tolist() == [6, 2, 0]


def test_the_last_words_stand_side_by_side(rng):
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    outputs, _ = LastWords(3, words=3)(x)
    assert outputs.shape == (2, 4, 9)
    np.testing.assert_array_equal(outputs[:, 3], np.concatenate([x[:, 3], x[:, 2], x[:, 1]], -1))
    np.testing.assert_array_equal(
        outputs[:, 0], np.concatenate([x[:, 0], 0 * x[:, 0], 0 * x[:, 0]], -1)
    )


def test_the_constant_layer_says_nothing(rng):
    (outputs,) = Constant(7)(rng.normal(size=(2, 4, 3)))
    assert outputs.shape == (2, 4, 1)
    assert not np.any(outputs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Smoothing(2, half_lives=[]), "Received: half_lives="),
        (lambda: Smoothing(2, half_lives=[-1]), "Received: half_lives="),
        (lambda: LastWords(2, words=0), "Received: words=0"),
        (lambda: model("smoothing", embedding=3), "Received: embedding=3"),
        (lambda: model("gru_reset_2"), "Received: cell='gru_reset_2'"),
        (lambda: KneserNey(WordTokenizer.train(TEXTS), order=0), "Received: order=0"),
        (lambda: KneserNey(WordTokenizer.train(TEXTS)).token_logprobs(["She"]), "nothing has been"),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()


# -- all of them as language models ------------------------------------------------------------


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_each_is_saved_and_reads_on(cell, tmp_path):
    lm = model(cell, dropout=0.0)
    lm.save(tmp_path / "lm.keras")
    back = tg.load(tmp_path / "lm.keras")
    assert back.cell == cell
    ids = lm.encode(TEXTS)
    np.testing.assert_array_equal(back(ids), lm(ids))
    whole, _ = lm.hidden(ids[:1])
    first, states = lm.hidden(ids[:1, :2])
    second, _ = lm.hidden(ids[:1, 2:], initial_states=states)
    parts = np.concatenate([first, second], axis=1)
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    # What was read in a padded batch is what is read alone.
    scores = lm.token_logprobs(TEXTS)
    np.testing.assert_allclose(scores[2, 1], lm.token_logprobs(["Ann"])[0, 1], atol=1e-5)


@pytest.mark.parametrize("cell", sorted(CELLS))
def test_parameters_in_use_are_those_that_gradients_reach(cell):
    lm = model(cell, dropout=0.0, units=(3, 2) if CELLS[cell].is_recurrent else 3, embedding=3)
    # All words but padding are read, so that no weight is left out by chance.
    ids = np.random.default_rng(1).integers(1, len(lm.tokenizer), size=(40, 7)).astype("int32")
    with tf.GradientTape() as tape:
        logs = tf.nn.log_softmax(lm(ids), axis=-1)
        loss = tf.reduce_sum(logs * np.random.default_rng(2).normal(size=logs.shape))
    weights = [weight.value for weight in lm.trainable_variables]
    gradients = tape.gradient(loss, weights)
    reached = sum(
        int(np.sum(np.asarray(tf.convert_to_tensor(g)) != 0)) for g in gradients if g is not None
    )
    # The embedding's row of the padding is never read.
    padding = 0 if cell == "constant" else 3
    assert reached == parameters_in_use(lm) - padding


@pytest.mark.parametrize("cell", sorted(set(CELLS) - {"constant"}))
def test_sizes_are_matched(cell):
    units, dimension = matched_units(cell, 20_000, vocabulary=100, embedding=16)
    one_more = matched_units(cell, 10**6, 100, 16)[0]
    assert one_more > units
    lm_size = _size(cell, units, dimension)
    next_size = _size(cell, units + 1, dimension if CELLS[cell].is_recurrent else units + 1)
    before = _size(cell, units - 1, dimension if CELLS[cell].is_recurrent else units - 1)
    assert abs(lm_size - 20_000) <= min(abs(next_size - 20_000), abs(before - 20_000))


def _size(cell, units, dimension):
    from textgate.models._cells import _count

    return _count(cell, 100, (units,), dimension, tied=False)


# -- Kneser-Ney --------------------------------------------------------------------------------


class Words:
    """A tokenizer of words by blanks."""

    unknown_id, begin_id, end_id = 1, 2, 3

    def __init__(self, words):
        self.vocabulary = ["<pad>", "<unk>", "<bos>", "<eos>", *words.split()]

    def __len__(self):
        return len(self.vocabulary)

    def encode(self, text):
        return [self.vocabulary.index(word) for word in text.split()]


def test_kneser_ney_by_hand():
    # Bigrams of "a b" and "a c": <bos> a (twice), a b, a c, b <eos>, c <eos>; three of them once
    # but <bos> a: n1 = 4, n2 = 1, D2 = 4 / 6. Single words by what they stand behind: a: 1, b: 1,
    # c: 1, <eos>: 2, in all 5; n1 = 3, n2 = 1, D1 = 3 / 5. Of six words all but <pad> and <bos>
    # can come: 1 / 5 each of the rest ({<unk>, <eos>, a, b, c}).
    words = Words("a b c")
    lm = KneserNey(words, order=2).count(EncodedText.encode(["a b", "a c"], words))
    rest = 3 / 5 * 4 / 5 * 1 / 5  # what D1 takes from four words, spread over five
    b = (1 - 3 / 5) / 5 + rest
    end = (2 - 3 / 5) / 5 + rest
    d2 = 4 / 6
    expected = {
        "a": [(2 - d2) / 2 + d2 * 1 / 2 * b],  # a alone is as b alone
        "a b": [None, (1 - d2) / 2 + d2 * 2 / 2 * b],
        "b b": [d2 * 1 / 2 * b, d2 * 1 / 1 * b],  # b goes on with <eos> only
    }
    for text, values in expected.items():
        scores = np.exp(lm.token_logprobs([text])[0, 1:].astype(float))
        for score, value in zip(scores, values, strict=True):
            assert value is None or score == pytest.approx(value, rel=1e-6)
    after_b = np.exp(lm.next_logprobs(["a b"])[0].astype(float))
    assert after_b[3] == pytest.approx((1 - d2) / 1 + d2 * 1 / 1 * end, rel=1e-6)
    unknown = np.exp(lm.next_logprobs(["c <unk>"])[0].astype(float))  # an unseen context
    assert unknown[3] == pytest.approx(end, rel=1e-6)


def slow_kneser_ney(sentences, order, vocabulary):
    """p(word, context), from dictionaries and sets, word by word."""
    counts = [{} for _ in range(order + 1)]
    behind = [{} for _ in range(order + 1)]
    for sentence in sentences:
        line = ["<bos>", *sentence, "<eos>"]
        for k, end in itertools.product(range(1, order + 1), range(1, len(line) + 1)):
            if end >= k:
                gram = tuple(line[end - k : end])
                counts[k][gram] = counts[k].get(gram, 0) + 1
                if end > k:
                    behind[k].setdefault(gram, set()).add(line[end - k - 1])

    def used(gram):
        k = len(gram)
        if k == order or gram[0] == "<bos>":
            return 0 if gram == ("<bos>",) else counts[k].get(gram, 0)
        return len(behind[k].get(gram, ()))

    def discount(k):
        values = [used(gram) for gram in counts[k]]
        once, twice = values.count(1), values.count(2)
        return once / (once + 2 * twice) if once else 0.5

    def probability(word, context):
        context = tuple(context[max(0, len(context) - order + 1) :])
        shorter = probability(word, context[1:]) if context else 1 / (len(vocabulary) - 2)
        k = len(context) + 1
        after = [used((*context, w)) for w in vocabulary]
        if not sum(after):
            return shorter
        d = discount(k)
        kinds = sum(value > 0 for value in after)
        return (max(used((*context, word)) - d, 0) + d * kinds * shorter) / sum(after)

    return probability


def test_kneser_ney_is_its_slow_definition(rng, tmp_path):
    words = WordTokenizer.train(["a b c d e"])
    sentences = [
        rng.choice(list("abcde"), size=n, p=[0.4, 0.3, 0.1, 0.1, 0.1]) for n in (4, 9, 1, 7, 8)
    ]
    lm = KneserNey(words, order=4).count(
        EncodedText.encode([" ".join(s) for s in sentences], words)
    )
    slow = slow_kneser_ney([list(s) for s in sentences], 4, words.vocabulary)
    texts = ["a b a c e e a", "e", "b a a b a"]
    scores, following = lm.token_logprobs(texts), lm.next_logprobs(texts)
    for row, text in enumerate(texts):
        line = ["<bos>", *text.split()]
        for t in range(1, len(line)):
            assert np.exp(scores[row, t]) == pytest.approx(slow(line[t], line[:t]), rel=1e-4)
        for number, word in enumerate(words.vocabulary):
            if word not in ("<pad>", "<bos>"):
                assert np.exp(following[row, number]) == pytest.approx(slow(word, line), rel=1e-4)
    np.testing.assert_allclose(np.exp(following.astype(float)).sum(axis=1), 1, rtol=1e-5)
    lm.save(tmp_path / "counts.keras")
    back = tg.load(tmp_path / "counts.keras")
    np.testing.assert_array_equal(back.next_logprobs(texts), following)
    assert parameters_in_use(back) == parameters_in_use(lm) > 30


# -- tasks whose answer is known ---------------------------------------------------------------

LENGTH = 5


def task(words):
    """Random texts: a or b, other words, a question mark, and the first word again."""
    random = np.random.default_rng(5)
    first = random.choice(["a", "b"], size=(1500, 1))
    rows = np.concatenate([first, random.choice(words, size=(1500, LENGTH - 1))], axis=1)
    tokenizer = WordTokenizer.train(["a b c d ?"])
    text = EncodedText.encode([" ".join([*row, "?", row[0]]) for row in rows[:1000]], tokenizer)
    return tokenizer, text, rows[1000:]


@pytest.fixture(scope="module")
def alone():
    return task(["c", "d"])


@pytest.fixture(scope="module")
def among_others():
    return task(["a", "b"])


def learned(cell, task, steps=400):
    """The share of right answers after some training."""
    tokenizer, text, rows = task
    if cell == "kneser_ney":
        lm = KneserNey(tokenizer).count(text)
    else:
        recipe = Recipe(
            cell=cell,
            batch_size=100,
            epochs=steps // 10,
            learning_rate=2e-2,
            warmup=20,
            validate=steps,
            sampled=None,
            unknown=0.0,
            weight_decay=0.0,
        )
        lm = LanguageModel(tokenizer, cell=cell, units=16, dropout=0.0, seed=1)
        batches = SentenceBatches(text, 100, seed=0)
        fit(lm, batches, SentenceBatches(text, 500, shuffle=False), recipe)
    a, b = tokenizer.encode("a b")
    following = lm.next_logprobs([" ".join([*row, "?"]) for row in rows], batch_size=500)
    return float(np.mean((following[:, a] > following[:, b]) == (rows[:, 0] == "a")))


# Of 500 answers by chance, or nearly.
NOISE = 3.5 * math.sqrt(0.25 / 500)


@pytest.mark.parametrize(
    ("cell", "share"),
    [
        ("constant", 0.5),
        ("kneser_ney", 0.5),  # of order 5 it sees four words, and the last is the question mark
        ("last_words", 0.5),  # five words, likewise
        ("average", 1.0),
        ("smoothing", 1.0),
        ("simple_rnn", 1.0),
        ("gru_reset_0", 1.0),
        ("gru_no_leak", 1.0),
        ("lstm_forget_1", 1.0),
    ],
)
def test_each_copies_a_word_as_far_as_it_can_see(cell, share, alone):
    assert learned(cell, alone, steps=200) == pytest.approx(share, abs=NOISE if share < 1 else 0)


# A bag of words knows that the first word is more likely the more frequent one:
# E[max(n, 5 − n)] / 5 for n of five coins.
BAG = sum(math.comb(LENGTH, n) * max(n, LENGTH - n) for n in range(6)) / 2**LENGTH / LENGTH


@pytest.mark.parametrize(
    ("cell", "share"),
    [("kneser_ney", 0.5), ("last_words", 0.5), ("average", BAG), ("lstm", 1.0)],
)
def test_only_gates_remember_the_first_among_others(cell, share, among_others):
    assert learned(cell, among_others) == pytest.approx(share, abs=NOISE if share < 1 else 0)
