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
from keras import tree

from textgate._files import is_partial, write, write_text
from textgate._progress import BAR, LEFT, SHARE, Progress
from textgate._reading import read_array, read_json
from textgate.datasets.features import Feature
from textgate.interchange._contrasts import contrasts
from textgate.interchange._items import Contrasts
from textgate.interchange._runner import runner_for
from textgate.tracing import Site, checked_sites, fingerprint, resolve

_UNITS = 60  # units in a block, which is finished or not when a sweep is interrupted
_FORMAT = 1  # of a sweep's directory


def sweep(
    model: Any,
    pairs: pd.DataFrame | Contrasts,
    layers: Sequence[str] | None = None,
    signal: str | None = None,
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
        model: A `textgate.models.LanguageModel`, or any Keras model that `textgate.trace` takes.
        pairs: Items, as `textgate.contrasts` makes them; for a language model also minimal pairs
            with their counterparts, as from `textgate.datasets.minimal_pairs`.
        layers: Names of recurrent layers, as `textgate.trace` has them; all by default.
        signal: The signal that is changed, at every step; by default each cell's memory.
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
        items = contrasts(model, items, feature=feature, with_source=kind == "interchange")
    sites = checked_sites(model)
    cells = {name: resolve(name, sites)[0][0].spec.cell for name in _checked_layers(sites, layers)}
    store = None
    if directory is not None:
        about = {
            "model": fingerprint(model),
            "pairs": _digest(items),
            "kind": kind,
            "reference": None if reference is None else _digest(reference),
            "by_position": by_position,
            "seed": seed,
        }
        store = _Store(Path(directory), about)
    runners = [
        runner_for(model, items, name, signal or cell.memory) for name, cell in cells.items()
    ]
    tables = []
    total = sum(runner.units for runner in runners)
    columns = ("{task.description}", BAR, SHARE, LEFT)
    with Progress(progress, f"{kind} of {runners[0].signal}", total, columns) as bar:
        for runner in runners:
            edited = np.empty((runner.units, len(items)), np.float32)
            for begin in range(0, runner.units, _UNITS):
                block = edited[begin : begin + _UNITS]
                file = f"{_file_name(runner.layer)}.{runner.signal}.{begin:06d}.npy"
                found = None if store is None else store.read(file, block.shape)
                if found is None:
                    sets = np.eye(runner.units, dtype=bool)[begin : begin + _UNITS]
                    found = runner.run(sets, kind, reference, seed, by_position)
                    if store is not None:
                        store.write(file, found)
                block[:] = found
                bar.advance(len(block))
            source = None if items.source is None else runner.source()
            effects = _effects(edited, runner.clean(), source, items.table)
            units = np.arange(runner.units)
            facts = {"layer": runner.layer, "signal": runner.signal, "unit": units}
            tables.append(pd.DataFrame({**facts, "kind": kind, "seed": seed, **effects}))
    return pd.concat(tables, ignore_index=True)


def _checked_layers(sites: Sequence[Site], layers: Sequence[str] | None) -> list[str]:
    if layers is None:
        return [site.path for site in sites]
    names = [layers] if isinstance(layers, str) else list(layers)
    if not names:
        raise ValueError(
            "`layers` must name recurrent layers of the model, "
            f"{[site.path for site in sites]}. Received: layers={names!r}"
        )
    return names


def _file_name(layer: str) -> str:
    return layer.replace("/", "__")


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
    """Return a hash of what is run."""
    digest = hashlib.blake2b(digest_size=8)
    for part in (items.base, items.source, items.good, items.bad, items.last):
        if part is None:
            digest.update(b"none")
            continue
        for array in map(np.asarray, tree.flatten(part)):
            whole = array.astype(np.int32) if array.dtype.kind in "iu" else array
            digest.update(repr(array.shape).encode())
            if array.dtype.kind in "OUT":
                digest.update(repr(array.tolist()).encode())
            else:
                digest.update(np.ascontiguousarray(whole).tobytes())
    return digest.hexdigest()


class _Store:
    """A directory of finished blocks, and what they are blocks of."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        known = path / "sweep.json"
        about = {"format": _FORMAT, **about}
        if known.exists():
            found = read_json(known)
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
            block = read_array(self.path / file)
        except (FileNotFoundError, ValueError):
            return None
        return block if block.shape == shape else None

    def write(self, file: str, block: np.ndarray) -> None:
        """Keep a finished block."""
        write(self.path / file, lambda out: np.save(out, block))
