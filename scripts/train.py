"""Trains a model on the generated sentences and says how well it agrees.

    python scripts/train.py runs/she-her/lstm
    python scripts/train.py runs/she-her/gru --cell gru --seed 1

Stopped at any moment and started again with the same command, it goes on where it was.
"""

import argparse
import pathlib

import textgate as tg


def main() -> None:
    """Train, evaluate, and print the accuracy of each direction."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--cell", default="lstm", choices=("lstm", "gru", "simple_rnn"))
    parser.add_argument("--units", default=128, type=int)
    parser.add_argument("--seed", default=0, type=int)
    arguments = parser.parse_args()

    recipe = tg.training.Recipe(cell=arguments.cell, units=(arguments.units,), seed=arguments.seed)
    lm = tg.training.train(recipe, arguments.run)

    pairs = tg.datasets.minimal_pairs("pronoun_agreement", split="test")
    items = tg.evaluation.agreement(lm, pairs)
    table = tg.evaluation.summary(items, by=["direction", "incongruent attractors"])
    print(table.to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
