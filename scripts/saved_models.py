"""Makes the models of `saved_models/` from trained runs: exports them, each with its model card.

    python scripts/saved_models.py runs/she-her             # lstm and gru of a study
    python scripts/saved_models.py runs/she-her --to saved_models
    python scripts/saved_models.py --novels runs/novels/lstm    # of a study of running text
    python scripts/saved_models.py --again             # all that are there, from themselves

Whatever tables of an evaluation the first two lack, or have in part, are made first. `make
saved-models` calls this for them, and trains them before if they aren't there. `--again` gives the
models that are there today's endpoints: weights, vocabulary and card stay as they are.
"""

import argparse
import pathlib

import pandas as pd
import tensorflow as tf

import textgate as tg

MODELS = ("lstm", "gru")
NOVELS = """\
Running text of 61 English novels, 8.35 million words, all published in 1930 or before and in the
public domain in the US, in the editions of Standard Ebooks (CC0), of ELTeC, the European Literary
Text Collection (CC BY 4.0), and of the collection 100 English Novels. Validation and test are five
novels each, of 0.46 and 0.47 million words, by other authors. None of the text comes with the
model, but the vocabulary does: the 20,000 most frequent words. The contexts with a gold pronoun
were made from the coreference layer of LitBank (Bamman et al. 2020, CC BY 4.0): 100 novels, of
which the model has read none."""
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


def export(run: pathlib.Path, to: pathlib.Path, card: str, half: bool = False) -> None:
    """Write the SavedModel of a run, or of one that is there, with its card."""
    tg.export.saved_model(tg.load(run), to, overwrite=to.exists(), card=card, half=half)
    print(f"wrote {to}")


def export_again(shipped: pathlib.Path) -> None:
    """Write each SavedModel anew from its own weights."""
    for path in sorted(path.parent for path in shipped.glob("*/saved_model.pb")):
        card = (path / "README.md").read_text(encoding="utf-8")
        described = tf.saved_model.load(str(path)).describe()["description"].numpy().decode()
        export(path, path, card, half="half precision" in described)


def main() -> None:
    """Evaluate, export and write the card of each model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "runs", type=pathlib.Path, nargs="?", help="where the runs lstm and gru are"
    )
    parser.add_argument("--novels", type=pathlib.Path, help="an evaluated run of the novels")
    parser.add_argument("--to", type=pathlib.Path, default=pathlib.Path("saved_models"))
    parser.add_argument("--again", action="store_true", help="export what is there anew")
    arguments = parser.parse_args()
    if arguments.again:
        export_again(arguments.to)
    elif arguments.runs is None and arguments.novels is None:
        parser.error("give a directory with the runs lstm and gru, --novels RUN, or --again")
    for name in MODELS if arguments.runs else ():
        run = arguments.runs / name
        evaluate(run)
        export(run, arguments.to / name, tg.export.card(run, f"she-her/{name}"))
    if arguments.novels:
        card = tg.export.card(arguments.novels, f"novels/{arguments.novels.name}", about=NOVELS)
        export(arguments.novels, arguments.to / "novels", card, half=True)


if __name__ == "__main__":
    main()
