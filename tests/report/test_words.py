"""What the page says follows from the tables: found, not found, not learned, not measured."""

import re

import pandas as pd
import pytest

from textgate.report import Findings, ModelFindings, learned, read, render, three_lines, write
from textgate.report import _words as words
from textgate.report._blocks import Section, Text
from textgate.report._status import unit_claim
from textgate.report.sections import SECTIONS
from textgate.report.sections._short import headline

from . import made_up

pytestmark = pytest.mark.tensorflow_only


def text_of(findings):
    """The page's text, without scripts, styles and marks."""
    page = render(findings)
    page = re.sub(r"(?s)<(script|style).*?</\1>", " ", page)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)).replace("\xa0", " ")


def test_what_was_found_is_said():
    said = text_of(made_up.findings())
    assert "One unit of 6 (unit 3 of lstm’s cell state) decides it" in said
    assert "changes its pronoun in 97.0 % of new sentences" in said
    assert "Without units 3 and 5, agreement falls to 52.0 % at most" in said
    assert "The verdict is both." in said
    assert "A star marks the units" in said
    assert "the units that hold the gender are kept where the others are overwritten" in said


def test_what_was_not_found_is_said():
    said = text_of(made_up.findings(made_up.model(claim="neither")))
    assert "No small set of units that holds the gender was found" in said
    assert "nor a direction" in said
    assert "No unit is marked" in said
    assert "decides it" not in said
    assert "are kept where the others" not in said
    a_direction = made_up.model(finding=made_up.finding("neither", rank=1))
    assert "a direction over many units does" in headline(a_direction)


def test_two_sets_that_do_one_thing_each_are_named():
    said = headline(made_up.model(claim="each"))
    assert "**One unit of 6** (unit 3" in said
    assert "Without units 3 and 5, agreement falls to 52.0" in said


def test_only_units_that_carry_the_gender_are_starred():
    found = made_up.finding("each")
    assert unit_claim(made_up.model(finding=found)).units == (3, 5)
    model = made_up.model(finding=found | {"carriers": [3]})
    assert unit_claim(model).units == (3,)
    assert unit_claim(model).necessary == (3, 5)


def test_a_task_that_the_model_cant_do_is_no_credit():
    tables = made_up.unit_tables()
    ablated = tables["side_tasks"].assign(set="necessary", intervention="mean")
    tables["side_tasks"] = pd.concat([tables["side_tasks"], ablated]).assign(chance=0.5)
    said = headline(made_up.model(units=tables))
    assert "number agreement" in said
    tables["side_tasks"] = tables["side_tasks"].assign(chance=0.9)
    assert "number agreement" not in headline(made_up.model(units=tables))


def test_one_set_that_does_both_is_named_once():
    model = made_up.model(finding=made_up.finding("both") | {"both": [3]})
    said = headline(model)
    assert "The same unit is necessary: without it, agreement falls to 52.0" in said
    assert "units 3 and 5" not in said
    lines = three_lines(made_up.findings(model))
    assert "unit 3 sufficient and necessary, of 6" in lines[1]
    assert "without them 52.0" in lines[2]


@pytest.mark.parametrize("claim", ["sufficient", "necessary"])
def test_one_kind_of_claim_is_not_taken_for_the_other(claim):
    said = headline(made_up.model(claim=claim))
    stored_elsewhere = "It is enough, but not necessary: the gender is stored elsewhere"
    assert (stored_elsewhere in said) == (claim == "sufficient")
    assert ("No small set of units is enough" in said) == (claim == "necessary")
    assert ("Without units 3 and 5" in said) == (claim == "necessary")


def test_a_necessary_set_that_spares_the_rest_is_named():
    finding = made_up.finding("sufficient") | {"specific": [2, 3]}
    tables = made_up.unit_tables()
    necessary = tables["interventions"][tables["interventions"]["set"] == "necessary"]
    specific = necessary.assign(set="specific", accuracy=0.49)
    tables["interventions"] = pd.concat([tables["interventions"], specific])
    said = headline(made_up.model(finding=finding, units=tables))
    assert "It is enough, but not necessary. Without units 2 and 3, agreement falls to 49.0" in said
    assert "elsewhere" not in said


