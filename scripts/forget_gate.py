"""How does the forget gate decide what to forget, when it sees only x_t and h_{t-1}?

    python scripts/forget_gate.py runs/she-her/lstm

The cell of an LSTM is c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t. The gate f never looks at the c that it
multiplies: f_t = σ(x_t W + h_{t-1} U + b). It has the word that is read now and what the output
gates have let out of the memory. Whether that is enough, we ask a model that knows which pronoun
goes with which name:

1. Which units carry the gender? (Those that turn the answer when they alone take the values that
   they have in the sentence of the other gender.)
2. Whose words is their memory made of, just before the pronoun? (The ledger.)
3. How far do they keep, against the other units? (Half-lives.)
4. What opens and closes their gate: the word, or what is remembered? (Its two parts.)
5. What breaks if the gate may not choose? (It is held at 1, at 0, and at its mean.)

Units are chosen on the validation pairs and everything is measured on the test pairs. What is
printed is a lesson, to be read aloud. It is written as a page with its figures, too, and the table
beside it: into the run, or where --to says.
"""

import argparse
import pathlib

import numpy as np
import pandas as pd

import textgate as tg
from textgate.study import (
    Question,
    costs_beyond_intervals,
    gender_units,
    hold_gates,
    life_in_words,
    table_of_holds,
    write_lesson,
)

HOLDS = [("forget_gate", 1.0), ("forget_gate", 0.0), ("forget_gate", "mean")]
OPENING = (
    "The memory of an LSTM is c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t: of the old memory the share f is "
    "kept. The gate f never looks at the memory that it multiplies. It sees the word that is read "
    "now, and what the output gates have let out of the memory. Is that enough to know which "
    "pronoun goes with which name?"
)


def main() -> None:
    """Measure, draw, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--layer", default=None, help="where the model has several")
    parser.add_argument("--size", default=1200, type=int, help="items drawn, of all classes")
    parser.add_argument("--to", type=pathlib.Path, default=None)
    arguments = parser.parse_args()
    out = arguments.to or arguments.run
    out.mkdir(parents=True, exist_ok=True)

    # 1. The units that carry the gender.
    holding = gender_units(arguments.run, "lstm", arguments.layer, arguments.size)
    lm, layer, units, test = holding.lm, holding.layer, holding.units, holding.test

    # 2. Whose words their memory is made of, just before the pronoun.
    trace = tg.trace(lm, list(test["good"]), layers=[layer])
    node = trace[layer].to_dataset()
    before = test["target"].to_numpy()  # the step before the pronoun, behind <bos>
    ledger = tg.mechanics.ledger(node, before, units=units)
    first = test["antecedent_position"].to_numpy()[:, None] + 1
    length = np.array([len(lm.tokenizer.split(a)) for a in test["antecedent"]])[:, None]
    own = (ledger["source"].values >= first) & (ledger["source"].values < first + length)
    size = np.abs(ledger["entry"].values)
    share = (size * own[..., None]).sum(axis=(1, 2)) / size.sum(axis=(1, 2))

    # 3. How far they keep.
    lives = tg.mechanics.half_life(node).set_index("unit")["median_life"]

    # 4. What opens and closes the gate of the first of them.
    drivers = tg.mechanics.gate_drivers(lm, list(test["good"]), layer=layer)
    parts = tg.mechanics.driver_shares(drivers).set_index("unit")["share_input"]
    words = tg.mechanics.driving_words(drivers.sel(unit=units[:1]), 5, at_least=5)

    # 5. What breaks if it may not choose.
    held = hold_gates(lm, test, HOLDS, layer=layer, units={"gender": units}, controls=3)
    held.to_csv(out / "forget_gate.csv", index=False)

    shown = int(np.argmax(test["distance"].between(6, 10)))
    one, every = units[0], node.sizes["unit"]
    opening, closing = (
        ", ".join(f"*{word}*" for word in words.loc[words["does"] == does, "word"]) or "none"
        for does in ("opens", "closes")
    )
    questions = [
        Question(
            "Which units carry the gender?",
            f"{named(units)} of the {every} in layer `{layer}`. When they, and nothing else, take "
            "the values that they have in the sentence of the other gender, "
            f"{holding.flip_rate:.0%} of the answers turn.",
        ),
        Question(
            "Whose words is their memory made of, just before the pronoun?",
            f"{np.median(share):.0%} of what they hold there was written at the antecedent "
            f"(median), {test['distance'].median():.0f} words back. The rest comes from the words "
            "around it.",
            ("forget_gate_ledger", tg.plots.ledger(node, one, shown)),
        ),
        Question(
            "How long do they keep it?",
            f"Half of what a word wrote in unit {one} is gone after {life_in_words(lives[one])}; "
            f"in the layer's median unit, after {life_in_words(lives.median())}.",
            ("forget_gate_half_lives", tg.plots.half_lives(node, highlight=units[:3])),
        ),
        Question(
            "What opens and closes their gate: the word, or what is remembered?",
            f"Of what goes into the forget gate of unit {one}, {parts[one]:.0%} comes from the "
            f"word just read and the rest from what the layer let out before (the median unit: "
            f"{parts.median():.0%} from the word). The words that open it most: {opening}. The "
            f"words that close it: {closing}.",
            ("forget_gate_drivers", tg.plots.gate_drivers(drivers, one, at_least=5)),
        ),
        Question(
            "What breaks if the gate may not choose?",
            f"We hold it still at every word and count, of {len(test)} items, how many are right "
            "(95 % intervals in brackets). At its mean the gate lets the usual amount pass, but "
            f"can't choose when.\n\n{table_of_holds(held, 'forget_gate', 'f')}",
            ("forget_gate", tg.plots.held_gates(held)),
        ),
    ]
    print(
        write_lesson(
            out / "forget_gate.md",
            "How does the forget gate decide what to forget?",
            f"{OPENING} We ask `{arguments.run}`, an LSTM that is right in "
            f"{held['accuracy'].iloc[0]:.0%} of the items as trained.",
            questions,
            conclusion(held, parts[one]),
        )
    )
    print(f"\nThe same as a page: {out / 'forget_gate.md'}; the numbers: {out / 'forget_gate.csv'}")


def named(units: list[int]) -> str:
    """Return units in words."""
    return ("Unit " if len(units) == 1 else "Units ") + ", ".join(map(str, units))


def conclusion(held: pd.DataFrame, from_word: float) -> str:
    """Say what follows from holding the gate of the gender units; intervals decide."""
    at = held[(held["units"] == "gender") & (held["by"] == "all")].set_index("held")
    lost = {name: held["accuracy"].iloc[0] - row["accuracy"] for name, row in at.iterrows()}
    costly = {name for name, row in at.iterrows() if costs_beyond_intervals(held, row)}
    main = "the word that is read" if from_word >= 0.5 else "what was let out of the memory before"
    parts = [f"the gate decides without seeing the memory, mostly by {main}."]
    if "0" in costly:
        parts.append(
            f"It has to stand open: held shut, {lost['0']:.0%} of the items are lost, since a "
            "forgotten word is forgotten for good."
        )
    else:
        parts.append("Holding it shut isn't shown to cost anything: these units don't keep it.")
    if "mean" in costly:
        parts.append(f"And it has to choose: at its mean {lost['mean']:.0%} of the items are lost.")
    else:
        parts.append(
            "That it has to choose isn't shown: at its mean it does as well, as far as "
            f"{int(held['items'].iloc[0])} items tell."
        )
    parts.append(
        "This is one model, trained with the gate free; `textgate compare` trains some without it."
    )
    return " ".join(parts)


if __name__ == "__main__":
    main()
