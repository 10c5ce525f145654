"""What taking units out costs at other tasks: agreement in which the feature plays no part.

Units without which a model is a worse model altogether are no units *of gender*. So the same units
are taken out, in the same ways, where gender doesn't matter. Means and resampled values come from
the task's own items: values from sentences about a girl would make a subject singular.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from textgate.datasets.features import Feature
from textgate.evaluation.inference import interval
from textgate.interchange import Contrasts, Runner, Units
from textgate.interchange.effects import ABLATIONS, Sample
from textgate.interchange.targets import margins
from textgate.unit_search._control_sets import random_sets
from textgate.unit_search._goals import Goals
from textgate.unit_search._selection import Selection, smallest_necessary
from textgate.unit_search._splits import split
from textgate.unit_search._subject import Place, Subject

_ITEMS, _MOST = 1600, 400  # pairs that are generated; that each half uses

Task = pd.DataFrame | Contrasts | tuple[Any, Any]


@dataclass(frozen=True)
class SideTask:
    """Another task in two halves, like the feature's: one to choose units by, one to report.

    Attributes:
        name: The task's name.
        runner: For the pairs to report.
        chooser: For the others; `None` if there are too few to divide.
        chance: The accuracy of a model that can't do the task.
    """

    name: str
    runner: Runner
    chooser: Runner | None
    chance: float = 0.5

    @property
    def mastered(self) -> bool:
        """Whether the model can do the task; if it can't, units can't cost anything there."""
        overall, *_ = _accuracy_rows({}, self.runner, self.runner.clean())
        return bool(overall["accuracy_low"] > self.chance)

    def cost(self, sets: np.ndarray) -> np.ndarray:
        """Return the most points that an ablation of each set costs, on the choosers' half."""
        if self.chooser is None:
            return np.zeros(len(sets))
        clean = (self.chooser.clean() > 0).mean()
        ablated = [(self.chooser.run(sets, kind) > 0).mean(axis=1) for kind in ABLATIONS]
        return np.asarray(100 * (clean - np.min(ablated, axis=0)))


def side_tasks_of(
    subject: Subject,
    place: Place,
    feature: Feature,
    given: Mapping[str, Task] | None,
    seed: int = 0,
) -> list[SideTask]:
    """Return the other tasks, each divided in two halves without a template or word in common.

    Args:
        subject: The model.
        place: Where units are looked for.
        feature: What the units are units of.
        given: By the task's name, minimal pairs, items, or inputs and targets `(x, y)`, of which
            the accuracy is asked; `None` for generated pairs, if the model knows their words.
        seed: Seed of the division.
    """
    generated = given is None
    if given is None and subject.language_model is None:
        return []
    if given is None:
        from textgate.datasets import minimal_pairs

        name = feature.side_task.replace("_", " ")
        given = {name: minimal_pairs(feature.side_task, split="test", size=_ITEMS)}
    tasks = []
    for name, task in given.items():
        try:
            items = _items_of(subject, name, task)
        except ValueError:
            if generated:  # a model of other words than the generated ones
                continue
            raise
        chooser = None
        if "good_class" in items.table:
            try:
                halves = split(items, seed)
            except ValueError:
                pass
            else:
                chooser = subject.runner(items.select(halves.discovery[:_MOST]), place)
                items = items.select(halves.confirmation[:_MOST])
        tasks.append(SideTask(name, subject.runner(items, place), chooser, _chance(task)))
    return tasks


def _items_of(subject: Subject, name: str, task: Task) -> Contrasts:
    if isinstance(task, Contrasts):
        return task
    if isinstance(task, tuple):
        return margins(subject.model, *task)
    if not isinstance(task, pd.DataFrame):
        raise TypeError(
            "a side task must be minimal pairs, items of `textgate.contrasts`, or inputs and "
            f"classes (x, y). Received: {type(task).__name__} for {name!r}"
        )
    return subject.contrasts(task, name, with_source=False)


def _chance(task: Task) -> float:
    """Return the accuracy of a model that can't do a task: of two answers one, or always one."""
    if not isinstance(task, tuple):
        return 0.5
    _, counts = np.unique(np.asarray(task[1]), return_counts=True)
    return float(counts.max() / counts.sum()) if len(counts) > 1 else 0.5


