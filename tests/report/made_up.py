"""Findings that nobody found: a tiny random model's traces with tables made up around them."""

import functools
import itertools

import pandas as pd

import textgate as tg
from textgate.report import Findings, ModelFindings

SENTENCES = [
    ("She came out and lost her way .", "He came out and lost his way .", 6, "her", "his"),
    ("The girl hurt herself .", "The boy hurt himself .", 4, "herself", "himself"),
    (
        "<script>alert(1)</script> She lost her way .",
        "*a* `b` x 1 ) c d e f He lost his way .",
        0,
        "her",
        "his",
    ),
]
UNITS = 6
SIDES = ("feminine→masculine", "masculine→feminine")


@functools.cache
def traced(cell="lstm"):
    """The sentences' table and their trace by a random model."""
    texts = [text for text, *_ in SENTENCES]
    twins = [twin for _, twin, *_ in SENTENCES]
    tokenizer = tg.tokenizers.WordTokenizer.train([*texts, *twins])
    lm = tg.models.LanguageModel(tokenizer, cell=cell, units=(UNITS,), seed=0)
    rows = pd.DataFrame(SENTENCES, columns=["text", "twin", "target", "good", "bad"])
    rows["target"] = [
        lm.tokens([t])[0].tolist().index(g) for t, g in zip(texts, rows["good"], strict=True)
    ]
    rows["group"] = ["short", "short", "strange"]
    rows["p_good"], rows["p_twin"], rows["p_exchanged"] = 0.9, 0.8, [0.1, 0.2, 0.3]
    return rows, tg.trace(lm, [*texts, *twins])


def agreement(feminine=0.99, masculine=0.98):
    def row(by, group, accuracy):
        low, high = max(0.0, accuracy - 0.03), min(1.0, accuracy + 0.01)
        return {"by": by, "group": group, "items": 400, "accuracy": accuracy, "low": low,
                "high": high, "margin": 2.0, "unknown": 0}  # fmt: skip

    return pd.DataFrame(
        [
            row("all", "all", (feminine + masculine) / 2),
            row("direction", "she→her", feminine),
            row("direction", "he→his", masculine),
            row("distance", "1-2", feminine),
            row("distance", "3-5", masculine),
            row("incongruent attractors", "0", feminine),
            row("incongruent attractors", "1", masculine),
            row("against", "feminine against masculine", feminine),
            row("against", "masculine against feminine", masculine),
        ]
    )


def finding(claim, sufficient=(3,), necessary=(3, 5), rank=0):
    sufficient = sufficient if claim in ("both", "each", "sufficient") else ()
    necessary = necessary if claim in ("both", "each", "necessary") else ()
    return {"feature": "gender", "layer": "lstm", "signal": "cell_state", "cell": "lstm",
            "units": UNITS, "sufficient": list(sufficient), "necessary": list(necessary),
            "alternatives": [], "direction_rank": rank, "claim": claim, "seed": 0,
            "both": list(necessary) if claim == "both" else [],
            "verdict": f"The verdict is {claim}."}  # fmt: skip


