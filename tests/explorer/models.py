"""Small language models with random weights, one of each kind that a page holds; edits of them."""

import functools

import numpy as np

import textgate as tg
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

WORDS = ["she", "her", "his", "fed", "dog", "and", "n't", "'s", ",", ".", "é", "Zoë", "x", "3,000"]
# Arguments of `LanguageModel`, by name.
KINDS = {
    "lstm": {"units": 5},
    "gru": {"cell": "gru", "units": 5},
    "gru_before": {"cell": "gru_reset_before", "units": 5},
    "simple_rnn": {"cell": "simple_rnn", "units": 5},
    "stack": {"units": (5, 3, 4), "dropout": 0.5},
    "gru_stack": {"cell": "gru", "units": (4, 5), "embedding": 3},
    "tied": {"units": 4, "tied": True},
    "projected": {"cell": "gru", "units": (3, 5), "embedding": 4, "tied": True},
    "coupled": {"cell": "lstm_coupled", "units": 4},
    "held": {"cell": "lstm_forget_1", "units": 4},
    "no_leak": {"cell": "gru_no_leak", "units": 4},
}
TEXTS = ["", "she", "She fed", "She fed her dog", "she fed his dog, and", "wugs fed Zoë’s dog. And"]


@functools.cache
def model_of(kind):
    """Return the model of a kind, with random weights; the same each time."""
    lm = LanguageModel(WordTokenizer(WORDS), name=kind, **KINDS[kind])
    rng = np.random.default_rng(list(kind.encode()))
    for weight in lm.weights:
        if "seed" not in weight.path:
            weight.assign(rng.normal(0, 0.6, weight.shape))
    lm.run_eagerly = True  # compiling costs more than computing these
    return lm


def random_edits(rng, lm, text):
    """Return three random interventions for a model's run of a text."""
    steps = len(lm.encode([text])[0])
    others = tg.trace(lm, ["her dog and his dog, and her dog.", text + " and her dog and his dog"])
    alike = tg.trace(lm, [" ".join(rng.choice(WORDS[:6], steps - 1))])
    return [_random_edit(rng, lm, steps, others, alike) for _ in range(3)]


def _random_edit(rng, lm, steps, others, alike):
    layer = rng.choice([layer.name for layer in lm.recurrent_layers])
    spec = tg.layers.spec_of(lm.get_layer(layer).cell)
    derived = [name for name in ("retention", "writing") if spec.cell.derived(name)[1]]
    signal = str(rng.choice([*spec.cell.signals, *derived]))
    chosen = rng.permutation(spec.units)[: rng.integers(1, spec.units + 1)]
    units, count = [
        (chosen.tolist(), len(chosen)),
        (None, spec.units),
        (slice(None, None, 2), -(-spec.units // 2)),
        (slice(-2, None), 2),
    ][rng.integers(4)]
    where = {
        "units": units,
        "steps": [None, slice(1, None), slice(0, 4, 2), rng.random((1, steps)) < 0.5][
            rng.integers(4)
        ],
        "subspace": None
        if count < 2 or rng.random() < 0.6
        else np.linalg.qr(rng.normal(size=(count, 1 + rng.integers(count - 1))))[0],
    }
    makers = [
        lambda: tg.ZeroAblation(layer, signal, **where),
        lambda: tg.Clamp(layer, signal, value=float(rng.random()), **where),
        lambda: tg.Clamp(layer, signal, value=rng.random(count), **where),
        lambda: tg.Clamp(layer, signal, value=rng.random((1, steps, count)), **where),
        lambda: tg.Steer(layer, signal, direction=rng.normal(size=count), scale=0.5, **where),
        lambda: tg.Affine(layer, signal, matrix=rng.normal(0, 0.4, (count, count)), **where),
        lambda: tg.Affine(
            layer, signal, matrix=np.eye(count) / 2, offset=rng.random(count), **where
        ),
        lambda: tg.Affine(layer, signal, offset=0.3, **where),
        lambda: tg.Patch(layer, signal, source=alike, **where),
        lambda: tg.MeanAblation(layer, signal, reference=others, **where),
        lambda: tg.MeanAblation(layer, signal, reference=others, by_position=True, **where),
        lambda: tg.ResampleAblation(layer, signal, reference=others, seed=3, **where),
    ]
    return makers[rng.integers(len(makers))]()
