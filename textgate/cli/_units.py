"""`textgate units`: which units of a model hold a feature, in one run or over several."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textgate.cli._contrasts import contrasts_at
from textgate.cli._models import MODEL, is_language_model, names_of_inputs
from textgate.datasets.features import FEATURES, SOURCES

if TYPE_CHECKING:
    import pandas as pd

    from textgate.unit_search import UnitFinding

_CONTRASTS = (
    "Of any other model: a .npz file with base, source, good, bad, and by choice step and columns "
    "of groups, as textgate.contrasts takes them."
)


def units(
    run: Annotated[Path | None, typer.Argument(help=MODEL)] = None,
    feature: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(FEATURES)} (the first is the default), or what --pairs or "
            "--contrasts are about."
        ),
    ] = None,
    pairs: Annotated[
        str | None,
        typer.Option(
            help=f"{', '.join(SOURCES)}, or a file of pairs with the column "
            "counterpart_prefix; by default what the feature needs."
        ),
    ] = None,
    contrasts: Annotated[Path | None, typer.Option(help=_CONTRASTS)] = None,
    output: Annotated[
        str | None, typer.Option(help="With --contrasts: the output that decides, by name.")
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
    signals = signal or []
    _check(run, runs, signals, to)
    _check_contrasts(contrasts, pairs, runs, output)
    matching = _matching(runs) if runs is not None else []

    import textgate

    table = None if pairs is None else textgate.datasets.minimal_pairs(pairs, split=split)
    if run is None:
        _over_runs(matching, table, feature or "gender", layer, signals, seed, to)
        return
    model, items = textgate.load(run), table
    if contrasts is not None:
        items, feature = contrasts_at(contrasts, model, feature, output), None
    elif not is_language_model(model):
        _needs_contrasts(model, run)
    signal_of_units = signals[0] if signals else None
    finding = textgate.find_units(model, items, feature, layer, signal_of_units, seed)
    _print(finding)
    if to is not None:
        _write(finding, to)


def _check(run: Path | None, runs: str | None, signals: list[str], to: Path | None) -> None:
    """Raise for options that don't go together."""
    if (run is None) == (runs is None):
        raise ValueError(
            "give either one run or --runs with a pattern of several. "
            f"Received: run={run}, runs={runs!r}"
        )
    if to is not None and to.is_file():
        raise FileExistsError(f"--to takes a directory, and this is a file. Received: {to}")
    if run is not None and len(signals) > 1:
        raise ValueError(f"one run takes one --signal. Received: {signals}")


def _needs_contrasts(model: Any, run: Path) -> None:
    """Say what finding units in a model without words needs."""
    names = ", ".join(names_of_inputs(model)) or "its inputs"
    raise ValueError(
        "the model reads no text; give what it reads as --contrasts file.npz with the arrays base "
        f"and source (of {names}), good and bad. Received: {run}"
    )


def _write(finding: "UnitFinding", to: Path) -> None:
    """Write what a finding rests on."""
    from textgate._files import write_figure
    from textgate.plots import units_found

    finding.to_csv(to)
    finding.to_html(to / "units.html")
    if finding.tables.get("units") is not None:
        write_figure(to / "units.png", units_found(finding))
    print(f"wrote {to}")


def _check_contrasts(
    contrasts: Path | None, pairs: str | None, runs: str | None, output: str | None
) -> None:
    """Raise a `ValueError` for options that don't go together."""
    if contrasts is not None and (pairs is not None or runs is not None):
        raise ValueError(
            "--contrasts is for one model, and instead of --pairs. "
            f"Received: --contrasts {contrasts} with --{'runs' if pairs is None else 'pairs'}"
        )
    if output is not None and contrasts is None:
        raise ValueError(f"--output goes with --contrasts. Received: --output {output}")


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