def smallest_specific(
    sample: Sample,
    ranking: pd.DataFrame,
    goals: Goals,
    necessary: Selection,
    tasks: Sequence[SideTask],
) -> Selection | None:
    """Look for a necessary set that spares the other tasks.

    Args:
        sample: The discovery half.
        ranking: As `rank_units` returns it.
        goals: What is aimed at.
        necessary: The smallest necessary set.
        tasks: The other tasks.

    Returns:
        What selection came to; `None` if there was no call for it, because the smallest necessary
        set spares the tasks or there is none, or because no task that the model can do has items
        to choose units by.
    """
    choosing = [task for task in tasks if task.chooser is not None and task.mastered]

    def cost(sets: np.ndarray) -> np.ndarray:
        return np.asarray(np.max([task.cost(sets) for task in choosing], axis=0))

    if not necessary.reached or not choosing:
        return None
    if cost(necessary.units.mask(sample.units)[None])[0] <= goals.spared:
        return None
    return smallest_necessary(sample, ranking, goals, cost)


def ablate_in_tasks(
    tasks: Sequence[SideTask], sets: Mapping[str, Units], seed: int = 0
) -> pd.DataFrame:
    """Return what ablating sets of units costs at the other tasks, as `ablate_in_task` does."""
    tables = [ablate_in_task(task, sets, seed=seed) for task in tasks]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def ablate_in_task(
    task: SideTask, sets: Mapping[str, Units], controls: int = 20, seed: int = 0
) -> pd.DataFrame:
    """Return what ablating sets of units costs on other minimal pairs.

    Args:
        task: The task.
        sets: Sets of units by name.
        controls: How many random sets of other units, as many, stand beside each.
        seed: Seed.

    Returns:
        Rows for each set and ablation, and for the clean model: for all items and for each kind of
        antecedent (`group`), `accuracy` with its interval and `lost` (in points of 100, against the
        clean model); for all items also `random_lost` (mean over random sets) and `random_lost_95`;
        and `chance`, the accuracy of a model that can't do the task.
    """
    runner, total = task.runner, task.runner.units
    clean = runner.clean()
    label: dict[str, Any] = {"task": task.name, "set": "none", "size": 0, "intervention": "none"}
    rows = _accuracy_rows(label, runner, clean, seed)
    for name, units in sets.items():
        controlled = random_sets(len(units), total, controls, units, seed)
        stacked = np.vstack([units.mask(total), controlled])
        for kind in ABLATIONS:
            decisions = runner.run(stacked, kind, seed=seed)
            lost = 100 * ((clean > 0).mean() - (decisions[1:] > 0).mean(axis=1))
            label = {"task": task.name, "set": name, "size": len(units), "intervention": kind}
            overall, *groups = _accuracy_rows(label, runner, decisions[0], seed)
            overall["random_lost"] = float(lost.mean())
            overall["random_lost_95"] = float(np.quantile(lost, 0.95))
            rows += [overall, *groups]
    return pd.DataFrame(rows).assign(chance=task.chance)


def _accuracy_rows(
    label: dict[str, Any], runner: Runner, decisions: np.ndarray, seed: int = 0
) -> list[dict[str, Any]]:
    """Return a row for all items, and one for each kind of antecedent."""
    table, clean = runner.items.table, runner.clean()
    groups = {"all": np.ones(len(table), bool)}
    if "antecedent_kind" in table:
        kinds = table["antecedent_kind"].astype(str).to_numpy()
        groups |= {kind: kinds == kind for kind in sorted(set(kinds))}
    clusters = [table[name].to_numpy() for name in runner.items.groups if name in table]
    rows = []
    for group, chosen in groups.items():
        right = decisions[chosen] > 0
        low, high = interval(right, [labels[chosen] for labels in clusters], seed)
        rows.append(
            {
                **label,
                "group": group,
                "items": int(chosen.sum()),
                "accuracy": float(right.mean()),
                "accuracy_low": low,
                "accuracy_high": high,
                "lost": 100 * float((clean[chosen] > 0).mean() - right.mean()),
            }
        )
    return rows
