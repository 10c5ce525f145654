"""An example: an encoder and a decoder, and the encoder's units that carry number to the verb.

The decoder asks a question about a sentence's subject. All that it knows of the sentence is the
encoder's last state: "the dogs near the tree", "what are the dogs doing".
"""

import itertools

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg

pytestmark = pytest.mark.tensorflow_only
layers = keras.layers

NOUNS = ["dog", "cat", "boy", "girl", "cook", "nurse", "pilot", "king", "queen", "guest", "bird",
         "friend", "clerk", "guard"]  # fmt: skip
PLACES = ["near", "behind"]
WORDS = ["", "the", "what", "is", "are", "doing", *PLACES, *NOUNS, *(f"{n}s" for n in NOUNS)]
IDS = {word: number for number, word in enumerate(WORDS)}


def ids(texts):
    return np.array([[IDS[word] for word in text.split()] for text in texts])


def questions(seed=0):
    """Sentences, the same with the subject's other number, the questions' words, and a table."""
    rows = list(itertools.product(NOUNS, PLACES, NOUNS, ("", "s"), ("", "s")))
    table = pd.DataFrame(rows, columns=["subject", "place", "object", "number", "others"])
    table = table.sample(frac=1, random_state=seed, ignore_index=True)
    subject, verb = table["subject"] + table["number"], table["number"].map({"": "is", "s": "are"})
    rest = " " + table["place"] + " the " + table["object"] + table["others"]
    other = table["subject"] + table["number"].map({"": "s", "s": ""})
    table["good_class"] = table["number"].map({"": "singular", "s": "plural"})
    question = "what " + verb + " the " + subject + " doing"
    return ids("the " + subject + rest), ids("the " + other + rest), ids(question), table


def test_the_units_that_carry_number():
    keras.utils.set_random_seed(0)
    sentence, other, question, table = questions()

    # What a user writes.
    words, told = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    embedding = layers.Embedding(len(WORDS), 12)
    _, state = layers.GRU(24, return_state=True, name="encoder")(embedding(words))
    decoder = layers.GRU(24, return_sequences=True, name="decoder")
    said = layers.Dense(len(WORDS))(decoder(embedding(told), initial_state=state))
    model = keras.Model([words, told], said)
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(True))
    model.fit([sentence, question[:, :-1]], question[:, 1:], epochs=4, verbose=0)
    is_, are = IDS["is"], IDS["are"]
    good, known = question[:, 1], question[:, :-1]
    items = tg.contrasts(model, base=[sentence, known], source=[other, known], good=good,
                         bad=is_ + are - good, step=0, table=table, groups="subject",
                         feature="number")  # fmt: skip
    finding = tg.find_units(model, items, layer="encoder", controls=19)
    print(finding.summary())

    assert finding.layer == "encoder"
    # Training decides in which units it comes to lie: few of them, or a direction over many.
    assert finding.sufficient or finding.direction_rank == 1
    assert set(finding.sufficient) <= set(finding.carriers)
