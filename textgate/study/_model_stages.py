"""What each stage of a study does, for one model; the files are those that `report.read` reads."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._files import CannotWriteError, beside, cannot_write, write_json, write_table
from textgate._reading import read_json, read_table
from textgate.interchange import Units
from textgate.models.runs import StudyLayout
from textgate.report import learned, read_model
from textgate.study import _gallery, _pairs
from textgate.study._default_gender import default_gender
from textgate.study._settings import Settings
from textgate.study._stages import Stages
from textgate.tracing import find_sites, one_site

GENERATED = (("pronoun_agreement", "test", None), ("pronoun_agreement", "test_distances", 400))
NUMBER = ("number_agreement", "test", 400)
_ON_TEXT = 1200  # generated items, for a model of other text
_TEXTS = 200  # sentences, for what the gates do on the average
_PAIRS = 1600  # generated, to choose from
_HELD = 150  # pairs, for what breaks when gates are held
_ORDINARY = 400  # sentences that units are taken out on
SPLIT_SIZE: int | None = None  # pairs of each split, to choose from for a model of text; all


class ModelStages:
    """The stages of one model, which is loaded when it is needed.

    Args:
        settings: The study's.
        directory: The study's.
        cell: The model's kind, and the name of its run directory.
        progress: Whether to show progress.
    """

    def __init__(self, settings: Settings, directory: Path, cell: str, progress: bool) -> None:
        self.settings = settings
        self.cell = cell
        self.run = StudyLayout(directory).run(cell)
        self.progress = progress
        self._lm: Any = None
        self._eligible: tuple[pd.DataFrame, pd.DataFrame] | None = None

    @property
    def lm(self) -> Any:
        """The trained model."""
        if self._lm is None:
            from textgate.models import load_language_model

            self._lm = load_language_model(self.run.directory)
        return self._lm

    def do(self, stage: str, stages: Stages) -> None:
        """Do a stage, unless it is done.

        Args:
            stage: One of `textgate.study.STAGES`, but for "data" and "report".
            stages: What is done, in the study's directory.

        Raises:
            FileNotFoundError: If the stage needs the trained model, and there is none.
        """
        run, settings = self.run, self.settings.to_dict()
        name = f"{stage} {self.cell}"
        if stage == "train":
            recipe = self.settings.recipe_of(self.cell).to_dict()
            stages.do(name, self.train, [], [run.model], recipe)
            return
        if not run.model.is_file():
            raise FileNotFoundError(
                f"the stage {stage!r} needs the trained model; do the stage 'train' before. "
                f"Received: {run.directory}"
            )
        if stage == "evaluate":
            names = [*map(plain_name, self.settings.pairs), "pronoun_agreement-test"]
            summaries = [run.evaluation / pairs / "summary.csv" for pairs in names]
            reads = [run.model, *map(Path, self.settings.pairs)]
            stages.do(name, self.evaluate, reads, summaries, settings)
        elif stage == "trace":
            writes = [run.sentences, run.traces]
            stages.do(name, self.trace, [run.model], writes, settings)
        elif stage == "units":
            reason = self._why_no_units()
            writes = [run.sentences, run.finding if reason is None else run.skipped]
            stages.do(name, lambda: self.units(reason), [run.model], writes, [settings, reason])
        elif stage == "mechanics":
            writes = [run.mechanics / "saturation.csv"]
            stages.do(name, self.mechanics, [run.model, run.finding], writes, settings)
        elif stage == "export":
            writes = [run.saved_model / "saved_model.pb"]
            stages.do(name, self.export, [run.model], writes, settings)

    def _why_no_units(self) -> str | None:
        """Return why there are no units of gender to look for, or `None`."""
        agreement = learned(read_model(self.run.directory))
        if agreement.level != "not":
            return None
        return (
            f"the model has not learned agreement ({100 * agreement.worst:.1f} % in the worse "
            "direction), so that nothing can hold it"
        )

    # -- the stages ------------------------------------------------------------------------------

    def train(self) -> None:
        """Train the model, or go on with it."""
        from textgate.training import train

        recipe = self.settings.recipe_of(self.cell)
        self._lm = train(recipe, self.run.directory, progress=self.progress)

    def evaluate(self) -> None:
        """Measure agreement, perplexity, and what is expected by default; count the weights."""
        from textgate.datasets import minimal_pairs
        from textgate.evaluation import evaluate

        seed = self.settings.seed
        target = self.run.evaluation
        write_json(self.run.facts, {"parameters": int(self.lm.count_params())})
        on_text = bool(self.settings.text)
        for path in self.settings.pairs:
            report = evaluate(self.lm, minimal_pairs(path), seed=seed)
            report.to_csv(target / plain_name(path))
        for source, split, size in (*GENERATED, NUMBER):
            if on_text:
                size = min(size or _ON_TEXT, _ON_TEXT)
            pairs = minimal_pairs(source, split=split, size=size)
            evaluate(self.lm, pairs, seed=seed).to_csv(target / f"{source}-{split}")
        if self.settings.test or self.settings.validation:
            self._perplexity(target)
        self._try("default", lambda: _write(default_gender(self.lm, seed), self.run.default))

    def _perplexity(self, target: Path) -> None:
        from textgate.datasets import Corpus
        from textgate.evaluation import perplexity

        running = self.settings.recipe_of(self.cell).running
        corpus = Corpus(list(self.settings.test or self.settings.validation))
        texts = corpus.paragraphs() if running else iter(corpus)
        measures = perplexity(self.lm, texts, running=running)
        _write(measures.to_frame().T, target / "text" / "perplexity.csv")

    def trace(self) -> None:
        """Trace the sentences of the gate view."""
        rows = _gallery.sentences(self.lm, self.settings.seed)
        rows = _gallery.preferences(self.lm, rows)
        _gallery.write_gallery(self.lm, rows, self.run.gallery)

    def units(self, reason: str | None) -> None:
        """Look for the units that hold gender, and probe for it.

        Args:
            reason: Why there is nothing to look for, or `None`.
        """
        target = self.run.units
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(self.run.probes, ignore_errors=True)
        if reason is not None:
            self._skip("units", reason)
        else:
            self._try("units", self._find)
        self._try("probes", self._probe)
        self._try("exchange", self._exchange)

    def pairs(self) -> tuple[pd.DataFrame, pd.DataFrame | None]:
        """Return the pairs that units and gates are tested on, and how they were chosen.

        For a model of generated sentences these are some that it hasn't seen; for a model of text
        those that it gets right.
        """
        from textgate.datasets import minimal_pairs

        if not self.settings.text:
            return minimal_pairs("pronoun_agreement", split="test", size=_PAIRS), None
        if self._eligible is None:
            self._eligible = _pairs.eligible_pairs(self.lm, _pairs.gender_pairs(SPLIT_SIZE))
        return self._eligible

    def layer(self) -> str:
        """Return the layer of the finding; the last if there is none."""
        layer = self.finding().get("layer") or find_sites(self.lm)[0][-1].path
        return one_site(self.lm, layer).site.path

    def holding_units(self) -> Units:
        """Return the units that were found to hold gender, the sufficient first; maybe none."""
        finding = self.finding()
        members = Units(finding.get("sufficient", ())) | finding.get("necessary", ())
        return Units(finding.get("carriers", members))

    def _find(self) -> None:
        from textgate.unit_search import find_units

        target = self.run.units
        pairs, counts = self.pairs()
        finding = find_units(
            self.lm,
            pairs=None if counts is None else pairs,
            feature="gender",
            texts=self._sentences(),
            seed=self.settings.seed,
            progress=None if self.progress else False,
        )
        with beside(target, "the units") as partial:
            finding.to_csv(partial)
            if counts is not None:
                _write(counts, partial / "asked.csv")

    def _sentences(self) -> list[str] | None:
        """Return ordinary sentences of the text that a model was made for; `None`: generated."""
        from textgate.datasets import Corpus

        sources = self.settings.test or self.settings.validation
        if not (self.settings.text and sources):
            return None
        return list(itertools.islice(iter(Corpus(list(sources))), _ORDINARY)) or None

    def _probe(self) -> None:
        from textgate.datasets import minimal_pairs
        from textgate.study._probes import gender_probes

        pairs = minimal_pairs("pronoun_agreement", split="test", size=_PAIRS)
        table = gender_probes(self.lm, pairs, self.layer(), self.settings.seed)
        _write(table, self.run.probes / "positions.csv")

    def _exchange(self) -> None:
        """Add to the gate view's sentences what exchanging the units found comes to."""
        finding = self.finding()
        path = self.run.sentences
        rows = read_table(path, keep_default_na=False, na_values=[""])
        rows = rows.drop(columns="p_exchanged", errors="ignore")
        units = finding.get("sufficient") or finding.get("necessary") or []
        if units:
            rows["p_exchanged"] = _gallery.exchanged(
                self.lm, rows, finding["layer"], finding["signal"], units
            )
        _write(rows, path)

    def mechanics(self) -> None:
        """Measure what the gates do, and what breaks when they are held."""
        shutil.rmtree(self.run.mechanics, ignore_errors=True)
        self._try("mechanics", self._measure)
        self._try("gates", self._hold)

    def _measure(self) -> None:
        from textgate.datasets import sentences
        from textgate.study._mechanics import mechanics_tables

        try:
            pairs, _ = self.pairs()
        except ValueError:  # it knows none of their words, and reads them as <unk>
            pairs = _pairs.gender_pairs(_PAIRS)
        texts = sentences("pronoun_agreement", "validation", size=_TEXTS)
        tables = mechanics_tables(self.lm, texts, pairs, self.holding_units(), self.layer())
        for name, table in tables.items():
            _write(table, self.run.mechanics / f"{name}.csv")

    def _hold(self) -> None:
        from textgate.study._held_gates import hold_gates

        pairs, units = _pairs.first_pairs(self.pairs()[0], _HELD), self.holding_units()
        table = hold_gates(
            self.lm,
            pairs,
            layer=self.layer(),
            units={"found": units} if units else {},
            controls=1 if units else 0,
            seed=self.settings.seed,
        )
        _write(table, self.run.mechanics / "held_gates.csv")

    def export(self) -> None:
        """Write the SavedModel."""
        from textgate.export import saved_model

        def write() -> None:
            saved_model(self.lm, self.run.saved_model, overwrite=True)

        self._try("export", write)

    # -- what is left out ------------------------------------------------------------------------

    def finding(self) -> dict[str, Any]:
        """Return the finding of the units, `{}` if there is none."""
        path = self.run.finding
        return read_json(path) if path.is_file() else {}

    def _try(self, stage: str, work: Callable[[], None]) -> None:
        """Do a part that the others don't need; if the data don't allow it, note why."""
        try:
            work()
        except CannotWriteError:
            raise
        except OSError as error:
            raise cannot_write("the results", self.run.directory, error) from error
        except ValueError as error:
            self._skip(stage, str(error))
        else:
            self._skip(stage, None)

    def _skip(self, stage: str, reason: str | None) -> None:
        path = self.run.skipped
        reasons = read_json(path) if path.is_file() else {}
        reasons.pop(stage, None)
        if reason is not None:
            reasons[stage] = " ".join(reason.split())
        if reasons or path.is_file():
            write_json(path, reasons)


def plain_name(path: str) -> str:
    """Return the name of a file of pairs without its endings."""
    name = Path(path).name
    for ending in (".gz", ".tsv", ".csv", ".jsonl", ".json"):
        name = name.removesuffix(ending)
    return name


def _write(table: pd.DataFrame, path: Path) -> None:
    write_table(path, table)