def test_a_model_that_has_not_learned_is_no_finding():
    unknowing = made_up.model(
        feminine=0.51,
        masculine=0.93,
        finding=made_up.finding("neither"),
        units=made_up.unit_tables(tried=False),
        mechanics={},
    )
    assert learned(unknowing).level == "not"
    assert unit_claim(unknowing).kind == "unknowing"
    said = text_of(made_up.findings(unknowing))
    assert "It has not learned the agreement" in said
    assert "does not agree well enough for asking" in said
    assert "decides it" not in said
    assert "No unit is marked" in said
    assert "not learned" in three_lines(made_up.findings(unknowing))[0]


def test_levels_go_by_the_worse_direction_and_its_interval():
    assert learned(made_up.model()).level == "well"
    assert learned(made_up.model(feminine=0.8)).level == "partly"
    assert learned(made_up.model(feminine=0.52)).level == "not"  # its interval reaches a half
    assert learned(ModelFindings("m")).level == "unknown"


def test_missing_parts_are_named_as_missing():
    bare = ModelFindings("lstm", config={"cell": "lstm"}, skipped={"units": "no pairs were given"})
    said = text_of(Findings((bare,)))
    for part in (
        "Agreement was not measured",
        "No sentences were traced",
        "Units were not looked for in this model: no pairs were given",
        "The mechanics of this model were not measured",
        "The gates were not measured",
        "There is no GRU in this run",
    ):
        assert part in said
    assert "%" not in text_of(Findings((bare,))).split("Methods, and how")[0].split("In short")[1]


def test_it_speaks_of_models_in_general_only_with_seeds():
    without = text_of(made_up.findings())
    assert "What LSTMs and GRUs do in general takes several kinds" in without
    row = {"rung": "lstm_coupled", "seeds": 5, "accuracy": 0.95, "seed_low": 0.9, "seed_high": 1.0,
           "bits": 4.5, "command": "textgate compare there", "date": "2020-01-01"}  # fmt: skip
    with_seeds = text_of(Findings((made_up.model(),), ladder=pd.DataFrame([row])))
    assert "lstm coupled595.0 %90.0–100.04.50" in with_seeds
    assert "textgate compare there, 2020-01-01" in with_seeds
    assert "With so few seeds" not in with_seeds
    few = text_of(Findings((made_up.model(),), ladder=pd.DataFrame([row | {"seeds": 2}])))
    assert "With so few seeds" in few


def test_a_section_is_a_function_and_a_line(monkeypatch):
    def section(findings):
        return Section("What *else*", (Text(f"{len(findings.models)} <models>"),))

    monkeypatch.setitem(SECTIONS, "else", section)
    page = render(made_up.findings())
    assert re.findall(r'<section id="([a-z]+)">', page) == list(SECTIONS)
    end = page[page.index('<section id="else">') :]
    assert "<h2>What <em>else</em></h2>" in end
    assert '<p class="plain">1 &lt;models&gt;</p>' in end


def test_tables_lie_beside_it(tmp_path):
    path = write(made_up.findings(), tmp_path)
    assert path == tmp_path / "report.html"
    table = pd.read_csv(tmp_path / "tables" / "lstm" / "units-interventions.csv")
    assert len(table) == len(made_up.unit_tables()["interventions"])
    assert (tmp_path / "tables" / "lstm" / "agreement-pronoun_agreement-test.csv").is_file()
    assert not list(tmp_path.rglob("*.partial"))
    assert path.stat().st_size < 12_000_000


