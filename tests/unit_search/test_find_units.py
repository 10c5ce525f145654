"""Law 6: what was planted is found, as what it was planted as, and nothing else is."""

import json

import numpy as np
import pytest

from tests.unit_search.planted import pairs, planted
from textgate.unit_search import Goals, find_units

pytestmark = pytest.mark.tensorflow_only

UNITS = 12
FEW = {"side_tasks": {}, "texts": [], "controls": 20}


@pytest.fixture(scope="module")
def table():
    return pairs()


@pytest.fixture(scope="module", params=["lstm", "gru"])
def one(request, table):
    """A model with one unit of gender, at an index drawn at random, and what was found."""
    unit = int(np.random.default_rng(list(request.param.encode())).integers(UNITS))
    lm = planted(request.param, UNITS, {unit: 1.0})
    texts = ["woman1 verb2 her dog", "man3 verb4 his dog"] * 3
    return unit, lm, find_units(lm, table, seed=1, **{**FEW, "texts": texts})


def both(found, label, intervention, column):
    rows = found.tables["interventions"]
    rows = rows[(rows["set"] == label) & (rows["intervention"] == intervention)]
    return rows.loc[rows["direction"] == "both", column].item()


@pytest.mark.law(6)
def test_one_unit_is_found_and_no_other(one):
    unit, _, found = one
    assert found.sufficient == found.necessary == (unit,)
    assert found.alternatives == ()
    assert found.claim == "both"
    assert f"Unit {unit} of {found.layer}'s " in found.verdict
    assert "is sufficient and necessary for gender" in found.verdict


@pytest.mark.law(6)
def test_ablating_it_brings_agreement_to_chance_and_ablating_any_other_changes_nothing(one):
    unit, _, found = one
    # Nothing but the unit tells the words apart: without it they are as likely as each other.
    assert abs(both(found, "sufficient", "zero", "logit_difference")) < 1e-4
    assert abs(both(found, "sufficient", "mean", "logit_difference")) < 1e-4
    assert both(found, "sufficient", "resample", "accuracy") == pytest.approx(0.5, abs=0.15)
    each = found.tables["units"].set_index("unit")
    lost = each[[c for c in each if c.startswith("lost ")]]
    assert lost.loc[unit, "lost zero"] == pytest.approx(1.0, abs=1e-4)
    np.testing.assert_allclose(lost.drop(index=unit), 0, atol=1e-5)
    kept = each.drop(index=unit)[[c for c in each if c.startswith("accuracy ")]]
    assert (kept == 1).all(axis=None)
    assert each.loc[unit, "p_adjusted"] < 0.01
    assert (each.drop(index=unit)["p_adjusted"] > 0.05).all()


def test_the_rest_neither_flips_the_answer_nor_gives_it(one):
    _, _, found = one
    assert both(found, "sufficient", "interchange", "flipped") == 1
    assert both(found, "sufficient", "interchange others", "flipped") == 0
    assert both(found, "sufficient", "zero others", "accuracy") == 1
    assert (found.tables["controls"]["control_largest"] <= 0.05).all()
    assert (found.tables["untrained"]["flipped_of_all"] < 0.9).all()


@pytest.mark.law(8)
def test_same_seed_same_tables(one, table):
    _, lm, found = one
    again = find_units(lm, table, seed=1, **FEW)
    for name in set(found.tables) - {"perplexity"}:
        assert again.tables[name].equals(found.tables[name]), name


def test_files_hold_all_tables_and_html_is_escaped(one, tmp_path):
    _, _, found = one
    paths = found.to_csv(tmp_path / "tables")
    assert {p.stem for p in paths} == {*found.tables, "finding"}
    known = json.loads((tmp_path / "tables" / "finding.json").read_text(encoding="utf-8"))
    assert known["sufficient"] == list(found.sufficient)
    assert known["versions"]["model"]
    found.tables["split"].loc[2, "half"] = "<script>alert(1)</script>"
    page = found.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page
    assert found.verdict in page.replace("&#x27;", "'")
    assert str(found.seed) in found.summary()


def test_perplexity_without_the_unit_is_worse_for_the_pronouns_only(one):
    _, _, found = one
    text = found.tables["perplexity"].set_index(["set", "intervention"])
    clean = text.loc[("none", "none")]
    ablated = text.loc[("sufficient", "zero")]
    assert ablated["perplexity"] > 1.05 * clean["perplexity"]
    assert ablated["perplexity_others"] < 1.02 * clean["perplexity_others"]


