"""The gate view: any traces word by word, with sentence, layer, signal and unit to choose.

It is a section of the report, and can be had alone, for a notebook or another page:

    view = textgate.report.gate_view(textgate.trace(lm, ["She lost her way.", "He lost his way."]))
    view                                         # in a notebook: shows it
    view.to_html()                               # a page that needs nothing but itself
    view.to_html(full_html=False)                # its elements, data and code, for another page
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from markupsafe import escape

from textgate._special_tokens import BOS, EOS, PAD, TOKENS
from textgate.report import _html
from textgate.report._blocks import Block
from textgate.report._findings import ModelFindings
from textgate.report._gate_data import BUDGET, gate_data
from textgate.tokenizers import detokenize

_HEIGHT = 900  # pixels in a notebook


@dataclass(frozen=True)
class GateView(Block):
    """A heat map of words by units, and a unit's curve beside that of the twin sentence.

    A page holds one, since its elements are found by their ids (`gate-…`).

    Attributes:
        data: The packed traces, as `textgate.report._gate_data.gate_data` describes them.
        caption: What to say below.
    """

    scripts = ("figures.js", "gates.js")

    data: Mapping[str, Any]
    caption: str = (
        "Gates run from 0 (closed, light) to 1 (open, dark); memory, candidate and output are "
        "orange above zero and blue below, to the scale beside them. Where the two curves part, "
        "the unit tells the two sentences apart."
    )

    @property
    def embedded(self) -> Mapping[str, Any]:
        """The packed traces."""
        return {"gate-data": self.data}

    def to_html(self, full_html: bool = True, include_plotlyjs: bool = True) -> str:
        """Return the view as HTML.

        Args:
            full_html: Whether to return a page; else the elements, the data and the code, to be
                put into one that has a style of its own.
            include_plotlyjs: Whether Plotly's library comes with it; a page that has it already
                needs it no second time.
        """
        template = "alone.html" if full_html else "fragment.html"
        return _html.render(
            template, [self], title="Gates, word by word", include_plotlyjs=include_plotlyjs
        )

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the page in a frame of its own."""
        return (
            f'<iframe srcdoc="{escape(str(self.to_html()))}" width="100%" height="{_HEIGHT}" '
            'style="border:0"></iframe>'
        )


def gate_view(
    traces: xr.DataTree,
    sentences: pd.DataFrame | None = None,
    *,
    finding: Mapping[str, Any] | None = None,
    name: str = "",
    budget: int = BUDGET,
) -> GateView:
    """Return the gate view of traced sentences.

    Args:
        traces: A trace of sentences, then of their twins: examples n to 2n - 1 are the twins of the
            examples 0 to n - 1.
        sentences: A row a sentence, as `ModelFindings.sentences` has them; by default what the
            trace says: the words, and as target the last word in which sentence and twin differ.
        finding: What `UnitFinding.to_json` says, for the units to mark.
        name: The model's name; by default its kind of cell.
        budget: The most bytes of numbers, before base64.

    Raises:
        ValueError: If the trace has no words, or the twins are missing.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> from textgate.tracing import trace
    >>> lm = LanguageModel(WordTokenizer("she he lost her his way".split()), units=(4,), seed=0)
    >>> view = gate_view(trace(lm, ["she lost her way", "he lost his way"]))
    >>> view.data["models"][0]["sentences"][0]["words"]
    ['<bos>', 'she', 'lost', 'her', 'way']
    """
    leaf = next((leaf for leaf in traces.leaves if leaf.has_data), None)
    if leaf is None or "token" not in leaf.coords:
        raise ValueError(
            "`traces` must have words, as a trace of a language model has. Received: "
            + ("no layer" if leaf is None else f"coordinates {[*map(str, leaf.coords)]}")
        )
    if sentences is None:
        sentences = _twins_of(leaf)
    if 2 * len(sentences) != leaf.sizes["example"] or not len(sentences):
        raise ValueError(
            "`traces` must hold each sentence, then each twin. Received: "
            f"{len(sentences)} sentences, {leaf.sizes['example']} examples"
        )
    kind = str(leaf.attrs["cell"])
    model = ModelFindings(
        name or kind, {"cell": kind}, finding=finding, sentences=sentences, traces=traces
    )
    data = gate_data([model], budget)
    assert data is not None
    return GateView(data)


def _twins_of(leaf: xr.DataTree) -> pd.DataFrame:
    """Return the sentences of a trace, the first half of its examples, with their twins."""
    words = [
        [str(word) for word in row[there]]
        for row, there in zip(
            np.asarray(leaf["token"]), np.asarray(leaf["mask"], bool), strict=True
        )
    ]
    half = len(words) // 2
    rows = [_row(*twins) for twins in zip(words[:half], words[half : 2 * half], strict=True)]
    return pd.DataFrame(rows)


def _row(words: Sequence[str], twin: Sequence[str]) -> dict[str, Any]:
    differing = [at for at, pair in enumerate(zip(words, twin, strict=False)) if len({*pair}) > 1]
    target = differing[-1] if differing else 0
    return {
        "text": _text(words),
        "twin": _text(twin),
        "target": target,
        "good": words[target],
        "bad": twin[target],
    }


def _text(words: Sequence[str]) -> str:
    return detokenize(word for word in words if word not in (TOKENS[PAD], TOKENS[BOS], TOKENS[EOS]))
