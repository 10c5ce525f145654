"""The progress bar: words per second, loss, time left; and a line for each validation."""

import math
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Bar:
    """A progress bar for `textgate.training.fit`, to be used as a context.

    Args:
        shown: Whether to show anything.
        console: Where to; `None` for standard error.
    """

    def __init__(self, shown: bool = True, console: Console | None = None) -> None:
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:,.0f} words/s"),
            TextColumn("loss {task.fields[loss]:.3f}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
            disable=not shown,
            refresh_per_second=2,
        )
        self._task: Any = None
        self._words, self._loss, self._began = 0, math.nan, 0.0

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def stepped(self, report: dict[str, Any]) -> None:
        """Show a step, as `fit` reports it."""
        now = self._progress.get_time()
        if self._task is None:
            self._task = self._progress.add_task(
                "", total=report["steps"], completed=report["step"], epoch=1, rate=0.0, loss=0.0
            )
            # The first step compiles; words are counted from the second on.
            self._began, self._words = now, -report["words"]
        self._words += report["words"]
        smooth = 0.98
        previous = report["loss"] if math.isnan(self._loss) else self._loss
        self._loss = smooth * previous + (1 - smooth) * report["loss"]
        self._progress.update(
            self._task,
            completed=report["step"],
            epoch=report["epoch"] + 1,
            rate=self._words / max(now - self._began, 1e-9),
            loss=self._loss,
        )

    def validated(self, row: dict[str, Any]) -> None:
        """Print a validation, as `fit` reports it."""
        if self._progress.disable:
            return
        loss = row["validation_loss"]
        perplexity = math.exp(min(loss, 700.0))
        best = " (best so far)" if row["best"] else ""
        self._progress.console.print(
            f"step {row['step']:,}: loss {row['loss']:.3f}, validation {loss:.3f}, "
            f"perplexity {perplexity:,.1f}{best}"
        )
