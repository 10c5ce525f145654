"""Gradient paths, in float64, against finite differences of an independent NumPy recurrence."""

import keras
import numpy as np
import pytest

import textgate as tg
from tests import reference
from textgate import mechanics

pytestmark = pytest.mark.tensorflow_only

MASKS = [[1, 1, 0, 1, 1, 1], [1, 0, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]
LAYERS = {
    "lstm": keras.layers.LSTM,
    "gru": keras.layers.GRU,
    "simple_rnn": keras.layers.SimpleRNN,
}


def readout(h):
    """What stands for the rest of a model: a number an example, of all hidden states at once."""
    return np.sin(h[:, -1] * np.array([1.0, -2.0, 0.5])).sum(axis=-1) + (h**2).sum(axis=(1, 2)) / 9


def loss_of(outputs):
    ops = keras.ops
    last = ops.sin(outputs[:, -1] * ops.convert_to_tensor([1.0, -2.0, 0.5], dtype="float64"))
    return ops.sum(last, axis=-1) + ops.sum(outputs**2, axis=(1, 2)) / 9


@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
@pytest.mark.parametrize("kind", [*LAYERS])
def test_against_finite_differences(kind, backwards, rng):
    """The loss takes in every hidden state, so that gradient comes from every step."""
    weights = reference.random_weights(rng, kind, 2, 3)
    layer = LAYERS[kind](3, return_sequences=True, go_backwards=backwards, dtype="float64")
    x = keras.Input((6, 2), dtype="float64")
    mask = keras.Input((6,), dtype="bool")
    model = keras.Model([x, mask], layer(x, mask=mask))
    layer.set_weights(weights)
    data, masks = rng.normal(size=(3, 6, 2)), np.array(MASKS, bool)
    # The step from which the path along the cell goes back: here the last one read.
    paths = mechanics.gradient_paths(model, [data, masks], loss=loss_of)

    memory = "cell_state" if kind == "lstm" else "hidden_state"

    def loss_with(example, step, unit, nudge):
        def edit(name, value, n, t):
            if name == memory and (n, t) == (example, step):
                return value + nudge * np.eye(3)[unit]
            return value

        signals, _ = reference.run(
            kind, data, *weights, mask=masks, go_backwards=backwards, edit=edit
        )
        hidden = signals["hidden_state"]
        return readout(hidden[:, ::-1] if backwards else hidden)[example]

    small = 1e-5
    for example, mask_row in enumerate(masks):
        for step in np.flatnonzero(mask_row):
            for unit in range(3):
                up, down = (loss_with(example, step, unit, s) for s in (small, -small))
                np.testing.assert_allclose(
                    paths.full[example, step, unit], (up - down) / (2 * small), atol=1e-8
                )
    assert np.array_equal(np.isnan(paths.full.values[..., 0]), ~masks)

    # Along the cell alone: the gradient at the last step read times the product of the gates.
    signals, _ = reference.run(kind, data, *weights, mask=masks, go_backwards=backwards)
    gate = {"lstm": "forget_gate", "gru": "update_gate"}.get(kind)
    for example, mask_row in enumerate(masks):
        steps = np.flatnonzero(mask_row)[:: 1 if backwards else -1]  # from the last one read
        assert int(paths.step[example]) == steps[0]
        product, at_last = np.ones(3), paths.full.values[example, steps[0]]
        for step in steps:
            np.testing.assert_allclose(paths.passed[example, step], product, atol=1e-9)
            np.testing.assert_allclose(paths.cell[example, step], product * at_last, atol=1e-9)
            product = product * (signals[gate][example, step] if gate else 0.0)


@pytest.fixture(scope="module")
def lms():
    tokenizer = tg.tokenizers.WordTokenizer.train(["She fed her dog .", "He ran ."])
    return {
        cell: tg.models.LanguageModel(tokenizer, cell=cell, units=(4,), seed=1, dtype="float64")
        for cell in ("lstm", "gru")
    }


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_language_models_loss_is_the_words_surprisal(lms, cell):
    lm = lms[cell]
    texts = ["She fed her dog .", "He fed her ."]
    before = [np.array(w) for w in lm.get_weights()]
    paths = mechanics.gradient_paths(lm, texts, target="HER")
    assert paths.target.values.tolist() == ["her", "her"]
    assert paths.step.values.tolist() == [2, 2]
    assert paths.token.values[0, :4].tolist() == ["<bos>", "She", "fed", "her"]
    scores = lm.token_logprobs(texts)[[0, 1], [3, 3]]
    np.testing.assert_allclose(paths.loss, -scores, rtol=1e-5)
    # At the last step the gradient is that of the softmax, through the output gate if any.
    node = tg.trace(lm, texts)[cell].to_dataset()
    p = np.exp(lm.next_logprobs(["She fed", "He fed"]).astype("float64"))
    p[:, lm.tokenizer.encode("her")[0]] -= 1
    expected = p @ np.asarray(lm.get_layer("output").kernel).T
    if cell == "lstm":
        c, o = node.cell_state.values[:, 2], node.output_gate.values[:, 2]
        expected = expected * o * (1 - np.tanh(c) ** 2)
    np.testing.assert_allclose(paths.full[:, 2], expected, atol=1e-6)
    assert np.isnan(paths.full.values[:, 3:]).all()
    assert all(np.array_equal(a, b) for a, b in zip(before, lm.get_weights(), strict=True))


def test_a_target_by_number_and_the_last_word_by_default(lms):
    lm = lms["lstm"]
    texts = ["She fed her dog .", "He ran ."]
    assert mechanics.gradient_paths(lm, texts).target.values.tolist() == [".", "."]
    paths = mechanics.gradient_paths(lm, texts, [3, 1])
    assert paths.target.values.tolist() == ["her", "He"]
    first = mechanics.gradient_paths(lm, texts[1], 1)  # only <bos> stands before
    assert np.isfinite(first.full.values).all(axis=-1).tolist() == [[True, False, False, False]]
    np.testing.assert_allclose(first.full[0, 0], paths.full[1, 0], atol=1e-12)


def test_norms_by_word(lms):
    paths = mechanics.gradient_paths(lms["gru"], ["She fed her dog .", "He ran ."], [4, 3])
    table = mechanics.gradient_norms(paths)
    first = table[table.example == 0]
    assert first.word.tolist() == ["<bos>", "She", "fed", "her"]
    assert first.distance.tolist() == [3, 2, 1, 0]
    np.testing.assert_allclose(first.full, np.linalg.norm(paths.full[0, :4], axis=-1))
    np.testing.assert_allclose(first.cell, np.linalg.norm(paths.cell[0, :4], axis=-1))
    assert first.full.iloc[-1] == first.cell.iloc[-1]
    assert first.passed.iloc[-1] == 1


def test_nothing_read_gives_zero_rows():
    layer = keras.layers.LSTM(2, return_sequences=True)
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Masking(), layer])
    paths = mechanics.gradient_paths(
        model, np.zeros((1, 3, 2), "float32"), loss=lambda h: keras.ops.sum(h, axis=(1, 2))
    )
    assert np.isnan(paths.full.values).all()
    assert mechanics.gradient_norms(paths).empty


def test_mistakes(lms):
    lm = lms["lstm"]
    with pytest.raises(ValueError, match=r"1 to 3 in text 0.*Received: target=4"):
        mechanics.gradient_paths(lm, ["He ran ."], 4)
    with pytest.raises(ValueError, match=r"text 0.*Received: target='cat'"):
        mechanics.gradient_paths(lm, ["He ran ."], "cat")
    with pytest.raises(TypeError, match=r"Received: target=1.5"):
        mechanics.gradient_paths(lm, ["He ran ."], 1.5)
    plain = keras.Sequential([keras.Input((None, 2)), keras.layers.LSTM(2)])
    with pytest.raises(ValueError, match="loss="):
        mechanics.gradient_paths(plain, np.zeros((1, 2, 2)))
    with pytest.raises(ValueError, match=r"for each example.*Received: shape \(\)"):
        mechanics.gradient_paths(plain, np.zeros((1, 2, 2), "float32"), loss=keras.ops.sum)
