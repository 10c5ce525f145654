"""`textgate study`: everything from data to the report, in stages that can be resumed."""

from pathlib import Path
from typing import Annotated

import typer


def study(
    directory: Annotated[
        Path, typer.Argument(help="Where everything goes; goes on where it stopped.")
    ] = Path("runs/she-her"),
    text: Annotated[
        list[str] | None,
        typer.Option(help="Train on this text instead of generated sentences; repeatable."),
    ] = None,
    validation: Annotated[
        list[str] | None, typer.Option(help="Text to validate the training on; repeatable.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Other text for the perplexity; repeatable.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Settings of the training: default, or text (for real text).")
    ] = "default",
    pairs: Annotated[
        list[str] | None,
        typer.Option(help="Evaluate on this file of pairs or contexts, too; repeatable."),
    ] = None,
    cells: Annotated[str, typer.Option(help="Kinds of models, the main one first.")] = "lstm,gru",
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = 0,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this stage (data, train, evaluate, trace, units, mechanics, export, "
            "report); repeatable."
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option(help="Show no progress.")] = False,
) -> None:
    """Train, evaluate, trace, find units, measure gates, export, and write the report."""
    from textgate.models.runs import StudyLayout
    from textgate.report import three_lines
    from textgate.study import STAGES, Settings
    from textgate.study import study as carry_out

    settings = Settings(
        text=tuple(text or ()),
        validation=tuple(validation or ()),
        test=tuple(test or ()),
        preset=preset,
        pairs=tuple(pairs or ()),
        cells=tuple(name.strip() for name in cells.split(",") if name.strip()),
        seed=seed,
    )
    if any(one not in STAGES for one in stage or ()):
        raise ValueError(f"the stages are {', '.join(STAGES)}. Received: --stage {stage}")
    findings = carry_out(directory, settings, stage or (), progress=not quiet)
    if findings is not None and (not stage or "report" in stage):
        print("\n".join([*three_lines(findings), str(StudyLayout(directory).page)]))
