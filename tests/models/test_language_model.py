"""A language model keeps its tokenizer, ignores padding, and scores as NumPy does."""

import keras
import numpy as np
import pytest

import textgate as tg
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

TEXTS = ["She fed her dog .", "He fed his cat", "Ann", "They can't have seen it ."]


def tokenizer():
    return WordTokenizer.train(TEXTS)


def model(**kwargs):
    options = {"cell": "lstm", "units": (5, 4), "embedding": 6, "seed": 1, **kwargs}
    lm = LanguageModel(tokenizer(), **options)
    random = np.random.default_rng(0)
    lm.set_weights([random.normal(size=w.shape) for w in lm.get_weights()])
    return lm


SETTINGS = [
    {"cell": "lstm"},
    {"cell": "gru", "tied": True},
    {"cell": "gru", "units": 6, "tied": True, "dropout": 0.0},
    {"cell": "simple_rnn", "units": [3]},
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_file_brings_back_the_model_and_its_tokenizer(tmp_path, setting):
    lm = model(**setting)
    lm.save(tmp_path / "lm.keras")
    back = tg.load(tmp_path / "lm.keras")
    assert isinstance(back, LanguageModel)
    assert back.get_config() == lm.get_config()
    assert back.tokenizer.vocabulary == lm.tokenizer.vocabulary
    ids = lm.encode(TEXTS)
    np.testing.assert_array_equal(back.encode(TEXTS), ids)
    np.testing.assert_array_equal(back(ids), lm(ids))
    assert [layer.name for layer in back.layers] == [layer.name for layer in lm.layers]


@pytest.mark.parametrize("setting", SETTINGS)
def test_reading_by_parts_is_reading_at_once(setting):
    lm = model(**setting)
    ids = lm.encode(["She fed her dog . He fed his cat ."])
    whole = np.asarray(lm(ids))
    first, states = lm.hidden(ids[:, :4])
    second, _ = lm.hidden(ids[:, 4:], initial_states=states)
    parts = np.concatenate([lm.readout(first), lm.readout(second)], axis=1)
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("setting", SETTINGS)
def test_scores_equal_an_independent_softmax(setting):
    lm = model(**setting)
    scores = lm.token_logprobs(TEXTS, batch_size=3)
    following = lm.next_logprobs(TEXTS, batch_size=3)
    assert scores.shape == lm.encode(TEXTS).shape == lm.tokens(TEXTS).shape
    for row, text in enumerate(TEXTS):
        ids = [2, *lm.tokenizer.encode(text)]
        logits = np.asarray(lm(np.array([ids])), np.float64)[0]
        logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        expected = [logs[t - 1, ids[t]] for t in range(1, len(ids))]
        assert np.isnan(scores[row, 0])
        np.testing.assert_allclose(scores[row, 1 : len(ids)], expected, rtol=1e-4, atol=1e-5)
        assert np.isnan(scores[row, len(ids) :]).all()
        np.testing.assert_allclose(following[row], logs[-1], rtol=1e-4, atol=1e-5)


def test_padding_and_batches_change_nothing():
    lm = model()
    padded = np.pad(lm.encode(TEXTS), ((0, 0), (0, 7)))
    plain = np.asarray(lm(lm.encode(TEXTS)))
    np.testing.assert_allclose(
        np.asarray(lm(padded))[:, : plain.shape[1]][lm.encode(TEXTS) > 0],
        plain[lm.encode(TEXTS) > 0],
        atol=1e-6,
    )
    many = lm.token_logprobs(TEXTS * 3, batch_size=2)
    few = lm.token_logprobs(TEXTS, batch_size=100)
    np.testing.assert_allclose(many, np.tile(few, (3, 1)), atol=1e-6)


def test_recurrent_layers_go_by_their_names():
    names = [layer.name for layer in model(units=(3, 3, 3)).recurrent_layers]
    assert names == ["lstm", "lstm_1", "lstm_2"]
    assert [layer.name for layer in model(cell="gru").recurrent_layers] == ["gru", "gru_1"]


def test_tokens_stand_where_their_ids_stand():
    lm = model()
    assert lm.tokens(["She ran", "Ann"]).tolist() == [["<bos>", "She", "ran"], ["<bos>", "Ann", ""]]
    assert lm.encode(["", ""]).tolist() == [[2], [2]]
    assert np.isnan(lm.token_logprobs([""])).all()
    assert lm.token_logprobs([]).shape == (0, 1)
    assert lm.next_logprobs([]).shape == (0, len(lm.tokenizer))


def test_a_seed_gives_the_weights_and_they_differ_without_one():
    def weights(seed):
        return np.concatenate(
            [w.ravel() for w in LanguageModel(tokenizer(), seed=seed).get_weights()]
        )

    np.testing.assert_array_equal(weights(3), weights(3))
    assert (weights(3) != weights(4)).any()


@pytest.mark.parametrize("cell", ["lstm", "lstm_coupled", "gru", "gru_reset_before"])
def test_the_forget_bias_keeps_what_a_silent_model_remembers(cell, tmp_path):
    """With no weights but the bias, retention is σ(b) in every unit; and no other bias differs."""
    stock, lm = (
        LanguageModel(tokenizer(), cell=cell, units=(5, 4), seed=0, forget_bias=value)
        for value in (None, 2.5)
    )
    differing = 0
    for before, after in zip(stock.get_weights(), lm.get_weights(), strict=True):
        differing += int((before != after).sum())
    assert differing == 5 + 4
    for layer in lm.recurrent_layers:
        for weight in (layer.cell.kernel, layer.cell.recurrent_kernel):
            weight.assign(np.zeros(weight.shape, np.float32))
    kept = tg.trace(lm, lm.encode(["she fed her dog"]), signals=["retention"])
    for node in ("lstm", "lstm_1") if cell.startswith("lstm") else ("gru", "gru_1"):
        np.testing.assert_allclose(kept[node]["retention"], 1 / (1 + np.exp(-2.5)), rtol=1e-6)
    lm.save(tmp_path / "model.keras")
    again = tg.load(tmp_path / "model.keras")
    assert again.get_config()["forget_bias"] == 2.5


def test_without_gates_that_retain_the_forget_bias_does_nothing():
    plain = LanguageModel(tokenizer(), cell="simple_rnn", seed=0).get_weights()
    given = LanguageModel(tokenizer(), cell="simple_rnn", seed=0, forget_bias=2.0).get_weights()
    for before, after in zip(plain, given, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "transformer"}, "one of .* Received: cell='transformer'"),
        ({"units": ()}, "Received: units="),
        ({"units": (4, 0)}, "Received: units="),
        ({"dropout": 1.0}, "Received: dropout=1.0"),
        ({"embedding": -1}, "Received: embedding=-1"),
        ({"forget_bias": float("nan")}, "Received: forget_bias=nan"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LanguageModel(tokenizer(), **arguments)


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no model at the given path"):
        tg.load(tmp_path)
    (tmp_path / "broken.keras").write_text("not a zip file")
    with pytest.raises(ValueError, match=r"Received: .*broken.keras"):
        tg.load(tmp_path / "broken.keras")
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save(tmp_path / "other.keras")
    assert isinstance(tg.load(tmp_path / "other.keras"), keras.Sequential)
    with pytest.raises(ValueError, match="not a textgate language model"):
        tg.models.load_language_model(tmp_path / "other.keras")
    lambdas = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x + 1)])
    lambdas.save(tmp_path / "lambda.keras")
    with pytest.raises(ValueError, match="can be loaded safely"):
        tg.load(tmp_path / "lambda.keras")


def test_a_study_directory_gives_its_lstm_first(tmp_path):
    for cell in ("gru", "lstm"):
        (tmp_path / cell).mkdir()
        model(cell=cell).save(tmp_path / cell / "model.keras")
    assert tg.load(tmp_path).cell == "lstm"
    assert tg.load(tmp_path / "gru").cell == "gru"
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "config.json").write_text("{}")
    with pytest.raises(ValueError, match="isn't finished"):
        tg.load(tmp_path / "unfinished")
