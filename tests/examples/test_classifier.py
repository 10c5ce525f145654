"""An example: a classifier of sentiment, and the units that hold a negation until it matters.

"We did not say that the film was good": the word that is turned round comes five words after *not*.
"""

import itertools

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import textgate as tg

pytestmark = pytest.mark.tensorflow_only
layers = keras.layers

SUBJECTS = ["we", "they", "critics"]
NOUNS = ["film", "plot", "cast", "score", "script", "ending", "hero", "dialogue", "title", "scene",
         "camera", "pace", "story", "set", "light", "sound", "cut", "opening", "end"]  # fmt: skip
GOOD = ["good", "great", "fine", "superb", "lovely", "moving", "funny", "apt", "sharp", "warm"]
BAD = ["bad", "dull", "weak", "awful", "boring", "flat", "stale", "clumsy", "shallow", "cold"]


def reviews(seed=0):
    """Sentences, the same with a negation, whether the plain ones are favourable, and words."""
    words = list(itertools.product(SUBJECTS, NOUNS, GOOD + BAD))
    table = pd.DataFrame(words, columns=["subject", "noun", "adjective"])
    table = table.sample(frac=1, random_state=seed, ignore_index=True)
    table = table.assign(good_class="plain", bad_class="negated")

    def sentences(word):
        rows = zip(table["subject"], table["noun"], table["adjective"], strict=True)
        return np.array(
            [f"{who} did {word} say that the {what} was {how}" for who, what, how in rows]
        )

    return sentences("surely"), sentences("not"), table["adjective"].isin(GOOD).astype(int), table


def test_the_units_that_hold_a_negation():
    keras.utils.set_random_seed(0)
    plain, negated, liked, table = reviews()

    # What a user writes.
    vectorize = layers.TextVectorization()
    vectorize.adapt([*plain, *negated])
    model = keras.Sequential([
        keras.Input((), dtype="string"), vectorize, layers.Embedding(80, 8, mask_zero=True),
        layers.LSTM(32, name="lstm"), layers.Dense(1, activation="sigmoid"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    model.fit(tf.constant([*plain, *negated]), np.r_[liked, 1 - liked], epochs=4, verbose=0)
    items = tg.contrasts(model, base=plain, source=negated, good=liked, bad=1 - liked,
                         table=table, groups=("noun", "adjective"), feature="negation")  # fmt: skip
    finding = tg.find_units(model, items, controls=19)
    print(finding.summary())

    # Training decides in which units it comes to lie: few of them, or a direction over many.
    assert finding.sufficient or finding.direction_rank == 1
    assert finding.feature == "negation"
    assert set(finding.tables["untrained"]["made"]) == {"drawn anew"}
    assert (finding.tables["untrained"]["flipped_of_all"] < 0.9).all()
