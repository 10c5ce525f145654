"""Sweeps: what intervening on each single unit does, for every unit of every layer.

A sweep is where a search begins: it says which units matter at all, and how much. It doesn't say
which units hold a feature. Of many units some stand out by chance, so that what a sweep finds wants
confirmation on other items; and units that do the job together, each standing in for the others,
all look idle one by one.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textgate._files import is_partial, write, write_text
from textgate._progress import progress_of
from textgate.datasets.features import Feature
from textgate.interchange._contrasts import contrasts
from textgate.interchange._items import Contrasts
from textgate.interchange._runner import runner_for
from textgate.tracing import fingerprint

_UNITS = 60  # units in a block, which is finished or not when a sweep is interrupted
_FORMAT = 1  # of a sweep's directory


def sweep(
    lm: Any,
    pairs: pd.DataFrame | Contrasts,
    layers: Sequence[str] | None = None,
    signal: str = "cell_state",
    kind: str = "interchange",
    *,
    feature: str | Feature = "gender",
    reference: Contrasts | None = None,
    by_position: bool = False,
    seed: int = 0,
    directory: str | Path | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Measure what intervening on each unit by itself does.

    Args:
        lm: A `textgate.models.LanguageModel`.
        pairs: Minimal pairs with their counterparts, as from `textgate.datasets.minimal_pairs`, or
            contrasts made from them.
        layers: Names of recurrent layers; all by default.
        signal: The signal that is changed, at every step.
        kind: `"interchange"`, `"zero"`, `"mean"` or `"resample"`; see `Runner`.
        feature: What the pairs are about; see `contrasts`.
        reference: As for `StackRunner.run`.
        by_position: As for `StackRunner.run`.
        seed: As for `StackRunner.run`.
        directory: Where finished blocks are kept. A sweep that was interrupted goes on from there,
            and one that is finished is read from it.
        progress: Whether to show progress and the time left; by default, if it takes long and
            stderr is a terminal.

    Returns:
        One row for each layer and unit, with the columns

        - `layer`, `signal`, `unit`, `kind`, `seed`, and `n`, the number of items;
        - `effect`: how much of the logit difference (right word minus wrong word) the intervention
          takes away, the mean over the items;
        - `share`: that, relative to what the whole source takes away (1: the unit does all of it);
          NaN if the contrasts have no sources;
        - `n_right`: the items in which the model is right without intervention;
        - `flip_rate`: the share of these in which it is wrong with it; NaN if there are none;

        and, if the pairs have a column `direction`, `n`, `effect` and `flip_rate` for each of its
        values apart, such as `effect_she→her`.

    Raises:
        ValueError: If a layer or the signal doesn't exist, the kind is unknown or needs what the
            pairs lack, or the directory holds the sweep of another model, other pairs or another
            intervention.
        FileExistsError: If the directory holds something else.

    Example:

    >>> import pandas as pd
    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer("the actress actor lost her his way".split())
    >>> lm = LanguageModel(tokenizer, units=3, seed=0)
    >>> pairs = pd.DataFrame({
    ...     "good": ["the actress lost her way", "the actor lost his way"],
    ...     "bad": ["the actress lost his way", "the actor lost her way"],
    ...     "target": 3,
    ...     "counterpart_prefix": ["the actor lost", "the actress lost"],
    ...     "direction": ["she→her", "he→his"],
    ... })
    >>> table = sweep(lm, pairs)
    >>> table[["layer", "unit", "n"]].values.tolist()
    [['lstm', 0, 2], ['lstm', 1, 2], ['lstm', 2, 2]]
    >>> "effect_he→his" in table
    True
    """
    items = pairs
    if not isinstance(items, Contrasts):
        items = contrasts(lm, items, feature=feature, with_source=kind == "interchange")
    names = _checked_layers(lm, layers)
    store = None
    if directory is not None:
        about = {
            "model": fingerprint(lm),
            "pairs": _digest(items),
            "kind": kind,
            "reference": None if reference is None else _digest(reference),
            "by_position": by_position,
            "seed": seed,
        }
        store = _Store(Path(directory), about)
    # What a unit of each layer costs, in matrix products.
    costs = {name: 1 + 2 * above for above, name in enumerate(reversed(_layers_of(lm)))}
    sizes = dict(zip(_layers_of(lm), lm.units, strict=True))
    total = sum(sizes[name] * costs[name] for name in names)
    tables = []
    with progress_of(progress, total, f"{kind} of {signal}", None) as advance:
        for name in names:
            runner = runner_for(lm, items, name, signal)
            edited = np.empty((runner.units, len(items)), np.float32)
            for begin in range(0, runner.units, _UNITS):
                block = edited[begin : begin + _UNITS]
                file = f"{name}.{signal}.{begin:06d}.npy"
                found = None if store is None else store.read(file, block.shape)
                if found is None:
                    sets = np.eye(runner.units, dtype=bool)[begin : begin + _UNITS]
                    found = runner.run(sets, kind, reference, seed, by_position)
                    if store is not None:
                        store.write(file, found)
                block[:] = found
                advance(len(block) * costs[name])
            source = None if items.source is None else runner.source()
            effects = _effects(edited, runner.clean(), source, items.table)
            facts = {"layer": name, "signal": signal, "unit": np.arange(runner.units)}
            tables.append(pd.DataFrame({**facts, "kind": kind, "seed": seed, **effects}))
    return pd.concat(tables, ignore_index=True)


