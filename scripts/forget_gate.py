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

Units are chosen on the validation pairs and everything is measured on the test pairs. The figures
and the table are written beside the run, or where --to says.
"""

import argparse
import pathlib
import textwrap

import numpy as np

import textgate as tg
from textgate.study import gender_units, hold_gates, life_in_words

HOLDS = [("forget_gate", 1.0), ("forget_gate", 0.0), ("forget_gate", "mean")]


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
    figures = {
        "forget_gate_ledger": tg.plots.ledger(node, units[0], shown),
        "forget_gate_half_lives": tg.plots.half_lives(node, highlight=units[:3]),
        "forget_gate_drivers": tg.plots.gate_drivers(drivers, units[0], at_least=5),
        "forget_gate": tg.plots.held_gates(held),
    }
    for name, figure in figures.items():
        figure.savefig(out / f"{name}.png")

    # In words.
    def right(units: str) -> str:
        values = ["1", "0", "mean"]
        rows = held[held["units"].str.startswith(units) & (held["by"] == "all")]
        means = rows.groupby("held")["accuracy"].mean()
        return ", ".join(f"{means[value]:.0%} (f at {value})" for value in values)

    one, every = units[0], node.sizes["unit"]
    opening, closing = (
        ", ".join(words.loc[words["does"] == does, "word"]) or "none"
        for does in ("opens", "closes")
    )
    costs = held[(held["units"] == "gender") & (held["by"] == "all")]["other_bits_change"]
    costs = costs.round(2) + 0.0  # no −0.00
    story = [
        f"In {arguments.run}, units {units} of the {every} of {layer!r} turn "
        f"{holding.flip_rate:.0%} of the answers when they, and nothing else, take the "
        "other gender's values.",
        f"Just before the pronoun, {np.median(share):.0%} of what they hold was written at the "
        f"antecedent (median), {test['distance'].median():.0f} words back.",
        f"Half of what a word wrote in unit {one} is gone after {life_in_words(lives[one])}; in "
        f"the layer's median unit, after {life_in_words(lives.median())}.",
        f"Of what goes into the forget gate of unit {one}, {parts[one]:.0%} comes from the word "
        f"just read and the rest from memory (the layer's median: {parts.median():.0%} from the "
        "word).",
        f"The words that open it most: {opening}; that close it: {closing}.",
        f"As trained, {held['accuracy'].iloc[0]:.0%} of {len(test)} items are right.",
        f"With the forget gate of these units held still: {right('gender')};",
        f"of as many random units: {right('random')}; of all units: {right('all')}.",
        f"On all other words, holding these units costs between {costs.min():+.2f} and "
        f"{costs.max():+.2f} bits a word.",
    ]
    print(textwrap.fill(" ".join(story), 96))
    print(f"Figures and table: {out}/forget_gate*")


if __name__ == "__main__":
    main()
