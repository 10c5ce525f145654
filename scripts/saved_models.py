"""Makes the models of `saved_models/` from trained runs: exports them, each with its model card.

    python scripts/saved_models.py runs/she-her             # lstm and gru of a study
    python scripts/saved_models.py runs/she-her --to saved_models

Whatever tables of an evaluation a run lacks, or has in part, are made first. `make saved-models`
calls this, and trains the two runs before if they aren't there.
"""

import argparse
import pathlib

import pandas as pd

import textgate as tg

MODELS = ("lstm", "gru")
SPLITS = ("test", "test_templates", "test_distances", "test_lexemes")


def evaluate(run: pathlib.Path) -> None:
    """Write the tables of each split, unless they are there; a study takes a part of some."""
    lm = None
    for split in SPLITS:
        to = run / "evaluation" / f"pronoun_agreement-{split}"
        pairs = tg.datasets.minimal_pairs("pronoun_agreement", split=split)
        items = to / "items.csv"
        if not items.is_file() or len(pd.read_csv(items)) < len(pairs):
            lm = lm or tg.load(run)
            tg.evaluation.evaluate(lm, pairs).to_csv(to)


def main() -> None:
    """Evaluate, export and write the card of each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=pathlib.Path, help="a directory with the runs lstm and gru")
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path("saved_models"))
    arguments = parser.parse_args()
    for name in MODELS:
        run = arguments.runs / name
        evaluate(run)
        path = arguments.to / name
        card = tg.export.card(run, f"she-her/{name}")
        tg.export.saved_model(tg.load(run), path, overwrite=path.exists(), card=card)
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
