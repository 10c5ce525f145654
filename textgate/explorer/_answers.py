"""The questions that a page asks, answered by Python: the same as `page/engine/engine.js` answers.

One model is shared by many requests, so that only one of them computes at a time.
"""

import inspect
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import xarray as xr

from textgate.explorer._page_edits import as_rows, interventions_of
from textgate.explorer._payload import described, is_squashed
from textgate.explorer._subjects import Chances, InputSubject, LanguageSubject, Subject
from textgate.interventions import intervene
from textgate.layers import weights_of
from textgate.mechanics import ledger
from textgate.tracing import checked_sites, nodes_of, resolve, trace

QUESTIONS = (
    *("describe", "knows", "run", "parts", "ledger", "tally", "prepare", "highest", "matches"),
)
# The most that one question may ask for.
CHARACTERS, WORDS, CHANCES, PAIRS, PLACES = 20_000, 500, 1000, 500, 200


class Answers:
    """Answers questions about models.

    Args:
        subjects: The models by name.
        data: What the page holds besides them; see `textgate.explorer._explore.material`.
        paths: Where models come from, by name.
    """

    def __init__(
        self, subjects: dict[str, Subject], data: dict[str, Any], paths: dict[str, str | None]
    ) -> None:
        self.subjects = subjects
        self.data = data
        self.paths = paths
        self._corpus_values = cache(self._traced_corpus)

    def answer(self, question: str, query: Any) -> Any:
        """Return the answer to a question, as JSON can hold it.

        Args:
            question: One of `QUESTIONS`.
            query: Its arguments by name.

        Raises:
            ValueError: If there is something wrong with the query.
            TypeError: Likewise.
        """
        if question not in QUESTIONS:
            raise ValueError(f"the questions are {', '.join(QUESTIONS)}. Received: {question!r}")
        if not isinstance(query, dict):
            raise TypeError(f"a query is a JSON object. Received: {str(query)[:80]}")
        method = getattr(self, question)
        known = inspect.signature(method).parameters
        if extra := set(query) - set(known):
            raise ValueError(f"{question} takes {', '.join(known)}. Received: {min(extra)!r}")
        return method(**query)

    # -- questions ---------------------------------------------------------------------------

    def describe(self, model: str | None = None) -> dict[str, Any]:
        """Say what a model is."""
        name, subject = self._subject(model)
        layers = []
        for site in checked_sites(subject.model):
            spec = site.spec
            formulas = {n: spec.cell.letters[n] for n in ("retention", "writing")}
            about = described(spec.cell, spec.units, is_squashed(spec))
            layers.append({"name": site.path, **about, "formulas": formulas})
        return {
            "name": name,
            "title": layers[0]["title"],
            "path": self.paths.get(name),
            "precision": "float32",
            "vocabulary": subject.vocabulary,
            "reads": subject.reads,
            "says": subject.says,
            "layers": layers,
        }

    def knows(self, word: str, model: str | None = None) -> bool:
        """Say whether a model knows a word."""
        _, subject = self._subject(model)
        return not subject.unknown(_checked_text(word))

    def run(
        self,
        text: str,
        model: str | None = None,
        edits: Any = None,
        twin: str | None = None,
        k: int = 10,
        words: Sequence[str] = (),
        signals: bool = True,
    ) -> dict[str, Any]:
        """Read a text, perhaps with edits."""
        _, subject = self._subject(model)
        text = _checked_text(text)
        k = _checked_count("k", k, CHANCES)
        if not isinstance(words, list | tuple) or len(words) > WORDS:
            raise ValueError(f"`words` is a list of up to {WORDS}. Received: {str(words)[:80]}")
        edited = self._edited(subject, edits, twin)
        probabilities = subject.probabilities(edited, text)
        asked = [(str(word), subject.id_of(str(word))) for word in words]
        return {
            "tokens": subject.tokens(text),
            "unknown": subject.unknown(text),
            "signals": self._signals(subject, edited, text) if signals else {},
            "next": [_likeliest(subject, row, k) for row in probabilities],
            "asked": [
                [
                    {"word": word, "probability": 0.0 if i is None else float(row[i])}
                    for word, i in asked
                ]
                for row in np.nan_to_num(probabilities)
            ],
            "logprobs": subject.logprobs(text, probabilities),
        }

    def parts(
        self,
        text: str,
        layer: str,
        unit: int,
        step: int,
        model: str | None = None,
        edits: Any = None,
        twin: str | None = None,
    ) -> dict[str, Any]:
        """Return the equations of one unit at one step, with their numbers."""
        from textgate.explorer._equations import parts_of

        _, subject = self._subject(model)
        if not isinstance(subject, LanguageSubject):
            raise ValueError(
                "the equations are shown of language models, whose inputs are known. Received: "
                f"{type(subject.model).__name__}"
            )
        sites = checked_sites(subject.model)
        (site, _), *_ = resolve(layer, sites)
        named = self._signals(subject, self._edited(subject, edits, twin), _checked_text(text))
        index = [one.path for one in sites].index(site.path)
        below = np.array(named[sites[index - 1].path]["hidden_state"]) if index else None
        x = subject.projected(index, text, below)
        parts = parts_of(site.spec, weights_of(site.cell), x, named[site.path], unit, step)
        return {"token": subject.tokens(text)[step], **parts}

    def ledger(
        self,
        text: str,
        layer: str,
        unit: int,
        step: int,
        model: str | None = None,
        edits: Any = None,
        twin: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return who wrote a unit's memory at a step."""
        _, subject = self._subject(model)
        text = _checked_text(text)
        traced = trace(self._edited(subject, edits, twin), subject.inputs([text]), layers=[layer])
        [node] = nodes_of(traced).values()
        entries = ledger(node, step, units=[unit]).isel(example=0, unit=0)
        tokens = subject.tokens(text)
        return [
            {
                "step": source,
                "token": tokens[source],
                **{
                    name: float(entries[variable].values[source])
                    for name, variable in (
                        ("written", "written"),
                        ("left", "kept"),
                        ("amount", "entry"),
                    )
                },
            }
            for source in range(step + 1)
        ]

    def tally(
        self,
        model: str | None = None,
        pairs: list[dict[str, Any]] | None = None,
        group: str | None = None,
        edits: Any = None,
    ) -> dict[str, Any]:
        """Count in how many held-out sentences edits make the model change its mind."""
        _, subject = self._subject(model)
        chosen = self.data["pairs"] if pairs is None else pairs
        chosen = [pair for pair in chosen if not group or pair.get("group") == group]
        if not isinstance(subject, LanguageSubject):
            raise ValueError("a tally needs a language model. Received: another model")
        if len(chosen) > PAIRS:
            raise ValueError(f"a tally takes up to {PAIRS} pairs. Received: {len(chosen)}")
        if not chosen:
            return {"flipped": 0, "of": 0, "items": []}
        texts = [_checked_text(pair["text"]) for pair in chosen]
        twins = [_checked_text(pair["twin"]) for pair in chosen]
        ids = np.array([[subject.id_of(pair[n]) or 0 for n in ("good", "bad")] for pair in chosen])
        before = _differences(subject.model, texts, ids)
        after = before
        if edits:
            after = _differences(self._edited(subject, edits, twins), texts, ids)
        items = [
            {**pair, "before": float(a), "after": float(b), "flipped": bool((a > 0) != (b > 0))}
            for pair, a, b in zip(chosen, before, after, strict=True)
        ]
        return {"flipped": sum(i["flipped"] for i in items), "of": len(items), "items": items}

    def prepare(self, model: str | None = None, milliseconds: float = 0) -> dict[str, int]:
        """Say how much of the corpus is read: it is read when it is asked for."""
        _, subject = self._subject(model)
        return {"done": len(self._corpus(subject)), "of": len(self._corpus(subject))}

    def highest(
        self,
        layer: str,
        signal: str,
        model: str | None = None,
        units: list[int] | None = None,
        mode: str = "highest",
        k: int = 10,
    ) -> list[dict[str, Any]]:
        """Return the steps of the corpus at which a signal is highest, lowest or jumps."""
        from textgate.explorer._corpus import highest

        name, subject = self._subject(model)
        values = self._corpus_values(name, layer, signal)
        k = _checked_count("k", k, PLACES)
        return highest(values, self._tokens_of_corpus(subject), units, mode, k)

    def matches(
        self,
        layer: str,
        signal: str,
        units: list[int],
        pattern: list[list[bool | None]],
        model: str | None = None,
        threshold: float = 0.5,
        k: int = 10,
    ) -> list[dict[str, Any]]:
        """Return where a pattern of units over steps comes again in the corpus."""
        from textgate.explorer._corpus import matches

        name, subject = self._subject(model)
        values = self._corpus_values(name, layer, signal)
        tokens = self._tokens_of_corpus(subject)
        return matches(values, tokens, units, pattern, threshold, _checked_count("k", k, PLACES))

    # -- parts of answers --------------------------------------------------------------------

    def _subject(self, name: str | None) -> tuple[str, Subject]:
        name = next(iter(self.subjects)) if name is None else name
        if name not in self.subjects:
            raise ValueError(f"the models are {', '.join(self.subjects)}. Received: {name!r}")
        return name, self.subjects[name]

    def _edited(self, subject: Subject, edits: Any, twin: str | Sequence[str] | None) -> Any:
        def traced(texts: Sequence[str]) -> xr.DataTree:
            return trace(subject.model, subject.inputs([_checked_text(text) for text in texts]))

        twins = [twin] if isinstance(twin, str) else twin
        found = interventions_of(edits, traced, twins)
        return intervene(subject.model, found)

    def _signals(
        self, subject: Subject, edited: Any, text: str
    ) -> dict[str, dict[str, list[list[float]]]]:
        steps = len(subject.tokens(text))
        signals = {}
        for path, node in nodes_of(trace(edited, subject.inputs([text]))).items():
            names = [str(n) for n in node.data_vars if not str(n).startswith("initial_")]
            signals[path] = {
                name: as_rows(np.nan_to_num(node[name].values[0, :steps])) for name in names
            }
        return signals

    def _corpus(self, subject: Subject) -> list[str]:
        if isinstance(subject, InputSubject):
            return [str(number) for number in range(min(subject.count, 2000))]
        corpus: list[str] = self.data["corpus"]
        return corpus

    def _tokens_of_corpus(self, subject: Subject) -> list[list[str]]:
        return [subject.tokens(text) for text in self._corpus(subject)]

    def _traced_corpus(self, name: str, layer: str, signal: str) -> np.ndarray:
        """Return a signal over the corpus, (texts, steps, units), NaN past the end of a text."""
        subject = self.subjects[name]
        inputs = subject.inputs(self._corpus(subject))
        traced = trace(subject.model, inputs, layers=[layer], signals=[signal])
        [node] = nodes_of(traced).values()
        return np.asarray(node[signal].values)


def _likeliest(subject: Subject, row: np.ndarray, k: int) -> Chances:
    if np.isnan(row).any():
        return []
    order = np.argsort(-row, kind="stable")[:k]
    return [{"word": subject.word_of(int(i)), "probability": float(row[i])} for i in order]


def _differences(model: Any, texts: list[str], ids: np.ndarray) -> np.ndarray:
    """Return log p(good) − log p(bad) after each text."""
    scores = model.next_logprobs(texts)
    rows = np.arange(len(texts))
    return np.asarray(scores[rows, ids[:, 0]] - scores[rows, ids[:, 1]])


def _checked_text(text: Any) -> str:
    if not isinstance(text, str) or len(text) > CHARACTERS:
        raise ValueError(
            f"a text is a string of up to {CHARACTERS} characters. Received: {str(text)[:80]!r}"
        )
    return text


def _checked_count(name: str, value: Any, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"`{name}` must be from 1 to {most}. Received: {name}={value!r}")
    return value
