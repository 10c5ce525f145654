"""From a directory to findings: what the stages of a study left on disk.

runs/she-her/
    study.json              the settings, and how long each stage took
    ladder/ladder-DATE.csv  by choice: what `textgate compare` wrote; the last counts
    lstm/                   a run directory (and so on for each model)
        config.json  versions.json  history.csv  model.keras
        facts.json          the number of weights
        evaluation/PAIRS/   summary.csv, rule.csv, perplexity.csv
        default.csv         what is expected without and with a cue
        gallery/            sentences.csv, traces.zarr
        units/              finding.json and its tables
        probes/             tables
        mechanics/          tables
        skipped.json        by stage, why it has no results
"""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd

from textgate.report._findings import Findings, ModelFindings

STUDY, SKIPPED = "study.json", "skipped.json"
_LADDER = "ladder/ladder-*.csv"
GALLERY, SENTENCES, TRACES = "gallery", "sentences.csv", "traces.zarr"
FINDING, DEFAULT = "finding.json", "default.csv"
_CONFIG, FACTS = "config.json", "facts.json"


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
    if not place.is_dir():
        raise FileNotFoundError(
            f"there is no such directory; give a study's or a run's. Received: {place}"
        )
    if (place / _CONFIG).is_file():
        runs = [place]
    else:
        runs = [path.parent for path in sorted(place.glob(f"*/{_CONFIG}"))]
    study = _json(place / STUDY) or {}
    order = [str(name) for name in study.get("models", ["lstm"])]
    if (place / STUDY).is_file():
        runs = [run for run in runs if run.name in order] or runs
    runs.sort(key=lambda run: (order.index(run.name) if run.name in order else len(order), run))
    if not runs:
        raise FileNotFoundError(
            "the directory holds no run to report on; `textgate study` or `textgate train` make "
            f"one. Received: {place}"
        )
    ladders = sorted(place.glob(_LADDER))
    return Findings(
        models=tuple(read_model(run) for run in runs),
        study=study,
        seconds={str(k): float(v) for k, v in (study.get("seconds") or {}).items()},
        ladder=_table(ladders[-1]) if ladders else None,
    )


def read_model(run: Path) -> ModelFindings:
    """Collect what is on disk about one model.

    Raises:
        ValueError: If a file is not what its name says.
    """
    evaluations = sorted((run / "evaluation").glob("*/summary.csv"))
    agreement = {path.parent.name: pd.read_csv(path) for path in evaluations}
    rules = sorted((run / "evaluation").glob("*/rule.csv"))
    perplexity = None
    for path in sorted((run / "evaluation").glob("*/perplexity.csv")):
        perplexity = pd.read_csv(path).iloc[0]
    sentences = _table(run / GALLERY / SENTENCES)
    traces = None
    if sentences is not None and (run / GALLERY / TRACES).is_dir():
        from textgate import tracing

        traces = tracing.open(run / GALLERY / TRACES)
    return ModelFindings(
        name=run.name,
        config={**(_json(run / FACTS) or {}), **(_json(run / _CONFIG) or {})},
        versions=_json(run / "versions.json") or {},
        history=_table(run / "history.csv"),
        agreement=agreement,
        rule={path.parent.name: pd.read_csv(path) for path in rules},
        perplexity=perplexity,
        default=_table(run / DEFAULT),
        finding=_json(run / "units" / FINDING),
        units=_tables(run / "units"),
        probes=_tables(run / "probes"),
        mechanics=_tables(run / "mechanics"),
        sentences=sentences,
        traces=traces,
        skipped=_json(run / SKIPPED) or {},
    )


def _tables(directory: Path) -> dict[str, pd.DataFrame]:
    tables = {path.stem: _table(path) for path in sorted(directory.glob("*.csv"))}
    return {name: table for name, table in tables.items() if table is not None}


def _table(path: Path) -> pd.DataFrame | None:
    """Return a table; `None` if there is none, or an empty one."""
    if not path.is_file():
        return None
    try:
        # A word such as "null" or "nan" is a word.
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:
        return None
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"a table that can't be read ({error}). Received: {path}") from error


def _json(path: Path) -> Any:
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"not the JSON that it should be ({error}). Received: {path}") from error
