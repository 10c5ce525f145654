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
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from textgate._files import is_partial, write_json, write_table
from textgate._quiet import compiling_is_meant
from textgate._reading import read_json, read_table
from textgate.models import CELLS, load_language_model
from textgate.study.ladder import _runs, _tables
from textgate.study.ladder._runs import COUNTED, Conditions, Data

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
LEARNING_RATES: tuple[float, ...] = (2e-3, 5e-3, 1.25e-2)
_CONDITIONS = "setting.json"
QUICK = Conditions(texts=2000, epochs=1, items=200)


@dataclasses.dataclass(frozen=True)
class Ladder:
    """What a comparison found.

    Attributes:
        table: A line a rung, as `textgate.study.ladder._tables.one_line_a_rung` describes it.
        accuracy: By groups of items, with intervals (`accuracy`, there as well).
        runs: Every training, with `final` for those that were measured.
        redundancy: Accuracy without some units: `rung`, `seed` and the columns of
            `textgate.study.redundancy`.
        by_seed: The accuracies of each model (`by_seed`, there as well).
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
            write_table(path, table.assign(date=today, command=command))
        return paths


def compare(
    directory: str | Path,
    rungs: Sequence[str] = CORE,
    seeds: int = 5,
    learning_rates: Sequence[float] = LEARNING_RATES,
    conditions: Conditions | None = None,
    report: Callable[[dict[str, Any]], None] | None = None,
) -> Ladder:
    """Train and measure the models of a ladder, or go on with a comparison that was interrupted.

    Args:
        directory: Where every model gets its run directory; finished ones are not trained again.
        rungs: Keys of `textgate.models.CELLS`, and `"kneser_ney"`.
        seeds: How many models of each rung, with seeds from 0.
        learning_rates: What to choose from, by the validation loss with seed 0.
        conditions: Data, sizes and budget; `None` for the default.
        report: Called after each run with its row, and with `done` and `of`.

    Raises:
        ValueError: If a rung is unknown, or there is nothing to do.
        FileExistsError: If the directory holds something else, or was made under others.
    """
    conditions = conditions or Conditions()
    directory = Path(directory)
    _check(rungs, seeds, learning_rates)
    _claim(directory, conditions)
    trained = [rung for rung in rungs if rung not in COUNTED]
    total = len(rungs) - len(trained) + len(trained) * (len(learning_rates) + seeds - 1)
    trainer = _Trainer(directory, conditions, Data(conditions), report, total)
    rows: list[dict[str, Any]] = []
    accuracies, by_seed, removed = [], [], []
    for rung in rungs:
        tried, final = trainer.rung(rung, learning_rates, seeds)
        rows += [*tried, *final]
        places = [
            directory / _runs.name_of(rung, row["learning_rate"], row["seed"]) for row in final
        ]
        items = [read_table(place / "items.csv", keep_default_na=False) for place in places]
        accuracies.append(_tables.accuracy(rung, items))
        by_seed.append(_tables.by_seed(rung, [row["seed"] for row in final], items))
        for place, row in zip(places, final, strict=True):
            if (place / "redundancy.csv").is_file():
                table = read_table(place / "redundancy.csv")
                table.insert(0, "seed", row["seed"])
                table.insert(0, "rung", rung)
                removed.append(table)
    runs, accuracy = pd.DataFrame(rows), pd.concat(accuracies, ignore_index=True)
    return Ladder(
        _tables.one_line_a_rung(runs, accuracy),
        accuracy,
        runs,
        pd.concat(removed, ignore_index=True) if removed else pd.DataFrame({"rung": []}),
        pd.concat(by_seed, ignore_index=True),
    )


class _Trainer:
    """Trains and measures models, or reads those that are done.

    Args:
        directory: The comparison's.
        conditions: What all models share.
        data: Their data.
        report: Called after each run.
        total: How many runs there will be.
    """

    def __init__(
        self,
        directory: Path,
        conditions: Conditions,
        data: Data,
        report: Callable[[dict[str, Any]], None] | None,
        total: int,
    ) -> None:
        self.directory, self.conditions, self.data = directory, conditions, data
        self.report, self.done, self.total = report, 0, total

    def rung(
        self, rung: str, learning_rates: Sequence[float], seeds: int
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return the runs with learning rates that weren't chosen, and the final ones."""
        rate = learning_rates[0]
        if rung in COUNTED:
            return [], [self.run(rung, rate, 0, final=True)]
        tried: list[dict[str, Any]] = []
        if len(learning_rates) > 1:
            tried = [self.run(rung, each, 0, final=False) for each in learning_rates]
            best = min(tried, key=lambda row: row["validation_loss"])
            rate = best["learning_rate"]
            tried = [row for row in tried if row is not best]
            self.done -= 1  # the best is looked at once more, to be measured
        return tried, [self.run(rung, rate, seed, final=True) for seed in range(seeds)]

    @compiling_is_meant()
    def run(self, rung: str, rate: float, seed: int, final: bool) -> dict[str, Any]:
        """Return the facts of a run, after doing what of it isn't done yet."""
        place = self.directory / _runs.name_of(rung, rate, seed)
        facts, lm = _runs.load_facts(place), None
        was_there = facts is not None
        if facts is None:
            lm, facts = _runs.train(rung, rate, seed, self.conditions, self.data)
            _runs.save(place, lm, facts)
        if final and "bits" not in facts:
            was_there = False
            lm = lm or load_language_model(place)
            items, measures, removed = _runs.measure(lm, self.data, seed)
            write_table(place / "items.csv", items)
            if removed is not None:
                write_table(place / "redundancy.csv", removed)
            facts = {**facts, **measures}
            write_json(place / "run.json", facts)  # last: it says that the rest is there
        del lm
        gc.collect()
        self.done += 1
        row = {**facts, "final": final}
        if self.report is not None:
            self.report({**row, "done": self.done, "of": self.total, "was_there": was_there})
        return row


def _check(rungs: Sequence[str], seeds: int, learning_rates: Sequence[float]) -> None:
    all_rungs = (*CELLS, "kneser_ney")
    for rung in rungs:
        if rung not in all_rungs:
            raise ValueError(f"rungs are {', '.join(all_rungs)}. Received: {rung!r}")
    if not rungs or len(set(rungs)) < len(rungs):
        raise ValueError(f"give one or more rungs, each once. Received: rungs={list(rungs)}")
    if seeds < 1:
        raise ValueError(f"`seeds` must be at least 1. Received: seeds={seeds}")
    if not learning_rates or min(learning_rates) <= 0:
        raise ValueError(
            f"give one or more learning rates above 0. Received: {list(learning_rates)}"
        )


def _claim(directory: Path, conditions: Conditions) -> None:
    """Claim the directory for a comparison under these conditions, or raise if it is another's."""
    file = directory / _CONDITIONS
    wanted = dataclasses.asdict(conditions)
    if file.is_file():
        earlier = read_json(file)
        for name in wanted:
            if earlier.get(name) != wanted[name]:
                raise FileExistsError(
                    "the directory holds a comparison with another setting: its "
                    f"{name} is {earlier.get(name)!r}, not {wanted[name]!r}; give another "
                    f"directory, or remove this one. Received: {directory}"
                )
        return
    if directory.exists() and not (
        directory.is_dir() and all(map(is_partial, directory.iterdir()))
    ):
        raise FileExistsError(
            "the directory is not empty and not a comparison's; give another. "
            f"Received: {directory}"
        )
    write_json(file, wanted)
