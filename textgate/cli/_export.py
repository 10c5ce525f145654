"""`textgate export`: a SavedModel that plain TensorFlow loads, of a trained model."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="A run directory, or a .keras file.")],
    to: Annotated[
        Path | None,
        typer.Option(help="The directory to write; saved_model in the run by default."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a SavedModel that is there already.")
    ] = False,
    half: Annotated[
        bool, typer.Option("--half", help="Keep the weights in half precision, in half the room.")
    ] = False,
) -> None:
    """Write a SavedModel with predictions, gates and interventions, for TensorFlow alone."""
    import textgate
    from textgate.models.runs import RunLayout

    target = to or RunLayout.of(run).saved_model
    textgate.export.saved_model(
        textgate.models.load_language_model(run), target, overwrite=overwrite, half=half
    )
    print(f"wrote {target}")
