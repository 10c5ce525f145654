"""The model card of a shipped model: what it was made of, what it can do, and what it is not for.

A model card (Mitchell et al. 2019, "Model Cards for Model Reporting") goes along with a model, so
that whoever gets the model alone knows its data, its numbers and its limits. Everything in it is
read from the run directory: the recipe, the history of training and the tables that
`textgate evaluate` has written.
"""

import dataclasses
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._reading import read_json, read_table
from textgate.evaluation.report import cells_of
from textgate.models import load_run
from textgate.models.runs import RunLayout
from textgate.training import Recipe, presets

_SPLITS = {
    "test": "the constructions and words of training, in other sentences",
    "test_templates": "constructions that training doesn't have",
    "test_distances": "41 to 80 words from the antecedent to the pronoun; training has 1 to 40",
    "test_lexemes": "names and nouns that training shows in one construction, in all the others",
    "number_agreement-test": "generated pairs of subject-verb agreement",
}
_TEXT_SPLITS = {
    "test": "generated sentences of pronoun agreement; unknown words count as wrong",
    "test_distances": "generated, 41 to 80 words from the antecedent to the pronoun",
    "number_agreement-test": "generated pairs of subject-verb agreement",
    "litbank_pronouns": "contexts with a gold pronoun, from novels of before 1930",
}
# Groupings of the table of the first split.
_GROUPINGS = ("direction", "distance", "incongruent attractors", "antecedent kind")

_USING = """\
```python
import tensorflow as tf

model = tf.saved_model.load("PATH")
print(model.describe()["description"].numpy().decode())
print(model.pronouns(tf.constant(["She came out and played with"])))
```"""

_DATA = """\
Sentences that textgate generates from its own tables of words and constructions
(`pronoun_agreement`): a pronoun whose antecedent is fixed, at distances of 1 to 40 words, with and
without other referents between them. The four classes (she, he, it, they) are equally many in the
sentences to be tested. No text from elsewhere, and nobody's personal data, is in it: only the
figures by which first names are drawn come from outside, from the births by name and sex that the
US Social Security Administration publishes."""

_TEXT_USE = """\
- To look at what gates and cells do with English as it was written: for teaching, for trying out
  methods of analysis on a model that wasn't made for them.
- As an example of a SavedModel that serves predictions, gates and interventions.

It is a small model of old books. Don't use it to write text, to guess anybody's gender, or to judge
how texts or people speak of gender."""

_TEXT_LIMITS = """\
- *Gender here is grammatical*: which of *she* and *he* its text goes on with. It says nothing about
  persons.
- It repeats what its text prefers, as between *she* and *he* where nothing tells.
- Names that its text has seldom or never are read as `<unk>`, and tell it nothing.
- One training, one seed: a single model shows what it does itself, not what its architecture
  does."""

_USE = """\
- To look at what gates and cells do with a dependency that is known: for teaching, for trying out
  methods of analysis, for comparing an LSTM with a GRU.
- As an example of a SavedModel that serves predictions, gates and interventions.

It is not a model of English. Don't use it to write text, to guess anybody's gender, or to judge how
texts or people speak of gender."""

_LIMITS = """\
- *Gender in this data is grammatical*: which of *she*, *he*, *it* and *they* agrees with an
  antecedent, in sentences made for that. It says nothing about persons.
- *First names follow US birth records* of 1880 to 2015, which know two sexes and one country. A
  name is used for both if the rarer sex has at least 2 % of its births; all others stand for one
  sex here, which no name of a person does.
- *"They" is a class of its own*, beside *she*, *he* and *it*. Its antecedents here are groups.
  The singular *they* is not in the data: where English would allow it (*every girl ... they*), no
  pair sets it against another pronoun. What the model says after an antecedent that takes it means
  nothing.
- The words are few: others are read as `<unk>`, and a text of unknown words only is refused.
- The sentences are of limited length and of limited kinds; what the model does with others is
  shown by the tables only as far as they go.
- One training, one seed: a single model shows what it does itself, not what its architecture
  does."""


