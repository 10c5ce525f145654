"""An example: a character model and its quote unit (Karpathy, Johnson & Fei-Fei 2015).

After a full stop the model has to know whether it is inside quotes: only there a quote follows. One
cell unit, set by hand, remembers that; the others are random, and the output is trained on them.
"""

import keras
import numpy as np
import pytest

import textgate as tg

pytestmark = pytest.mark.tensorflow_only
layers = keras.layers

CHARACTERS = list(' ".abc')
UNIT, UNITS = 5, 12


def lines(count=320, length=25, seed=0):
    """Lines of sentences, half of them in quotes, as characters `(line, place)`."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        line = ""
        while len(line) < length:
            sentence = "".join(random.choice(list("abc "), random.integers(2, 7))) + "."
            line += f'"{sentence}" ' if random.random() < 0.5 else f"{sentence} "
        found.append(list(line[:length]))
    return np.array(found)


def with_quote_unit(size=UNITS, seed=0):
    """A layer of random weights whose unit 5 changes its sign at each quote, and only there."""
    random = np.random.default_rng(seed)
    layer = layers.LSTM(size, return_sequences=True, trainable=False, name="lstm")
    layer.build((None, None, len(CHARACTERS)))
    kernel = random.normal(0, 1.0, (len(CHARACTERS), 4, size))
    recurrent, bias = random.normal(0, 0.3, (size, 4, size)), np.zeros((4, size))
    kernel[..., UNIT], recurrent[..., UNIT], recurrent[UNIT] = 0, 0, 0
    quote = CHARACTERS.index('"')
    bias[:, UNIT] = -10, 10, 2, 10  # i closed, f and o open; the first candidate is positive
    kernel[quote, :2, UNIT] = 20, -20  # at a quote the other way round,
    recurrent[UNIT, 2, UNIT] = -10  # to write the opposite of what was there
    layer.set_weights([part.reshape(-1, 4 * size).squeeze() for part in (kernel, recurrent, bias)])
    return layer


def test_the_quote_unit():
    keras.utils.set_random_seed(0)
    text = lines()
    quotes = np.cumsum(text == '"', axis=1) % 2 == 1
    ids = np.searchsorted(CHARACTERS, text)

    # What a user writes.
    x, y, inside, upcoming = ids[:, :-1], ids[:, 1:], quotes[:, :-1], text[:, 1:]
    model = keras.Sequential([
        keras.Input((None,), dtype="int32"),
        layers.CategoryEncoding(len(CHARACTERS), output_mode="one_hot"), with_quote_unit(),
        layers.Dense(32, activation="relu"), layers.Dense(len(CHARACTERS), activation="softmax"),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.03), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=8, verbose=0)
    trace = tg.trace(model, x, step_labels={"in_quotes": inside}, tokens=text[:, :-1])
    scores = tg.probing.unit_scores(trace, "in_quotes", None, "cell_state")
    unit = scores.unit[scores.cohens_d.abs().idxmax()]
    closing = np.where(upcoming != '"', "others", np.where(inside, "closing", "opening"))
    costs = tg.ablation_effects(model, x, y, "lstm", "cell_state", by=closing)
    figure = tg.plots.text(trace, unit, "cell_state", example=[0, 1])

    assert unit == UNIT
    assert scores.auc[unit] > 0.99
    costs = costs.set_index(["by", "units"])
    assert costs.accuracy["closing"].iloc[0] > 0.99
    assert costs.accuracy_lost["closing", str(unit)] > 0.4
    assert costs.p_adjusted["closing", str(unit)] < 0.01
    assert abs(costs.accuracy_lost["others", str(unit)]) < 0.1
    assert costs.accuracy_lost["closing"].drop(str(unit)).max() < 0.1
    assert figure.to_html().count("background") >= x[:2].size  # each character has its colour
