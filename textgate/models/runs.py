"""What lies where in the directory of a run, and in that of a study, which holds a run a model.

    runs/she-her/               a study
        study.json              its settings, and how long each stage took
        report.html  tables/    the page, and what it shows
        ladder/ladder-DATE.csv  by choice: what `textgate compare` wrote; the last counts
        data/                   counts of the generated sentences, and the pairs of the test
        .stages/                a note for each stage that is done
        lstm/                   a run (and so on for each model)

A run directory begins with `config.json`, and is finished when it has `model.keras`. The comments
below say what else may be in it.
"""

import os
from pathlib import Path


class RunLayout:
    """The paths of a run's files.

    Args:
        directory: The run directory.

    Example:

    >>> RunLayout("runs/she-her/lstm").history.as_posix()
    'runs/she-her/lstm/history.csv'
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = run = Path(directory)
        # Of the training.
        self.config = run / "config.json"  # the recipe
        self.versions = run / "versions.json"  # what it was trained with
        self.vocabulary = run / "vocabulary.json"  # the tokenizer
        self.history = run / "history.csv"  # a row for each validation
        self.model = run / "model.keras"  # with its tokenizer
        self.tensorboard = run / "tensorboard"  # if it was asked for
        # Of the training while it isn't finished.
        self.encoded = run / "data"  # the text
        self.checkpoint = run / "checkpoint.npz"
        self.best = run / "best.npz"  # weights
        # Of what is done with the model.
        self.evaluation = run / "evaluation"  # a directory for each set of pairs, with tables
        self.facts = run / "facts.json"  # the number of weights
        self.default = run / "default.csv"  # what is expected without and with a cue
        self.gallery = run / "gallery"  # the sentences of the gate view, traced
        self.sentences = self.gallery / "sentences.csv"
        self.traces = self.gallery / "traces.zarr"
        self.units = run / "units"  # tables of `find_units`
        self.finding = self.units / "finding.json"
        self.probes = run / "probes"  # tables
        self.mechanics = run / "mechanics"  # tables
        self.saved_model = run / "saved_model"
        self.skipped = run / "skipped.json"  # by stage, why it has no results

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> "RunLayout":
        """Return the layout of the run that a path names: its directory, or its model."""
        path = Path(path)
        return cls(path if os.path.isdir(path) else path.parent)

    def evaluations(self, table: str) -> dict[str, Path]:
        """Return by name of the pairs, in its order, where a table of their evaluation is."""
        paths = sorted(self.evaluation.glob(f"*/{table}.csv"))
        return {path.parent.name: path for path in paths}


class StudyLayout:
    """The paths of a study's files.

    Args:
        directory: The study's directory.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = study = Path(directory)
        self.settings = study / "study.json"
        self.data = study / "data"
        self.counts = self.data / "counts.csv"
        self.notes = study / ".stages"
        self.page = study / "report.html"
        self.tables = study / "tables"

    def run(self, cell: str) -> RunLayout:
        """Return the layout of a model's run."""
        return RunLayout(self.directory / cell)

    def runs(self) -> list[RunLayout]:
        """Return the layouts of the runs that have begun, in the order of their names."""
        return [RunLayout(path.parent) for path in sorted(self.directory.glob("*/config.json"))]

    def models(self) -> list[Path]:
        """Return the models that are there, the LSTM before the others."""
        models = self.directory.glob("*/model.keras") if os.path.isdir(self.directory) else ()
        return sorted(models, key=lambda path: (path.parent.name != "lstm", path))

    def ladders(self) -> list[Path]:
        """Return the tables that `textgate compare` wrote, the latest last."""
        return sorted(self.directory.glob("ladder/ladder-*.csv"))
