"""Progress of the protocol: which stage it is in, and the time left.

TensorFlow, which warns of functions that are compiled for many shapes, is kept quiet meanwhile:
here that is meant, once for each number of sets and items.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator

from textgate._quiet import compiling_is_meant

_WHOLE = 41  # the weights of all stages of `find_units` together


@contextlib.contextmanager
def stages(shown: bool | None, whole: int = _WHOLE) -> Iterator[Callable[[str, int], None]]:
    """Show the stages of something that takes long, on stderr.

    Args:
        shown: Whether to show them; `None` for: if stderr is a terminal.
        whole: The weights of all stages together.

    Yields:
        A function to call with the name of the stage that begins and its weight, about the share
        of the time that it takes.
    """
    with compiling_is_meant():
        if shown is False or (shown is None and not sys.stderr.isatty()):
            yield lambda name, weight: None
        else:
            with _bar(shown, whole) as begin:
                yield begin


@contextlib.contextmanager
def _bar(shown: bool | None, whole: int) -> Iterator[Callable[[str, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=shown is None,
    )
    task = bar.add_task("", total=whole)
    running = 0

    def begin(name: str, weight: int) -> None:
        nonlocal running
        bar.update(task, advance=running, description=name)
        running = weight

    with bar:
        yield begin
