"""`textgate train`: a language model from generated sentences or from text, in a run directory."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    run: Annotated[Path, typer.Argument(help="The run directory to write to, or to go on in.")],
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="pronoun_agreement (the default), or text: a .txt or .txt.gz file, a glob, or a "
            "TFDS name such as tfds:lm1b; repeatable."
        ),
    ] = None,
    validation: Annotated[
        list[str] | None, typer.Option(help="Text to validate on; repeatable.")
    ] = None,
    running: Annotated[
        bool, typer.Option(help="Read text on and on, with states carried along.")
    ] = False,
    wrapped: Annotated[
        bool, typer.Option(help="The text's lines are broken at a fixed width.")
    ] = False,
    preset: Annotated[
        str, typer.Option(help="Settings to start from: default, or text (for real text).")
    ] = "default",
    vocabulary: Annotated[int | None, typer.Option(help="The most words.")] = None,
    min_count: Annotated[
        int | None, typer.Option(help="How often a word must occur to be known.")
    ] = None,
    cell: Annotated[
        str | None, typer.Option(help="lstm, gru, simple_rnn or another of textgate.models.CELLS.")
    ] = None,
    units: Annotated[
        str | None, typer.Option(help="Units of each recurrent layer, such as 128 or 256,256.")
    ] = None,
    embedding: Annotated[int | None, typer.Option(help="Dimension of the embedding.")] = None,
    embedding_scale: Annotated[
        float | None, typer.Option(help="Embeddings begin between minus and plus this.")
    ] = None,
    forget_bias: Annotated[
        float | None, typer.Option(help="Bias of the gates that retain, to begin with.")
    ] = None,
    tied: Annotated[
        bool | None, typer.Option(help="Use the embedding's matrix for the output, too.")
    ] = None,
    dropout: Annotated[float | None, typer.Option(help="Share of inputs dropped.")] = None,
    undropped: Annotated[
        float | None, typer.Option(help="Share of the steps before dropout sets in.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sentences, or streams, a batch.")] = None,
    window: Annotated[int | None, typer.Option(help="Words of a window of running text.")] = None,
    restarts: Annotated[
        float | None, typer.Option(help="Chance that a window begins anew, of running text.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="The most epochs.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest learning rate.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Decoupled weight decay.")] = None,
    clip: Annotated[float | None, typer.Option(help="Largest norm of the gradients.")] = None,
    validate: Annotated[
        int | None, typer.Option(help="Steps between validations; once an epoch by default.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Validations without a better loss before the end.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 0,
    tensorboard: Annotated[
        bool, typer.Option(help="Write losses and gate histograms for TensorBoard.")
    ] = False,
    quiet: Annotated[bool, typer.Option(help="Show no progress.")] = False,
) -> None:
    """Train a language model; the same command goes on with an interrupted training."""
    from textgate.training import Recipe, presets

    given = {
        "data": _sources(data),
        "validation": _sources(validation),
        "vocabulary": vocabulary,
        "min_count": min_count,
        "cell": cell,
        "units": _sizes(units),
        "embedding": embedding,
        "embedding_scale": embedding_scale,
        "forget_bias": forget_bias,
        "tied": tied,
        "dropout": dropout,
        "undropped": undropped,
        "batch_size": batch_size,
        "window": window,
        "restarts": restarts,
        "epochs": epochs,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "clip": clip,
        "validate": validate,
        "patience": patience,
        "running": running or None,
        "wrapped": wrapped or None,
    }
    if preset not in presets.PRESETS:
        raise ValueError(f"presets are {', '.join(presets.PRESETS)}. Received: {preset!r}")
    settings = {name: value for name, value in given.items() if value is not None}
    recipe = Recipe(**{**presets.PRESETS[preset], **settings, "seed": seed})

    from textgate.training import train as train_run

    train_run(recipe, run, progress=not quiet, tensorboard=tensorboard)
    if not quiet:
        import pandas as pd

        from textgate.models.runs import RunLayout

        history = pd.read_csv(RunLayout(run).history)
        best = int(history["validation_loss"].argmin())
        print(
            f"wrote {run}: validation loss {history['validation_loss'].iloc[best]:.4f} nats a word "
            f"after {int(history['words'].iloc[best]):,} words"
        )


def _sources(given: list[str] | None) -> str | tuple[str, ...] | None:
    if not given:
        return None
    return given[0] if len(given) == 1 else tuple(given)


def _sizes(given: str | None) -> tuple[int, ...] | None:
    if given is None:
        return None
    try:
        return tuple(int(size) for size in given.replace(" ", "").split(","))
    except ValueError:
        raise ValueError(
            f"--units takes one or more whole numbers, such as 256,256. Received: {given!r}"
        ) from None
