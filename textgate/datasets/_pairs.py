"""Minimal pairs, from wherever they come: one function, `minimal_pairs`.

A minimal pair is two sentences that differ in one word, of which one is English. A language model
that has learned what decides between them gives the right one the greater probability.
"""

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from textgate.datasets import _pronoun_pairs as pronoun_pairs
from textgate.datasets import _verb_agreement as verb_agreement
from textgate.datasets import pair_files

_GENERATED: dict[str, Callable[..., pd.DataFrame]] = {
    "pronoun_agreement": pronoun_pairs.pairs,
    **{name: functools.partial(verb_agreement.pairs, name) for name in verb_agreement.AGREEMENTS},
}
_FILES = (".jsonl", ".json", ".csv", ".tsv", ".txt")


def minimal_pairs(
    source: str | Path,
    split: str = "test",
    size: int | None = None,
    seed: int = 0,
    data_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Return minimal pairs, one row a pair.

    Args:
        source: `"pronoun_agreement"`, `"number_agreement"` or `"tense_agreement"` (generated); the
            path of a file in BLiMP's JSONL format, of a CSV or TSV with columns prefix, good and
            bad, of contexts with a gold pronoun (columns prefix, pronoun and gender), or of number
            agreement as Lakretz et al. published it (no heading; .txt or .tsv), each also in gzip;
            or `"tfds:blimp/CONFIG"`, such as `"tfds:blimp/anaphor_gender_agreement"`.
        split: Which part of generated data: see `pronoun_items.SPLITS`. Files and BLiMP have only
            one part, which is taken whatever `split` says.
        size: For generated data, how many items; for the rest, the first so many pairs.
        seed: Seed of generated data.
        data_dir: For TFDS: where it keeps its data; what isn't there yet is downloaded.

    Returns:
        At least the columns `item` (rows that differ only in the wrong form share it), `good` and
        `bad` (whole sentences) and `target` (index of the differing word among the tokenizer's
        words; -1 if more than a word differs); the other columns are those of
        `pronoun_pairs.pairs`, `verb_agreement.pairs` and `pair_files.read`.

    Raises:
        FileNotFoundError: If there is no file of that path.
        ValueError: If the source or the split is unknown, or the file is not as it should be.

    Example:

    >>> from textgate import datasets
    >>> pairs = datasets.minimal_pairs("pronoun_agreement", split="test", size=4)
    >>> sorted(set(pairs.good_class))
    ['feminine', 'masculine', 'neuter', 'they']
    """
    if size is not None and size < 1:
        raise ValueError(f"size must be at least 1. Received: size={size}")
    name = str(source)
    if name in _GENERATED:
        return _GENERATED[name](split, size, seed)
    if name.startswith("tfds:"):
        pairs = _from_tfds(name, data_dir)
        return pairs if size is None else pairs.head(size)
    plain = name.removesuffix(".gz")
    if isinstance(source, Path) or plain.endswith(_FILES) or os.path.exists(name):
        pairs = pair_files.read(source)
        return pairs if size is None else pairs.head(size)
    names = ", ".join(sorted(_GENERATED))
    raise ValueError(
        f"Minimal pairs come from {names}, tfds:blimp/CONFIG or the path of a file "
        f"(.jsonl, .csv, .tsv, .txt). Received: source={name!r}"
    )


def _from_tfds(name: str, data_dir: str | Path | None) -> pd.DataFrame:
    dataset = name.removeprefix("tfds:")
    if not dataset.startswith("blimp/"):
        raise ValueError(f"Of TFDS, blimp/CONFIG has minimal pairs. Received: source={name!r}")
    import tensorflow_datasets as tfds

    config = dataset.split("/")[1].split(":")[0]
    configs = [entry.name for entry in tfds.builder_cls("blimp").BUILDER_CONFIGS]
    if config not in configs:
        raise ValueError(f"blimp has {', '.join(configs)}. Received: source={name!r}")
    examples = tfds.load(dataset, split="train", data_dir=data_dir)

    def decoded(example: dict[str, Any]) -> dict[str, Any]:
        return {
            key: value.decode() if isinstance(value, bytes) else value
            for key, value in example.items()
        }

    return pair_files.blimp((decoded(example) for example in tfds.as_numpy(examples)), name)
