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
validation pairs and everything is measured on the test pairs. The figures and the table are written
beside the run, or where --to says.

A model trained without r might do well for all that; `textgate compare` trains one.
"""

import argparse
import pathlib
import textwrap

import numpy as np
import pandas as pd

import textgate as tg
from textgate.study import gender_units, hold_gates, life_in_words


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
    figures = {
        "reset_gate_ledger": tg.plots.ledger(node, units[0], shown),
        "reset_gate_saturation": tg.plots.saturation(node),
        "reset_gate": tg.plots.held_gates(held),
    }
    for name, figure in figures.items():
        figure.savefig(out / f"{name}.png")

    # In words.
    overall = held[held["by"] == "all"]
    as_trained = overall["accuracy"].iloc[0]

    def rows(units: str, gate: str) -> pd.DataFrame:
        return overall[overall["units"].str.startswith(units) & (overall["gate"] == gate)]

    def right(units: str, gate: str, values: tuple[str, ...]) -> str:
        means = rows(units, gate).groupby("held")[["accuracy", "other_bits_change"]].mean()
        means["other_bits_change"] = means["other_bits_change"].round(1) + 0.0  # no −0.0
        return ", ".join(
            f"{means['accuracy'][value]:.0%} at {value} ({means['other_bits_change'][value]:+.1f})"
            for value in values
        )

    def loss(units: str, gate: str) -> float:
        return as_trained - rows(units, gate)["accuracy"].min()

    def bits(units: str, gate: str) -> str:
        return f"{round(rows(units, gate)['other_bits_change'].max(), 2) + 0.0:.2f}"

    one, every = units[0], node.sizes["unit"]
    keeping = saturation["right"]["update_gate"]
    r, z = ("reset_gate", ("1", "½", "0")), ("update_gate", ("mean", "½", "0"))
    first, second = ("z", "r") if loss("gender", z[0]) > loss("gender", r[0]) else ("r", "z")
    story = [
        f"In {arguments.run}, units {units} of the {every} of {layer!r} turn "
        f"{holding.flip_rate:.0%} of the answers when they, and nothing else, take the "
        "other gender's values.",
        f"Unit {one} keeps nearly all it has (z > 0.9) at {keeping[one]:.0%} of words, the median "
        f"unit at {keeping.median():.0%}; half of what a word wrote in it is gone after "
        f"{life_in_words(lives[one])}, in the median unit after {life_in_words(lives.median())}.",
        f"As trained, {as_trained:.0%} of {len(test)} items are right. Held still (in brackets, "
        "bits more for each other word):",
        f"r of all units {right('all', *r)}; z of all units {right('all', *z)};",
        f"r of the gender units {right('gender', *r)};",
        f"z of the gender units {right('gender', *z)};",
        f"r of as many random units {right('random', *r)}; z of these {right('random', *z)}.",
        f"In the units that hold the gender, holding {first} costs more than holding {second}: at "
        f"worst {loss('gender', z[0]):.0%} of items for z and {loss('gender', r[0]):.0%} for r. In "
        f"the whole layer it is {loss('all', z[0]):.0%} for z and {loss('all', r[0]):.0%} for r, "
        f"and on other words up to {bits('all', z[0])} bits for z and {bits('all', r[0])} for r; "
        f"in the gender units alone {bits('gender', z[0])} and {bits('gender', r[0])}.",
    ]
    print(textwrap.fill(" ".join(story), 96))
    print(f"Figures and table: {out}/reset_gate*")


if __name__ == "__main__":
    main()
