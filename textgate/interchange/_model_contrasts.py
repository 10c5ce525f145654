"""Contrasts for any Keras model: inputs, their counterparts, and the classes to decide between.

A classifier of sentiment reads "The plot was not good" and its counterpart "The plot was so good".
Both have to be alike step by step: as long, and masked at the same steps.

Two directions are evidence, one isn't: a damaged model that always says *negative* would do well on
reviews that are negative. So where every item decides for the same class, each pair is taken the
other way round as well: the source as base, with `good` and `bad` exchanged.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from keras import tree

from textgate._received import check_plain
from textgate.evaluation.inference import CLAIM_LEVEL, clusters_needed, smallest_p
from textgate.interchange._decisions import check_different, classes_of, place_of_output
from textgate.interchange._items import Contrasts
from textgate.interchange._readouts import Readout
from textgate.tracing import checked_sites, nodes_of, trace

_DEFAULT_GROUPS = ("template", "lexeme")
CLASS = "good_class"


def model_contrasts(
    model: Any,
    base: Any,
    source: Any = None,
    good: Any = None,
    bad: Any = None,
    step: Any = None,
    output: str | int | None = None,
    readout: Callable[[Any], Any] | None = None,
    table: pd.DataFrame | None = None,
    groups: str | Sequence[str] | None = None,
    feature: str = "feature",
) -> Contrasts:
    """Make a model's inputs and their counterparts ready for intervention; see `contrasts`."""
    checked_sites(model)
    base, source = inputs_of(base), None if source is None else inputs_of(source)
    count = examples_of(base, "base")
    if source is not None:
        _check_alike(base, source)
    if readout is None or good is not None or bad is not None:
        if good is None or bad is None:
            raise ValueError(
                "a decision needs two classes, `good` and `bad`, or a function of the outputs, "
                f"`readout`. Received: good={good!r}, bad={bad!r}, readout={readout!r}"
            )
        classes = classes_of(good, count, "good"), classes_of(bad, count, "bad")
        check_different(*classes)
    else:
        classes = np.ones(count, np.int64), np.zeros(count, np.int64)
    if readout is not None and not callable(readout):
        raise TypeError(
            "`readout` must be a function of the model's outputs. "
            f"Received: {type(readout).__name__}"
        )
    place_of_output(model, output)
    rows = _with_classes(_table(table, count), *classes)
    names = _groups(groups, rows)
    if not names:  # each item on its own, with the same the other way round
        names = ("item",)
        rows["item"] = np.arange(count)
    items = Contrasts(
        table=rows,
        base=base,
        source=source,
        good=classes[0],
        bad=classes[1],
        last=None if step is None else _steps(step, count),
        feature=feature,
        output=output,
        readout=None if readout is None else Readout(readout),
        sign=None if readout is None else np.sign(classes[0] - classes[1]).astype(np.float64),
        groups=names,
        prefixes=False,
    )
    if source is None:
        return items
    _check_aligned(model, base, source, items.last)
    items = _without_equal(items)
    return _both_ways(items) if items.table[CLASS].nunique() == 1 else items


def inputs_of(inputs: Any) -> Any:
    """Return inputs with arrays as leaves; nested lists of numbers or strings are one array."""
    check_plain(inputs)
    plain = isinstance(inputs, list | tuple)
    if plain and not any(hasattr(part, "shape") or isinstance(part, dict) for part in inputs):
        return np.asarray(inputs)
    return tree.map_structure(np.asarray, inputs)


def examples_of(inputs: Any, name: str) -> int:
    """Return how many examples inputs have, as many in each part."""
    counts = {len(leaf) if leaf.ndim else 0 for leaf in tree.flatten(inputs)}
    if len(counts) != 1 or counts == {0}:
        raise ValueError(
            f"`{name}` must be what `model.predict` takes, as many examples in each part. "
            f"Received: parts of shape {[leaf.shape for leaf in tree.flatten(inputs)]}"
        )
    return counts.pop()


def _check_alike(base: Any, source: Any) -> None:
    try:
        tree.assert_same_structure(base, source)
        same = [
            a.shape == b.shape
            for a, b in zip(tree.flatten(base), tree.flatten(source), strict=True)
        ]
    except ValueError:
        same = [False]
    if not all(same):
        shapes = [[leaf.shape for leaf in tree.flatten(part)] for part in (base, source)]
        raise ValueError(
            "`base` and `source` must have the same structure and shapes, so that each step of the "
            f"one has its step in the other. Received: {shapes[0]} and {shapes[1]}"
        )


def _steps(step: Any, count: int) -> np.ndarray:
    array = np.asarray(step)
    if array.dtype.kind not in "iu" or array.shape not in ((), (count,)) or array.min() < 0:
        raise ValueError(
            f"`step` must be the step that decides, from 0 on, or one for each of the {count} "
            f"items. Received: {array.dtype} of shape {array.shape}, least "
            f"{array.min() if array.size else None}"
        )
    return np.broadcast_to(array, (count,)).astype(np.int32)


def _table(table: pd.DataFrame | None, count: int) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame(index=pd.RangeIndex(count))
    if not isinstance(table, pd.DataFrame) or len(table) != count:
        size = len(table) if hasattr(table, "__len__") else "no"
        raise ValueError(
            f"`table` must be a DataFrame with a row for each of the {count} items. "
            f"Received: {type(table).__name__} with {size} rows"
        )
    return table.reset_index(drop=True).copy()