def unit_tables(tried=True):
    def rows(name, kind, accuracy, flipped, units):
        sides = (*SIDES, "both")
        return [
            {"set": name, "size": len(units.split()), "units": units, "intervention": kind,
             "direction": side, "items": 100, "accuracy": accuracy, "accuracy_low": accuracy - 0.02,
             "accuracy_high": min(1, accuracy + 0.02), "eligible": 98, "flipped": flipped,
             "flipped_low": flipped, "flipped_high": flipped}
            for side in sides
        ]  # fmt: skip

    clean = rows("none", "none", 0.98, float("nan"), "")
    tables = {
        "split": pd.DataFrame(
            {"half": ["discovery", "confirmation", "left out"], "used": [100, 90, 0]}
        )
    }
    if not tried:
        return tables | {"interventions": pd.DataFrame(clean)}
    made = [clean]
    for name, units in (("sufficient", "3"), ("necessary", "3 5")):
        made.append(rows(name, "interchange", 0.02, 0.97, units))
        made.append(rows(name, "interchange others", 0.9, 0.05, units))
        made += [rows(name, kind, 0.52, 0.48, units) for kind in ("zero", "mean", "resample")]
    controls = [
        {"set": name, "intervention": kind, "control": control, "sets": 100, "value": 0.9,
         "control_mean": 0.01, "control_largest": 0.03}
        for name, kind, control in itertools.product(
            ("sufficient", "necessary"), ("interchange", "zero", "mean", "resample"),
            ("random", "norm-matched"))
    ]  # fmt: skip
    units = pd.DataFrame({"unit": range(UNITS), "rank": range(UNITS), "p_adjusted": 0.5})
    units[f"share {SIDES[0]}"] = [0, 0.01, 0, 0.9, 0.02, 0.2]
    units[f"share {SIDES[1]}"] = [0, 0.02, 0, 0.85, 0.0, 0.3]
    beside = [{"task": "number agreement", "set": "none", "intervention": "none", "accuracy": 0.9,
               "accuracy_low": 0.88, "accuracy_high": 0.92, "lost": 0.0}]  # fmt: skip
    return tables | {
        "interventions": pd.DataFrame(list(itertools.chain.from_iterable(made))),
        "controls": pd.DataFrame(controls),
        "units": units,
        "side_tasks": pd.DataFrame(beside),
        "untrained": pd.DataFrame({"set": ["sufficient", "own"], "flipped_of_all": [0.0, 0.02]}),
    }


def mechanics(cell="lstm"):
    node = next(iter(traced(cell)[1].leaves)).to_dataset()
    short = node.isel(example=[0, len(SENTENCES)])
    step = int(traced(cell)[0]["target"].iloc[0]) - 1
    ledger = tg.mechanics.ledger(short, step, units=[1, 3])
    texts = {0: SENTENCES[0][0], 1: SENTENCES[0][1]}
    table = tg.mechanics.ledger_table(ledger)
    return {
        "ledger": table.assign(text=table["example"].map(texts)),
        "ledger_sentences": tg.mechanics.ledger_sentences(ledger),
        "saturation": tg.mechanics.saturation(node),
        "half_life": tg.mechanics.half_life(node),
        "retention": pd.DataFrame(
            [("found", "between", 0.97), ("other", "between", 0.4), ("found", "antecedent", 0.2)],
            columns=["units", "place", "retention"],
        ),
        "driver_shares": pd.DataFrame({"unit": [3], "share_input": [0.7], "share_state": [0.3]}),
        "driving_words": pd.DataFrame(
            {"unit": 3, "word": ["she", "<b>"], "does": ["closes", "opens"], "gate": [0.1, 0.9]}
        ),
        "gradients": pd.DataFrame(
            {"distance": [0, 1, 2], "full": [1, 0.5, 0.2], "cell": [1, 0.4, 0.1],
             "cell_own": [1, 0.9, 0.8], "sentences": 10}
        ),
    }  # fmt: skip


def model(name="lstm", claim="both", feminine=0.99, masculine=0.98, **changes):
    sentences, traces = traced(name)
    parts = {
        "config": {"cell": name, "units": [UNITS], "data": "pronoun_agreement", "parameters": 1234},
        "versions": {"keras": "3", "cores": "2"},
        "agreement": {"pronoun_agreement-test": agreement(feminine, masculine)},
        "finding": finding(claim),
        "units": unit_tables(),
        "probes": {
            "positions": pd.DataFrame(
                {"signal": "cell_state", "position": [0, 1, 2], "accuracy": [0.9, 0.8, 0.8],
                 "low": 0.7, "high": 0.95, "majority": 0.5, "embedding": 0.55, "control": 0.52,
                 "selectivity": 0.3}
            )
        },
        "mechanics": mechanics(name),
        "sentences": sentences,
        "traces": traces,
    }  # fmt: skip
    return ModelFindings(name=name, **(parts | changes))


def findings(*models):
    return Findings(models or (model(),), study={"command": "textgate study made-up", "seed": 0})
