"""`textgate units`: which units of a language model hold a feature, in one run or over several."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textgate.datasets.features import FEATURES, SOURCES

if TYPE_CHECKING:
    import pandas as pd

    from textgate.unit_search import UnitFinding


def units(
    run: Annotated[Path | None, typer.Argument(help="A run directory, or a .keras file.")] = None,
    feature: Annotated[
        str, typer.Option(help=f"{', '.join(FEATURES)}, or what --pairs are about.")
    ] = "gender",
    pairs: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(SOURCES)}, or a file of pairs with the column "
            "counterpart_prefix; by default what the feature needs."
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Of generated pairs.")] = "test",
    layer: Annotated[
        str | None, typer.Option(help="Only this layer; by default the best of all.")
    ] = None,
    signal: Annotated[
        list[str] | None,
        typer.Option(help="The signal; by default the cell's memory. Repeatable with --runs."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the protocol.")] = 0,
    to: Annotated[
        Path | None, typer.Option(help="Write tables, a page and a figure to this directory.")
    ] = None,
    runs: Annotated[
        str | None,
        typer.Option(help="Several runs instead, by a pattern in quotes: 'runs/seed-*'."),
    ] = None,
) -> None:
    """Find the units that hold a feature, and confirm them on other sentences."""
    if (run is None) == (runs is None):
        raise ValueError(
            "give either one run or --runs with a pattern of several. "
            f"Received: run={run}, runs={runs!r}"
        )
    if to is not None and to.is_file():
        raise FileExistsError(f"--to takes a directory, and this is a file. Received: {to}")
    signals = signal or []
    if run is not None and len(signals) > 1:
        raise ValueError(f"one run takes one --signal. Received: {signals}")
    matching = _matching(runs) if runs is not None else []

    import textgate

    table = None if pairs is None else textgate.datasets.minimal_pairs(pairs, split=split)
    if run is None:
        _over_runs(matching, table, feature, layer, signals, seed, to)
        return
    lm = textgate.models.load_language_model(run)
    finding = textgate.find_units(lm, table, feature, layer, signals[0] if signals else None, seed)
    _print(finding)
    if to is not None:
        from textgate._files import write_figure
        from textgate.plots import units_found

        finding.to_csv(to)
        finding.to_html(to / "units.html")
        if finding.tables.get("units") is not None:
            write_figure(to / "units.png", units_found(finding))
        print(f"wrote {to}")


def _matching(pattern: str) -> list[Path]:
    """Return the runs that a pattern names, in the order of their names."""
    import glob

    runs = sorted(Path(name) for name in glob.glob(pattern))
    if not runs:
        raise FileNotFoundError(
            f"no run matches the pattern; put it in quotes. Received: --runs {pattern}"
        )
    return runs


def _over_runs(
    runs: list[Path],
    pairs: "pd.DataFrame | None",
    feature: str,
    layer: str | None,
    signals: list[str],
    seed: int,
    to: Path | None,
) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from textgate.unit_search import find_units_over_runs

    over_runs = find_units_over_runs(runs, pairs, feature, layer, signals, seed)
    console = Console()
    if not console.is_terminal:
        console = Console(width=140)
    columns = {
        "run": "run",
        "accuracy": "accuracy",
        "dropout": "dropout",
        "layer": "layer",
        "signal": "signal",
        "sufficient_size": "sufficient",
        "sufficient_units": "units",
        "necessary_size": "necessary",
        "flipped": "flipped",
        "claim": "claim",
    }
    table = Table(title=escape(f"{feature}: {len(runs)} runs"), title_justify="left")
    for title in columns.values():
        table.add_column(title)
    for row in over_runs.table.to_dict("records"):
        table.add_row(*(escape(_cell(row[name])) for name in columns))
    console.print(table)
    print(over_runs.summary())
    if to is not None:
        over_runs.to_csv(to)
        print(f"wrote {to}")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        if value != value:
            return "–"
        return str(int(value)) if value.is_integer() and value > 1 else f"{value:.3g}"
    return str(value)


def _print(finding: "UnitFinding") -> None:
    """Print the verdict and the figures that it rests on."""
    from rich.console import Console
    from rich.table import Table

    print(finding.summary())
    rows = finding.tables["interventions"]
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    table = Table()
    for name in ("set", "intervention", "direction"):
        table.add_column(name, no_wrap=True)
    for name in ("accuracy", "95 %", "flipped", "95 %", "share moved"):
        table.add_column(name, justify="right", no_wrap=True)
    for (_, _), group in rows.groupby(["set", "intervention"], sort=False):
        for row in group.to_dict("records"):
            table.add_row(
                str(row["set"]),
                str(row["intervention"]),
                str(row["direction"]),
                f"{100 * row['accuracy']:.1f} %",
                f"{100 * row['accuracy_low']:.0f}–{100 * row['accuracy_high']:.0f}",
                f"{100 * row['flipped']:.1f} %",
                f"{100 * row['flipped_low']:.0f}–{100 * row['flipped_high']:.0f}",
                f"{row['share']:.2f}",
            )
        table.add_section()
    console.print(table)
