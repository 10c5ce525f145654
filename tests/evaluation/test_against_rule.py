"""The rule "the gender of the last gendered word", and a model beside it, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from textgate.datasets import minimal_pairs
from textgate.evaluation import (
    against_rule,
    evaluate,
    gendered_words,
    last_gendered_word,
)
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer

# prefix, right gender, the word that the rule goes by
CONTEXTS = [
    ("Mrs. Dale met the king . Later", "feminine", "king"),
    ("The girls had left the house and", "feminine", "girls"),
    ("“ I saw him , ” said Mary ;", "feminine", "him"),
    ("It rained , and", "masculine", ""),
    ("It rained , and Anna lost", "feminine", ""),
    ("She said that Mr. Hale cleared", "masculine", "Mr"),
    ("SHE lost", "feminine", "SHE"),
    ("He did not want to miss", "masculine", "He"),  # no title
    ("He knew that Miss Hale had lost", "feminine", "Miss"),
    ("The boy’s ex-wife and his twin sisters lost", "masculine", "sisters"),
    ("the woman's", "feminine", "woman"),
    ("She saw the mankind , a womanly sheriff and", "feminine", "She"),  # no parts of words
]


def contexts():
    table = pd.DataFrame(CONTEXTS, columns=["prefix", "good_class", "word"])
    return table.assign(note=range(len(table)))


def test_the_last_gendered_word_decides():
    found = last_gendered_word(contexts())
    assert found["rule_word"].tolist() == found["word"].tolist()
    feminine = {"girls", "SHE", "Miss", "sisters", "woman", "She"}
    answers = ["feminine" if word in feminine else "masculine" for word in found["word"]]
    assert found["rule_class"].tolist() == answers
    assert found["rule_correct"].tolist() == (found["good_class"] == answers).tolist()
    assert found["note"].tolist() == list(range(len(CONTEXTS)))
    assert found["rule_correct"].dtype == bool


def test_what_comes_after_the_prefix_is_not_read():
    row = contexts().head(1).assign(good="… the king . Later she", continuation="the queen")
    assert last_gendered_word(row)["rule_word"].tolist() == ["king"]


def test_the_words_are_the_lexicon_s():
    words = gendered_words()
    for word in ("actress", "actresses", "wife", "wives", "herself", "hers", "Mrs"):
        assert words[word] == "feminine"
    for word in ("actor", "men", "himself", "his", "Sir"):
        assert words[word] == "masculine"
    assert "doctor" not in words
    assert "twin" not in words
    assert "miss" not in words


def test_contexts_are_checked():
    with pytest.raises(ValueError, match="'good_class' is missing"):
        last_gendered_word(contexts()[["prefix"]])
    with pytest.raises(ValueError, match="Received: good_class='they'"):
        last_gendered_word(contexts().assign(good_class="they"))
    with pytest.raises(ValueError, match="'correct' is missing"):
        against_rule(contexts())
    with pytest.raises(ValueError, match="empty table"):
        against_rule(contexts().assign(correct=True).head(0))


def scored():
    rows = [
        # right gender, the model, the rule, distance, attractors, document
        ("feminine", True, True, 3, 0, "a"),
        ("feminine", True, False, 20, 0, "a"),
        ("feminine", False, False, 21, 0, "b"),
        ("masculine", True, True, 9, 1, "b"),
        ("masculine", True, False, 9, 4, "c"),
        ("masculine", False, True, np.nan, 0, "c"),
    ]
    names = ["good_class", "correct", "rule_correct", "distance", "attractors", "doc"]
    return pd.DataFrame(rows, columns=names).assign(prefix="x")


def test_groups_are_counted_by_hand():
    table = against_rule(scored(), resamples=200).set_index(["by", "group"])
    near = "within 20 words, no attractors"

    def said(by, group):
        row = table.loc[(by, group)]
        return int(row["items"]), row["accuracy"] * row["items"], row["rule"] * row["items"]

    assert said("all", "all") == pytest.approx((6, 4, 3))
    assert said("all", "feminine") == pytest.approx((3, 2, 1))
    assert said(near, "all") == pytest.approx((2, 2, 1))
    assert (near, "masculine") not in table.index
    assert said("with attractors", "masculine") == pytest.approx((2, 2, 1))
    assert ("with attractors", "feminine") not in table.index
    assert said("distance", "11-20") == (1, 1, 0)
    assert said("distance", "6-10") == (2, 2, 1)
    assert said("attractors", "2+") == (1, 1, 0)
    assert table["difference"].to_numpy() == pytest.approx(table["accuracy"] - table["rule"])
    assert (table["difference_low"] <= table["difference"]).all()
    assert (table["difference"] <= table["difference_high"]).all()


def many(right, rule, documents=40, each=10):
    random = np.random.default_rng(0)
    count = documents * each
    return pd.DataFrame(
        {
            "prefix": "x",
            "good_class": "feminine",
            "correct": right(random, count),
            "rule_correct": rule(random, count),
            "doc": np.repeat(np.arange(documents), each),
        }
    )


def test_the_difference_is_paired():
    """Where both fail on the same contexts, the difference is far surer than either accuracy."""
    hard = np.random.default_rng(1).random(400) < 0.5
    table = many(lambda r, n: ~hard, lambda r, n: ~hard & (r.random(n) > 0.04))
    row = against_rule(table).iloc[0]
    assert 0 < row["difference_low"] < row["difference"] < row["difference_high"] < 0.06
    assert row["high"] - row["low"] > 3 * (row["difference_high"] - row["difference_low"])


def test_documents_belong_together():
    """Contexts that are all alike within a document are as many as there are documents."""
    whole = np.repeat(np.random.default_rng(2).random(40) < 0.5, 10)
    table = many(lambda r, n: whole, lambda r, n: np.zeros(n, bool))
    row, loose = (against_rule(t).iloc[0] for t in (table, table.drop(columns="doc")))
    wide, narrow = (r["difference_high"] - r["difference_low"] for r in (row, loose))
    assert wide > 2 * narrow


def test_contexts_with_empty_cells_are_left_out_where_they_are_asked_for():
    table = scored().astype({"distance": object, "attractors": object})
    table.loc[0, "attractors"] = table.loc[1, "distance"] = ""
    table.loc[3, "distance"] = -4  # the antecedent follows
    found = against_rule(table, resamples=50).set_index(["by", "group"])["items"]
    assert found["all", "all"] == 6
    assert ("within 20 words, no attractors", "all") not in found.index
    assert found["with attractors", "all"] == 2
    assert found.loc["distance"].to_dict() == {"3-5": 1, "6-10": 1, "21-40": 1}
    assert found.loc["attractors"].to_dict() == {"0": 3, "1": 1, "2+": 1}


@pytest.mark.parametrize("contexts", [1, 2, 3])
def test_a_few_contexts_show_nothing(contexts):
    rows = many(lambda r, n: np.ones(n, bool), lambda r, n: np.zeros(n, bool), contexts, 1)
    row = against_rule(rows).iloc[0]
    assert row["difference"] == 1
    assert row["difference_low"] < 0


@pytest.mark.parametrize(("right", "rule", "difference"), [(1, 1, 0), (1, 0, 1), (0, 1, -1)])
def test_differences_that_are_all_alike_are_not_certain(right, rule, difference):
    table = many(lambda r, n: np.full(n, bool(right)), lambda r, n: np.full(n, bool(rule)))
    row = against_rule(table).iloc[0]
    low, high = row["difference_low"], row["difference_high"]
    assert -1 <= low <= difference <= high <= 1
    assert 0.05 < high - low < 0.25
    if difference == 0:
        assert low == -high


def test_a_report_of_contexts_has_the_rule_beside_the_model(tmp_path):
    file = tmp_path / "contexts.tsv"
    file.write_text(
        "doc\tpronoun\tgender\tprefix\tattractors\tnominal_tok_dist\n"
        "d\ther\tf\tShe fed\t0\t1\n"
        "d\ther\tf\tShe saw the king | and fed\t1\t6\n"
        "e\this\tm\tHe fed\t0\t1\n",
        encoding="utf-8",
    )
    pairs = minimal_pairs(file)
    lm = LanguageModel(WordTokenizer.train(["She fed her dog .", "He fed his"]), units=(3,), seed=0)
    report = evaluate(lm, pairs)
    assert report.items["rule_correct"].tolist() == [True, False, True]
    assert report.rule is not None
    assert report.rule["rule"].iloc[0] == pytest.approx(2 / 3)
    assert {path.name for path in report.to_csv(tmp_path / "out")} == {
        "items.csv", "summary.csv", "unknown.csv", "rule.csv"
    }  # fmt: skip
    written = pd.read_csv(tmp_path / "out" / "rule.csv")
    assert written["rule"].tolist() == pytest.approx(report.rule["rule"].tolist())
    text = report.to_markdown()
    assert "| with attractors | items | model |" in text
    assert "on document." in text
    tables = text.split("| all | items | model |")[1]
    assert "66.7 %" in tables
    # Pairs of sentences have no such rule.
    plain = pd.DataFrame({"good": ["She fed her dog ."], "bad": ["She fed his dog ."]})
    assert evaluate(lm, plain).rule is None
