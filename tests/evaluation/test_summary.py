"""Accuracies are counted by hand: the worst wrong class decides, and directions stand apart."""

import numpy as np
import pandas as pd
import pytest

from textgate.evaluation import agreement, evaluate, perplexity, pronouns, summary, worst
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

TEXTS = ["She fed her dog .", "He fed his cat .", "It ran ."]


def scored():
    """Three items against two wrong classes each; the model always prefers "her"."""
    rows = [
        # item, direction, good_class, bad_class, good, bad
        (0, "she→her", "feminine", "masculine", -1.0, -3.0),
        (0, "she→her", "feminine", "neuter", -1.0, -2.0),
        (1, "he→his", "masculine", "feminine", -3.0, -1.0),
        (1, "he→his", "masculine", "neuter", -3.0, -4.0),
        (2, "he→his", "masculine", "feminine", -1.0, -1.0),
        (2, "he→his", "masculine", "neuter", -1.0, -2.0),
    ]
    names = ["item", "direction", "good_class", "bad_class", "logprob_good", "logprob_bad"]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(
        correct=table["logprob_good"] > table["logprob_bad"],
        target_unknown=False,
        unknown_words="",
        distance=[2, 2, 7, 7, 50, 50],
        attractors=[0, 0, 3, 3, 1, 1],
        incongruent_attractors=[0, 0, 1, 1, 1, 1],
        template=["a", "a", "b", "b", "c", "c"],
    )


def cell(table, by, group):
    row = table[(table["by"] == by) & (table["group"] == group)]
    assert len(row) == 1
    return row.iloc[0]


def test_an_item_is_right_only_against_every_wrong_class():
    single = worst(scored())
    assert single["item"].tolist() == [0, 1, 2]
    assert single["correct"].tolist() == [True, False, False]
    assert single["margin"].tolist() == [1.0, -2.0, 0.0]
    assert single["bad_class"].tolist() == ["neuter", "feminine", "feminine"]
    doubled = pd.concat([scored(), scored().assign(item=lambda t: t["item"] + 3)])
    assert worst(doubled)["correct"].tolist() == [True, False, False] * 2


def test_groups_are_counted_by_hand():
    table = summary(scored(), resamples=50)
    assert cell(table, "all", "all")["accuracy"] == pytest.approx(1 / 3)
    assert cell(table, "direction", "she→her")["accuracy"] == 1.0
    assert cell(table, "direction", "he→his")["accuracy"] == 0.0
    assert cell(table, "direction", "he→his")["items"] == 2
    groups = {by: set(rows["group"]) for by, rows in table.groupby("by")}
    assert groups["distance"] == {"1-2", "6-10", "41-80"}
    assert groups["attractors"] == {"0", "1", "2+"}
    assert groups["incongruent attractors"] == {"0", "1"}
    assert groups["congruent attractors"] == {"0", "2+"}
    assert cell(table, "against", "masculine against feminine")["accuracy"] == 0.0
    assert cell(table, "against", "masculine against neuter")["accuracy"] == 1.0
    assert (table["low"] <= table["accuracy"]).all()
    assert (table["accuracy"] <= table["high"]).all()


def test_groupings_are_checked():
    with pytest.raises(ValueError, match="Received: 'weather'"):
        summary(scored(), by=["weather"])
    with pytest.raises(ValueError, match="needs the column 'form'"):
        summary(scored(), by=["form"])


def model():
    lm = LanguageModel(WordTokenizer.train([*TEXTS, "his his him"]), units=(4,), seed=0)
    random = np.random.default_rng(0)
    lm.set_weights([random.normal(size=w.shape) for w in lm.get_weights()])
    return lm


def next_probabilities(lm, ids):
    logits = np.asarray(lm(np.array([ids])), np.float64)[0]
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def test_pronouns_sums_the_forms():
    lm = model()
    contexts = pd.DataFrame(
        {
            "prefix": ["She fed", "It ran . He fed", "It"],
            "good_forms": [("she", "her", "herself"), ("his", "him"), ("hers",)],
            "bad_forms": [("his", "him"), ("her",), ("his",)],
        }
    )
    items = pronouns(lm, contexts)
    for row in range(2):
        ids = [2, *lm.tokenizer.encode(contexts["prefix"][row])]
        last = next_probabilities(lm, ids)[-1]
        for name in ("good", "bad"):
            forms = [f for f in contexts[f"{name}_forms"][row] if f in lm.tokenizer.vocabulary]
            known = lm.tokenizer.tokens_to_ids(forms)
            assert items[f"logprob_{name}"][row] == pytest.approx(np.log(last[known].sum()), 1e-4)
    assert items["correct"].tolist()[2] is False
    assert items["target_unknown"].tolist() == [False, False, True]
    assert "hers" in items["unknown_words"][2]
    flipped = pronouns(
        lm, contexts[:2].rename(columns={"good_forms": "bad_forms", "bad_forms": "good_forms"})
    )
    assert (flipped["correct"] != items["correct"][:2]).all()
    # Contexts are contexts for `agreement` too, even with a sentence for each gender beside them.
    both = contexts.assign(good="She fed her", bad="She fed his")
    pd.testing.assert_frame_equal(agreement(lm, both)[items.columns], items)


def test_perplexity_is_that_of_the_words_and_the_ends():
    lm = model()
    texts = [*TEXTS, "She fed his zebra .", ""]
    logs = []
    for text in texts[:-1]:
        ids = [2, *lm.tokenizer.encode(text), 3]
        probabilities = next_probabilities(lm, ids)
        logs += [np.log(probabilities[t - 1, ids[t]]) for t in range(1, len(ids))]
    found = perplexity(lm, iter(texts))
    assert found["words"] == len(logs)
    assert found["unknown"] == pytest.approx(1 / len(logs))
    assert found["perplexity"] == pytest.approx(np.exp(-np.mean(logs)), rel=1e-4)


def test_perplexity_of_running_text_carries_the_states():
    lm = model()
    texts = TEXTS * 3
    ids = [i for text in texts for i in (2, *lm.tokenizer.encode(text))]
    targets = [i for text in texts for i in (*lm.tokenizer.encode(text), 3)]
    probabilities = next_probabilities(lm, ids)
    logs = np.log(probabilities[np.arange(len(ids)), targets])
    found = perplexity(lm, texts, running=True)
    assert found["words"] == len(logs)
    assert found["loss"] == pytest.approx(-logs.mean(), rel=1e-4)
    with pytest.raises(ValueError, match="no words"):
        perplexity(lm, ["", " "])


def test_a_report_names_the_unknown_and_writes_tables(tmp_path):
    lm = model()
    pairs = pd.DataFrame(
        {
            "good": ["She fed her dog .", "He fed his | zebra"],
            "bad": ["She fed his dog .", "He fed her | zebra"],
            "direction": ["she→her", "he→his"],
        }
    )
    report = evaluate(lm, pairs, texts=TEXTS)
    assert report.unknown.to_dict() == {"zebra": 1, "|": 1}
    names = {path.name for path in report.to_csv(tmp_path / "tables")}
    assert names == {"items.csv", "summary.csv", "unknown.csv", "perplexity.csv"}
    assert len(pd.read_csv(tmp_path / "tables" / "items.csv")) == 2
    text = report.to_markdown("she and he")
    assert "zebra" in text
    assert "Perplexity" in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in tables}) == 1
