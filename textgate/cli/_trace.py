"""`textgate trace`: the gates of a model on text or inputs, as a figure, a store or a table."""

from pathlib import Path
from typing import Annotated, Any

import typer

from textgate.cli._models import INPUTS, MODEL, inputs_at, is_language_model, names_of_inputs
from textgate.cli._texts import check_sentences, say_unknown
from textgate.cli._tracing_table import layer_to_draw, print_layers


def trace(
    run: Annotated[Path, typer.Argument(help=MODEL)],
    texts: Annotated[
        list[str] | None, typer.Argument(help="Sentences; without any, one a line from stdin.")
    ] = None,
    inputs: Annotated[Path | None, typer.Option(help=INPUTS)] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw a sentence to this file (.png, .svg, .pdf).")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Write the trace to this Zarr store; see textgate.tracing.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Only this layer.")] = None,
    signal: Annotated[list[str] | None, typer.Option(help="Only this signal; repeatable.")] = None,
    unit: Annotated[list[int] | None, typer.Option(help="Only this unit; repeatable.")] = None,
    example: Annotated[int, typer.Option(help="Number of the sentence to show.")] = 0,
) -> None:
    """Show what the units that tell most, and their gates, do at each word."""
    if plot is not None:
        _check_figure(plot)
    if inputs is not None and texts:
        raise ValueError(
            f"give sentences or --inputs, not both. Received: {texts[0]!r} and --inputs {inputs}"
        )
    sentences = [] if inputs is not None else _sentences(texts)

    import textgate
    from textgate._files import write_figure
    from textgate.plots import heatmap

    model = textgate.load(run)
    data = _data(model, sentences, inputs, run)
    choice: dict[str, Any] = {
        "layers": None if layer is None else [layer],
        "signals": signal or None,
        "units": unit or None,
    }
    traced = textgate.trace(model, data, **choice, to=to)
    if plot is not None:
        layer, units = layer_to_draw(model, traced, sentences, example, choice, run)
        write_figure(plot, heatmap(traced, example, layer=layer, highlight=units))
        print(f"wrote {plot}")
    if to is not None:
        print(f"wrote {to}")
    if plot is None and to is None:
        print_layers(model, traced, sentences, example, choice, run)


def _sentences(texts: list[str] | None) -> list[str]:
    """Return the sentences of the command line, or of stdin."""
    import sys

    sentences = texts or [line.strip() for line in sys.stdin if line.strip()]
    check_sentences(sentences, from_stdin=not texts)
    return sentences


def _data(model: Any, sentences: list[str], inputs: Path | None, run: Path) -> Any:
    """Return what is traced, once it is something that the model reads."""
    if inputs is not None:
        return inputs_at(inputs, model)
    if not is_language_model(model):
        names = ", ".join(names_of_inputs(model))
        raise ValueError(
            "the model reads no text; give its inputs as --inputs file.npy of shape (examples, "
            f"steps, …), or file.npz for several inputs{names and f' ({names})'}. Received: {run}"
        )
    say_unknown(model, sentences)
    return sentences


def _check_figure(path: Path) -> None:
    """Say at once, before anything is computed, that a figure couldn't be written."""
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ValueError(
            f"--plot takes a file name that ends in .png, .svg or .pdf. Received: {path}"
        )
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"The directory of the figure doesn't exist; create it first. Received: {path}"
        )