@pytest.mark.law(6)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_planted_redundantly_in_k_units_it_reports_k(cell, table):
    holds = {2: 1.0, 7: -1.0, 11: 1.0}
    found = find_units(planted(cell, UNITS, holds), table, seed=3, **FEW)
    assert found.necessary == found.carriers.sorted() == (2, 7, 11)
    # Two of the three outvote the third, but without them it does the job alone.
    assert len(found.sufficient) == 2
    assert set(found.sufficient) < set(holds)
    assert both(found, "sufficient", "zero", "accuracy") == 1
    significant = found.tables["units"].query("p_adjusted < 0.05")["unit"]
    assert set(significant) == set(holds)
    assert "Units 2, 7 and 11" in found.verdict
    assert "not necessary" in found.verdict


@pytest.mark.law(6)
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_planted_as_a_direction_there_is_no_small_set(cell, table):
    holds = {u: 0.3 if u % 3 else -0.3 for u in range(UNITS)}
    found = find_units(planted(cell, UNITS, holds), table, seed=4, **FEW)
    assert found.sufficient == found.necessary == found.alternatives == ()
    assert found.claim == "neither"
    assert found.verdict.startswith("No small set found")
    assert found.direction_rank == 1
    assert "A direction does it" in found.verdict
    assert found.tables["direction"]["spread"].iloc[0] > UNITS / 2


def test_a_model_without_gender_is_told_so(table):
    found = find_units(planted("gru", UNITS, {}), table, seed=0, **FEW)
    assert found.claim == "absent"
    assert "doesn't agree in gender" in found.verdict


def test_two_sets_that_would_do_are_both_listed(table):
    # Each unit alone outweighs all else; interchanging either flips the answer to a tie or beyond.
    lm = planted("lstm", UNITS, {5: 1.0, 10: 0.9})
    found = find_units(lm, table, seed=5, goals=Goals(flipped=0.9, accuracy=0.6), **FEW)
    assert found.sufficient == (5,)
    assert found.necessary == (5, 10)
    assert both(found, "sufficient", "zero", "accuracy") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"items": 10}, "`items` must be at least 40"),
        ({"controls": 9}, "`controls` must be at least 19"),
        ({"layer": "nowhere"}, "no such recurrent layer.*Received: 'nowhere'"),
        ({"signal": "cell_state"}, "Received: signal='cell_state'"),
        ({"pairs": None, "feature": "mood"}, "give your own as `pairs`"),
    ],
)
def test_what_a_user_can_get_wrong(change, message, table):
    lm = planted("gru", UNITS, {1: 1.0})
    with pytest.raises(ValueError, match=message):
        find_units(lm, **{"pairs": table, **FEW, **change})


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        ("number", "no pair does.*: they are about gender. Received: feature='number'"),
        ("mood", "no claim can be made about 'mood': the pairs are about gender"),
    ],
)
def test_no_claim_about_what_the_pairs_are_not_about(feature, message, table):
    with pytest.raises(ValueError, match=message):
        find_units(planted("gru", UNITS, {1: 1.0}), table, feature=feature, **FEW)


def test_too_few_items_and_other_models_are_refused(table):
    with pytest.raises(ValueError, match="needs at least 20 items of each class"):
        find_units(planted("gru", UNITS, {1: 1.0}), table.head(60), **FEW)
    with pytest.raises(TypeError, match="Received: str"):
        find_units("runs/lstm", table)


def test_a_task_that_the_model_cant_do_costs_nothing_and_shows_nothing(table):
    coin = table.copy()
    swapped = np.arange(len(coin)) // 2 % 2 == 0
    coin.loc[swapped, ["good", "bad"]] = coin.loc[swapped, ["bad", "good"]].to_numpy()
    found = find_units(
        planted("gru", UNITS, {5: 1.0}), table, **{**FEW, "side_tasks": {"a coin": coin}}
    )
    assert found.both == found.carriers == (5,)
    assert found.tables["side_tasks"]["chance"].eq(0.5).all()
    assert "%, chance 50 %), so it shows nothing" in found.verdict


def test_a_task_that_needs_the_same_unit_is_seen_to_suffer(table):
    lm = planted("gru", UNITS, {5: 1.0})
    found = find_units(lm, table, **{**FEW, "side_tasks": {"the same": table}})
    assert found.sufficient == found.necessary == (5,)
    assert found.specific == ()
    assert "The same suffers: it loses 100.0 points at most" in found.verdict
    rows = found.tables["side_tasks"].query("set == 'necessary' and group == 'all'")
    assert (rows["lost"] > 30).all()
    assert (rows["random_lost"].abs() < 1e-9).all()
