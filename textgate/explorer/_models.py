"""The models of a page by name: objects, files, runs, or a study with several of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textgate._reading import read_json
from textgate.models import load
from textgate.models.runs import RunLayout, StudyLayout


@dataclass(frozen=True)
class Shown:
    """One model of a page.

    Attributes:
        name: What it is called there.
        model: The model.
        path: Where it comes from, as `textgate.load` takes it; `None` if it came as an object.
        finding: What was found in it, as `UnitFinding` has it or its JSON; `None` for nothing.
    """

    name: str
    model: Any
    path: str | None = None
    finding: Any = None


def shown_models(models: Any, findings: Any = None) -> list[Shown]:
    """Return models by the names that they get in a page.

    Args:
        models: As `textgate.explore` takes them, or what this function returned.
        findings: Likewise.

    Raises:
        FileNotFoundError: If there is no model at a path.
        ValueError: If there is none, two have the same name, or findings are of none of them.
    """
    if isinstance(models, Mapping):
        named = [(str(name), model) for name, model in models.items()]
    else:
        several = models if isinstance(models, list | tuple) else [models]
        named = [pair for model in several for pair in _with_names(model)]
    names = [name for name, _ in named]
    if not names:
        raise ValueError("there must be a model to explore. Received: none")
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(
            "models in one page need names of their own; give a dictionary of models by name. "
            f"Received: {min(twice)!r} twice"
        )
    given = _by_name(findings, names)
    return [_shown(name, model, given.get(name)) for name, model in named]


def _with_names(model: Any) -> list[tuple[str, Any]]:
    """Return a model with its name; of a study's directory all of its models."""
    if isinstance(model, Shown):
        return [(model.name, model)]
    if not isinstance(model, str | os.PathLike):
        return [(str(getattr(model, "cell", None) or model.name), model)]
    path = Path(model)
    of_study = StudyLayout(path).models() if path.is_dir() else []
    if of_study and not RunLayout(path).model.is_file():
        return [(file.parent.name, file.parent) for file in of_study]
    run = RunLayout.of(path)
    is_run = path.is_dir() or path.name == run.model.name
    return [(run.directory.resolve().name if is_run else path.stem, path)]


def _shown(name: str, model: Any, finding: Any) -> Shown:
    if isinstance(model, Shown):
        return model if finding is None else replace(model, finding=finding)
    if not isinstance(model, str | os.PathLike):
        return Shown(name, model, None, finding)
    file = RunLayout.of(model).finding
    if finding is None and file.is_file():
        finding = read_json(file)
    return Shown(name, load(model), os.fspath(model), finding)


def _by_name(findings: Any, names: list[str]) -> dict[str, Any]:
    if findings is None:
        return {}
    if isinstance(findings, Mapping) and set(findings) <= set(names):
        return dict(findings)
    if len(names) > 1:
        raise ValueError(
            "with several models, `findings` is a dictionary by their names, "
            f"{names}. Received: {findings!r}"
        )
    return {names[0]: findings}
