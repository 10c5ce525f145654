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
from textgate.explorer._models import Shown, shown_models
from textgate.explorer._page import TITLE, page
from textgate.explorer._payload import Precision, payload_of
from textgate.models import TextModel

HEIGHT = 900  # of the frame in a notebook, in pixels


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
        models: A `LanguageModel`; the path of one (a run directory, a `.keras` file, an exported
            model); a study's directory, with all models in it; or several, as a list or as a
            dictionary by the names that they get in the page.
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
    shown = shown_models(models, findings)
    tokenizers = [one.model.tokenizer for one in shown if isinstance(one.model, TextModel)]
    data = {
        "models": [payload_of(one.model, one.name, precision, path=one.path) for one in shown],
        **material(shown, tokenizers, pairs, corpus),
    }
    return Explorer(data, title)


def material(
    shown: Sequence[Shown],
    tokenizers: Sequence[Any],
    pairs: pd.DataFrame | None = None,
    corpus: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return what a page holds besides its models, as JSON can hold it.

    Args:
        shown: The models.
        tokenizers: Those of them that have one.
        pairs: As for `explore`.
        corpus: Likewise.
    """
    return {
        "pairs": _material.pairs_for(tokenizers)
        if pairs is None
        else _material.own_pairs(pairs, tokenizers, "own"),
        "corpus": _material.corpus_for() if corpus is None else list(corpus),
        "lexicon": _material.lexicon_for(tokenizers),
        "findings": {one.name: _finding(one.finding) for one in shown if one.finding is not None},
    }


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
            f'<iframe srcdoc="{html.escape(self.to_html())}" width="100%" height="{HEIGHT}" '
            f'style="border:0" title="{html.escape(self.title)}"></iframe>'
        )


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
