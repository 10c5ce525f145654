"""The whole study: from data to the page, in stages that are skipped once they are done.

    textgate study runs/she-her

trains an LSTM and a GRU, measures their agreement, traces sentences, looks for the units that hold
gender and confirms them, measures what the gates do, exports the models, and writes `report.html`.
Every stage has a command of its own, and the study is nothing but those in a row.

A study of a model that hasn't learned agreement doesn't look for units, says so, and goes on with
what makes sense without them.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from textgate._files import write_text
from textgate._quiet import compiling_is_meant
from textgate.report import Findings, learned, read, read_model, three_lines, write
from textgate.study import _settings as setting
from textgate.study._settings import Settings
from textgate.study._stages import Stages
from textgate.study._steps import Model, plain_name

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
        FileExistsError: If the directory holds something else, or a study with other settings.
        FileNotFoundError: If a text or a file of pairs isn't there, or a stage lacks what an
            earlier one makes.
        CannotWriteError: If the disk is full.
        ValueError: If a stage is unknown, or the data cannot be learned from.
    """
    place = Path(directory)
    settings = settings or Settings()
    unknown = [stage for stage in stages if stage not in STAGES]
    if unknown:
        raise ValueError(f"the stages are {', '.join(STAGES)}. Received: {unknown[0]!r}")
    wanted = [stage for stage in STAGES if stage in stages or not stages]
    known = setting.claim(settings, place)
    begun = time.monotonic()

    def say(line: str) -> None:
        if progress:
            passed = time.monotonic() - begun
            print(f"[{passed / 60:5.1f} min] {line}", file=sys.stderr, flush=True)

    doing = Stages(place, say)
    doing.seconds.update(known.get("seconds") or {})
    setting.record(settings, place, doing.seconds)
    models = [Model(settings, place, cell, progress) for cell in settings.cells]
    everything = settings.to_dict()
    with compiling_is_meant():
        for stage in wanted:
            if stage == "data":
                _data(doing, settings, place)
            elif stage == "report":
                setting.record(settings, place, doing.seconds)
                say("report …")
                path = write(read(place), place)
                say(f"report: wrote {path}")
            else:
                for model in models:
                    _one(doing, stage, model, everything)
            setting.record(settings, place, doing.seconds)
    return read(place) if any(model.run.is_dir() for model in models) else None


def _data(doing: Stages, settings: Settings, place: Path) -> None:
    """Check the data, and keep what they hold: counts, and the pairs that are evaluated."""
    from textgate.datasets import minimal_pairs
    from textgate.datasets.corpus import find_files

    for path in settings.pairs:
        minimal_pairs(path)  # says at once if it can't be read
    sources = (*settings.text, *settings.validation, *settings.test)
    files = [
        file for source in sources if not source.startswith("tfds:") for file in find_files(source)
    ]

    def work() -> None:
        target = place / "data"
        pairs = minimal_pairs("pronoun_agreement", split="test")
        write_text(target / "pronoun_agreement-test.csv", pairs.to_csv(index=False))
        counts = pairs.drop_duplicates("item").groupby(["direction", "form"]).size()
        write_text(target / "counts.csv", counts.rename("items").reset_index().to_csv(index=False))
        if settings.text:
            from textgate.study._corpus_check import pronouns_in

            table = pronouns_in(settings.text)
            write_text(target / "pronouns.csv", table.to_csv(index=False))

    written = [place / "data" / "counts.csv"]
    doing.do("data", work, [], written, [settings.to_dict(), [_stamp(file) for file in files]])


def _stamp(file: Path) -> list[str | int]:
    """Return what tells a large file from another without reading it."""
    found = file.stat()
    return [str(file), found.st_size, found.st_mtime_ns]


def _one(doing: Stages, stage: str, model: Model, everything: dict) -> None:
    """Do a stage for one model."""
    run = model.run
    name = f"{stage} {model.cell}"
    if stage == "train":
        recipe = model.settings.recipe_of(model.cell).to_dict()
        doing.do(name, model.train, [], [run / "model.keras"], recipe)
        return
    weights = run / "model.keras"
    if not weights.is_file():
        raise FileNotFoundError(
            f"the stage {stage!r} needs the trained model; do the stage 'train' before. "
            f"Received: {run}"
        )
    finding = run / "units" / "finding.json"
    skipped = run / "skipped.json"
    if stage == "evaluate":
        names = [plain_name(path) for path in model.settings.pairs]
        names += ["pronoun_agreement-test"]
        written = [run / "evaluation" / each / "summary.csv" for each in names]
        doing.do(
            name, model.evaluate, [weights, *map(Path, model.settings.pairs)], written, everything
        )
    elif stage == "trace":
        written = [run / "gallery" / "sentences.csv", run / "gallery" / "traces.zarr"]
        doing.do(name, model.trace, [weights], written, everything)
    elif stage == "units":
        reason = _why_not(run)
        written = [run / "gallery" / "sentences.csv"]
        written += [skipped if reason is not None else finding]
        doing.do(name, lambda: model.units(reason), [weights], written, [everything, reason])
    elif stage == "mechanics":
        written = [run / "mechanics" / "saturation.csv"]
        doing.do(name, model.mechanics, [weights, finding], written, everything)
    elif stage == "export":
        written = [run / "saved_model" / "saved_model.pb"]
        doing.do(name, model.export, [weights], written, everything)


def _why_not(run: Path) -> str | None:
    """Return why there are no units of gender to look for, or `None`."""
    agreement = learned(read_model(run))
    if agreement.level != "not":
        return None
    return (
        f"the model has not learned agreement ({100 * agreement.worst:.1f} % in the worse "
        "direction), so that nothing can hold it"
    )


def summary(findings: Findings, directory: Path) -> list[str]:
    """Return what a study says at its end: three lines, and where the page is."""
    return [*three_lines(findings), str(directory / "report.html")]
