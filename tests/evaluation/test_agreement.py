"""Agreement is what a reader of the equations gets by hand: ties are wrong, unknowns are named."""

import numpy as np
import pandas as pd
import pytest

from textgate.evaluation import agreement
from textgate.evaluation.report import evaluate
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

TEXTS = ["She fed her dog .", "She fed his dog .", "He fed his cat ."]


def model(random=True):
    lm = LanguageModel(WordTokenizer.train(TEXTS), cell="gru", units=(6,), seed=0)
    if random:
        generator = np.random.default_rng(1)
        lm.set_weights([generator.normal(size=w.shape) for w in lm.get_weights()])
    else:
        lm.set_weights([np.zeros_like(w) for w in lm.get_weights()])
    return lm


def pairs():
    table = pd.DataFrame(
        {
            "good": ["She fed her dog .", "He fed his cat ."],
            "bad": ["She fed his dog .", "He fed her cat ."],
            "target": [2, 2],
            "form": ["possessive", "possessive"],
        },
        index=[7, 3],
    )
    return table


def by_hand(lm, text):
    ids = [2, *lm.tokenizer.encode(text)]
    logits = np.asarray(lm(np.array([ids])), np.float64)[0]
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return [logs[t - 1, ids[t]] for t in range(1, len(ids))]


def test_scores_are_sums_of_conditional_logprobs():
    lm, table = model(), pairs()
    items = agreement(lm, table)
    assert list(items.index) == [7, 3]
    assert items["form"].tolist() == table["form"].tolist()
    for name in ("good", "bad"):
        words = [by_hand(lm, text) for text in table[name]]
        np.testing.assert_allclose(items[f"logprob_{name}"], [sum(w) for w in words], rtol=1e-5)
        np.testing.assert_allclose(
            items[f"target_logprob_{name}"], [w[2] for w in words], rtol=1e-5
        )
    assert (items["correct"] == (items["logprob_good"] > items["logprob_bad"])).all()
    assert "correct" not in table


def test_swapping_the_sentences_swaps_the_verdict():
    lm, table = model(), pairs()
    swapped = table.rename(columns={"good": "bad", "bad": "good"})
    assert (agreement(lm, table)["correct"] != agreement(lm, swapped)["correct"]).all()


def test_a_model_that_says_the_same_of_all_is_always_wrong():
    items = agreement(model(random=False), pairs())
    np.testing.assert_array_equal(items["logprob_good"], items["logprob_bad"])
    assert not items["correct"].any()


def test_unknown_words_are_named_and_an_unknown_target_is_wrong():
    table = pd.DataFrame(
        {
            "good": ["She fed her zebra .", "She fed herself .", "He fed his cat ."],
            "bad": ["She fed his zebra .", "She fed his .", "He fed hers cat ."],
            "target": [2, 2, 2],
        }
    )
    items = agreement(model(), table)
    assert items["unknown_words"].tolist() == ["zebra", "herself", "hers"]
    assert items["target_unknown"].tolist() == [False, True, True]
    assert not items["correct"][1:].any()
    without = agreement(model(), table.drop(columns="target"))
    assert without["target_unknown"].tolist() == [False, True, True]
    assert without["target_logprob_good"].isna().all()


def test_equal_sentences_are_a_tie_and_wrong():
    lm, table = model(), pairs()
    table.loc[table.index[0], ["bad", "target"]] = [table["good"].iloc[0], -1]
    report = evaluate(lm, table)
    first, *others = report.items.itertuples()
    assert first.logprob_good == first.logprob_bad
    assert not first.correct
    assert [row.correct for row in others] == agreement(lm, pairs())["correct"].tolist()[1:]
    assert "1 pair has two equal sentences: a tie, which counts as wrong." in report.to_markdown()
    everything = evaluate(lm, table.assign(bad=table["good"], target=-1))
    assert everything.items["correct"].sum() == 0
    assert "pairs have two equal sentences" in everything.to_markdown()


def test_wrong_tables_are_refused():
    lm, table = model(), pairs()
    with pytest.raises(ValueError, match=r"'bad' is missing. Received: columns"):
        agreement(lm, table.drop(columns="bad"))
    with pytest.raises(ValueError, match="no pairs"):
        agreement(lm, table[:0])
    with pytest.raises(ValueError, match=r"Received: target=9"):
        agreement(lm, table.assign(target=9))
