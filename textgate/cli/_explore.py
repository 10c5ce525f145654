"""`textgate explore`: the live view of a model, as a page or with a local server behind it."""

from pathlib import Path
from typing import Annotated

import typer

from textgate.cli._models import MODEL


def explore(
    runs: Annotated[
        list[Path], typer.Argument(help=f"{MODEL} Several, or a study's directory, share a page.")
    ],
    to: Annotated[
        Path | None, typer.Option(help="Write the page to this file instead of opening it.")
    ] = None,
    precision: Annotated[
        str, typer.Option(help="Of the weights in the page: float16, or float32.")
    ] = "float16",
) -> None:
    """Type a sentence, hold a gate, and see what the model says next, in a page of its own."""
    import textgate

    page = textgate.explore([str(run) for run in runs], precision=precision)  # type: ignore[arg-type]
    if to is None:
        print(f"opened {page.show()}")
    else:
        size = page.save(to).stat().st_size / 1e6
        print(f"wrote {to} ({size:.1f} MB)")
