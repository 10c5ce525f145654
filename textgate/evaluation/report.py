"""All about a model on some pairs, as tables to print, CSV and Markdown."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._shown import as_html
from textgate.datasets.lexicon import GENDERS
from textgate.evaluation._against_rule import against_rule
from textgate.evaluation._agreement import agreement
from textgate.evaluation._last_gendered_word import last_gendered_word
from textgate.evaluation._perplexity import perplexity
from textgate.evaluation._summary import summary

RULE = (
    "Beside the model, the rule “the gender of the last gendered word before”; difference in points"
)


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    Attributes:
        items: A row for each pair or context.
        summary: Accuracy by groups, as `textgate.evaluation.summary` returns it.
        unknown: How many pairs each unknown word stands in, the most frequent first.
        perplexity: As `textgate.evaluation.perplexity` returns it, or `None`.
        rule: On contexts with a gold pronoun, the model beside the rule "the gender of the last
            gendered word", as `textgate.evaluation.against_rule` returns it; else `None`.
    """

    items: pd.DataFrame
    summary: pd.DataFrame
    unknown: pd.Series
    perplexity: pd.Series | None = None
    rule: pd.DataFrame | None = None

    def _repr_html_(self) -> str:
        unknown = self.unknown.rename("pairs").rename_axis("word").reset_index()
        tables = {"Accuracy": self.summary, "Unknown words": unknown}
        if self.rule is not None:
            tables[RULE] = self.rule
        lines = [how_counted(self.items)]
        if self.perplexity is not None:
            lines.append(perplexity_line(self.perplexity))
        return as_html("Evaluation", lines, {**tables, "Items": self.items}, "Accuracy")

    def to_csv(self, directory: Path) -> list[Path]:
        """Write the tables as `items.csv`, `summary.csv`, and so on, a file each."""
        from textgate._files import write_table

        tables: dict[str, pd.DataFrame] = {
            "items": self.items,
            "summary": self.summary,
        }
        if self.perplexity is not None:
            tables["perplexity"] = self.perplexity.to_frame().T
        if self.rule is not None:
            tables["rule"] = self.rule
        for name, table in tables.items():
            write_table(directory / f"{name}.csv", table)
        write_table(directory / "unknown.csv", self.unknown, index=True)
        return [directory / f"{name}.csv" for name in (*tables, "unknown")]

    def to_markdown(self, title: str = "Evaluation") -> str:
        """Return the report as Markdown."""
        lines = [f"# {title}", ""]
        if self.perplexity is not None:
            lines += [perplexity_line(self.perplexity), ""]
        lines += [
            f"{how_counted(self.items)} Intervals: 95 %, bootstrap clustered on "
            f"{' and '.join(clustered_on(self.items)) or 'nothing (every item by itself)'}.",
            "",
        ]
        for by, rows in self.summary.groupby("by", sort=False):
            lines += [
                f"| {_cell(by)} | items | accuracy | 95 % | margin (nats) | unknown |",
                "|---|---:|---:|---|---:|---:|",
            ]
            lines += ["| " + " | ".join(cells) + " |" for cells in map(cells_of, _dicts(rows))]
            lines.append("")
        if self.rule is not None:
            lines += [f"{RULE}.", ""]
            for by, rows in self.rule.groupby("by", sort=False):
                lines += [
                    f"| {_cell(by)} | items | model | 95 % | rule | 95 % | difference | 95 % |",
                    "|---|---:|---:|---|---:|---|---:|---|",
                ]
                lines += [
                    "| " + " | ".join(cells) + " |" for cells in map(rule_cells, _dicts(rows))
                ]
                lines.append("")
        lines += [*ties_line(self.items), unknown_line(self.items, self.unknown)]
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
        pairs: Minimal pairs, or contexts with a gold pronoun, as from
            `textgate.datasets.minimal_pairs`.
        texts: Text for the perplexity; `None` for none.
        running: As for `perplexity`.
        seed: Seed of the bootstrap.
    """
    items = agreement(lm, pairs)
    contexts = {"good_forms", "bad_forms"} <= set(items)
    rule = None
    if contexts and set(items.get("good_class", ())) and set(items["good_class"]) <= set(GENDERS):
        items = last_gendered_word(items)
        rule = against_rule(items, seed=seed)
    words = items["unknown_words"].str.split().explode().dropna()
    unknown = words.value_counts().rename_axis("word").rename("pairs")
    return Report(
        items,
        summary(items, seed=seed),
        unknown,
        None if texts is None else perplexity(lm, texts, running=running),
        rule,
    )


def ties_line(items: pd.DataFrame) -> list[str]:
    """Return a sentence on the pairs whose two sentences are the same, if there are any."""
    if not {"good", "bad"} <= set(items):
        return []
    same = int((items["good"] == items["bad"]).sum())
    if not same:
        return []
    pairs = "1 pair has" if same == 1 else f"{same:,} pairs have"
    return [f"{pairs} two equal sentences: a tie, which counts as wrong."]


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


def rule_cells(row: dict[str, Any]) -> list[str]:
    """Return a row of the comparison with the rule as it is printed."""
    return [
        _cell(row["group"]),
        f"{row['items']:,}",
        f"{100 * row['accuracy']:.1f} %",
        f"{100 * row['low']:.1f}–{100 * row['high']:.1f}",
        f"{100 * row['rule']:.1f} %",
        f"{100 * row['rule_low']:.1f}–{100 * row['rule_high']:.1f}",
        _points(row["difference"]),
        f"{_points(row['difference_low'])} to {_points(row['difference_high'])}",
    ]


def _points(share: float) -> str:
    """Return a difference of shares in points, with its sign."""
    value = round(100 * share, 1) + 0.0
    return f"{value:+.1f}".replace("-", "−") if value else "0.0"


def how_counted(items: pd.DataFrame) -> str:
    """Say when an item counts as right."""
    if {"good_forms", "bad_forms"} <= set(items):
        return (
            "A context counts as right if the forms of the right gender together are likelier next "
            "than those of the other; a tie is wrong."
        )
    return "An item counts as right if the right form beats every wrong one; a tie is wrong."


def clustered_on(items: pd.DataFrame) -> list[str]:
    """Return in words what the bootstrap resamples."""
    names = {"template": "template", "lexeme": "lexeme", "doc": "document"}
    return [word for name, word in names.items() if name in items]


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
