"""From a directory to findings: what the stages of a study left on disk.

Where they left it is told by `textgate.models.runs`.
"""

import os
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._reading import read_json, read_table
from textgate.models.runs import RunLayout, StudyLayout
from textgate.report._findings import Findings, ModelFindings


def read(directory: str | os.PathLike[str]) -> Findings:
    """Collect what is on disk.

    Args:
        directory: A study's directory, or one run directory.

    Returns:
        The findings; what isn't there is left out.

    Raises:
        FileNotFoundError: If the directory holds no run.
        ValueError: If a file is not what its name says.
    """
    place = Path(directory)
    if not os.path.isdir(place):
        raise FileNotFoundError(
            f"there is no such directory; give a study's or a run's. Received: {place}"
        )
    layout = StudyLayout(place)
    runs = [place] if RunLayout(place).config.is_file() else [r.directory for r in layout.runs()]
    study = _json(layout.settings) or {}
    order = [str(name) for name in study.get("models", ["lstm"])]
    if layout.settings.is_file():
        runs = [run for run in runs if run.name in order] or runs
    runs.sort(key=lambda run: (order.index(run.name) if run.name in order else len(order), run))
    if not runs:
        raise FileNotFoundError(
            "the directory holds no run to report on; `textgate study` or `textgate train` make "
            f"one. Received: {place}"
        )
    ladders = layout.ladders()
    return Findings(
        models=tuple(read_model(run) for run in runs),
        study=study,
        seconds={str(k): float(v) for k, v in (study.get("seconds") or {}).items()},
        ladder=_table(ladders[-1]) if ladders else None,
    )


def read_model(directory: str | os.PathLike[str]) -> ModelFindings:
    """Collect what is on disk about one model.

    Args:
        directory: Its run directory.

    Raises:
        ValueError: If a file is not what its name says.
    """
    run = RunLayout(directory)
    perplexity = None
    for path in run.evaluations("perplexity").values():
        perplexity = read_table(path, ("perplexity",)).iloc[0]
    sentences = _table(run.sentences)
    traces = None
    if sentences is not None and run.traces.is_dir():
        from textgate import tracing

        traces = tracing.open(run.traces)
    return ModelFindings(
        name=run.directory.name,
        config={**(_json(run.facts) or {}), **(_json(run.config) or {})},
        versions=_json(run.versions) or {},
        history=_table(run.history),
        agreement={name: read_table(path) for name, path in run.evaluations("summary").items()},
        rule={name: read_table(path) for name, path in run.evaluations("rule").items()},
        perplexity=perplexity,
        default=_table(run.default),
        finding=_json(run.finding),
        units=_tables(run.units),
        probes=_tables(run.probes),
        mechanics=_tables(run.mechanics),
        sentences=sentences,
        traces=traces,
        skipped=_json(run.skipped) or {},
    )


def _tables(directory: Path) -> dict[str, pd.DataFrame]:
    tables = {path.stem: _table(path) for path in sorted(directory.glob("*.csv"))}
    return {name: table for name, table in tables.items() if table is not None}


def _table(path: Path) -> pd.DataFrame | None:
    """Return a table; `None` if there is none, or an empty one."""
    if not path.is_file():
        return None
    if not path.stat().st_size:
        return None
    # A word such as "null" or "nan" is a word.
    return read_table(path, keep_default_na=False, na_values=[""])


def _json(path: Path) -> Any:
    return read_json(path) if path.is_file() else None
