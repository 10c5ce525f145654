"""`textgate evaluate`: how well a model does on minimal pairs and on text."""

from pathlib import Path
from typing import Annotated

import typer

from textgate.cli._models import language_model_at
from textgate.datasets.features import SOURCES


def evaluate(
    run: Annotated[
        Path, typer.Argument(help="A run directory, a .keras file, or an exported model.")
    ],
    pairs: Annotated[
        list[str] | None,
        typer.Option(
            help=f"{', '.join(SOURCES)} (the first is the default), a file of pairs or "
            "contexts (.jsonl, .csv, .tsv, also .gz), or tfds:blimp/…; repeatable."
        ),
    ] = None,
    split: Annotated[
        list[str] | None,
        typer.Option(help="Of generated pairs: test (the default), …; repeatable."),
    ] = None,
    size: Annotated[int | None, typer.Option(help="Only so many items.")] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="Text to measure the perplexity on; repeatable.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where to write tables; by default evaluation/ in the run, and nowhere for an "
            "exported model."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
) -> None:
    """Measure agreement on minimal pairs, and perplexity, with intervals."""
    import textgate
    from textgate._files import write_text
    from textgate.evaluation import evaluate as evaluate_on
    from textgate.models.exported import is_exported
    from textgate.models.runs import RunLayout

    lm = language_model_at(run, "textgate evaluate")
    target = out if out or is_exported(run) else RunLayout.of(run).evaluation
    running = _reads_on(run)
    texts = None
    if text:
        from textgate.datasets import Corpus

        if lm.tokenizer.kind == "whitespace":
            texts = Corpus(text).lines()
        else:
            texts = Corpus(text).paragraphs() if running else iter(Corpus(text))
    for source in pairs or ["pronoun_agreement"]:
        for part in split or ["test"]:
            generated = not Path(source).exists() and ":" not in source
            name = f"{source}-{part}" if generated else _file_name(source)
            if target is not None and out is None:
                _check_whole(target / name, size)
            table = textgate.datasets.minimal_pairs(source, split=part, size=size)
            report = evaluate_on(lm, table, texts, running=running, seed=seed)
            texts = None  # once is enough
            _print(name, report)
            if target is not None:
                report.to_csv(target / name)
                write_text(target / name / "report.md", report.to_markdown(f"{run}: {name}"))
                print(f"wrote {target / name}")


def _check_whole(target: Path, size: int | None) -> None:
    """Raise a `ValueError` if fewer items would replace the evaluation that the report shows."""
    from textgate._reading import read_table

    summary = target / "summary.csv"
    if size is None or not summary.is_file():
        return
    table = read_table(summary, ("by", "items"), dtype={"by": str}, keep_default_na=False)
    items = int(table.loc[table["by"] == "all", "items"].max())
    if size < items:
        raise ValueError(
            f"the run is evaluated on {items} items, which `textgate report` shows; write those of "
            f"a part elsewhere, by --out. Received: --size {size}"
        )


def _reads_on(run: Path) -> bool:
    """Whether the run's model was trained on running text."""
    from textgate.models import load_run

    try:
        return bool(load_run(run).get("running", False))
    except FileNotFoundError:  # a .keras file alone
        return False


def _file_name(source: str) -> str:
    name = Path(source.replace(":", "-").replace("/", "-") if ":" in source else source).name
    for ending in (".gz", ".tsv", ".csv", ".jsonl", ".json"):
        name = name.removesuffix(ending)
    return name


def _print(name: str, report: "object") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from textgate.evaluation.report import (
        Report,
        cells_of,
        perplexity_line,
        ties_line,
        unknown_line,
    )

    assert isinstance(report, Report)
    console = Console()
    if not console.is_terminal:  # a file has no edge to wrap at
        console = Console(width=120)
    table = Table(title=escape(name), title_justify="left")
    for column in ("", "group", "items", "accuracy", "95 %", "margin (nats)", "unknown"):
        words = column in ("", "group")
        table.add_column(column, justify="left" if words else "right", no_wrap=words)
    for by, rows in report.summary.groupby("by", sort=False):
        first = True
        for row in rows.to_dict("records"):
            cells = [escape(cell) for cell in cells_of({str(k): v for k, v in row.items()})]
            table.add_row(str(by) if first else "", *cells)
            first = False
        table.add_section()
    console.print(table)
    if report.rule is not None:
        console.print(_rule_table(report.rule))
    for line in ties_line(report.items):
        console.print(line, highlight=False)
    console.print(escape(unknown_line(report.items, report.unknown)), highlight=False)
    if report.perplexity is not None:
        console.print(perplexity_line(report.perplexity), highlight=False)


def _rule_table(rule: "object") -> "object":
    """Return the model beside the rule, as a table to print."""
    import pandas as pd
    from rich.markup import escape
    from rich.table import Table

    from textgate.evaluation.report import RULE, rule_cells

    assert isinstance(rule, pd.DataFrame)
    table = Table(title=escape(RULE), title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("group", no_wrap=True)
    for column in ("items", "model", "95 %", "rule", "95 %", "difference", "95 %"):
        table.add_column(column, justify="right")
    for by, rows in rule.groupby("by", sort=False):
        for number, row in enumerate(rows.to_dict("records")):
            cells = [escape(cell) for cell in rule_cells({str(k): v for k, v in row.items()})]
            table.add_row("" if number else escape(str(by)), *cells)
        table.add_section()
    return table
