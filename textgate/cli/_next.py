"""`textgate next`: the words that a model expects after a text, with their probabilities."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textgate.cli._models import language_model_at
from textgate.cli._texts import one_text

if TYPE_CHECKING:
    import pandas as pd

_BAR = 30  # characters of a bar that stands for certainty


def next_words(
    run: Annotated[
        Path, typer.Argument(help="A run directory, a .keras file, or an exported model.")
    ],
    text: Annotated[list[str], typer.Argument(help='The text, in quotes; "" is a beginning.')],
    k: Annotated[int, typer.Option("--k", "-k", help="How many words.")] = 10,
    edits: Annotated[
        Path | None,
        typer.Option(help="Beside it, with these interventions: a JSON file of `to_json`."),
    ] = None,
    words: Annotated[
        int, typer.Option(help="Also go on with the text by so many words, drawn at random.")
    ] = 0,
    temperature: Annotated[float, typer.Option(help="Of drawing; 0 takes the likeliest.")] = 0.8,
    seed: Annotated[int, typer.Option(help="Seed of drawing.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of bars.")] = False,
) -> None:
    """Show the likeliest next words after a text, and what changing the model does to them."""
    sentence = one_text(text)
    lm = language_model_at(run, "textgate next")
    models = {"": lm}
    if edits is not None:
        models["with the interventions"] = _edited(lm, edits)
    tables = {name: model.next_words(sentence, k) for name, model in models.items()}
    drawn = {
        name: model.generate(sentence, words, temperature, seed)
        for name, model in models.items()
        if words
    }
    unknown = tables[""].attrs["unknown"]
    if as_json:
        print(json.dumps(_described(sentence, unknown, tables, drawn), ensure_ascii=False))
        return
    for name, table in tables.items():
        _print(sentence, name, table)
    for name, continued in drawn.items():
        print(f"{name}: {continued}" if name else continued)
    if unknown:
        print(f"unknown to the model, and read as <unk>: {', '.join(unknown)}")


def _edited(lm: Any, path: Path) -> Any:
    """Return the model with the interventions of a file."""
    import textgate
    from textgate._reading import read_text

    if not path.is_file():
        raise FileNotFoundError(f"--edits: there is no such file. Received: {path}")
    found = textgate.interventions.from_json(read_text(path))
    return textgate.intervene(lm, found if isinstance(found, list) else [found])


def _described(
    text: str, unknown: list[str], tables: dict[str, "pd.DataFrame"], drawn: dict[str, str]
) -> dict[str, Any]:
    """Return everything as JSON has it: the model's own, and `edited` beside it."""
    parts: dict[str, Any] = {"text": text, "unknown": unknown}
    for name, table in tables.items():
        of_model: dict[str, Any] = {"next": table.to_dict("records")}
        if name in drawn:
            of_model["generated"] = drawn[name]
        if name:
            parts["edited"] = of_model
        else:
            parts.update(of_model)
    return parts


def _print(text: str, name: str, table: "pd.DataFrame") -> None:
    from rich.bar import Bar
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(justify="right", no_wrap=True)
    rows.add_column(width=_BAR)
    rows.add_column(justify="right", no_wrap=True)
    largest = max(table["probability"])
    for word, probability in table.itertuples(index=False):
        rows.add_row(
            Text(word), Bar(largest, 0, probability, width=_BAR), f"{100 * probability:.1f} %"
        )
    console = Console()
    console.print(Text(f"{text!r}{', ' * bool(name)}{name}", style="bold"), soft_wrap=True)
    console.print(rows)