def test_what_is_not_there_is_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such directory"):
        read(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="no run to report on"):
        read(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such directory"):
        write(made_up.findings(), tmp_path / "nothing")
    with pytest.raises(ValueError, match="one model at least"):
        Findings(())
    run = tmp_path / "lstm"
    run.mkdir()
    (run / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"Received: .*config\.json"):
        read(tmp_path)


def test_numbers_as_words():
    assert words.percent(0.99961) == "99.96\xa0%"
    assert words.percent(-0.021) == "−2.1\xa0%"
    assert words.number(-0.001) == "0.00"
    assert words.number(float("inf")) == "∞"
    assert words.listed(["a"]) == "a"
    assert words.counted(13, "unit") == "13 units"


@pytest.mark.parametrize(
    ("cell", "gate", "equation"),
    [
        ("gru_reset_1", "update gate z", "h = z ⊙ h′ + (1 − z) ⊙ ĥ"),
        ("lstm_coupled", "forget gate f", "c = f ⊙ c′ + i ⊙ g"),
    ],
)
def test_a_variant_of_a_cell_speaks_of_its_own_gates(cell, gate, equation):
    page = text_of(made_up.findings(made_up.model(cell)))
    assert f"the {gate} of unit" in page
    assert f"Words at which the {gate} of these units" in page
    assert equation in page
    assert f"Saturation of the {gate[:-2]}" in page
    assert ("There is no GRU in this run" in page) == (cell == "lstm_coupled")
    other = {"update gate z": "forget gate f"}.get(gate, "update gate z")
    assert other not in page


# -- a model of text -----------------------------------------------------------------------------


def contexts(feminine=0.8, masculine=0.95):
    """Accuracy on contexts of text, as a summary has it: classes, and no "against"."""
    table = made_up.agreement(feminine, masculine)
    names = {"feminine against masculine": "feminine", "masculine against feminine": "masculine"}
    return table.assign(
        by=table["by"].replace({"against": "class", "incongruent attractors": "attractors"}),
        group=table["group"].replace(names),
    )


def against(difference, spread=0.02):
    """A model beside the rule: everywhere the same difference, more certain or less."""
    near = "within 20 words, no attractors"
    places = [(by, side) for by in ("all", near, "with attractors")
              for side in ("all", "feminine", "masculine")]  # fmt: skip
    places += [("distance", "1-2"), ("distance", "3-5"), ("attractors", "0"), ("attractors", "1")]
    return pd.DataFrame(
        [
            {"by": by, "group": group, "items": 300, "accuracy": 0.8 + difference, "low": 0.7,
             "high": 0.95, "rule": 0.8, "rule_low": 0.75, "rule_high": 0.85,
             "difference": difference, "difference_low": difference - spread,
             "difference_high": difference + spread}
            for by, group in places
        ]
    )  # fmt: skip


def of_text(difference=0.06, **changes):
    generated = made_up.agreement(0.3, 0.95)
    parts = {
        "config": {"cell": "lstm", "units": [6], "data": "novels.txt", "running": True},
        "agreement": {"given": contexts(), "pronoun_agreement-test": generated},
        "rule": {"given": against(difference)},
        "perplexity": pd.Series({"words": 1000, "unknown": 0.03, "loss": 4.5, "perplexity": 90}),
    }  # fmt: skip
    return made_up.model(**(parts | changes))


@pytest.mark.parametrize(
    ("difference", "said"),
    [(0.06, "beats"), (-0.06, "loses to"), (0.01, "is not surely better than")],
)
def test_the_rule_stands_beside_a_model_of_text(difference, said):
    model = of_text(difference)
    findings = made_up.findings(model)
    page = text_of(findings)
    sign = "+" if difference > 0 else "−"
    points = f"{sign}{100 * abs(difference):.1f} points"
    assert f"So it {said} the rule" in page
    assert page.count(points) >= 2
    model_ = f"{100 * (0.8 + difference):.1f} % (70.0–95.0)"
    assert f"the rule is right in 80.0 % (75.0–85.0), the LSTM in {model_}" in page
    assert f"it {said} the rule “the gender of the last gendered word”" in headline(model)
    assert f"{said} the rule (80.0" in three_lines(findings)[0]
    assert "Where other people stand between (300 contexts)" in page
    assert "20 words of its antecedent and with nobody else between" in page


def test_a_rule_beaten_in_one_direction_alone_is_said():
    table = against(0.06)
    she = (table["by"] == "all") & (table["group"] == "feminine")
    table.loc[she, ["difference", "difference_low", "difference_high"]] = [0.0, -0.02, 0.02]
    model = of_text(rule={"given": table})
    assert "but it is not surely better than it where *she* is right" in headline(model)
    assert "; but" not in headline(of_text())
    page = text_of(made_up.findings(model))
    assert "0.0 points (−2.0 to +2.0) where she is right; +6.0 points" in page


def test_a_model_of_text_is_not_judged_by_generated_sentences():
    model = of_text()
    assert learned(model).pairs == "given"
    page = text_of(made_up.findings(model))
    assert "where she or her follows" in page
    assert "90.0 a word" in page
    assert "So where it is unsure, it says he." in page
    assert "generated sentences" in page
    for wrong in ("held-out sentences", "farther than in training", "held-out items", "held-out"
                  " cases"):  # fmt: skip
        assert wrong not in page
    # A model of generated sentences has none of this.
    other = text_of(made_up.findings())
    for wrong in ("last gendered word", "The model was not trained on these", "contexts of text"):
        assert wrong not in other
        assert wrong in page


def test_which_sentences_a_model_of_text_was_asked_is_said():
    row = {"sentences": 4000, "known": 1500, "right": 1200, "both": 900}
    for chosen, said in ((True, "Only these are used"), (False, "gets only 900 right on both")):
        asked = pd.DataFrame([row | {"chosen": chosen}])
        page = text_of(made_up.findings(of_text(units=made_up.unit_tables() | {"asked": asked})))
        assert said in page
        assert "of 4,000, it knows the deciding words of 1,500" in page


def default(none, asymmetry, spread=0.2):
    return pd.DataFrame(
        {"cue": ["none", "feminine", "masculine"], "masculine": [none, 0.2, 0.9],
         "low": [none - 0.05, 0.1, 0.85], "high": [none + 0.05, 0.3, 0.95],
         "moved_feminine": 2.0, "moved_masculine": 2.0 - asymmetry, "asymmetry": asymmetry,
         "asymmetry_low": asymmetry - spread, "asymmetry_high": asymmetry + spread}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("none", "asymmetry", "said"),
    [
        (0.8, 1.0, "So he is its default"),
        (0.8, 0.1, "Its default is not clearly he"),
        (0.52, 1.0, "Its default is not clearly he"),
        (0.2, -1.0, "So she is its default"),
    ],
)
def test_the_default_is_claimed_only_with_its_intervals(none, asymmetry, said):
    page = text_of(made_up.findings(of_text(default=default(none, asymmetry))))
    assert said in page
    assert f"{100 * none:.1f} % ({100 * none - 5:.1f}–{100 * none + 5:.1f})" in page
    plain = default(none, asymmetry)[["cue", "masculine", "low", "high"]]
    assert "Is he the default?" in text_of(made_up.findings(of_text(default=plain)))


def test_holding_gates_of_a_model_that_fails_shows_nothing():
    rows = [("none", 0, "none", "as trained", 0.6), ("all", 6, "forget_gate", "1", 0.6)]
    table = pd.DataFrame(rows, columns=["units", "n_units", "gate", "held", "accuracy"]).assign(
        by="all", low=0.5, high=0.7, other_bits_change=0.0
    )
    page = text_of(made_up.findings(made_up.model(mechanics={"held_gates": table})))
    assert "too seldom there to conclude" in page
    assert "does not need" not in page


@pytest.mark.parametrize(
    ("of_mean", "said", "not_said"),
    [
        # Lower by five points, which 150 items can't tell from nothing.
        ((0.95, 0.88, 0.99), "is not shown to need the forget gate to choose", "needs the forget"),
        ((0.80, 0.72, 0.86), "needs the forget gate to choose", "is not shown"),
    ],
)
def test_a_gate_chooses_only_beyond_the_intervals(of_mean, said, not_said):
    rows = [
        ("none", 0, "none", "as trained", 1.0, 0.94, 1.0),
        ("all", 6, "forget_gate", "0", 0.53, 0.4, 0.67),
        ("all", 6, "forget_gate", "mean", *of_mean),
    ]
    columns = ["units", "n_units", "gate", "held", "accuracy", "low", "high"]
    table = pd.DataFrame(rows, columns=columns).assign(by="all", other_bits_change=0.0)
    page = text_of(made_up.findings(made_up.model(mechanics={"held_gates": table})))
    assert said in page
    assert not_said not in page
    table.loc[1:, ["accuracy", "low", "high"]] = (0.99, 0.93, 1.0)
    page = text_of(made_up.findings(made_up.model(mechanics={"held_gates": table})))
    assert "is not shown to need the forget gate: wherever it is held" in page


def test_what_rounding_leaves_is_written_as_nothing(tmp_path):
    tables = made_up.unit_tables()
    dust = tables["side_tasks"].assign(lost=-2e-15)
    write(made_up.findings(made_up.model(units=tables | {"side_tasks": dust})), tmp_path)
    written = pd.read_csv(tmp_path / "tables" / "lstm" / "units-side_tasks.csv")
    assert written["lost"].tolist() == [0.0]
    assert "-0" not in (tmp_path / "tables" / "lstm" / "units-side_tasks.csv").read_text()


def test_what_is_not_known_has_no_row_in_the_methods():
    named = made_up.model()
    config = {k: v for k, v in named.config.items() if k != "parameters"}
    with_, without = (
        re.search(r"(?s)Settings and versions.*?</table>", render(made_up.findings(m)))[0]
        for m in (named, made_up.model(config=config))
    )
    assert "<td>weights</td><td>1,234</td>" in with_
    assert "<td>weights</td>" not in without
    assert "<td></td></tr>" not in without
