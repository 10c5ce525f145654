"""`textgate compare`: a ladder of models, from a constant to the LSTM, on the same data."""

from pathlib import Path
from typing import Annotated, Any

import typer


def compare(
    directory: Annotated[Path, typer.Argument(help="Where models, tables and figures go.")],
    rungs: Annotated[
        str,
        typer.Option(
            help="core, all, or names separated by commas, such as smoothing,gru_reset_1,lstm."
        ),
    ] = "core",
    seeds: Annotated[int, typer.Option(help="How many models of each rung.")] = 5,
    learning_rates: Annotated[
        str | None,
        typer.Option(help="Learning rates to choose from, by validation; 0.002,0.005,0.0125."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(help="The most seconds that a model is trained for; 40.")
    ] = None,
    texts: Annotated[int | None, typer.Option(help="Texts of training.")] = None,
    epochs: Annotated[int | None, typer.Option(help="How often they are gone through.")] = None,
    parameters: Annotated[
        int | None, typer.Option(help="Parameters in use that every model is to have.")
    ] = None,
    quick: Annotated[
        bool, typer.Option(help="See that it works: little data, one learning rate, two seeds.")
    ] = False,
    quiet: Annotated[bool, typer.Option(help="Show no progress.")] = False,
) -> None:
    """Train and compare simpler models and the gated ones; the same command goes on."""
    import shlex
    import sys

    from textgate.study import ladder

    changes = {"budget": budget, "texts": texts, "epochs": epochs, "parameters": parameters}
    rates = ladder.LEARNING_RATES[1:2] if quick else ladder.LEARNING_RATES
    comparison = ladder.compare(
        directory,
        {"core": ladder.CORE, "all": ladder.CORE + ladder.MORE}.get(rungs) or _names(rungs),
        seeds=2 if quick and seeds == 5 else seeds,
        learning_rates=rates if learning_rates is None else _rates(learning_rates),
        conditions=_conditions(quick, changes),
        report=None if quiet else _Progress(),
    )
    paths = comparison.to_csv(directory, shlex.join(["textgate", *sys.argv[1:]]))
    paths += _draw(comparison, directory)
    if not quiet:
        _print(comparison)
    print(f"wrote {paths[0]}, " + ", ".join(path.name for path in paths[1:]))


def _conditions(quick: bool, changes: dict[str, Any]) -> Any:
    """Return the conditions, changed where an option says so."""
    import dataclasses

    from textgate.study import ladder

    changes = {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value <= 0:
            raise ValueError(f"--{name} must be more than 0. Received: {value}")
    return dataclasses.replace(ladder.QUICK if quick else ladder.Conditions(), **changes)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


class _Progress:
    """Says after each run what came of it, and how long the rest will take."""

    def __init__(self) -> None:
        self._seconds: list[float] = []  # that each run took
        self._before: float | None = None  # when the run before was done

    def __call__(self, row: dict[str, Any]) -> None:
        import time

        from textgate._progress import say

        now = time.monotonic()
        left = ""
        if not row["was_there"]:
            self._seconds.append(row["seconds"] if self._before is None else now - self._before)
            mean = sum(self._seconds) / len(self._seconds)
            left = f", about {max(row['of'] - row['done'], 0) * mean / 60:.0f} minutes left"
        self._before = now
        outcome = f"accuracy {100 * row['accuracy']:.1f} %" if row["final"] else "tried"
        say(
            f"[{row['done']}/{row['of']}{left}] {row['rung']}, learning rate "
            f"{row['learning_rate']:g}, seed {row['seed']}: validation loss "
            f"{row['validation_loss']:.4f}, {outcome}, {row['seconds']:.0f} s"
            + (" (there already)" if row["was_there"] else "")
            + (" (stopped by the budget)" if row["stopped"] else "")
        )


def _rates(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(rate) for rate in text.split(","))
    except ValueError:
        raise ValueError(
            f"--learning-rates takes numbers such as 0.002,0.005. Received: {text!r}"
        ) from None


def _draw(ladder: Any, directory: Path) -> list[Path]:
    """Draw the figures that go with the tables."""
    from textgate import plots
    from textgate._files import write_figure

    figures = {"accuracy": plots.ladder_accuracy(ladder.accuracy)}
    if len(ladder.redundancy):
        figures["redundancy"] = plots.ladder_redundancy(ladder.redundancy)
    paths = []
    for name, figure in figures.items():
        paths.append(directory / f"{name}.png")
        write_figure(paths[-1], figure)
    return paths


def _print(ladder: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    from textgate import study

    console = Console()
    if not console.is_terminal:  # a file has no edge to wrap at
        console = Console(width=120)
    rows = ladder.table.to_dict("records")
    table = Table(title="The ladder", title_justify="left")
    for name in ("rung", "parameters", "seconds", "bits a word", "accuracy", "items", "seeds"):
        table.add_column(name, justify="left" if name == "rung" else "right", no_wrap=True)
    for row in rows:
        over_seeds = _range(row["seed_low"], row["seed_high"]) if row["seeds"] > 1 else ""
        table.add_row(
            row["rung"],
            f"{row['parameters']:,}",
            f"{row['seconds']:.0f}",
            f"{row['bits']:.3f}",
            f"{100 * row['accuracy']:.1f} %",
            _range(row["low"], row["high"]),
            over_seeds,
        )
    console.print(table)
    groups = [name for name in ladder.table if name[:1].isdigit() or name.startswith("of ")]
    table = Table(
        title="Accuracy (%) by distance in words, and by referents to remember",
        title_justify="left",
    )
    table.add_column("rung", no_wrap=True)
    for name in groups:
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row["rung"], *(f"{100 * row[name]:.1f}" for name in groups))
    console.print(table)
    for line in study.conclusions(ladder):
        console.print(line, markup=False, highlight=False, soft_wrap=not console.is_terminal)


def _range(low: float, high: float) -> str:
    return f"{100 * low:.1f}–{100 * high:.1f}"
