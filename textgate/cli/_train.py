"""`textgate train`: a language model from generated sentences or from text, in a run directory.

The options for what is in a recipe are made of the recipe's own fields.
"""

import inspect
import types
import typing
from dataclasses import Field
from pathlib import Path
from typing import Annotated, Any

import typer

from textgate.training import Recipe


def train(
    run: Annotated[Path, typer.Argument(help="The run directory to write to, or to go on in.")],
    preset: Annotated[
        str,
        typer.Option(
            help="Settings to start from: default, text (for real text), or zaremba-small, "
            "zaremba-medium or zaremba-large (for pretokenised text)."
        ),
    ] = "default",
    tensorboard: Annotated[
        bool, typer.Option(help="Write losses and gate histograms for TensorBoard.")
    ] = False,
    quiet: Annotated[bool, typer.Option(help="Show no progress.")] = False,
    **options: Any,
) -> None:
    """Train a language model; the same command goes on with an interrupted training."""
    from textgate.training import presets

    if preset not in presets.PRESETS:
        raise ValueError(f"presets are {', '.join(presets.PRESETS)}. Received: {preset!r}")
    # What is as it was is left to the preset.
    changed = {
        name: _value(field, options[name])
        for name, field in Recipe.options().items()
        if options[name] not in (None, _default(field), [])
    }
    recipe = Recipe(**{**presets.PRESETS[preset], **changed})

    from textgate.training import train as train_run

    train_run(recipe, run, progress=not quiet, tensorboard=tensorboard)
    if not quiet:
        _print(run)


def _parameters() -> list[inspect.Parameter]:
    """Return the parameters of the command, those for the settings of a recipe among them."""
    run, preset, tensorboard, quiet, _ = inspect.signature(train).parameters.values()
    settings = {
        name: inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=_default(field),
            annotation=Annotated[_type(field), typer.Option(help=field.metadata["help"])],
        )
        for name, field in Recipe.options().items()
    }
    in_order = [*settings.values(), tensorboard, quiet]
    in_order.insert(in_order.index(settings["vocabulary"]), preset)  # after what the data are
    return [run, *in_order]


def _default(field: "Field[Any]") -> Any:
    """Return the default of a setting's option: the setting's own, if it is to be shown."""
    return field.default if field.metadata["shown"] else None


def _kinds(field: "Field[Any]") -> tuple[Any, ...]:
    """Return the types that a setting may have, without `None`."""
    of = typing.get_args(field.type) if isinstance(field.type, types.UnionType) else (field.type,)
    return tuple(kind for kind in of if kind is not type(None))


def _type(field: "Field[Any]") -> Any:
    """Return the type of a setting's option."""
    kinds = _kinds(field)
    if tuple[str, ...] in kinds:
        option: Any = list[str]
    else:
        option = str if tuple[int, ...] in kinds else kinds[0]
    return option if field.metadata["shown"] else option | None


def _value(field: "Field[Any]", text: Any) -> Any:
    """Return what an option gives a setting."""
    kinds = _kinds(field)
    if tuple[str, ...] in kinds:
        return text[0] if len(text) == 1 else tuple(text)
    if tuple[int, ...] not in kinds:
        return text
    try:
        return tuple(int(size) for size in text.replace(" ", "").split(","))
    except ValueError:
        raise ValueError(
            f"--{field.name} takes one or more whole numbers, such as 256,256. Received: {text!r}"
        ) from None


def _print(run: Path) -> None:
    """Say what came of the training."""
    from textgate._reading import read_table
    from textgate.models.runs import RunLayout

    history = read_table(RunLayout(run).history)
    best = int(history["validation_loss"].argmin())
    print(
        f"wrote {run}: validation loss {history['validation_loss'].iloc[best]:.4f} nats a word "
        f"after {int(history['words'].iloc[best]):,} words"
    )


train.__signature__ = inspect.Signature(_parameters())  # type: ignore[attr-defined]
