"""Removing units is ablating them inside the loop, and leaves the model as it was."""

import numpy as np
import pandas as pd
import pytest

from textgate.layers import spec_of, weights_of
from textgate.models import KneserNey, LanguageModel
from textgate.recurrence import Edit, sequence
from textgate.study import redundancy
from textgate.study.ladder._redundancy import decisions_without
from textgate.tokenizers import WordTokenizer

PAIRS = pd.DataFrame(
    {
        "good": ["Ann fed her cat", "The boy hurt himself", "He left his dog"],
        "bad": ["Ann fed his cat", "The boy hurt herself", "He left her dog"],
        "target": [2, 3, 2],
        "prefix": ["Ann fed", "The boy hurt", "He left"],
    }
)


def model(cell, **options):
    tokenizer = WordTokenizer.train([*PAIRS["good"], *PAIRS["bad"]])
    lm = LanguageModel(tokenizer, cell=cell, units=6, dropout=0.0, **options)
    random = np.random.default_rng(3)
    lm.set_weights([random.normal(size=w.shape) for w in lm.get_weights()])
    return lm


@pytest.mark.parametrize("cell", ["lstm", "gru", "lstm_forget_1", "average"])
def test_a_removed_unit_is_an_ablated_one(cell):
    lm = model(cell, **({"embedding": 6} if cell == "average" else {}))
    ids = lm.encode(PAIRS["prefix"].tolist())
    layer = lm.recurrent_layers[0]
    removed = np.isin(np.arange(6), [1, 4])
    hidden = np.array(lm.hidden(ids)[0])
    if cell == "average":  # its units don't read one another
        ablated = np.where(removed, 0, hidden)
    else:
        x = lm.get_layer("embedding").embeddings.numpy()[ids]
        edit = Edit("hidden_state", mask=removed, value=0.0)
        signals, _ = sequence(spec_of(layer.cell), x, weights_of(layer.cell), edits=[edit])
        ablated = signals["hidden_state"]
    before = [np.array(weight) for weight in lm.get_weights()]
    found = decisions_without(lm, PAIRS, np.stack([removed, np.zeros(6, bool)]))
    for row, hidden_states in zip(found, (ablated, hidden), strict=True):
        logits = np.asarray(lm.readout(hidden_states))
        for n, pair in enumerate(PAIRS.to_dict("records")):
            good, bad = (
                lm.tokenizer.encode(pair[side])[pair["target"]] for side in ("good", "bad")
            )
            scores = logits[n, pair["target"]]
            assert row[n] == pytest.approx(scores[good] - scores[bad], abs=1e-5)
    assert np.abs(found[0] - found[1]).max() > 0.1
    for weight, kept in zip(lm.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


def test_the_accuracy_is_that_of_the_probabilities():
    lm = model("gru")
    table = redundancy(lm, PAIRS, shares=[0, 0.5, 1], draws=3)
    assert table["removed"].tolist() == [0, 3, 3, 3, 6]
    following = lm.next_logprobs(PAIRS["prefix"].tolist())
    ids = [lm.tokenizer.encode(f"{r.good} {r.bad}") for r in PAIRS.itertuples()]
    right = [
        row[words[t]] > row[words[len(words) // 2 + t]]
        for row, words, t in zip(following, ids, PAIRS["target"], strict=True)
    ]
    assert table["accuracy"].iloc[0] == pytest.approx(np.mean(right))
    # Without any unit only the output's bias is left.
    bias = lm.get_layer("output").bias.numpy()
    right = [
        bias[words[t]] > bias[words[len(words) // 2 + t]]
        for words, t in zip(ids, PAIRS["target"], strict=True)
    ]
    assert table["accuracy"].iloc[-1] == pytest.approx(np.mean(right))
    again = redundancy(lm, PAIRS, shares=[0, 0.5, 1], draws=3)
    assert again.equals(table)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match="shares lie between 0 and 1"):
        redundancy(model("gru"), PAIRS, shares=[1.5])
    for lm in (model("gru", tied=True), KneserNey(WordTokenizer.train(["a"]))):
        with pytest.raises(ValueError, match="Received: "):
            redundancy(lm, PAIRS)
