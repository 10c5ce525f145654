"""How far something is that takes long: one kind of bar, and lines, all on stderr."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from textgate._quiet import compiling_is_meant

# What a bar may consist of, besides texts.
BAR, COUNT, SHARE, ELAPSED, LEFT = "bar", "count", "share", "elapsed", "left"


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)


class Progress:
    """A bar with the time left, to be used as a context.

    Args:
        shown: Whether to show it; `None` for: if stderr is a terminal. It goes away at the end
            unless it was asked for.
        doing: What takes so long, `{task.description}` in a text.
        total: The number of what there is to do, as far as it is known.
        columns: What the bar consists of: `BAR`, `COUNT`, `SHARE` (of what is done), `ELAPSED`,
            `LEFT` (the times), and texts, which may have fields: `"loss {task.fields[loss]}"`.
        patience: For how many seconds a bar that wasn't asked for is held back.
    """

    def __init__(
        self,
        shown: bool | None,
        doing: str = "",
        total: float | None = None,
        columns: Sequence[str] = ("{task.description}", BAR, LEFT),
        patience: float = 2.0,
    ) -> None:
        self.is_shown = sys.stderr.isatty() if shown is None else shown
        self._is_asked_for = shown is not None
        self._patience = 0.0 if shown else patience
        self._doing, self._total, self._columns = doing, total, columns
        self._bar: Any = None
        self._task: Any = None
        self._weight = 0.0  # of the stage that was begun

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: float = 1) -> None:
        """Show that so many more are done."""
        self._show(advance=count)

    def begin(self, stage: str, weight: float) -> None:
        """Show that a stage begins, and that the one before is done.

        Args:
            stage: What is being done.
            weight: About the share of the total time that it takes.
        """
        self._show(advance=self._weight, description=stage)
        self._weight = weight

    def show(self, completed: float, **fields: Any) -> None:
        """Show how many are done; `fields` are for the texts, and the `total` if it changes."""
        self._show(completed=completed, **fields)

    def say(self, line: str) -> None:
        """Print a line above the bar, if there is one."""
        if self.is_shown:
            self._rich_bar().console.print(line, markup=False)

    def _show(self, **changes: Any) -> None:
        if not self.is_shown:
            return
        bar = self._rich_bar()
        if self._task is None:
            beginning = {"description": self._doing, "total": self._total, **changes}
            count = beginning.pop("advance", 0)
            self._task = bar.add_task(**beginning)
            bar.advance(self._task, count)
        else:
            bar.update(self._task, **changes)
        if not bar.live.is_started and time.monotonic() - self._began >= self._patience:
            bar.start()

    def _rich_bar(self) -> Any:
        # Made, and rich imported, when there is something to show.
        if self._bar is None:
            from rich import progress
            from rich.console import Console

            kinds: dict[str, Any] = {
                BAR: progress.BarColumn,
                COUNT: progress.MofNCompleteColumn,
                SHARE: progress.TaskProgressColumn,
                ELAPSED: progress.TimeElapsedColumn,
                LEFT: progress.TimeRemainingColumn,
            }
            self._bar = progress.Progress(
                *(kinds[c]() if c in kinds else progress.TextColumn(c) for c in self._columns),
                # In a notebook rich would ask for widgets, with a warning where there are none.
                console=Console(stderr=True, force_jupyter=False),
                refresh_per_second=4,
                transient=not self._is_asked_for,
            )
        return self._bar


@contextlib.contextmanager
def stages(shown: bool | None, total: float) -> Iterator[Callable[[str, float], None]]:
    """Show the stages of something that takes long and compiles functions for many shapes.

    Args:
        shown: As for `Progress`.
        total: The weights of all stages together.

    Yields:
        `Progress.begin`.
    """
    with compiling_is_meant(), Progress(shown, total=total, patience=0.0) as bar:
        yield bar.begin
