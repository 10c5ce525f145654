"""All about a model on some pairs, as tables to print, CSV and Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from textgate.evaluation.agreement import agreement
from textgate.evaluation.perplexity import perplexity
from textgate.evaluation.pronouns import pronouns
from textgate.evaluation.summary import summary


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Attributes:
        items: A row for each pair or context.
        summary: Accuracy by groups, as `textgate.evaluation.summary` returns it.
        unknown: How many pairs each unknown word stands in, the most frequent first.
        perplexity: As `textgate.evaluation.perplexity` returns it, or `None`.
    """

    items: pd.DataFrame
    summary: pd.DataFrame
    unknown: pd.Series
    perplexity: pd.Series | None = None

    def to_csv(self, directory: Path) -> list[Path]:
        """Write the tables as `items.csv`, `summary.csv`, `unknown.csv` and `perplexity.csv`."""
        from textgate.training.files import write_text

        tables = {
            "items": self.items.to_csv(index=False),
            "summary": self.summary.to_csv(index=False),
            "unknown": self.unknown.to_csv(),
        }
        if self.perplexity is not None:
            tables["perplexity"] = self.perplexity.to_frame().T.to_csv(index=False)
        directory.mkdir(parents=True, exist_ok=True)
        paths = [directory / f"{name}.csv" for name in tables]
        for path, table in zip(paths, tables.values(), strict=True):
            write_text(path, table)
        return paths

    def to_markdown(self, title: str = "Evaluation") -> str:
        """Return the report as Markdown."""
        lines = [f"# {title}", ""]
        if self.perplexity is not None:
            lines += [perplexity_line(self.perplexity), ""]
        lines += [
            "An item counts as right if the right form beats every wrong one; a tie is wrong. "
            "Intervals: 95 %, bootstrap clustered on template and lexeme.",
            "",
        ]
        for by, rows in self.summary.groupby("by", sort=False):
            lines += [
                f"| {_cell(by)} | items | accuracy | 95 % | margin (nats) | unknown |",
                "|---|---:|---:|---|---:|---:|",
            ]
            lines += ["| " + " | ".join(cells) + " |" for cells in map(cells_of, _dicts(rows))]
            lines.append("")
        lines.append(unknown_line(self.items, self.unknown))
        return "\n".join(lines) + "\n"


def evaluate(
    lm: Any,
    pairs: pd.DataFrame,
    texts: Iterable[str] | None = None,
    running: bool = False,
    seed: int = 0,
) -> Report:
    """Evaluate a model on minimal pairs, or on contexts with a gold pronoun, and on text.

    Args:
        lm: A language model.
        pairs: As from `textgate.datasets.minimal_pairs`. If they have the columns `good_forms` and
            `bad_forms`, the forms' summed probabilities are compared (`pronouns`), else the
            sentences' (`agreement`).
        texts: Text for the perplexity; `None` for none.
        running: As for `perplexity`.
        seed: Seed of the bootstrap.
    """
    score = pronouns if {"good_forms", "bad_forms"} <= set(pairs) else agreement
    items = score(lm, pairs)
    words = items["unknown_words"].str.split().explode().dropna()
    unknown = words.value_counts().rename_axis("word").rename("pairs")
    return Report(
        items,
        summary(items, seed=seed),
        unknown,
        None if texts is None else perplexity(lm, texts, running=running),
    )


def cells_of(row: dict[str, Any]) -> list[str]:
    """Return a row of the summary as it is printed."""
    return [
        _cell(row["group"]),
        f"{row['items']:,}",
        f"{100 * row['accuracy']:.1f} %",
        f"{100 * row['low']:.1f}–{100 * row['high']:.1f}",
        f"{row['margin']:.2f}",
        str(row["unknown"]),
    ]


def unknown_line(items: pd.DataFrame, unknown: pd.Series, most: int = 20) -> str:
    """Return what to say about unknown words."""
    if not len(unknown):
        return "The model knows every word of the pairs."
    wrong = int(items["target_unknown"].sum())
    named = ", ".join(_cell(word) for word in unknown.index[:most])
    more = f" and {len(unknown) - most} others" if len(unknown) > most else ""
    return (
        f"{int((items['unknown_words'] != '').sum()):,} of {len(items):,} pairs have words that "
        f"the model doesn't know, {wrong:,} of them the tested word (counted as wrong): "
        f"{named}{more}."
    )


def perplexity_line(found: pd.Series) -> str:
    """Return the perplexity as a sentence."""
    return (
        f"Perplexity {found['perplexity']:,.1f} a word on {int(found['words']):,} words "
        f"({100 * found['unknown']:.1f} % unknown)."
    )


def _dicts(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(zip(rows.columns, row, strict=True)) for row in rows.itertuples(index=False)]


def _cell(text: Any) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
