"""The two questions about gates, answered with the numbers of this run."""

from typing import Any

import pandas as pd

from textgate.report._blocks import Heading, Section, Table, Text, plain
from textgate.report._findings import Findings, ModelFindings
from textgate.report._words import count, interval, known, number, percent, units
from textgate.report.sections._holding import held_gates
from textgate.report.sections._mechanisms import drivers, own_units
from textgate.report.status import found

FORGET = (
    "How does the forget gate decide what is discarded, when it sees only this word and the last "
    "output?"
)
_SEEDS = 5  # fewer say little about a kind of model
RESET = "What does the reset gate add, when 1 − z already forgets?"


def section(findings: Findings) -> Section:
    """Return the section."""
    blocks: list[Any] = [Heading(FORGET)]
    told = []
    for model in findings.models:
        told += _keeping(model)
        told += held_gates(model, "forget_gate")
    blocks += told or [Text("The gates were not measured in this run.", "note")]
    grus = [model for model in findings.models if model.config.get("cell") == "gru"]
    blocks.append(Heading(RESET))
    held = [block for model in grus for block in held_gates(model, "reset_gate")]
    if held:
        blocks += held
    elif grus:
        reason = grus[0].skipped.get("gates") or grus[0].skipped.get("mechanics")
        why = f": {plain(reason)}" if reason else "."
        blocks.append(Text(f"The gates of the GRU were not held in this run{why}", "note"))
    else:
        blocks.append(Text("There is no GRU in this run, and so no answer here.", "note"))
    blocks += _ladder(findings)
    return Section("answers", "Two questions about gates", tuple(blocks))


def _keeping(model: ModelFindings) -> list[Any]:
    table = model.table("retention")
    if table is None:
        return []
    own = found(model).units
    gate = model.gates[0]
    said = [
        f"**{model.title}.** The gate is not told what will be asked for later. It sees the word "
        "and "
        "the state, and training has set its weights so that, on such words in such states, some "
        "units keep and others don’t."
    ]
    rows = table.set_index(["units", "place"])["retention"]

    def value(group: str, place: str) -> float:
        return float(rows.get((group, place), float("nan")))

    if own and known(value("found", "between")):
        said.append(
            f"Between the antecedent and the pronoun, the {gate} of {units(own)} is "
            f"{number(value('found', 'between'))} on average, that of the other units "
            f"{number(value('other', 'between'))}; at the antecedent itself, where the gender "
            "comes in, "
            f"it is {number(value('found', 'antecedent'))}"
            + (
                f", and {number(value('found', 'after'))} at the words after the pronoun."
                if known(value("found", "after"))
                else "."
            )
        )
        between, others = value("found", "between"), value("other", "between")
        if between > others + 0.05:
            said.append(
                "So in this model the units that hold the gender are kept where the others are "
                "overwritten."
            )
        else:
            said.append(
                "So in this model the units that hold the gender are not kept any better than the "
                "others are; the gate is not what sets them apart."
            )
    elif known(value("other", "between")):
        said.append(
            f"Between the antecedent and the pronoun, the {gate} is "
            f"{number(value('other', 'between'))} on average over all units. Since no units are "
            "known "
            "to hold the gender, nothing sets some of them apart."
        )
    shares = model.table("driver_shares")
    if shares is not None:
        chosen = shares[shares["unit"].isin(own_units(model, shares))]
        input_ = pd.to_numeric(chosen["share_input"], errors="coerce")
        if input_.notna().any():
            mean = float(input_.mean())
            said.append(
                f"Of what moves this gate in {units([int(u) for u in chosen['unit']][:6])}, "
                f"{percent(mean)} comes from the word that is read and {percent(1 - mean)} from "
                "the "
                "state before it (parts of the variance; they can lie outside 0 to 100 % where the "
                "two work against each other)."
            )
    blocks: list[Any] = [Text(" ".join(said))]
    words = drivers(model)
    if words is not None:
        blocks.append(words)
    return blocks


def _ladder(findings: Findings) -> list[Any]:
    """Return what models in general do, where a table over seeds is there to quote."""
    table = findings.ladder
    one = len(findings.models) == 1
    if table is None or not {"rung", "seeds", "accuracy"} <= set(table) or not len(table):
        return [
            Text(
                f"These are answers about {'this model' if one else 'these models'}. What LSTMs "
                "and GRUs do in general takes several kinds of models and several seeds each: "
                "`textgate compare`.",
                "note",
            )
        ]
    few = int(table["seeds"].min()) < _SEEDS
    caution = " With so few seeds, it says little about kinds of models in general." if few else ""
    shown = pd.DataFrame(
        {
            "model": [str(rung).replace("_", " ") for rung in table["rung"]],
            "seeds": [count(seeds) for seeds in table["seeds"]],
            "right": [percent(accuracy) for accuracy in table["accuracy"]],
            "95 % over seeds": [
                interval(row.get("seed_low"), row.get("seed_high")) or "–"
                for _, row in table.iterrows()
            ],
            "bits a word": [number(row.get("bits")) for _, row in table.iterrows()],
        }
    )
    made = str(table["command"].iloc[0]) if "command" in table else "textgate compare"
    day = f", {plain(table['date'].iloc[0])}" if "date" in table else ""
    return [
        Text(
            "**Kinds of models, over seeds.** The answers above are about "
            f"{'one model' if one else f'{len(findings.models)} models'}. To say something about "
            "kinds of models, simpler and simpler ones were trained on data and budget in "
            f"common.{caution}"
        ),
        Table(shown, f"Agreement by kind of model (`{plain(made)}`{day})."),
    ]
