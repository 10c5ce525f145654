"""The two questions about gates, answered with the numbers of this run."""

from collections.abc import Mapping

import pandas as pd

from textgate.report._blocks import Block, Heading, Section, Table, Text, plain
from textgate.report._findings import Findings, ModelFindings
from textgate.report._status import unit_claim, why_missing
from textgate.report._words import count, interval, is_number, number, percent, units
from textgate.report.sections._held_gates import held_gates
from textgate.report.sections._mechanisms import drivers, own_units

FORGET = (
    "How does the forget gate decide what is discarded, when it sees only this word and the last "
    "output?"
)
_SEEDS = 5  # fewer say little about a kind of model
RESET = "What does the reset gate add, when 1 − z already forgets?"


def section(findings: Findings) -> Section:
    """Return the section."""
    forgetting: list[Block] = []
    for model in findings.models:
        forgetting += [*_keeping(model), *held_gates(model, "forget_gate")]
    blocks = [
        Heading(FORGET),
        *(forgetting or [Text("The gates were not measured in this run.", "note")]),
        Heading(RESET),
        *_resetting(findings),
        *_ladder(findings),
    ]
    return Section("Two questions about gates", tuple(blocks))


def _resetting(findings: Findings) -> list[Block]:
    """Say what the reset gate does, in models that have one."""
    models = [model for model in findings.models if "reset_gate" in model.kind.gates]
    if not models:
        return [Text("There is no GRU in this run, and so no answer here.", "note")]
    held = [block for model in models for block in held_gates(model, "reset_gate")]
    why = why_missing(models[0], "gates", "mechanics")
    return held or [Text(f"The gates of the GRU were not held in this run{why}", "note")]


def _keeping(model: ModelFindings) -> list[Block]:
    """Say when the gate that keeps is open, and what opens it."""
    table = model.table("retention")
    if table is None:
        return []
    retention = {
        (row["units"], row["place"]): float(row["retention"]) for _, row in table.iterrows()
    }
    sentences = [
        f"**{model.title}.** The gate is not told what will be asked for later. It sees the word "
        "and the state, and training has set its weights so that, on such words in such states, "
        "some units keep and others don’t.",
        _where_it_keeps(model, retention),
        _what_moves_it(model),
    ]
    words = drivers(model)
    return [Text(" ".join(filter(None, sentences))), *([words] if words is not None else [])]


def _where_it_keeps(model: ModelFindings, retention: Mapping[tuple[str, str], float]) -> str:
    own = unit_claim(model).units
    others = retention.get(("other", "between"))
    between = retention.get(("found", "between"))
    after = retention.get(("found", "after"))
    if own and is_number(between):
        assert between is not None
        text = (
            f"Between the antecedent and the pronoun, the {model.keeping_gate} of {units(own)} is "
            f"{number(between)} on average, that of the other units {number(others)}; at the "
            "antecedent itself, where the gender comes in, it is "
            f"{number(retention.get(('found', 'antecedent')))}"
        )
        text += (
            f", and {number(after)} at the words after the pronoun. " if is_number(after) else ". "
        )
        if others is not None and between > others + 0.05:
            return text + (
                "So in this model the units that hold the gender are kept where the others are "
                "overwritten."
            )
        return text + (
            "So in this model the units that hold the gender are not kept any better than the "
            "others are; the gate is not what sets them apart."
        )
    if is_number(others):
        return (
            f"Between the antecedent and the pronoun, the {model.keeping_gate} is {number(others)} "
            "on average over all units. Since no units are known to hold the gender, nothing sets "
            "some of them apart."
        )
    return ""


def _what_moves_it(model: ModelFindings) -> str:
    shares = model.table("driver_shares")
    if shares is None:
        return ""
    chosen = shares[shares["unit"].isin(own_units(model, shares))]
    from_input = pd.to_numeric(chosen["share_input"], errors="coerce")
    if not from_input.notna().any():
        return ""
    mean = float(from_input.mean())
    return (
        f"Of what moves this gate in {units([int(u) for u in chosen['unit']][:6])}, "
        f"{percent(mean)} comes from the word that is read and {percent(1 - mean)} from the state "
        "before it (parts of the variance; they can lie outside 0 to 100 % where the two work "
        "against each other)."
    )


def _ladder(findings: Findings) -> list[Block]:
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
    command = str(table["command"].iloc[0]) if "command" in table else "textgate compare"
    day = f", {plain(table['date'].iloc[0])}" if "date" in table else ""
    return [
        Text(
            "**Kinds of models, over seeds.** The answers above are about "
            f"{'one model' if one else f'{len(findings.models)} models'}. To say something about "
            "kinds of models, simpler and simpler ones were trained on data and budget in "
            f"common.{caution}"
        ),
        Table(shown, f"Agreement by kind of model (`{plain(command)}`{day})."),
    ]
