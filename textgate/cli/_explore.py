"""`textgate explore`: the live view of a model, as a page or with a local server behind it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from textgate.cli._models import INPUTS, MODEL, inputs_at


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
    serve: Annotated[
        bool, typer.Option("--serve", help="Put a local server behind the page in any case.")
    ] = False,
    tokenizer: Annotated[
        Path | None,
        typer.Option(help="The vocabulary of a model of word ids: a file of tokenizers.save."),
    ] = None,
    inputs: Annotated[Path | None, typer.Option(help=INPUTS)] = None,
    port: Annotated[int, typer.Option(help="Of the local server; a free one by default.")] = 0,
) -> None:
    """Type a sentence, hold a gate, and see what the model says next.

    Language models run in the page itself. Any other model runs in a server on this machine, which
    is told what it reads by --tokenizer or --inputs.
    """
    import textgate
    from textgate.explorer import CannotHoldError

    models = {one.name: one for one in textgate.explorer.shown_models([str(run) for run in runs])}
    if not serve and tokenizer is None and inputs is None:
        try:
            page = textgate.explore(list(models.values()), precision=precision)  # type: ignore[arg-type]
        except CannotHoldError:
            if to is not None:
                raise
        else:
            if to is None:
                print(f"opened {page.show()}")
            else:
                print(f"wrote {to} ({page.save(to).stat().st_size / 1e6:.1f} MB)")
            return
    if to is not None:
        raise ValueError(f"a page with a server behind it is no file. Received: --to {to}")
    _serve(list(models.values()), tokenizer, inputs, port)


def _serve(models: list[Any], tokenizer: Path | None, inputs: Path | None, port: int) -> None:
    """Show models with a server behind the page, until the command is interrupted."""
    import webbrowser

    import textgate

    server = textgate.explorer.Server(
        models,
        tokenizer=None if tokenizer is None else textgate.tokenizers.load(tokenizer),
        inputs=None if inputs is None else inputs_at(inputs, models[0].model),
        port=port,
    )
    print(f"{server.url}  (Ctrl+C ends it)", flush=True)
    webbrowser.open(server.url)
    try:
        server.run()
    except KeyboardInterrupt:
        print()
    finally:
        server.close()
