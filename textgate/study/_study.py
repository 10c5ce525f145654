"""The whole study: from data to the page, in stages that are skipped once they are done.

    textgate study runs/she-her

trains an LSTM and a GRU, measures their agreement, traces sentences, looks for the units that hold
gender and confirms them, measures what the gates do, exports the models, and writes `report.html`.
Every stage has a command of its own, and the study is nothing but those in a row.

A study of a model that hasn't learned agreement doesn't look for units, says so, and goes on with
what makes sense without them.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from textgate._files import alone_in, write_table
from textgate._progress import say as print_line
from textgate._quiet import compiling_is_meant
from textgate.models.runs import StudyLayout
from textgate.report import Findings, read, write
from textgate.study._directory import claim, record
from textgate.study._model_stages import ModelStages
from textgate.study._settings import Settings
from textgate.study._stages import Stages

STAGES = ("data", "train", "evaluate", "trace", "units", "mechanics", "export", "report")


def study(
    directory: str | os.PathLike[str] = "runs/she-her",
    settings: Settings | None = None,
    stages: Sequence[str] = (),
    progress: bool = True,
) -> Findings | None:
    """Carry out a study, or go on with one.

    Args:
        directory: Where everything goes; nothing is written outside.
        settings: The settings; the defaults train on generated sentences.
        stages: Which of `STAGES` to do; all by default. What they need has to be there.
        progress: Whether to say what is being done, on stderr.

    Returns:
        What was found; `None` as long as there is no model, after the stage `"data"` alone.

    Raises:
        FileExistsError: If the directory holds something else, or a study with other settings, or
            if another process is carrying out a study in it.
        FileNotFoundError: If a text or a file of pairs isn't there, or a stage lacks what an
            earlier one makes.
        CannotWriteError: If the disk is full.
        ValueError: If a stage is unknown, or the data cannot be learned from.
    """
    directory = Path(directory)
    settings = settings or Settings()
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise ValueError(f"the stages are {', '.join(STAGES)}. Received: {unknown[0]!r}")
    if os.path.isfile(directory):
        raise FileExistsError(f"there is a file of that name. Received: {directory}")
    with alone_in(directory, "carrying out a study"):
        return _carry_out(directory, settings, stages, progress)


def _carry_out(
    directory: Path, settings: Settings, stages: Sequence[str], progress: bool
) -> Findings | None:
    seconds = claim(settings, directory)
    begun = time.monotonic()

    def say(line: str) -> None:
        if progress:
            passed = time.monotonic() - begun
            print_line(f"[{passed / 60:5.1f} min] {line}")

    done = Stages(directory, say, seconds)
    record(settings, directory, done.seconds)
    models = [ModelStages(settings, directory, cell, progress) for cell in settings.cells]
    with compiling_is_meant():
        for stage in STAGES:
            if stages and stage not in stages:
                continue
            if stage == "data":
                _data(done, settings, directory)
            elif stage == "report":
                record(settings, directory, done.seconds)
                say("report …")
                say(f"report: wrote {write(read(directory), directory)}")
            else:
                for model in models:
                    model.do(stage, done)
            record(settings, directory, done.seconds)
    return read(directory) if any(model.run.directory.is_dir() for model in models) else None


def _data(stages: Stages, settings: Settings, directory: Path) -> None:
    """Check the data, and keep what they hold: counts, and the pairs that are evaluated."""
    from textgate.datasets import minimal_pairs
    from textgate.datasets.corpus import find_files

    for path in settings.pairs:
        minimal_pairs(path)  # says at once if it can't be read
    sources = (*settings.text, *settings.validation, *settings.test)
    files = [
        file for source in sources if not source.startswith("tfds:") for file in find_files(source)
    ]
    layout = StudyLayout(directory)

    def work() -> None:
        pairs = minimal_pairs("pronoun_agreement", split="test")
        write_table(layout.data / "pronoun_agreement-test.csv", pairs)
        counts = pairs.drop_duplicates("item").groupby(["direction", "form"]).size()
        write_table(layout.counts, counts.rename("items").reset_index())
        if settings.text:
            from textgate.study._corpus_check import pronouns_in

            table = pronouns_in(settings.text)
            write_table(layout.data / "pronouns.csv", table)

    stamps = [_stamp(file) for file in files]
    stages.do("data", work, [], [layout.counts], [settings.to_dict(), stamps])


def _stamp(file: Path) -> list[str | int]:
    """Return what tells a large file from another without reading it."""
    facts = file.stat()
    return [str(file), facts.st_size, facts.st_mtime_ns]
