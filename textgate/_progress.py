"""A progress bar for what takes long, and nothing for what doesn't."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

_PATIENCE = 2.0  # seconds without a bar


@contextlib.contextmanager
def progress_of(
    shown: bool | None, total: int | None, doing: str = "tracing", of: str | None = "examples"
) -> Iterator[Callable[[int], None]]:
    """Show progress on stderr, with the time left.

    Args:
        shown: Whether to show it; `None` for: if stderr is a terminal and it takes longer than
            two seconds.
        total: Number of examples, where it is known.
        doing: What takes so long.
        of: What is counted; `None` for showing the share that is done instead of a count.

    Yields:
        A function to call with the number of examples that are done now.
    """
    if shown is False or (shown is None and not sys.stderr.isatty()):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    counted: list[ProgressColumn] = [TaskProgressColumn()]
    if of is not None:
        counted = [MofNCompleteColumn(), TextColumn(of)]
    bar = Progress(
        TextColumn(doing),
        BarColumn(),
        *counted,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=shown is None,
    )
    task = bar.add_task(doing, total=total)
    began = time.monotonic()
    started = False

    def advance(count: int) -> None:
        nonlocal started
        if not started and (shown or time.monotonic() - began > _PATIENCE):
            bar.start()
            started = True
        bar.advance(task, count)

    try:
        yield advance
    finally:
        if started:
            bar.stop()
