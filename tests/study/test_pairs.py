"""A model of other text is asked about the sentences that it gets right on both sides."""

import numpy as np
import pandas as pd
import pytest

from textgate.models import LanguageModel
from textgate.study._pairs import eligible_pairs, gender_pairs
from textgate.tokenizers import WordTokenizer

pytestmark = pytest.mark.tensorflow_only

PEOPLE = [f"{sex}{number}" for number in range(6) for sex in ("woman", "man")]


def pairs():
    rows = [
        {"good": f"{own}{number} lost {right}", "bad": f"{own}{number} lost {wrong}", "target": 2,
         "good_class": label, "bad_class": other, "counterpart_prefix": f"{twin}{number} lost"}
        for number in range(6)
        for own, twin, right, wrong, label, other in (
            ("woman", "man", "her", "his", "feminine", "masculine"),
            ("man", "woman", "his", "her", "masculine", "feminine"),
        )
    ]  # fmt: skip
    strange = rows[0] | {"good": "queen9 lost her", "bad": "queen9 lost his"}
    return pd.DataFrame([*rows, strange])


def model(seed=3):
    """A random model, undecided between her and his on the whole; and its leads of her."""
    lm = LanguageModel(WordTokenizer([*PEOPLE, "lost", "her", "his"]), units=(5, 4), seed=0)
    random = np.random.default_rng(seed)
    lm.set_weights([random.normal(size=w.shape) for w in lm.get_weights()])
    her, his = (list(lm.tokenizer.vocabulary).index(word) for word in ("her", "his"))
    bias = lm.get_layer("output").bias
    for _ in range(2):
        logs = lm.next_logprobs([f"{person} lost" for person in PEOPLE])
        leads = logs[:, her] - logs[:, his]
        shifted = np.array(bias)
        shifted[her] -= np.median(leads)
        bias.assign(shifted)
    return lm, dict(zip(PEOPLE, leads, strict=True))


def test_only_what_is_right_on_both_sides_is_chosen():
    table, both = pairs(), []
    for seed in range(4):
        lm, leads = model(seed)
        good = [n for n in range(6) if leads[f"woman{n}"] > 0 > leads[f"man{n}"]]
        right = sum((leads[person] > 0) == person.startswith("woman") for person in PEOPLE)
        chosen, counts = eligible_pairs(lm, table, least=1)
        assert counts.to_dict("records") == [
            {"sentences": 13, "known": 12, "right": right, "both": 2 * len(good),
             "chosen": len(good) > 0}
        ]  # fmt: skip
        wanted = table[:12][table["good"][:12].str.extract(r"(\d)")[0].astype(int).isin(good)]
        assert chosen["good"].tolist() == (wanted if good else table)["good"].tolist()
        both.append(len(good))
    assert 0 < sum(both) < 24


def test_with_too_few_of_them_nothing_is_chosen():
    chosen, counts = eligible_pairs(model()[0], pairs(), least=7)
    assert len(chosen) == 13
    assert not counts["chosen"].iloc[0]


def test_pairs_are_of_she_against_he_and_have_twins():
    table = gender_pairs(40)
    assert set(table["good_class"]) == set(table["bad_class"]) == {"feminine", "masculine"}
    assert (table["counterpart_prefix"] != "").all()
    assert table["good"].is_unique
    assert table["item"].is_unique
    assert table["split"].nunique() > 1
