"""`textgate trace`: the gates of a language model on sentences, as a figure, a store or a table."""

from pathlib import Path
from typing import Annotated

import typer


def trace(
    run: Annotated[Path, typer.Argument(help="A run directory, or a .keras file.")],
    texts: Annotated[
        list[str] | None, typer.Argument(help="Sentences; without any, one a line from stdin.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw a sentence to this file (.png, .svg, .pdf).")
    ] = None,
    to: Annotated[
        Path | None, typer.Option(help="Write the trace to this Zarr store; see textgate.tracing.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Only this layer.")] = None,
    signal: Annotated[list[str] | None, typer.Option(help="Only this signal; repeatable.")] = None,
    unit: Annotated[list[int] | None, typer.Option(help="Only this unit; repeatable.")] = None,
    example: Annotated[int, typer.Option(help="Number of the sentence to draw.")] = 0,
) -> None:
    """Show what each unit's gates and states do at each word."""
    import sys

    if plot is not None:
        _check_figure(plot)
    sentences = texts or [line.strip() for line in sys.stdin if line.strip()]
    if not sentences:
        raise ValueError("Give at least one sentence to trace. Received: none")

    import textgate

    model = textgate.models.load_language_model(run)
    traced = textgate.trace(
        model,
        sentences,
        layers=None if layer is None else [layer],
        signals=signal or None,
        units=unit or None,
        to=to,
    )
    if plot is not None:
        from textgate._files import write_figure
        from textgate.plots import heatmap

        write_figure(plot, heatmap(traced, example))
        print(f"wrote {plot}")
    if to is not None:
        print(f"wrote {to}")
    if plot is None and to is None:
        _print(traced)


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


def _print(trace) -> None:
    """Print each layer's first sentence: a line a word, the means of the signals over units."""
    import numpy as np

    for leaf in trace.leaves:
        node = leaf.to_dataset().isel(example=0)
        steps = np.flatnonzero(node["mask"].values)
        words = node["token"].values if "token" in node.coords else node["time"].values
        print(f"{leaf.path.strip('/')}: mean over {node.sizes['unit']} units")
        print(" " * 16 + "".join(f"{name[:14]:>15}" for name in node.data_vars))
        for step in steps:
            means = [float(node[name].values[step].mean()) for name in node.data_vars]
            print(f"{str(words[step])[:15]:<16}" + "".join(f"{mean:>15.3f}" for mean in means))
