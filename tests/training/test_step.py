"""The fast loss and optimizer against plain ones."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from textgate.datasets import SentenceBatch
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer
from textgate.training._loss import summed_cross_entropy
from textgate.training._optimizer import AdamW
from textgate.training._sampling import Sampler
from textgate.training._tensorboard import gates
from textgate.training.step import Steps


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("biased", [False, True])
def test_the_loss_and_its_gradient_are_those_of_autodiff(transposed, biased):
    random = np.random.default_rng(0)
    features = tf.constant(random.normal(size=(7, 3)))
    matrix = tf.constant(random.normal(size=(5, 3) if transposed else (3, 5)))
    bias = tf.constant(random.normal(size=5)) if biased else None
    labels = tf.constant([0, 1, 2, 3, 4, 0, 1])
    sources = [features, matrix] + ([bias] if biased else [])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(sources)
        fast = 3.0 * summed_cross_entropy(features, matrix, bias, labels, transposed)
        logits = tf.matmul(features, matrix, transpose_b=transposed) + (bias if biased else 0.0)
        logs = logits - tf.reduce_logsumexp(logits, axis=1, keepdims=True)
        plain = -3.0 * tf.reduce_sum(tf.gather(logs, labels, batch_dims=1))
    np.testing.assert_allclose(fast, plain, rtol=1e-12)
    for ours, theirs in zip(
        tape.gradient(fast, sources), tape.gradient(plain, sources), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


def test_adamw_takes_the_steps_of_the_paper():
    random = np.random.default_rng(0)
    start = [random.normal(size=(4, 3)), random.normal(size=3)]
    variables = [tf.Variable(w, dtype=tf.float32) for w in start]
    optimizer = AdamW(variables, weight_decay=0.1, clip=1.0, beta2=0.99)
    weights = [w.copy() for w in start]
    first, second = ([np.zeros_like(w) for w in start] for _ in range(2))
    for step in range(1, 6):
        rows, values = np.array([1, 3, 1]), random.normal(size=(3, 3))
        dense = np.zeros((4, 3))
        np.add.at(dense, rows, values)
        of_bias = random.normal(size=3) * (0.01 if step % 2 else 3.0)
        slices = tf.IndexedSlices(tf.constant(values, tf.float32), tf.constant(rows))
        norm = optimizer.apply([slices, tf.constant(of_bias, tf.float32)], tf.constant(0.05))
        gradients = [dense, of_bias]
        expected = np.sqrt(sum((g**2).sum() for g in gradients))
        np.testing.assert_allclose(norm, expected, rtol=1e-5)
        for n, gradient in enumerate(gradients):
            gradient = gradient / max(expected, 1.0)
            first[n] = 0.9 * first[n] + 0.1 * gradient
            second[n] = 0.99 * second[n] + 0.01 * gradient**2
            if n == 0:
                weights[n] -= 0.05 * 0.1 * weights[n]
            m, v = first[n] / (1 - 0.9**step), second[n] / (1 - 0.99**step)
            weights[n] -= 0.05 * m / (np.sqrt(v) + 1e-7)
    for ours, theirs in zip(variables, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_gates_are_those_of_the_words():
    tokenizer = WordTokenizer.train(["She fed her dog .", "He ran"])
    lm = LanguageModel(tokenizer, cell="gru", units=(4, 3), seed=0)
    ids = lm.encode(["She fed her dog .", "He ran"])
    found = gates(lm, ids)
    assert set(found) == {
        f"{layer}/{signal}"
        for layer in ("gru", "gru_1")
        for signal in ("update_gate", "reset_gate", "candidate", "hidden_state")
    }
    inner = keras.Model(lm.input, lm.get_layer("gru_1").output[0])
    np.testing.assert_allclose(
        found["gru_1/hidden_state"], np.asarray(inner(ids))[ids != 0], atol=1e-6
    )
    assert len(found["gru/update_gate"]) == 6 + 3


def test_all_words_as_candidates_are_the_exact_softmax():
    random = np.random.default_rng(0)
    counts = random.integers(1, 9, size=11)
    targets = random.integers(4, 11, size=(3, 2))
    drawn = Sampler(counts, frequent=2, sampled=100, seed=0).draw(targets, step=5)
    np.testing.assert_array_equal(np.sort(drawn.ids), np.arange(11))
    np.testing.assert_array_equal(drawn.ids[drawn.targets], targets)
    assert not drawn.correction.any()


def test_the_estimate_of_the_normaliser_is_unbiased():
    random = np.random.default_rng(0)
    counts, logits = np.arange(40)[::-1], random.normal(size=40)
    sampler = Sampler(counts, frequent=4, sampled=6, seed=1)
    estimates = []
    for step in range(4000):
        drawn = sampler.draw(np.array([[7, 30]]), step)
        assert len(drawn.ids) == len(set(drawn.ids)) == 6 + 6
        assert {0, 1, 2, 3, 7, 30} <= set(drawn.ids)
        estimates.append(np.exp(logits[drawn.ids] + drawn.correction).sum())
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - np.exp(logits).sum()) < 4 * error


@pytest.mark.parametrize("tied", [False, True])
def test_a_step_with_all_words_sampled_is_a_step_with_the_exact_softmax(tied):
    tokenizer = WordTokenizer.train(["She fed her dog .", "He ran"])

    def step(sampler):
        lm = LanguageModel(tokenizer, units=(4,), tied=tied, dropout=0.0, seed=0)
        ids = lm.encode(["She fed her dog .", "He ran"])
        batch = SentenceBatch(ids[:, :-1], ids[:, 1:], None)
        make = functools.partial(AdamW, weight_decay=0.1, clip=1.0, beta2=0.99)
        steps = Steps(lm, make, None, sampler)
        losses = [steps.train(batch, 0.01, number)[0] for number in range(4)]
        steps.to_model()
        return losses, np.concatenate([w.ravel() for w in lm.get_weights()])

    exact, sampled = step(None), step(Sampler(np.ones(len(tokenizer)), 2, 100, seed=0))
    np.testing.assert_allclose(sampled[0], exact[0], rtol=1e-5)
    np.testing.assert_allclose(sampled[1], exact[1], rtol=1e-3, atol=1e-5)
    assert exact[0][3] < exact[0][0]
