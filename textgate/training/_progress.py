"""The progress of a training: words per second, loss, time left; and a line for each validation."""

import math
import time
from typing import Any

from textgate._progress import BAR, COUNT, ELAPSED, LEFT, Progress

_COLUMNS = (
    "epoch {task.fields[epoch]}",
    BAR,
    COUNT,
    "{task.fields[rate]:,.0f} words/s",
    "loss {task.fields[loss]:.3f}",
    ELAPSED,
    "left",
    LEFT,
)
_SMOOTH = 0.98


class TrainingProgress(Progress):
    """Progress of `textgate.training.fit`, to be used as a context.

    Args:
        shown: Whether to show anything.
    """

    def __init__(self, shown: bool = True) -> None:
        super().__init__(shown, columns=_COLUMNS)
        self._words = 0
        self._loss: float | None = None

    def stepped(self, report: dict[str, Any]) -> None:
        """Show a step, as `fit` reports it."""
        if self._loss is None:
            # The first step compiles; words are counted from the second on.
            self._since, self._words = time.monotonic(), -report["words"]
            self._loss = report["loss"]
        self._words += report["words"]
        self._loss = _SMOOTH * self._loss + (1 - _SMOOTH) * report["loss"]
        self.show(
            report["step"],
            total=report["steps"],
            epoch=report["epoch"] + 1,
            rate=self._words / max(time.monotonic() - self._since, 1e-9),
            loss=self._loss,
        )

    def validated(self, row: dict[str, Any]) -> None:
        """Print a validation, as `fit` reports it."""
        loss = row["validation_loss"]
        perplexity = math.exp(min(loss, 700.0))
        best = " (best so far)" if row["best"] else ""
        self.say(
            f"step {row['step']:,}: loss {row['loss']:.3f}, validation {loss:.3f}, "
            f"perplexity {perplexity:,.1f}{best}"
        )
