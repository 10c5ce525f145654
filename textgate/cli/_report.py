"""`textgate report`: the page of a study or a run, from what is on disk."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    directory: Annotated[Path, typer.Argument(help="A study's directory, or a run's.")],
) -> None:
    """Write report.html and its tables anew, without computing anything again."""
    from textgate.report import read, write

    print(f"wrote {write(read(directory), directory)}")
