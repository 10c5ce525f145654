"""The fast engine against the model itself with edits inside its loops; the laws of patching."""

import numpy as np
import pandas as pd
import pytest

from textgate.models import LanguageModel
from textgate.probing import Contrasts, SetRunner
from textgate.recurrence import Edit
from textgate.tokenizers import WordTokenizer
from textgate.tracing import find_sites, intercept

WORDS = [f"{a}{b}" for a in "bcdfg" for b in "aeiou"]
# Lengths are mixed, one prefix is <bos> alone, one pair doesn't differ, and more items than words.
LENGTHS = [1, 2, 6, 3, 3, 5, 6]
MODELS = {
    "lstm": {"cell": "lstm", "units": (5,)},
    "lstm-2": {"cell": "lstm", "units": (4, 6), "tied": True, "embedding": 3},
    "lstm-3": {"cell": "lstm", "units": (3, 4, 3)},
    "gru": {"cell": "gru", "units": (5,), "tied": True},
    "gru-2": {"cell": "gru", "units": (6, 4)},
    "simple_rnn-2": {"cell": "simple_rnn", "units": (5, 4)},
}
LAYERS = [
    (name, layer)
    for name, arguments in MODELS.items()
    for layer in range(len(arguments["units"]))
]  # fmt: skip


@pytest.fixture(scope="module")
def models():
    made = {}

    def model_of(name):
        if name not in made:
            lm = LanguageModel(WordTokenizer(WORDS), seed=0, **MODELS[name])
            rng = np.random.default_rng(len(made))
            for variable in lm.weights:  # large enough that every gate moves, no bias zero or one
                if "seed" not in variable.path:
                    variable.assign(rng.normal(size=variable.shape) * 0.7)
            made[name] = lm
        return made[name]

    return model_of


def contrasts_of(lengths=LENGTHS, seed=0, with_source=True):
    rng = np.random.default_rng(seed)
    n, time = len(lengths), max(lengths)
    base = np.zeros((n, time), np.int32)
    source = np.zeros((n, time), np.int32)
    for row, length in enumerate(lengths):
        base[row, :length] = [2, *rng.integers(4, 20, length - 1)]
        source[row, :length] = base[row, :length]
        if length > 1 and row != 4:
            changed = rng.integers(1, length)
            source[row, changed] = base[row, changed] + 1
    good = rng.integers(4, 14, n).astype(np.int32)
    return Contrasts(
        table=pd.DataFrame({"item": np.arange(n)}),
        base=base,
        source=source if with_source else None,
        good=good,
        bad=good + 3,
        last=np.array(lengths, np.int32) - 1,
    )


def read(lm, items, ids, edits=None, site=None, record=None):
    """Logit of good minus logit of bad, by the model itself on whole sentences."""
    sites = [site] if site is not None else []
    with intercept(sites, edits=edits, record=record):
        logits = np.asarray(lm(ids))
    rows = np.arange(len(ids))
    at_last = logits[rows, items.last]
    return at_last[rows, items.good] - at_last[rows, items.bad]


def signal_of(lm, site, ids, signal):
    found = []
    with intercept([site], record=lambda call, signals: found.append(np.asarray(signals[signal]))):
        lm(ids)
    return found[0]


def by_the_model(lm, items, layer, signal, where, value):
    """The same by `recurrence.Edit` inside the model, one set at a time."""
    site = find_sites(lm)[0][layer]
    return np.stack(
        [
            read(lm, items, items.base, lambda call, s=s: [Edit(signal, mask=s, value=value)], site)
            for s in where
        ]
    )


def some_sets(units, rng):
    sets = rng.random((6, units)) < 0.4
    sets[0], sets[1] = True, False
    return sets


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_interchange_is_an_edit_inside_the_model(models, rng, name, layer):
    lm, items = models(name), contrasts_of()
    site = find_sites(lm)[0][layer]
    for signal in site.spec.cell.signals:
        runner = SetRunner(lm, items, site.path, signal)
        value = signal_of(lm, site, items.source, signal)
        for sets in (some_sets(runner.units, rng), np.eye(runner.units, dtype=bool)):
            expected = by_the_model(lm, items, layer, signal, sets, value)
            found = runner.run(sets, "interchange")
            np.testing.assert_allclose(found, expected, atol=1e-5, rtol=0, err_msg=signal)
    np.testing.assert_allclose(runner.clean(), read(lm, items, items.base), atol=1e-5, rtol=0)
    np.testing.assert_allclose(runner.source(), read(lm, items, items.source), atol=1e-5, rtol=0)