def _with_classes(table: pd.DataFrame, good: np.ndarray, bad: np.ndarray) -> pd.DataFrame:
    """Return a table with the names of the base's and the source's class."""
    if CLASS not in table:
        return table.assign(**{CLASS: good.astype(str), "bad_class": bad.astype(str)})
    names = sorted(set(table[CLASS].astype(str)))
    if "bad_class" in table or len(names) > 2:
        return table
    if len(names) == 1:
        raise ValueError(
            "where all items have one class, the table names that of their sources as well, in the "
            f"column 'bad_class'. Received: columns {list(table.columns)}, class {names[0]!r}"
        )
    return table.assign(
        bad_class=np.where(table[CLASS].astype(str) == names[0], names[1], names[0])
    )


def _groups(groups: str | Sequence[str] | None, table: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that group items, and warn of too few groups for a test."""
    if groups is None:
        names = tuple(name for name in _DEFAULT_GROUPS if name in table)
    else:
        names = (groups,) if isinstance(groups, str) else tuple(groups)
    missing = [name for name in names if name not in table]
    if missing:
        raise ValueError(
            f"`groups` must name columns of `table`, {list(table.columns)}. "
            f"Received: {missing[0]!r}"
        )
    for name in names:
        if (unknown := table[name].isna().to_numpy()).any():
            raise ValueError(
                f"`groups` must be known of every item; fill in the column {name!r}. "
                f"Received: no value in {int(unknown.sum())} of {len(table)} rows, the first of "
                f"them row {int(unknown.argmax())}"
            )
        distinct = table[name].nunique()
        if distinct < 2:
            raise ValueError(
                "items must be of two groups at least, so that what is found on some is confirmed "
                f"on others. Received: groups={name!r}, with {distinct} of them"
            )
    _warn_of_few({name: int(table[name].nunique()) for name in names})
    return names


def _warn_of_few(groups: Mapping[str, int]) -> None:
    """Warn if half of the groups are too few for the test that confirms units on a half."""
    halves = [count // 2 for count in groups.values()]
    if not groups or smallest_p(halves) <= CLAIM_LEVEL:
        return
    needed = 2 * clusters_needed(halves)
    few = [f"{count} groups by {name!r}" for name, count in groups.items() if count < needed]
    each = " of each" if len(groups) > 1 else ""
    warnings.warn(
        f"{' and '.join(few)} are too few for the test that confirms units: with half of them no "
        f"effect reaches p ≤ {CLAIM_LEVEL}. {needed} or more{each} can.",
        UserWarning,
        stacklevel=5,
    )


def _check_aligned(model: Any, base: Any, source: Any, step: np.ndarray | None) -> None:
    """Raise a `ValueError` where source and base don't align, or a step lies in the padding.

    They align if every layer masks the same steps of both. A step lies in the padding if all layers
    that go so far mask it.
    """
    of_base, of_source = (
        {name: np.asarray(node["mask"].values) for name, node in nodes_of(traced).items()}
        for traced in (trace(model, x, units=[0], progress=False) for x in (base, source))
    )
    for name, mine in of_base.items():
        theirs = of_source.get(name, mine)
        if mine.shape != theirs.shape or not np.array_equal(mine, theirs):
            wrong = np.argwhere(mine != theirs) if mine.shape == theirs.shape else [(0, 0)]
            item, at = (int(number) for number in wrong[0])
            raise ValueError(
                "base and source must align step by step: pad both alike. Received: item "
                f"{item}, of which layer {name!r} reads step {at} in the "
                f"{'base' if mine[item, at] else 'source'} and masks it in the "
                f"{'source' if mine[item, at] else 'base'}"
            )
    for item, at in enumerate([] if step is None else step.tolist()):
        masks = [mask[item] for mask in of_base.values() if at < mask.shape[1]]
        if masks and not any(mask[at] for mask in masks):
            raise ValueError(
                "`step` must be a step of the example, not of its padding. "
                f"Received: step={at} for item {item}, of which the layers read "
                f"{int(max(mask.sum() for mask in masks))} of {len(masks[0])} steps"
            )


def _without_equal(items: Contrasts) -> Contrasts:
    """Leave out, and count, items whose source is their base."""
    leaves = zip(tree.flatten(items.base), tree.flatten(items.source), strict=True)
    differs = np.any([(a != b).reshape(len(a), -1).any(axis=1) for a, b in leaves], axis=0)
    if differs.all():
        return items
    if not differs.any():
        raise ValueError(
            "`source` must differ from `base`. Received: the same inputs for all "
            f"{len(items)} items"
        )
    fewer = items.select(differs)
    return replace(fewer, dropped={"counterpart the same": int((~differs).sum())})


def _both_ways(items: Contrasts) -> Contrasts:
    """Return each pair as it is and the other way round."""

    def joined(first: Any, second: Any) -> Any:
        return tree.map_structure(lambda a, b: np.concatenate([a, b]), first, second)

    back = items.table.copy()
    back[CLASS], back["bad_class"] = items.table["bad_class"], items.table[CLASS]
    last, sign = items.last, items.sign
    return replace(
        items,
        table=pd.concat([items.table, back], ignore_index=True),
        base=joined(items.base, items.source),
        source=joined(items.source, items.base),
        good=np.concatenate([items.good, items.bad]),
        bad=np.concatenate([items.bad, items.good]),
        last=None if last is None else np.concatenate([last, last]),
        sign=None if sign is None else np.concatenate([sign, -sign]),
    )
