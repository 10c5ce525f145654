"""Batches hold the whole text, once an epoch, and are a function of seed, epoch and position."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textgate.datasets import EncodedText, SentenceBatches, UnknownDropout, WindowBatches
from textgate.datasets._pipelines import uniform
from textgate.tokenizers import WordTokenizer

BOS, EOS = 2, 3


def text_of(lengths, vocabulary=30, seed=0):
    """Sentences of random words."""
    random = np.random.default_rng(seed)
    ids = random.integers(4, vocabulary, sum(lengths)).astype(np.int32)
    ids[:2] = 4, 5
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return EncodedText(ids, offsets, np.bincount(ids, minlength=vocabulary))


def pairs_of(text):
    """The inputs and targets of each sentence, made the plain way."""
    return [([BOS, *words], [*words, EOS]) for words in (list(sentence) for sentence in text)]


LENGTHS = st.lists(st.integers(1, 12), min_size=2, max_size=40)


@settings(max_examples=60, deadline=None)
@given(LENGTHS, st.integers(1, 9), st.integers(0, 3), st.booleans(), st.integers(1, 5))
def test_each_sentence_stands_in_one_batch(lengths, batch_size, epoch, shuffle, bucket):
    text = text_of(lengths)
    batches = SentenceBatches(text, batch_size, seed=7, shuffle=shuffle, bucket=bucket)
    found = []
    for batch in batches.epoch(epoch):
        assert batch.inputs.dtype == batch.targets.dtype == np.int32
        assert batch.weights.dtype == np.float32
        assert batch.inputs.shape == batch.targets.shape == batch.weights.shape
        assert (batch.targets[:, -1] != 0).any()
        for inputs, targets, weights in zip(*batch, strict=True):
            length = int(weights.sum())
            assert weights[:length].all()
            assert not inputs[length:].any()
            assert not targets[length:].any()
            found.append((list(inputs[:length]), list(targets[:length])))
    assert len(list(batches.epoch(epoch))) == batches.batches_per_epoch()
    assert sorted(found) == sorted(pairs_of(text))


@settings(max_examples=60, deadline=None)
@given(
    LENGTHS,
    st.integers(1, 9),
    st.integers(1, 15),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([0.0, 0.3, 1.0]),
)
def test_streams_are_the_text_gone_round_once(lengths, streams, window, epoch, shuffle, restarts):
    text = text_of(lengths)
    batches = WindowBatches(text, streams, window, seed=3, shuffle=shuffle, restarts=restarts)
    windows = list(batches.epoch(epoch))
    assert len(windows) == batches.batches_per_epoch()
    inputs, targets, weights = (
        np.concatenate([getattr(batch, name) for batch in windows], axis=1).ravel()
        for name in ("inputs", "targets", "weights")
    )
    anew = np.concatenate(
        [
            batch.begins[:, None] & (np.arange(batch.inputs.shape[1]) == 0)[None]
            for batch in windows
        ],
        axis=1,
    ).ravel()
    whole = [pair for i, t in pairs_of(text) for pair in zip(i, t, strict=True)]
    real = weights > 0
    assert real[: len(whole)].all()
    assert not real[len(whole) :].any()
    assert not inputs[~real].any()
    assert not targets[~real].any()
    turns = range(len(whole)) if shuffle else [0]
    rounds = [np.array(whole[k:] + whole[:k]) for k in turns]
    anew = anew[real]
    assert (inputs[real][anew] == BOS).all()  # nothing is known of what was before
    assert any(
        (each[:, 1] == targets[real]).all() and (each[~anew, 0] == inputs[real][~anew]).all()
        for each in rounds
    )
    assert windows[0].begins.all()
    later = np.array([batch.begins for batch in windows[1:]])
    assert later.any() == (restarts > 0 and later.size > 0) or restarts == 0.3
    assert later.all() or restarts < 1
    assert windows[0].begins.shape == (streams,)


def pipelines(text, **arguments):
    return [
        SentenceBatches(text, 4, **arguments),
        SentenceBatches(text, 4, max_length=5, **arguments),
        WindowBatches(text, 3, 7, **arguments),
        WindowBatches(text, 3, 7, restarts=0.3, **arguments),
    ]


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
@pytest.mark.parametrize("epoch", [0, 5])
def test_an_epoch_can_start_at_any_batch(kind, epoch):
    text = text_of(list(range(1, 12)) * 3)
    dropout = UnknownDropout(3.0)
    whole = list(pipelines(text, seed=1, dropout=dropout)[kind].epoch(epoch))
    for start in range(len(whole) + 1):
        again = list(pipelines(text, seed=1, dropout=dropout)[kind].epoch(epoch, start=start))
        assert len(again) == len(whole) - start
        for one, other in zip(again, whole[start:], strict=True):
            for x, y in zip(one, other, strict=True):
                np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_order_and_dropout_differ_between_epochs_and_seeds(kind):
    text = text_of([6] * 60)
    for dropout in (None, UnknownDropout(3.0)):
        seen = [
            b"".join(
                array.tobytes()
                for batch in pipelines(text, seed=seed, dropout=dropout)[kind].epoch(epoch)
                for array in batch
            )
            for seed, epoch in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]
        ]
        assert len(set(seen)) == 4
        assert seen[0] == seen[4]


@pytest.mark.parametrize("kind", [0, 1, 2, 3])
def test_other_words_are_dropped_in_each_epoch_and_with_each_seed(kind):
    text = text_of([6] * 60)
    arguments = {"shuffle": False, "dropout": UnknownDropout(3.0)}
    seen = [
        tuple(
            b.inputs.tobytes() for b in pipelines(text, seed=seed, **arguments)[kind].epoch(epoch)
        )
        for seed, epoch in [(0, 0), (0, 1), (1, 0), (1, 1), (0, 0)]
    ]
    assert len(set(seen)) == 4
    assert seen[0] == seen[4]


def test_unshuffled_epochs_are_all_the_same():
    text = text_of(list(range(1, 12)) * 3)
    for batches in pipelines(text, shuffle=False):
        first, second = ([b.inputs.tolist() for b in batches.epoch(e)] for e in (0, 1))
        assert first == second


def test_long_sentences_are_cut_before_their_end():
    text = text_of([3, 8, 5])
    batches = SentenceBatches(text, 3, shuffle=False, max_length=6, bucket=100)
    batch = next(batches.epoch(0))
    assert batches.cut == 1
    assert batch.inputs.tolist() == [
        [BOS, *text[0], 0, 0],
        [BOS, *text[1][:5]],
        [BOS, *text[2]],
    ]
    assert batch.targets.tolist() == [
        [*text[0], EOS, 0, 0],
        [*text[1][:6]],
        [*text[2], EOS],
    ]


def test_buckets_pad_little():
    text = text_of(np.random.default_rng(0).integers(1, 60, 4000).tolist())
    weights = [batch.weights for batch in SentenceBatches(text, 32).epoch(0)]
    assert sum(w.sum() for w in weights) / sum(w.size for w in weights) > 0.93


def test_neighbours_in_a_batch_change_with_the_epoch():
    text = text_of([5] * 200, vocabulary=10_000)
    rows = [
        {frozenset(map(tuple, batch.inputs.tolist())) for batch in batches.epoch(epoch)}
        for batches in [SentenceBatches(text, 8)]
        for epoch in (0, 1)
    ]
    assert not rows[0] & rows[1]


@pytest.mark.parametrize("kind", [0, 2])
@pytest.mark.parametrize("targets", [True, False])
def test_a_dropped_word_is_dropped_where_it_is_read_and_where_it_is_predicted(kind, targets):
    text = text_of([9] * 300, vocabulary=2000)
    arguments = {"seed": 4, "shuffle": False}
    dropped = pipelines(text, dropout=UnknownDropout(1.0, targets=targets), **arguments)[kind]
    plain = pipelines(text, **arguments)[kind]
    before = np.zeros(3, bool)
    gone = 0
    for with_, without in zip(dropped.epoch(2), plain.epoch(2), strict=True):
        read, predicted = with_.inputs != without.inputs, with_.targets != without.targets
        assert (with_.inputs[read] == 1).all()
        assert (with_.targets[predicted] == 1).all()
        assert (without.targets[predicted] > 3).all()
        gone += read.sum()
        if not targets:
            assert not predicted.any()
            continue
        follows = without.inputs[:, 1:] != BOS
        np.testing.assert_array_equal(read[:, 1:], predicted[:, :-1] & follows)
        if kind == 2:  # the word goes on from window to window
            begins = without.inputs[:, 0] == BOS
            if not with_.begins.any():
                np.testing.assert_array_equal(read[:, 0], before & ~begins)
            before = predicted[:, -1]
    assert gone > 100


def test_rates_of_dropout():
    counts = np.array([0, 9, 9, 9, 1, 3, 0, 999])
    by_count = UnknownDropout(1.0).probabilities(counts)
    np.testing.assert_allclose(by_count, [0, 0, 0, 0, 1 / 2, 1 / 4, 0, 1 / 1000])
    constant = UnknownDropout(0.1, by_count=False).probabilities(counts)
    np.testing.assert_allclose(constant, [0, 0, 0, 0, 0.1, 0.1, 0.1, 0.1])


def test_words_are_dropped_as_often_as_their_rate_says():
    text = text_of([20] * 5000)
    batches = SentenceBatches(text, 100, dropout=UnknownDropout(0.1, by_count=False))
    tally = collections.Counter()
    for batch in batches.epoch(0):
        tally.update(batch.targets[batch.weights > 0].tolist())
    share = tally[1] / text.words
    assert abs(share - 0.1) < 5 * np.sqrt(0.1 * 0.9 / text.words)


def test_numbers_of_neighbouring_places_and_keys_are_independent():
    places = np.arange(200_000)
    one, other = (uniform(places, np.array([key], np.uint64)) for key in (1, 2))
    for a, b in [(one[1:], one[:-1]), (one, other)]:
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.01
    assert np.all((one >= 0) & (one < 1))
    counts, _ = np.histogram(one, bins=20, range=(0, 1))
    assert np.abs(counts - 10_000).max() < 600


@pytest.mark.parametrize("kind", [0, 2])
def test_dataset_has_the_same_batches(kind):
    text = text_of(list(range(1, 12)) * 3)
    batches = pipelines(text, seed=1, dropout=UnknownDropout())[kind]
    expected = list(batches.epoch(1, start=2))
    data = batches.dataset(1, start=2)
    assert data.cardinality().numpy() == len(expected)
    found = list(data.as_numpy_iterator())
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for x, y in zip(one, other, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)


def test_text_on_disk_makes_the_same_batches(tmp_path):
    texts = ["the dog slept .", "go", "she fed the other dog ."] * 5
    tokenizer = WordTokenizer.train(texts)
    memory = EncodedText.encode(texts, tokenizer)
    disk = EncodedText.encode(texts, tokenizer, path=tmp_path / "text")
    for one, other in zip(pipelines(memory), pipelines(disk), strict=True):
        for x, y in zip(one.epoch(0), other.epoch(0), strict=True):
            np.testing.assert_array_equal(x.inputs, y.inputs)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda t: SentenceBatches(["a b"]), TypeError, "EncodedText.encode.*Received: list"),
        (lambda t: SentenceBatches(t, 0), ValueError, "batch_size must be at least 1"),
        (lambda t: SentenceBatches(t, 2.5), TypeError, "batch_size must be a whole number"),
        (lambda t: SentenceBatches(t, 2, seed=-1), ValueError, "seed must be at least 0"),
        (lambda t: SentenceBatches(t, 2, max_length=1), ValueError, "max_length must be"),
        (lambda t: WindowBatches(t, 2, window=0), ValueError, "window must be at least 1"),
        (lambda t: WindowBatches(t, 2, restarts=2), ValueError, "restarts must be from 0 to 1"),
        (lambda t: SentenceBatches(t, 2).epoch(-1), ValueError, "epoch must be at least 0"),
        (lambda t: SentenceBatches(t, 2).epoch(0, 9), ValueError, "has 2 batches.*start=9"),
        (lambda t: WindowBatches(t, 2).dataset(0, 9), ValueError, "start=9"),
        (lambda t: UnknownDropout(-0.1), ValueError, "rate=-0.1"),
        (lambda t: UnknownDropout(1.0, by_count=False), ValueError, "rate=1.0"),
    ],
)
def test_what_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make(text_of([3, 4, 5]))
