"""The search asks a model for its layers and its memory, whatever its cells are called."""

import keras
import numpy as np
import pytest

from tests.unit_search.planted import TOKENIZER
from textgate.models import LanguageModel
from textgate.unit_search._subject import Place, Subject


def subject(cell):
    return Subject(LanguageModel(TOKENIZER, cell=cell, units=(4, 3), embedding=2, seed=0))


@pytest.mark.parametrize(
    ("cell", "layer", "memory"),
    [
        ("lstm", "lstm", "cell_state"),
        ("lstm_coupled", "lstm", "cell_state"),
        ("lstm_forget_1", "lstm", "cell_state"),
        ("gru", "gru", "hidden_state"),
        ("gru_reset_1", "gru", "hidden_state"),
        ("simple_rnn", "simple_rnn", "hidden_state"),
    ],
)
def test_units_are_looked_for_in_the_memory_of_each_layer(cell, layer, memory):
    assert subject(cell).places() == [Place(layer, memory), Place(f"{layer}_1", memory)]
    assert subject(cell).places(f"{layer}_1", "candidate") == [Place(f"{layer}_1", "candidate")]


def test_fresh_weights_are_others_for_another_seed_and_the_same_for_the_same():
    trained = subject("gru")
    before = trained.fingerprint
    fresh = []
    for seed in (1, 1, 2):
        with trained.with_fresh_weights(seed) as untrained:
            fresh.append(untrained.fingerprint)
    assert fresh[0] == fresh[1]
    assert len({before, *fresh}) == 3
    assert trained.fingerprint == before


def test_what_was_adapted_to_data_stays_in_a_fresh_model():
    scale = keras.layers.Normalization(name="scale")
    scale.adapt(np.array([[[3.0], [5.0]]]))
    rnn = keras.layers.GRU(2, name="rnn")
    model = keras.Sequential([keras.Input((2, 1)), scale, rnn, keras.layers.Dense(1)])
    with Subject(model).with_fresh_weights(0) as fresh:
        assert fresh.weights == "drawn anew"
        assert float(np.array(fresh.model.get_layer("scale").mean).item()) == 4.0
        ours, theirs = (np.array(m.get_layer("rnn").weights[0]) for m in (model, fresh.model))
        assert not np.array_equal(ours, theirs)


def test_a_place_is_named_in_words():
    assert str(Place("lstm_1", "cell_state")) == "lstm_1's cell state"
