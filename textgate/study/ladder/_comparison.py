"""The ladder: from a constant to the LSTM, what does each step up bring?

Each rung is a model in which one more thing is possible (`textgate.models.CELLS`). All get the same
data, the same number of words to learn from, as many parameters in use, and the same tuning: three
learning rates, tried with one seed, of which validation chooses. Then five seeds are trained with
that rate, and only these are measured on the test items (`textgate.study.ladder._task`).

What the intervals mean. *Over items* (`low`, `high`): had we drawn other sentences, constructions
and names for these models. *Over seeds* (`seed_low`, `seed_high`): had we trained other models. A
statement about a kind of cell needs the second, and five seeds are few.
"""

import dataclasses
import gc
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._files import is_partial, write_json, write_text
from textgate._quiet import compiling_is_meant
from textgate.models import CELLS, load_language_model
from textgate.study.ladder import _runs as ladder_runs
from textgate.study.ladder import _tables as ladder_tables
from textgate.study.ladder._runs import COUNTED, Data, Setting

CORE = (
    "constant",
    "smoothing",
    "gru_reset_0",
    "simple_rnn",
    "gru_reset_1",
    "gru_no_leak",
    "gru",
    "lstm_forget_1",
    "lstm",
)
MORE = (
    "average",
    "last_words",
    "kneser_ney",
    "gru_reset_before",
    "lstm_input_1",
    "lstm_output_1",
    "lstm_coupled",
)
LEARNING_RATES = (2e-3, 5e-3, 1.25e-2)
QUICK = Setting(texts=2000, epochs=1, items=200)


@dataclasses.dataclass(frozen=True)
class Ladder:
    """What a comparison found.

    Attributes:
        table: A line a rung: `textgate.study.ladder._tables.one_line_a_rung`.
        accuracy: By groups of items, with intervals: `textgate.study.ladder._tables.accuracy`.
        runs: Every training, with `final` for those that were measured.
        redundancy: Accuracy without some units: `rung`, `seed` and the columns of
            `textgate.study._redundancy.redundancy`.
        by_seed: The accuracies of each model: `textgate.study.ladder._tables.by_seed`.
    """

    table: pd.DataFrame
    accuracy: pd.DataFrame
    runs: pd.DataFrame
    redundancy: pd.DataFrame
    by_seed: pd.DataFrame

    def to_csv(self, directory: Path, command: str) -> list[Path]:
        """Write the tables, each with the date and the command in its last columns.

        The table with a line a rung has the date in its name, too, so that it is kept when the
        comparison is made again.
        """
        today = date.today().isoformat()
        tables = {
            f"ladder-{today}": self.table,
            "accuracy": self.accuracy,
            "runs": self.runs,
            "redundancy": self.redundancy,
            "by_seed": self.by_seed,
        }
        paths = [directory / f"{name}.csv" for name in tables]
        for path, table in zip(paths, tables.values(), strict=True):
            write_text(path, table.assign(date=today, command=command).to_csv(index=False))
        return paths


