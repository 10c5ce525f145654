"""An example: a tagger that reads both ways, and the unit of one direction that makes its choice.

*Flies* is a noun after *the* and a verb after *it*, however far before. Whether the sentence is a
question is said by its end, which the other direction reads.
"""

import itertools

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg

pytestmark = pytest.mark.tensorflow_only
layers = keras.layers

ADVERBS = ["often", "rarely", "even", "still", "just", "also"]
FORMS = ["flies", "runs", "plays", "stands", "walks", "plans", "turns", "looks", "talks", "works",
         "rests", "aims", "notes", "rides", "swims", "calls"]  # fmt: skip
WORDS = ["", "the", "it", "here", "now", ".", "?", *ADVERBS, *FORMS]


def sentences(seed=0):
    """Sentences as ids, the same with *the* and *it* exchanged, the words' tags, and a table."""
    rows = list(itertools.product(("the", "it"), ADVERBS, ADVERBS, FORMS, ("here", "now"), ".?"))
    columns = ["first", "second", "third", "form", "place", "end"]
    table = pd.DataFrame(rows, columns=columns).sample(400, random_state=seed, ignore_index=True)
    ids = table[columns].map(WORDS.index).to_numpy()
    other = ids.copy()
    other[:, 0] = 3 - ids[:, 0]  # the, it
    tags = np.zeros(ids.shape, int)  # 0: a noun or nothing of the two, 1: a verb
    tags[:, 3] = table["first"] == "it"
    tags[:, 0] = table["end"] == "?"
    return ids, other, tags, table.assign(good_class=tags[:, 3], bad_class=1 - tags[:, 3])


def test_the_unit_of_one_direction():
    keras.utils.set_random_seed(0)
    ids, other, tags, table = sentences()

    # What a user writes.
    model = keras.Sequential([
        keras.Input((None,), dtype="int32"), layers.Embedding(len(WORDS), 8, mask_zero=True),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True, name="lstm"), name="both"),
        layers.Dense(2, activation="softmax"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    model.fit(ids, tags, epochs=12, verbose=0)
    trace = tg.trace(model, ids, step_labels={"tag": tags}, labels={"form": table["form"]})
    known = {
        side: tg.probing.probe(trace, "tag", "form", "cell_state", 3, layer=side, controls=0)
        for side in ("forward_lstm", "backward_lstm")
    }
    items = tg.contrasts(model, base=ids, source=other, good=tags[:, 3], bad=1 - tags[:, 3],
                         step=3, table=table, groups="form", feature="being a verb")  # fmt: skip
    found = tg.find_units(model, items, layer="both", items=40, controls=19)

    assert known["forward_lstm"].accuracy[0] > 0.95
    assert known["backward_lstm"].accuracy[0] < 0.7  # it has read the end of the sentence only
    assert found.sufficient
    assert set(found.sufficient) <= set(range(4))  # the forward direction's, which come first
