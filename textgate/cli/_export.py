"""`textgate export`: a SavedModel that plain TensorFlow loads, of any model."""

from pathlib import Path
from typing import Annotated

import typer

from textgate.cli._models import MODEL, inputs_at


def export(
    run: Annotated[Path, typer.Argument(help=MODEL)],
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
    inputs: Annotated[
        Path | None,
        typer.Option(help="Of a subclassed model, which doesn't say what it takes: an example."),
    ] = None,
) -> None:
    """Write a SavedModel with predictions, gates and interventions, for TensorFlow alone."""
    import textgate
    from textgate.models.exported import is_exported
    from textgate.models.runs import RunLayout

    model = textgate.load(run)
    if to is None and is_exported(run):
        raise ValueError(
            f"what is exported already needs --to, a place of its own. Received: {run}"
        )
    target = to or RunLayout.of(run).saved_model
    example = {} if inputs is None else {"inputs": inputs_at(inputs, model)}
    textgate.export.saved_model(model, target, overwrite=overwrite, half=half, **example)
    print(f"wrote {target}")