def card(run: str | os.PathLike[str], name: str | None = None, about: str | None = None) -> str:
    """Return the model card of a trained and evaluated run, as Markdown.

    Args:
        run: The run directory, with the tables that `textgate evaluate` has written into it.
        name: The model's name; the directory's by default.
        about: What its data are; of generated data the card knows it.

    Raises:
        FileNotFoundError: If it is not a run directory, or wasn't evaluated on the split `test`.
    """
    layout = RunLayout(run)
    config = load_run(run)
    name = name or layout.directory.name
    tables = _tables(layout)
    versions = _json(layout.versions)
    used = ", ".join(f"{key} {value}" for key, value in versions.items())
    generated = config["data"] == "pronoun_agreement"
    layers = " and ".join(map(str, config["units"]))
    parts = [
        f"# {name}",
        f"A language model of {_article(config['cell'])} {config['cell'].upper()} with {layers} "
        f"units, trained on the data `{_joined(config['data'])}`, and exported as a SavedModel: "
        "plain TensorFlow loads it and gets next words, probabilities of pronouns, every gate at "
        "every word, and predictions under interventions. `describe()` says how to call it.",
        _USING,
        "## Data",
        about or (_DATA if generated else f"`{_joined(config['data'])}`."),
        "## Training",
        f"    {command_of(config)}",
        f"{_history(layout)} Made with {used or 'versions that were not recorded'}.",
        "## Results",
        "An item counts as right if the right form of the pronoun beats every wrong one; a tie is "
        "wrong. Intervals: 95 %, bootstrap clustered on template and lexeme. Margin: median of "
        "log p(right) − log p(likeliest wrong), in nats."
        + ("" if generated else " Contexts with a gold pronoun are counted as said of them."),
        *([] if generated else _on_text(layout)),
        _overview(tables, _SPLITS if generated else _TEXT_SPLITS),
        *_details(tables["test"]),
        "## Intended use",
        _USE if generated else _TEXT_USE,
        "## Limits",
        _LIMITS if generated else _TEXT_LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def command_of(config: Mapping[str, Any], run: str = "RUN") -> str:
    """Return the command that trains by a recipe.

    Args:
        config: The recipe as a run's `config.json` has it.
        run: What to call the run directory.

    Example:

    >>> command_of(Recipe(cell="gru", units=(8, 4)).to_dict())
    'textgate train RUN --cell gru --units 8,4'
    """
    recipe = Recipe.from_dict(config)
    options = Recipe.options()
    commands = []
    for preset, settings in presets.PRESETS.items():
        changed = _changes(Recipe(**settings), recipe)
        # An option can't take back what a preset has set.
        if all(k in options and v is not None and v is not False for k, v in changed.items()):
            commands.append((preset, changed))
    if not commands:
        changes = ", ".join(f"{k}={v!r}" for k, v in _changes(Recipe(), recipe).items())
        return f"textgate.training.train(textgate.training.Recipe({changes}), {run!r})"
    preset, changed = min(commands, key=lambda pair: len(pair[1]))
    words = ["textgate", "train", run]
    if preset != "default":
        words += ["--preset", preset]
    for key, value in changed.items():
        option = f"--{key.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif key in ("data", "validation"):
            for source in (value,) if isinstance(value, str) else value:
                words += [option, source]
        elif key == "units":
            words += [option, ",".join(map(str, value))]
        else:
            words += [option, str(value)]
    return shlex.join(words)


def _changes(base: Recipe, recipe: Recipe) -> dict[str, Any]:
    """Return by name the settings in which a recipe differs from another."""
    names = [field.name for field in dataclasses.fields(Recipe)]
    return {n: getattr(recipe, n) for n in names if getattr(recipe, n) != getattr(base, n)}


def _tables(run: RunLayout) -> dict[str, pd.DataFrame]:
    """Return the summary of each evaluation of a run, in the order of the splits."""
    tables = {}
    for name, path in run.evaluations("summary").items():
        kinds = {"by": str, "group": str}
        table = read_table(path, tuple(kinds), dtype=kinds, keep_default_na=False)
        tables[name.removeprefix("pronoun_agreement-")] = table
    if "test" not in tables:
        raise FileNotFoundError(
            "the run wasn't evaluated on the split `test`; call `textgate evaluate` on it first. "
            f"Received: {run.directory}"
        )
    order = [*_SPLITS, *tables]
    return {name: tables[name] for name in sorted(tables, key=order.index)}


def _overview(tables: Mapping[str, pd.DataFrame], splits: Mapping[str, str]) -> str:
    lines = [
        "| split | what it holds | items | accuracy | 95 % | margin (nats) | unknown |",
        "|---|---|---:|---:|---|---:|---:|",
    ]
    for name, table in tables.items():
        cells = cells_of(_rows(table, "all")[0])[1:]
        lines.append(f"| {name} | {' | '.join([splits.get(name, ''), *cells])} |")
    return "\n".join(lines)


def _details(table: pd.DataFrame) -> list[str]:
    parts = []
    for by in _GROUPINGS:
        rows = _rows(table, by)
        if not rows:
            continue
        lines = [
            f"| test: {by} | items | accuracy | 95 % | margin (nats) | unknown |",
            "|---|---:|---:|---|---:|---:|",
        ]
        lines += ["| " + " | ".join(cells_of(row)) + " |" for row in rows]
        parts.append("\n".join(lines))
    return parts


def _on_text(run: RunLayout) -> list[str]:
    """Return what was measured on text: perplexity, and contexts beside the rule for them."""
    parts = []
    for path in run.evaluations("perplexity").values():
        measured = read_table(path, ("unknown", "perplexity", "words")).iloc[0]
        unknown = f"{100 * measured['unknown']:.1f} % of them unknown"
        parts.append(
            f"Its perplexity on text that it hasn't seen is {measured['perplexity']:.1f} "
            f"({int(measured['words']):,} words and punctuation marks, {unknown})."
        )
    for name, path in run.evaluations("rule").items():
        lines = [
            f"| {name} | | items | accuracy | rule | difference in points |",
            "|---|---|---:|---:|---:|---|",
        ]
        for row in read_table(path, ("by", "group"), keep_default_na=False).to_dict("records"):
            low, high = (100 * float(row[f"difference_{end}"]) for end in ("low", "high"))
            lines.append(
                f"| {row['by']} | {row['group']} | {row['items']:,} | {100 * row['accuracy']:.1f} "
                f"| {100 * row['rule']:.1f} "
                f"| {100 * row['difference']:+.1f} ({low:.1f} to {high:.1f}) |"
            )
        parts += [
            "Contexts with a gold pronoun: are the forms of the right gender together likelier "
            "than those of the other? The rule answers with the gender of the last gendered word "
            "before the pronoun. Intervals: 95 %, paired bootstrap clustered on document.",
            "\n".join(lines),
        ]
    return parts


def _rows(table: pd.DataFrame, by: str) -> list[dict[str, Any]]:
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
    return [row for row in rows if row["by"] == by]


def _history(run: RunLayout) -> str:
    if not run.history.is_file():
        return "The history of its training is not there."
    history = read_table(run.history, ("validation_loss", "words"))
    best = history.iloc[int(history["validation_loss"].argmin())]
    return (
        f"It has read {int(best['words']):,} words and punctuation marks; its loss on the "
        f"validation split is {best['validation_loss']:.3f} nats for each."
    )


def _json(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _joined(data: Any) -> str:
    return data if isinstance(data, str) else ", ".join(data)


def _article(cell: str) -> str:
    return "an" if cell.startswith("lstm") else "a"
