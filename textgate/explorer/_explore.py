"""`explore`: the live view of language models, as a page, a file or a notebook's cell."""

import html
import json
import os
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._files import write_text
from textgate.explorer import _material
from textgate.explorer._page import TITLE, page
from textgate.explorer._payload import Precision, payload_of
from textgate.models import load_language_model
from textgate.models.runs import RunLayout

_HEIGHT = 900  # of the frame in a notebook, in pixels


def explore(
    models: Any,
    *,
    findings: Any = None,
    pairs: pd.DataFrame | None = None,
    corpus: Sequence[str] | None = None,
    precision: Precision = "float16",
    title: str = TITLE,
) -> "Explorer":
    """Return the live view of one or several language models.

    One types a sentence, exchanges a word, holds a gate, and sees at once what the model says next.
    Everything is computed in the page, which needs neither Python nor the network.

    Args:
        models: A `LanguageModel`, the path of one (a run directory, a `.keras` file), or several,
            as a list or as a dictionary by the names that they get in the page.
        findings: What `textgate.find_units` found, of the one model or, as a dictionary, by its
            name. By default that of the run directory, if the model comes from one that has it.
        pairs: Minimal pairs for the tally, as `textgate.datasets.minimal_pairs` returns them, with
            counterparts; by default held-out ones of every feature whose words the models know.
        corpus: Sentences to search; by default generated ones that no model was trained on.
        precision: Of the weights in the page: `"float16"`, or `"float32"` for twice the size.
        title: The page's title.

    Raises:
        FileNotFoundError: If there is no model at a path.
        ValueError: If a page can't hold a model (then `textgate explore` shows it with a local
            server behind the page), or two have the same name.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer.train(["She fed her dog .", "He fed his cat ."])
    >>> lm = LanguageModel(tokenizer, cell="gru", units=8, seed=0)
    >>> explore(lm, corpus=["She fed her cat."])
    Explorer(gru)
    """
    named = _named(models)
    given = _findings(findings, list(named))
    payloads, found, tokenizers = [], {}, []
    for name, model in named.items():
        path = None if not isinstance(model, str | os.PathLike) else os.fspath(model)
        lm = model if path is None else load_language_model(path)
        payloads.append(payload_of(lm, name, precision, path=path))
        tokenizers.append(lm.tokenizer)
        finding = given.get(name) or (None if path is None else _finding_of_run(path))
        if finding is not None:
            found[name] = _finding(finding)
    data = {
        "models": payloads,
        "pairs": _material.pairs_for(tokenizers)
        if pairs is None
        else _material.own_pairs(pairs, tokenizers, "own"),
        "corpus": _material.corpus_for() if corpus is None else list(corpus),
        "lexicon": _material.lexicon_for(tokenizers),
        "findings": found,
    }
    return Explorer(data, title)


class Explorer:
    """The live view, as `explore` returns it. In a notebook it shows itself.

    Attributes:
        data: What the page holds, as JSON can hold it.
        title: Its title.
    """

    def __init__(self, data: dict[str, Any], title: str = TITLE) -> None:
        self.data = data
        self.title = title

    def __repr__(self) -> str:
        return f"Explorer({', '.join(model['name'] for model in self.data['models'])})"

    def to_html(self) -> str:
        """Return the page, a text that needs nothing else."""
        return page(self.data, self.title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file.

        Args:
            path: The file, such as `"page.html"`.

        Returns:
            The path.

        Raises:
            CannotWriteError: If there is no room, or no permission.
        """
        path = Path(path)
        write_text(path, self.to_html())
        return path

    def show(self) -> Path:
        """Open the page in the browser.

        Returns:
            Where the page lies, in the directory for temporary files.
        """
        folder = Path(tempfile.mkdtemp(prefix="textgate-"))
        path = self.save(folder / "explorer.html")
        webbrowser.open(path.as_uri())
        return path

    def _repr_html_(self) -> str:
        """Return the page within a frame, for notebooks."""
        return (
            f'<iframe srcdoc="{html.escape(self.to_html())}" width="100%" height="{_HEIGHT}" '
            f'style="border:0" title="{html.escape(self.title)}"></iframe>'
        )


def _named(models: Any) -> dict[str, Any]:
    """Return models by their names in the page."""
    if isinstance(models, Mapping):
        return {str(name): model for name, model in models.items()}
    several = models if isinstance(models, list | tuple) else [models]
    named: dict[str, Any] = {}
    for model in several:
        is_path = isinstance(model, str | os.PathLike)
        name = RunLayout.of(model).directory.name if is_path else getattr(model, "cell", "model")
        if name in named:
            raise ValueError(
                "models in one page need names of their own; give a dictionary of models by name. "
                f"Received: {name!r} twice"
            )
        named[name] = model
    if not named:
        raise ValueError("there must be a model to explore. Received: none")
    return named


def _findings(findings: Any, names: list[str]) -> dict[str, Any]:
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


def _finding_of_run(path: str) -> dict[str, Any] | None:
    file = RunLayout.of(path).finding
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _finding(finding: Any) -> dict[str, Any]:
    """Return what the page says of a finding: its units, and the verdict."""
    facts = finding if isinstance(finding, Mapping) else json.loads(finding.to_json())
    units: list[Any] = next((facts[n] for n in ("sufficient", "necessary") if facts.get(n)), [])
    return {
        **{name: facts[name] for name in ("feature", "layer", "signal")},
        "units": [int(unit) for unit in units],
        "necessary": [int(unit) for unit in facts.get("necessary", ())],
        "claim": str(facts.get("claim", "")),
        "says": str(facts.get("verdict", "")),
    }
