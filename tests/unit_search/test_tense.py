"""Tense, a feature of the table: from its name alone to the unit that was planted for it."""

import numpy as np
import pytest

from textgate.datasets import minimal_pairs, tables
from textgate.datasets.words import split
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer
from textgate.unit_search import find_units

pytestmark = pytest.mark.tensorflow_only

UNITS, FEATURES, OPEN = 10, 6, 12.0


def signs(pairs):
    """The words that tell a tense, 1 for the past and -1 for the present."""
    told, elsewhere = {}, set()
    for row in pairs[pairs["antecedent_kind"] == "time"].itertuples():
        for word, other in zip(split(row.prefix), split(row.counterpart_prefix), strict=True):
            if word == other:
                elsewhere.add(word)
            else:
                told.setdefault(word, 1 if row.good_class == "past" else -1)
    verbs = {}
    for row in tables.read("verbs"):
        verbs |= {row["past"]: 1, row["third"]: -1}
    return {word: sign for word, sign in told.items() if word not in elsewhere} | verbs


def planted(pairs, unit, first):
    """A language model that keeps in `unit` the tense that was told first.

    The unit `first` notes that a tense was told, and closes the input gate of `unit` to all others.
    """
    texts = [*pairs["good"], *pairs["bad"], *pairs["counterpart_prefix"]]
    tokenizer = WordTokenizer.train(texts)
    random = np.random.default_rng(0)
    lm = LanguageModel(tokenizer, units=(UNITS,), embedding=FEATURES, dropout=0.0)
    table = random.normal(size=(len(tokenizer), FEATURES))
    table[:, :2] = 0
    output = 0.3 * random.normal(size=(UNITS, len(tokenizer)))
    output[[unit, first]] = 0
    for word, sign in signs(pairs).items():
        if word in tokenizer:
            (number,) = tokenizer.tokens_to_ids([word])
            table[number, :2] = sign, 1
            output[:, number] = 0  # all others say the same of both tenses
            output[unit, number] = 2 * sign
    kernel = 0.7 * random.normal(size=(FEATURES, 4, UNITS))  # i, f, g, o
    recurrent = 0.5 * random.normal(size=(UNITS, 4, UNITS)) / np.sqrt(UNITS)
    bias = np.zeros((4, UNITS))
    kernel[:2], recurrent[[unit, first]] = 0, 0
    for own in (unit, first):
        kernel[:, :, own], recurrent[:, :, own] = 0, 0
        kernel[1, 0, own], bias[0, own] = 2 * OPEN, -OPEN  # written where a tense is told
        bias[[1, 3], own] = OPEN  # kept, and always read
    kernel[0, 2, unit], bias[2, first] = 3, 3
    recurrent[first, 0, unit] = -4 * OPEN
    weights = (kernel.reshape(FEATURES, -1), recurrent.reshape(UNITS, -1), bias.reshape(-1))
    lm.get_layer("lstm").set_weights(weights)
    lm.get_layer("embedding").set_weights([table])
    lm.get_layer("output").set_weights([output, np.zeros(len(tokenizer))])
    return lm


def test_the_name_alone_finds_the_unit_that_keeps_the_tense():
    unit, first = np.random.default_rng(5).permutation(UNITS)[:2].tolist()
    lm = planted(minimal_pairs("tense_agreement"), unit, first)
    found = find_units(lm, feature="tense", controls=20, items=120, progress=False)
    assert found.feature == "tense"
    assert found.sufficient == found.necessary == (unit,)
    assert "is sufficient and necessary for tense" in found.verdict
    interventions = found.tables["interventions"]
    assert {"past→present", "present→past"} <= set(interventions["direction"])
    # What it should cost nothing on is the feature's side task and its text.
    assert set(found.tables["side_tasks"]["task"]) <= {"number agreement"}
    assert (found.tables["perplexity"]["words"] > 1000).all()


def test_a_model_of_other_words_is_told_which_it_lacks():
    lm = LanguageModel(WordTokenizer(["she", "he", "lost", "her", "his", "way"]), units=4)
    with pytest.raises(ValueError, match=r"no pair is left.*unknown are 'is', 'was'") as caught:
        find_units(lm, feature="tense", progress=False)
    assert "\n" not in str(caught.value)
