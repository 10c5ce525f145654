"""Draws the figures of the README, from the shipped models and the tables in `results/`.

    python scripts/figures.py --to results

`results/` has what takes long to measure: the ladder of models (`textgate compare`), and the
contexts from novels (`textgate study`); each table names its command, or the README does.
"""

import argparse
import pathlib

import pandas as pd

import textgate as tg

SENTENCES = ["She came out and played with her dog.", "He came out and played with his dog."]
# The unit of each shipped model that its study found to hold gender, or that says most of it.
UNITS = {"lstm": ("lstm", 35), "novels": ("lstm", 231)}


def main() -> None:
    """Draw a unit of two models through the sentence, and the two tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=pathlib.Path, default=pathlib.Path("saved_models"))
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path("results"))
    arguments = parser.parse_args()
    for name, (layer, unit) in UNITS.items():
        trace = tg.trace(tg.export.restore(arguments.models / name), SENTENCES)
        figure = tg.plots.twins(trace[layer].to_dataset(), unit)
        figure.savefig(arguments.to / f"unit-{name}.png")
    rule = pd.read_csv(arguments.to / "novels-rule.csv", keep_default_na=False)
    tg.plots.beside_rule(rule).savefig(arguments.to / "novels-rule.png")
    ladder = pd.read_csv(arguments.to / "ladder-accuracy.csv")
    tg.plots.ladder_accuracy(ladder).savefig(arguments.to / "ladder-accuracy.png")


if __name__ == "__main__":
    main()
