"""The `textgate` command: parsing and printing only.

Each command lives in a module of its own that imports what it needs inside its function, so that
`textgate --help` answers at once. What a user got wrong (`ValueError`, `TypeError`,
`FileNotFoundError`, `FileExistsError`) is printed as one line, without a traceback, and the exit
code is 2.
"""

import importlib
import sys

import typer

import textgate

app = typer.Typer(
    name="textgate",
    help="Shows what the gates of LSTMs and GRUs do with text.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(value: bool) -> None:
    if value:
        print(f"textgate {textgate.__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    pass


app.command("trace")(importlib.import_module("textgate.cli._trace").trace)
app.command("train")(importlib.import_module("textgate.cli._train").train)
app.command("evaluate")(importlib.import_module("textgate.cli._evaluate").evaluate)
app.command("export")(importlib.import_module("textgate.cli._export").export)
app.command("compare")(importlib.import_module("textgate.cli._compare").compare)
app.command("report")(importlib.import_module("textgate.cli._report").report)
app.command("units")(importlib.import_module("textgate.cli._units").units)
app.command("study")(importlib.import_module("textgate.cli._study").study)


def main() -> None:
    """Run the command line and turn a user's mistakes into one line and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, FileNotFoundError, FileExistsError) as error:
        print(f"textgate: error: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(1)
