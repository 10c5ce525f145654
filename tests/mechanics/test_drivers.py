"""What opens a gate: exact splits, against the trace and by hand."""

import keras
import numpy as np
import pytest

import textgate as tg
from tests.tracing.kinds import ids_with_gaps, kind_of
from textgate import mechanics

pytestmark = pytest.mark.tensorflow_only


def logit(p):
    p = np.asarray(p, "float64")
    return np.log(p) - np.log1p(-p)


@pytest.mark.parametrize(
    ("kind", "layer", "gate"),
    [
        ("bidirectional_concat", "both/backward_lstm", "output_gate"),
        ("functional_masked", "gru", "reset_gate"),
        ("several_inputs", "decoder", "retention"),
    ],
)
def test_the_parts_sum_to_what_the_gate_was_computed_from(kind, layer, gate):
    found = kind_of(kind)
    parts = mechanics.gate_drivers(found.model, found.inputs, gate=gate, layer=layer, batch_size=3)
    reference = found.expected(found.inputs)[layer]
    expected = reference[gate]
    assert np.array_equal(np.isnan(parts.gate.values), np.isnan(expected))
    total = (parts.from_input + parts.from_state + parts.bias).values
    np.testing.assert_allclose(total, parts.pre_activation.values, atol=1e-12)
    # The reference is float64, the layer's states are float32.
    np.testing.assert_allclose(total, logit(expected), atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(parts.gate.values, expected, atol=1e-5)


def test_the_state_has_no_part_at_the_first_step_read_and_words_have_one_part_each():
    found = kind_of("bidirectional_concat")
    ids = found.inputs
    parts = mechanics.gate_drivers(
        found.model, ids, [2, 0], layer="both/backward_lstm", tokens=ids.astype(str)
    )
    assert parts.unit.values.tolist() == [2, 0]
    for example, mask in enumerate(parts.mask.values):
        if mask.any():
            last = np.flatnonzero(mask)[-1]  # it reads backwards
            np.testing.assert_array_equal(parts.from_state[example, last], 0)
    for word in np.unique(ids[ids > 0]):
        same = parts.from_input.values[ids == word]
        np.testing.assert_allclose(same, np.broadcast_to(same[0], same.shape), atol=1e-6)


@pytest.fixture(scope="module")
def by_hand():
    """A GRU of two units whose update gate sees nothing but the word, and nothing but the state."""
    gru = tg.layers.GRU(2, name="gru")
    model = keras.Sequential([keras.Input((None, 3)), gru])
    kernel, recurrent, bias = (np.zeros(w.shape) for w in gru.get_weights())
    kernel[:, 0] = [2.0, -3.0, 0.5]  # the update gate of unit 0, by word
    kernel[:, 4] = [1.0, 1.0, -1.0]
    recurrent[0, 1] = 1.5  # that of unit 1, by unit 0
    kernel[1, 4 + 1] = 1.0
    bias[0, 0], bias[1, 0] = 0.25, 0.5
    gru.set_weights([kernel, recurrent, bias])
    words = [["up", "down", "flat", "up"], ["Down", "flat", "flat", "down"]]
    rows = {"up": 0, "down": 1, "flat": 2}
    x = np.eye(3)[[[rows[w.lower()] for w in line] for line in words]]
    return model, x, words


def test_words_and_their_effects(by_hand):
    model, x, words = by_hand
    parts = mechanics.gate_drivers(model, x, tokens=words, batch_size=1)
    np.testing.assert_array_equal(parts.bias, [0.75, 0])
    table = mechanics.driving_words(parts)
    unit = table[table.unit == 0].set_index("word")
    mean = (2 * 2 - 3 * 3 + 3 * 0.5) / 8
    assert unit.index.tolist() == ["down", "up", "flat"]
    np.testing.assert_allclose(unit.from_input["up"], 2 - mean)
    np.testing.assert_allclose(unit.from_input["down"], -3 - mean)
    assert unit.does.to_dict() == {"up": "opens", "down": "closes", "flat": "opens"}
    assert unit.steps.to_dict() == {"up": 2, "down": 3, "flat": 3}
    np.testing.assert_allclose(unit.from_state, 0)
    np.testing.assert_allclose(unit.gate["up"], 1 / (1 + np.exp(-2.75)), rtol=1e-6)
    # Unit 1 is driven by the state alone; no word has an effect of its own.
    assert table[table.unit == 1].empty
    state = mechanics.driving_words(parts, by="effect").query("unit == 1")
    np.testing.assert_allclose(state.effect, state.from_state)
    shares = mechanics.driver_shares(parts).set_index("unit")
    np.testing.assert_allclose(shares.share_input, [1, 0], atol=1e-12)
    np.testing.assert_allclose(shares.share_state, [0, 1], atol=1e-12)
    assert mechanics.driving_words(parts, top=1, at_least=3).word.tolist() == ["down", "flat"]


def test_shares_are_of_the_variance(by_hand):
    found = kind_of("several_inputs")
    parts = mechanics.gate_drivers(found.model, found.inputs, layer="decoder")
    shares = mechanics.driver_shares(parts)
    flat = {k: v.values.reshape(-1, 4) for k, v in parts.items() if v.ndim == 3}
    for unit in range(4):
        covariance = np.cov(flat["from_input"][:, unit], flat["pre_activation"][:, unit])
        np.testing.assert_allclose(shares.share_input[unit], covariance[0, 1] / covariance[1, 1])
    np.testing.assert_allclose(shares.share_input + shares.share_state, 1)


def test_texts_of_a_language_model_bring_their_words():
    tokenizer = tg.tokenizers.WordTokenizer.train(["She fed her dog .", "He ran ."])
    lm = tg.models.LanguageModel(tokenizer, units=(3,), seed=0)
    texts = ["She fed her dog .", "He ran ."]
    parts = mechanics.gate_drivers(lm, texts, 1, batch_size=1)
    assert parts.token.values[1, :3].tolist() == ["<bos>", "He", "ran"]
    assert parts.mask.values.sum(axis=1).tolist() == [6, 4]
    trace = tg.trace(lm, texts)["lstm"]
    np.testing.assert_allclose(parts.gate[..., 0], trace["forget_gate"][..., 1], atol=1e-6)


def test_all_masked_gives_nan():
    found = kind_of("bidirectional_concat")
    parts = mechanics.gate_drivers(found.model, 0 * ids_with_gaps(), layer="top")
    assert np.isnan(parts.gate.values).all()
    assert mechanics.driver_shares(parts).share_input.isna().all()


def test_mistakes(by_hand):
    model, x, words = by_hand
    with pytest.raises(ValueError, match=r"update_gate.*Received: gate='forget_gate'"):
        mechanics.gate_drivers(model, x, gate="forget_gate")
    with pytest.raises(ValueError, match=r"0 to 1. Received: units=\[2\]"):
        mechanics.gate_drivers(model, x, [2])
    with pytest.raises(ValueError, match=r"without the coordinate 'token'"):
        mechanics.driving_words(mechanics.gate_drivers(model, x))
    with pytest.raises(ValueError, match="by='word'"):
        mechanics.driving_words(mechanics.gate_drivers(model, x, tokens=words), by="word")
    with pytest.raises(ValueError, match=r"Choose one.*Received: layer=None"):
        mechanics.gate_drivers(kind_of("functional_masked").model, ids_with_gaps())
    fixed = tg.layers.GRU(2, fixed_gates={"update_gate": 0.5})
    with pytest.raises(ValueError, match=r"held at 0\.5"):
        mechanics.gate_drivers(keras.Sequential([keras.Input((None, 3)), fixed]), x)
    simple = keras.Sequential([keras.Input((None, 3)), keras.layers.SimpleRNN(2)])
    with pytest.raises(ValueError, match="gate='retention'"):
        mechanics.gate_drivers(simple, x)
    with pytest.raises(TypeError, match="Keras model"):
        mechanics.gate_drivers(simple.layers[0], x)