def compare(
    directory: str | Path,
    rungs: Sequence[str] = CORE,
    seeds: int = 5,
    learning_rates: Sequence[float] = LEARNING_RATES,
    setting: Setting | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> Ladder:
    """Train and measure the models of a ladder, or go on with a comparison that was interrupted.

    Args:
        directory: Where every model gets its run directory; finished ones are not trained again.
        rungs: Keys of `textgate.models.CELLS`, and `"kneser_ney"`.
        seeds: How many models of each rung, with seeds from 0.
        learning_rates: What to choose from, by the validation loss with seed 0.
        setting: Data, sizes and budget; `None` for the default.
        report: Called after each run with its row, and with `done` and `of`.

    Raises:
        ValueError: If a rung is unknown, or there is nothing to do.
        FileExistsError: If the directory holds something else, or was made with another setting.
    """
    setting = setting or Setting()
    directory = Path(directory)
    _check(rungs, seeds, learning_rates)
    _claim(directory, setting)
    data = Data(setting)
    work = _Work(directory, setting, data, report)
    trained = [rung for rung in rungs if rung not in COUNTED]
    work.of = len(rungs) - len(trained) + len(trained) * (len(learning_rates) + seeds - 1)
    rows: list[dict[str, Any]] = []
    accuracies, each_seed, removed = [], [], []
    for rung in rungs:
        if rung in COUNTED:
            found = [work.run(rung, learning_rates[0], 0, final=True)]
        else:
            rate = learning_rates[0]
            if len(learning_rates) > 1:
                tried = [work.run(rung, each, 0, final=False) for each in learning_rates]
                best = min(tried, key=lambda row: row["validation_loss"])
                rate = best["learning_rate"]
                rows += [row for row in tried if row is not best]
                work.done -= 1  # the best is looked at once more, to be measured
            found = [work.run(rung, rate, seed, final=True) for seed in range(seeds)]
        rows += found
        places = [
            directory / ladder_runs.name_of(rung, r["learning_rate"], r["seed"]) for r in found
        ]
        items = [pd.read_csv(place / "items.csv", keep_default_na=False) for place in places]
        accuracies.append(ladder_tables.accuracy(rung, items))
        each_seed.append(ladder_tables.by_seed(rung, [row["seed"] for row in found], items))
        for place, row in zip(places, found, strict=True):
            if (place / "redundancy.csv").is_file():
                table = pd.read_csv(place / "redundancy.csv")
                table.insert(0, "seed", row["seed"])
                table.insert(0, "rung", rung)
                removed.append(table)
    runs, accuracy = pd.DataFrame(rows), pd.concat(accuracies, ignore_index=True)
    return Ladder(
        ladder_tables.one_line_a_rung(runs, accuracy),
        accuracy,
        runs,
        pd.concat(removed, ignore_index=True) if removed else pd.DataFrame({"rung": []}),
        pd.concat(each_seed, ignore_index=True),
    )


class _Work:
    """Runs, done or read."""

    def __init__(
        self,
        directory: Path,
        setting: Setting,
        data: Data,
        report: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        self.directory, self.setting, self.data, self.report = directory, setting, data, report
        self.done = self.of = 0

    @compiling_is_meant()
    def run(self, rung: str, rate: float, seed: int, final: bool) -> dict[str, Any]:
        """Return what is known of a run, after doing what of it isn't done yet."""
        place = self.directory / ladder_runs.name_of(rung, rate, seed)
        facts, lm = ladder_runs.load_facts(place), None
        was_there = facts is not None
        if facts is None:
            lm, facts = ladder_runs.train(rung, rate, seed, self.setting, self.data)
            ladder_runs.save(place, lm, facts)
        if final and "bits" not in facts:
            was_there = False
            lm = lm or load_language_model(place)
            items, found, removed = ladder_runs.measure(lm, self.data, seed)
            write_text(place / "items.csv", items.to_csv(index=False))
            if removed is not None:
                write_text(place / "redundancy.csv", removed.to_csv(index=False))
            facts = {**facts, **found}
            write_json(place / "run.json", facts)  # last: it says that the rest is there
        del lm
        gc.collect()
        self.done += 1
        row = {**facts, "final": final}
        if self.report is not None:
            self.report({**row, "done": self.done, "of": self.of, "was_there": was_there})
        return row


def _check(rungs: Sequence[str], seeds: int, learning_rates: Sequence[float]) -> None:
    known = (*CELLS, "kneser_ney")
    for rung in rungs:
        if rung not in known:
            raise ValueError(f"rungs are {', '.join(known)}. Received: {rung!r}")
    if not rungs or len(set(rungs)) < len(rungs):
        raise ValueError(f"give one or more rungs, each once. Received: rungs={list(rungs)}")
    if seeds < 1:
        raise ValueError(f"`seeds` must be at least 1. Received: seeds={seeds}")
    if not learning_rates or min(learning_rates) <= 0:
        raise ValueError(
            f"give one or more learning rates above 0. Received: {list(learning_rates)}"
        )


def _claim(directory: Path, setting: Setting) -> None:
    """Make the directory this setting's own, or raise if it is another's."""
    file = directory / "setting.json"
    given = dataclasses.asdict(setting)
    if file.is_file():
        there = json.loads(file.read_text(encoding="utf-8"))
        for name in given:
            if there.get(name) != given[name]:
                raise FileExistsError(
                    "the directory holds a comparison with another setting: its "
                    f"{name} is {there.get(name)!r}, not {given[name]!r}; give another directory, "
                    f"or remove this one. Received: {directory}"
                )
        return
    if directory.exists() and not (
        directory.is_dir() and all(map(is_partial, directory.iterdir()))
    ):
        raise FileExistsError(
            "the directory is not empty and not a comparison's; give another. "
            f"Received: {directory}"
        )
    write_json(file, given)