def _layers_of(lm: Any) -> list[str]:
    return [layer.name for layer in lm.recurrent_layers]


def _checked_layers(lm: Any, layers: Sequence[str] | None) -> list[str]:
    if not hasattr(lm, "recurrent_layers"):
        raise TypeError(
            "`lm` must be a textgate.models.LanguageModel, as textgate.load returns it. "
            f"Received: {type(lm).__name__}"
        )
    known = _layers_of(lm)
    if layers is None:
        return known
    if isinstance(layers, str):
        layers = [layers]
    wrong = [name for name in layers if name not in known]
    if wrong or not layers:
        raise ValueError(
            f"`layers` must name recurrent layers of the model, {known}. Received: "
            f"layers={list(layers)!r}"
        )
    return list(layers)


def _effects(
    edited: np.ndarray, clean: np.ndarray, source: np.ndarray | None, table: pd.DataFrame
) -> dict[str, Any]:
    """Return the columns of a layer's effects.

    Args:
        edited: Logit differences with each unit changed, of shape `(units, n)`.
        clean: Without, of shape `(n,)`.
        source: After the sources, of shape `(n,)`.
        table: The pairs.
    """
    taken = clean.astype(np.float64) - edited
    right = clean > 0
    flipped = (edited <= 0) & right
    columns: dict[str, Any] = {"n": len(clean), "effect": taken.mean(axis=1), "share": np.nan}
    if source is not None:
        whole = float(clean.sum(dtype=np.float64) - source.sum(dtype=np.float64))
        columns["share"] = taken.sum(axis=1) / whole if whole else np.nan
    columns["n_right"] = int(right.sum())
    columns["flip_rate"] = _rate(flipped, right)
    if "direction" in table:
        directions = table["direction"].to_numpy()
        for direction in sorted(set(directions)):
            chosen = directions == direction
            columns[f"n_{direction}"] = int(chosen.sum())
            columns[f"effect_{direction}"] = taken[:, chosen].mean(axis=1)
            columns[f"flip_rate_{direction}"] = _rate(flipped[:, chosen], right[chosen])
    return columns


def _rate(flipped: np.ndarray, right: np.ndarray) -> Any:
    return flipped.sum(axis=1) / right.sum() if right.any() else np.nan


def _digest(items: Contrasts) -> str:
    """Return a hash of the ids that are run."""
    digest = hashlib.blake2b(digest_size=8)
    for array in (items.base, items.source, items.good, items.bad, items.last):
        if array is None:
            digest.update(b"none")
        else:
            digest.update(repr(array.shape).encode())
            digest.update(np.ascontiguousarray(array, np.int32).tobytes())
    return digest.hexdigest()


class _Store:
    """A directory of finished blocks, and what they are blocks of."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        known = path / "sweep.json"
        about = {"format": _FORMAT, **about}
        if known.exists():
            found = json.loads(known.read_text(encoding="utf-8"))
            differs = [name for name in about if found.get(name) != about[name]]
            if differs:
                raise ValueError(
                    f"the directory holds another sweep: its {', '.join(differs)} "
                    f"{'is' if len(differs) == 1 else 'are'} not the same; give another directory, "
                    f"or remove this one. Received: directory={str(path)!r}"
                )
            return
        if path.exists() and not (path.is_dir() and all(map(is_partial, path.iterdir()))):
            raise FileExistsError(
                "a sweep needs a directory of its own, new or empty or one that a sweep has begun. "
                f"Received: directory={str(path)!r}"
            )
        write_text(known, json.dumps(about, indent=2) + "\n")

    def read(self, file: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return a finished block, if it is there and whole."""
        try:
            block = np.load(self.path / file, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return block if block.shape == shape else None

    def write(self, file: str, block: np.ndarray) -> None:
        """Keep a finished block."""
        write(self.path / file, lambda out: np.save(out, block))
