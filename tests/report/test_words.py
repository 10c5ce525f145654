"""What the page says follows from the tables: found, not found, not learned, not measured."""

import re

import pandas as pd
import pytest

from textgate.report import Findings, ModelFindings, read, render, words, write
from textgate.report.opening import headline, three_lines
from textgate.report.status import found, learned

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


@pytest.mark.parametrize("claim", ["sufficient", "necessary"])
def test_one_kind_of_claim_is_not_taken_for_the_other(claim):
    said = headline(made_up.model(claim=claim))
    assert ("are enough, but not necessary" in said) == (claim == "sufficient")
    assert ("No small set of units is enough" in said) == (claim == "necessary")
    assert ("Without units 3 and 5" in said) == (claim == "necessary")


def test_a_model_that_has_not_learned_is_no_finding():
    unknowing = made_up.model(
        feminine=0.51,
        masculine=0.93,
        finding=made_up.finding("neither"),
        units=made_up.unit_tables(tried=False),
        mechanics={},
    )
    assert learned(unknowing).level == "not"
    assert found(unknowing).kind == "unknowing"
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


def test_tables_lie_beside_it(tmp_path):
    path = write(made_up.findings(), tmp_path)
    assert path == tmp_path / "report.html"
    table = pd.read_csv(tmp_path / "tables" / "lstm" / "units-interventions.csv")
    assert len(table) == len(made_up.unit_tables()["interventions"])
    assert (tmp_path / "tables" / "lstm" / "agreement-pronoun_agreement-test.csv").is_file()
    assert not list(tmp_path.rglob("*.part"))
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
