"""The `textgate` command: parsing and printing only.

Each command lives in a module of its own that imports what it needs inside its function, so that
`textgate --help` answers at once. What a user got wrong (`ValueError`, `TypeError`,
`FileNotFoundError`, `FileExistsError`) is printed as one line, without a traceback, and the exit
code is 2.
"""

import sys

import typer

import textgate
from textgate.cli._compare import compare
from textgate.cli._evaluate import evaluate
from textgate.cli._explore import explore
from textgate.cli._export import export
from textgate.cli._next import next_words
from textgate.cli._report import report
from textgate.cli._study import study
from textgate.cli._trace import trace
from textgate.cli._train import train
from textgate.cli._units import units

__all__ = ["app", "main"]

_INTERRUPTED = 130  # the exit code after Ctrl-C
_RESUMED = {"train", "study", "compare"}  # commands that go on where they were

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


for _command in (trace, train, evaluate, export, compare, report, explore, units, study):
    app.command(_command.__name__)(_command)
app.command("next")(next_words)


def main() -> None:
    """Run the command line and turn a user's mistakes into one line and exit code 2."""
    try:
        app()
    except (ValueError, TypeError, FileNotFoundError, FileExistsError) as error:
        print(f"textgate: error: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as leaving:
        if leaving.code == _INTERRUPTED:
            goes_on = set(sys.argv[1:2]) & _RESUMED
            what = "the same command goes on" if goes_on else "nothing was left half-written"
            print(f"\ntextgate: stopped; {what}", file=sys.stderr)
        raise
    except BrokenPipeError:
        sys.exit(1)
    except OSError as error:  # of a file that can't be read, has too long a name, …
        if error.filename is None:
            raise
        reason, name = error.strerror or type(error).__name__, str(error.filename)
        print(f"textgate: error: cannot use the file ({reason}). Received: {name}", file=sys.stderr)
        sys.exit(2)
