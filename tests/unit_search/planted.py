"""Language models whose weights are set by hand, so that it is known which units hold gender.

Each reads "NAME verb her/his" in words made for the test. The embedding has a dimension for gender,
one that says "this is a name", and noise. The units that hold gender take it in where a name is
read, keep it, and tell the output. All others live on the noise, talk among themselves, and say the
same of *her* as of *his*.
"""

import numpy as np
import pandas as pd

from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

NAMES, VERBS = 32, 32  # pairs of names; verbs, each a template
FEATURES = 6  # gender, name, noise
OPEN = 12.0  # a gate's pre-activation that opens it fully

WOMEN = [f"woman{i}" for i in range(NAMES)]
MEN = [f"man{i}" for i in range(NAMES)]
FRAMES = [f"verb{i}" for i in range(VERBS)]
TOKENIZER = WordTokenizer([*WOMEN, *MEN, *FRAMES, "her", "his", "dog"])


def pairs(copies=4, seed=0):
    """Minimal pairs: each verb with some of the names, one of either sex in turn."""
    random = np.random.default_rng(seed)
    rows = []
    for verb in FRAMES:
        for place, i in enumerate(random.permutation(NAMES)[: 2 * copies]):
            own, other = (WOMEN[i], MEN[i]) if place % 2 else (MEN[i], WOMEN[i])
            right, wrong = ("her", "his") if place % 2 else ("his", "her")
            rows.append(
                {
                    "good": f"{own} {verb} {right} dog",
                    "bad": f"{own} {verb} {wrong} dog",
                    "target": 2,
                    "good_class": "feminine" if place % 2 else "masculine",
                    "bad_class": "masculine" if place % 2 else "feminine",
                    "counterpart_prefix": f"{other} {verb}",
                    "template": verb,
                    "lexeme": own,
                    "counterpart_lexeme": other,
                }
            )
    return pd.DataFrame(rows)


def _embedding(random):
    table = np.zeros((len(TOKENIZER), FEATURES), np.float32)
    table[:, 2:] = random.normal(size=(len(TOKENIZER), FEATURES - 2))
    for names, sign in ((WOMEN, 1.0), (MEN, -1.0)):
        ids = TOKENIZER.tokens_to_ids(names)
        table[ids, 0], table[ids, 1] = sign, 1.0
    for woman, man in zip(WOMEN, MEN, strict=True):  # alike but for the gender
        w, m = TOKENIZER.tokens_to_ids([woman, man])
        table[m, 2:] = table[w, 2:]
    return table


def planted(cell, units, holds, seed=0):
    """A language model in which units hold gender.

    Args:
        cell: `"lstm"` or `"gru"`.
        units: How many units.
        holds: For each unit that holds gender, how much it says of it: `{unit: weight}`. What it
            stores is ±1 times the sign of the weight, or a part of it if the weight is below 1.
        seed: Seed of all else.
    """
    random = np.random.default_rng(seed)
    lm = LanguageModel(
        TOKENIZER, cell=cell, units=(units,), embedding=FEATURES, dropout=0.0, seed=seed
    )
    columns = {"lstm": ("i", "f", "g", "o"), "gru": ("z", "r", "h")}[cell]
    kernel = random.normal(size=(FEATURES, len(columns), units)) * 0.7
    recurrent = random.normal(size=(units, len(columns), units)) * 0.5 / np.sqrt(units)
    bias = np.zeros((len(columns), units))
    kernel[:2] = 0  # gender, and that it is a name, are only for those that hold it
    for unit in holds:
        kernel[:, :, unit], recurrent[:, :, unit], recurrent[unit] = 0, 0, 0
        where = columns.index
        if cell == "lstm":
            # Written at names only, kept, and always told.
            kernel[1, where("i"), unit], bias[where("i"), unit] = 2 * OPEN, -OPEN
            bias[where("f"), unit] = bias[where("o"), unit] = OPEN
            kernel[0, where("g"), unit] = 3 * holds[unit]
        else:
            # Keras's z keeps: it is closed at names and open elsewhere.
            kernel[1, where("z"), unit], bias[where("z"), unit] = -2 * OPEN, OPEN
            kernel[0, where("h"), unit] = 3 * holds[unit]
    layer = lm.get_layer(cell)
    flat = [kernel.reshape(FEATURES, -1), recurrent.reshape(units, -1), bias.reshape(-1)]
    if cell == "gru":  # with `reset_after` there are two biases
        flat[2] = np.stack([flat[2], np.zeros_like(flat[2])])
    layer.set_weights([part.astype(np.float32) for part in flat])
    lm.get_layer("embedding").set_weights([_embedding(random)])
    output = random.normal(size=(units, len(TOKENIZER))) * 0.3
    her, his = TOKENIZER.tokens_to_ids(["her", "his"])
    output[:, his] = output[:, her]
    for unit, weight in holds.items():
        output[unit] = 0
        output[unit, her], output[unit, his] = 2 * weight, -2 * weight
    lm.get_layer("output").set_weights(
        [output.astype(np.float32), np.zeros(len(TOKENIZER), np.float32)]
    )
    return lm
