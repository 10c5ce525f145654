"""Next words and generated text say what the model's probabilities say, edited or not."""

import keras
import numpy as np
import pytest

import textgate as tg
from textgate._special_tokens import BOS, PAD, UNK

SENTENCES = ["She hasn't fed Zoë's dog.", "He ran, and he ran."]


@pytest.fixture(scope="module")
def lm():
    tokenizer = tg.tokenizers.WordTokenizer.train(SENTENCES)
    return tg.models.LanguageModel(tokenizer, units=(6,), embedding_scale=1.0)


def test_next_words_are_the_models(lm):
    ids = lm.encode(["She hasn't fed"])
    logits = keras.ops.convert_to_numpy(lm(ids))[0, -1].astype(np.float64)
    expected = np.exp(logits - logits.max())
    expected /= expected.sum()
    table = lm.next_words("She hasn't fed", k=1000)
    assert len(table) == len(lm.tokenizer)
    of = dict(zip(table["word"], table["probability"], strict=True))
    np.testing.assert_allclose([of[w] for w in lm.tokenizer.vocabulary], expected, rtol=1e-5)
    assert table["probability"].is_monotonic_decreasing
    first = lm.next_words("She hasn't fed", k=3)
    assert first.equals(table.head(3))


def test_edited_models_have_them_too(lm):
    edited = tg.intervene(lm, [tg.ZeroAblation("lstm", "hidden_state")])
    bias = keras.ops.convert_to_numpy(lm.get_layer("output").bias).astype(np.float64)
    expected = np.exp(bias) / np.exp(bias).sum()
    table = edited.next_words("She ran", k=100)
    of = dict(zip(table["word"], table["probability"], strict=True))
    np.testing.assert_allclose([of[w] for w in lm.tokenizer.vocabulary], expected, rtol=1e-5)
    assert edited.generate("She", words=3, seed=1).startswith("She")
    nothing = tg.intervene(lm, [])
    assert nothing.generate("She", words=9, seed=4) == lm.generate("She", words=9, seed=4)


def test_unknown_words_are_named(lm):
    assert lm.next_words("A zebra and a <unk>").attrs["unknown"] == ["A", "zebra", "a"]
    assert lm.unknown_words("He ran") == []


def test_generated_words_follow_the_probabilities(lm):
    given = lm.encode(["He"])
    logprobs = lm.next_logprobs(["He"])[0].astype(np.float64)
    logprobs[[PAD, UNK, BOS]] = -np.inf
    for temperature in (1.0, 0.5):
        expected = np.exp(logprobs / temperature)
        expected /= expected.sum()
        drawn = [
            lm.generate("He", words=1, temperature=temperature, seed=seed) for seed in range(400)
        ]
        counts = np.zeros(len(lm.tokenizer))
        for text in drawn:
            ids = lm.encode([text])[0][given.shape[1] :]
            counts[ids[0] if len(ids) else lm.tokenizer.end_id] += 1
        # Within five standard deviations, of which none goes beyond by chance.
        spread = np.sqrt(400 * expected * (1 - expected))
        assert np.all(np.abs(counts - 400 * expected) <= 5 * spread + 1e-9)


def test_greedy_and_seeded(lm):
    texts = {lm.generate("She", words=5, temperature=0, seed=seed) for seed in range(3)}
    assert len(texts) == 1
    (text,) = texts
    ids = list(lm.encode([text])[0])
    for place in range(2, len(ids)):
        logprobs = lm.next_logprobs(
            [lm.tokenizer.detokenize(lm.tokenizer.ids_to_tokens(ids[:place]))]
        )
        logprobs[0, [PAD, UNK, BOS]] = -np.inf
        assert ids[place] == logprobs[0].argmax()
    assert lm.generate("", seed=3) == lm.generate("", seed=3)
    assert len({lm.generate("", seed=seed) for seed in range(5)}) > 1


def test_the_text_stays_as_it_stands(lm):
    for text in ("  She  ran", "She hasn’t fed Zoë", "", "She ran ", "zebra\n"):
        whole = lm.generate(text, words=4, seed=2)
        assert whole.startswith(text.rstrip())
        tokens = lm.tokenizer.split(whole)
        assert tokens[: len(lm.tokenizer.split(text))] == lm.tokenizer.split(text)
        assert len(tokens) <= len(lm.tokenizer.split(text)) + 4


def test_ends_where_the_text_ends(lm):
    output = lm.get_layer("output")
    before = output.get_weights()
    try:
        kernel, bias = before
        bias = np.where(np.arange(len(bias)) == lm.tokenizer.end_id, 100.0, bias)
        output.set_weights([kernel, bias])
        assert lm.generate("She ran", words=5) == "She ran"
    finally:
        output.set_weights(before)


def test_counting_models_have_them(lm):
    text = tg.datasets.EncodedText.encode(SENTENCES, lm.tokenizer)
    counted = tg.models.KneserNey(lm.tokenizer, order=3).count(text)
    assert counted.next_words("He", k=1)["word"].tolist() == ["ran"]
    assert counted.next_words("He", k=100)["probability"].sum() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize(
    ("call", "kind", "said"),
    [
        (lambda lm: lm.next_words(["She"]), TypeError, "one string"),
        (lambda lm: lm.next_words("She", k=0), ValueError, "k=0"),
        (lambda lm: lm.next_words("She", k=2.5), ValueError, "k=2.5"),
        (lambda lm: lm.generate(3), TypeError, "text=3"),
        (lambda lm: lm.generate("She", words=0), ValueError, "words=0"),
        (lambda lm: lm.generate("She", temperature=-1), ValueError, "temperature=-1"),
        (lambda lm: lm.generate("She", temperature=float("nan")), ValueError, "nan"),
    ],
)
def test_mistakes(lm, call, kind, said):
    with pytest.raises(kind, match=rf"Received: .*{said}|{said}.*Received: "):
        call(lm)
