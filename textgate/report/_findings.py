"""Findings: what a report is made of, as plain tables and traces.

Whoever has such tables can make a page of them, whether a study wrote them or not; whatever is
missing is left out of the page, and the page says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import xarray as xr

from textgate import models, recurrence
from textgate.datasets import is_generated
from textgate.recurrence import Cell


@dataclass(frozen=True)
class ModelFindings:
    """What was found about one model.

    Attributes:
        name: Its name, such as that of its run directory.
        config: The recipe that it was trained with, and `parameters`, the number of its weights;
            `{}` if unknown.
        versions: Of the libraries.
        history: A row for each validation, as training writes it.
        agreement: By the name of the pairs: accuracy by groups, as
            `textgate.evaluation.summary` returns it.
        rule: By the name of contexts with a gold pronoun: the model beside the rule "the gender of
            the last gendered word", as `textgate.evaluation.against_rule` returns it.
        perplexity: As `textgate.evaluation.perplexity` returns it.
        default: What the model expects without and with a cue of gender (a table of the study).
        finding: What `UnitFinding.to_json` says, as a dictionary; `None` if units weren't looked
            for.
        units: The tables of the `UnitFinding`, by name.
        probes: By name, tables of `textgate.probing.probe`.
        mechanics: By name, tables of `textgate.mechanics`.
        sentences: The sentences of the gate view: a row a sentence and its twin, with `text`,
            `twin`, `target` (number of the word that the pronoun is, `<bos>` being 0), `good`,
            `bad`, and by choice `group` and further facts.
        traces: Their trace; the examples are the sentences, then the twins.
        skipped: By stage, why it has no results.
    """

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    history: pd.DataFrame | None = None
    agreement: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    rule: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    perplexity: pd.Series | None = None
    default: pd.DataFrame | None = None
    finding: Mapping[str, Any] | None = None
    units: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    probes: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    mechanics: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    sentences: pd.DataFrame | None = None
    traces: xr.DataTree | None = None
    skipped: Mapping[str, str] = field(default_factory=dict)

    @property
    def _cell_name(self) -> str:
        return str(self.config.get("cell", (self.finding or {}).get("cell", "")))

    @property
    def kind(self) -> Cell:
        """The kind of its recurrent layers, which says what its gates are; an LSTM if unknown."""
        return models.equations_of(self._cell_name) or recurrence.LSTM

    @property
    def cell(self) -> str:
        """The kind of cell in words, such as "LSTM"; "model" if unknown."""
        name = self._cell_name
        return self.kind.title if name == self.kind.kind else name.replace("_", " ") or "model"

    @property
    def title(self) -> str:
        """How headings name the model."""
        return self.cell if self.cell.lower() == self.name.lower() else f"{self.cell} ({self.name})"

    @property
    def on_text(self) -> bool:
        """Whether the model was trained on text, and not on generated sentences."""
        return not is_generated(self.config.get("data", "pronoun_agreement"))

    @property
    def keeping_gate(self) -> str:
        """The gate that keeps, in words and with its letter, such as "forget gate f"."""
        gate = self.kind.keeping
        return f"{gate.replace('_', ' ')} {self.kind.letters[gate]}" if gate else "gate that keeps"

    def table(self, name: str, of: str = "mechanics") -> pd.DataFrame | None:
        """Return a table if it is there and has rows."""
        table = getattr(self, of).get(name)
        return table if table is not None and len(table) else None


@dataclass(frozen=True)
class Findings:
    """What a study found.

    Attributes:
        models: The models, the main one first.
        study: Its settings: `command`, `seed`, `data`, and whatever else is known.
        seconds: How long each stage took.
        ladder: A row a kind of model, as `textgate compare` writes it; without it the page speaks
            of this study's models alone.
    """

    models: tuple[ModelFindings, ...]
    study: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    ladder: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if not self.models:
            raise ValueError("a report is about one model at least. Received: no models")
