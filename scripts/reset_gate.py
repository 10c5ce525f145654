"""What does the reset gate add, when 1 − z already forgets?

    python scripts/reset_gate.py runs/she-her/gru

A GRU has two gates: h_t = z_t ⊙ h_{t-1} + (1 − z_t) ⊙ ĥ_t, where the candidate ĥ_t sees the past
through r_t. (z keeps the old state, as in Keras; in many textbooks z is one minus ours.) The update
gate z already decides what is kept and what is overwritten. The reset gate r decides something
else: how much of the past the *new* value may depend on. With r = 0 the candidate is made from the
word alone, and the unit becomes an average with learned rates; with r = 1 it always sees all of the
past. Which of the two does agreement need? We take a trained model and hold

- r at 1, at 0, and at ½, which is what a reset gate without weights would give (σ(0) is not 0);
- z at its mean: each unit keeps as much as it does on the average, but can't choose when; and at ½
  and 0,

at every word, in all units, in those that hold the gender, and in as many drawn at random. Measured
are the pronouns, at each distance, and the prediction of all other words. Units are chosen on the
validation pairs and everything is measured on the test pairs. What is printed is a lesson, to be
read aloud. It is written as a page with its figures, too, and the table beside it: into the run, or
where --to says.

A model trained without r might do well for all that; `textgate compare` trains one.
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

GATES = {"z": "update_gate", "r": "reset_gate"}
OPENING = (
    "The memory of a GRU is h_t = z_t ⊙ h_{t-1} + (1 − z_t) ⊙ ĥ_t: the gate z says how much of the "
    "old memory is kept, and so how much is overwritten. The reset gate r decides something else: "
    "how much of the past the new value ĥ may depend on. (z keeps the old state, as in Keras; in "
    "many textbooks z is one minus ours.) What is r needed for, when a model has to know which "
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
    holding = gender_units(arguments.run, "gru", arguments.layer, arguments.size)
    lm, layer, units, test = holding.lm, holding.layer, holding.units, holding.test

    # What the two gates do when nobody holds them.
    node = tg.trace(lm, list(test["good"]), layers=[layer])[layer].to_dataset()
    saturation = tg.mechanics.saturation(node).set_index(["gate", "unit"])
    lives = tg.mechanics.half_life(node).set_index("unit")["median_life"]

    # What breaks when one of them is held.
    held = hold_gates(lm, test, layer=layer, units={"gender": units}, controls=3)
    held.to_csv(out / "reset_gate.csv", index=False)

    shown = int(np.argmax(test["distance"].between(6, 10)))
    one, every = units[0], node.sizes["unit"]
    keeping = saturation["right"]["update_gate"]
    questions = [
        Question(
            "Which units carry the gender?",
            f"{'Unit' if len(units) == 1 else 'Units'} {', '.join(map(str, units))} of the {every} "
            f"in layer `{layer}`. When they, and nothing else, take the values that they have in "
            f"the sentence of the other gender, {holding.flip_rate:.0%} of the answers turn.",
            ("reset_gate_ledger", tg.plots.ledger(node, one, shown)),
        ),
        Question(
            "What do the two gates do when nobody holds them?",
            f"Unit {one} keeps nearly all it has (z > 0.9) at {keeping[one]:.0%} of the words, the "
            f"median unit at {keeping.median():.0%}. Half of what a word wrote in unit {one} is "
            f"gone after {life_in_words(lives[one])}; in the median unit, after "
            f"{life_in_words(lives.median())}.",
            ("reset_gate_saturation", tg.plots.saturation(node)),
        ),
        Question(
            "What breaks if z may not choose what is kept?",
            f"We hold it still at every word and count, of {len(test)} items, how many are right "
            "(95 % intervals in brackets). At its mean it lets the usual amount stay, but can't "
            f"choose when.\n\n{table_of_holds(held, 'update_gate', 'z')}\n\n{bits(held, 'z')}",
        ),
        Question(
            "And what breaks if r may not choose what the new value sees?",
            "The same with r: at 1 the new value always sees all of the past, at 0 none of it.\n\n"
            f"{table_of_holds(held, 'reset_gate', 'r')}\n\n{bits(held, 'r')}",
            ("reset_gate", tg.plots.held_gates(held)),
        ),
    ]
    print(
        write_lesson(
            out / "reset_gate.md",
            "What does the reset gate add, when 1 − z already forgets?",
            f"{OPENING} We ask `{arguments.run}`, a GRU that is right in "
            f"{held['accuracy'].iloc[0]:.0%} of the items as trained.",
            questions,
            conclusion(held),
        )
    )
    print(f"\nThe same as a page: {out / 'reset_gate.md'}; the numbers: {out / 'reset_gate.csv'}")


def bits(held: pd.DataFrame, letter: str) -> str:
    """Say what holding a gate of all units costs on all other words."""
    rows = held[(held["units"] == "all") & (held["gate"] == GATES[letter]) & (held["by"] == "all")]
    costs = [f"{change:+.1f} at {at}" for at, change in rows[["held", "other_bits_change"]].values]
    return (
        f"On all other words, holding {letter} of all units costs, in bits a word: "
        f"{', '.join(costs)}."
    )


def conclusion(held: pd.DataFrame) -> str:
    """Say what follows from holding the two gates of the gender units; intervals decide."""
    overall = held[held["by"] == "all"]
    trained, parts = overall["accuracy"].iloc[0], []
    for letter, does in (("z", "what is kept"), ("r", "what the new value sees")):
        rows = overall[(overall["units"] == "gender") & (overall["gate"] == GATES[letter])]
        costly = [costs_beyond_intervals(held, row) for _, row in rows.iterrows()]
        lost = trained - rows["accuracy"]
        if all(costly):
            parts.append(
                f"In the units that hold the gender, {letter} has to choose {does}: held anywhere, "
                f"it costs {lost.min():.0%} of the items at least."
            )
        elif any(costly):
            parts.append(
                f"In the units that hold the gender, {letter} needs a fit amount rather than a "
                f"choice: one value will do, another costs {lost.max():.0%} of the items."
            )
        else:
            parts.append(
                f"In the units that hold the gender, {letter} isn't shown to do anything for "
                "agreement: wherever it is held, the intervals overlap."
            )
    worst = overall[(overall["units"] == "all") & (overall["gate"] == GATES["r"])]
    parts.append(
        f"What r adds lies elsewhere: held in all units, it costs the other words up to "
        f"{worst['other_bits_change'].max():.1f} bits each."
    )
    parts.append(
        "This is one model, trained with both gates; `textgate compare` trains some without r, and "
        "these may do well for all that."
    )
    return " ".join(parts)


if __name__ == "__main__":
    main()
