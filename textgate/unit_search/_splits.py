"""Discovery and confirmation: two halves of the items that have no word of interest in common.

What is found on some sentences is to be confirmed on others, and "others" has to mean more than
other draws from the same constructions and names. Each template, each lexeme and each verb is
given to one half. An item belongs to a half if all of its parts do; an item with parts in both
halves is left out. A name and its counterpart (*Mary*, *John*), which stand in the two sentences
of one item, count as one lexeme, and whatever is linked by such items goes to the same half.

Not kept apart are closed classes, pronouns and determiners, and the other referents that stand in
a sentence.

The parts are dealt out by chance, and then moved between the halves as long as more items stay
whole. Only the sentences' construction is looked at for it and never what the model does, so that
nothing is learnt here that could leak from the one half into the other.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from textgate.interchange import Contrasts

_PASSES = 6
# What a pair asks for and what settles a gender: too few to be kept apart.
_PRONOUNS = frozenset(
    [
        *("she", "her", "hers", "herself", "he", "him", "his", "himself"),
        *("it", "its", "itself", "they", "them", "their", "theirs", "themselves"),
    ]
)


@dataclass(frozen=True)
class Split:
    """The two halves.

    Attributes:
        discovery: Positions of its items in the contrasts.
        confirmation: The same.
        counts: A row for each half (and the items left out), with the numbers of its `items` and
            of the parts by kind: `templates`, `lexemes`, `verbs`, or the groups' columns.
        clusters: For each way of belonging together, by its name, each item's cluster: what the
            bootstrap resamples. Of minimal pairs templates and lexemes (a name and the
            counterpart's are one).
        kinds: What the halves have not in common.
    """

    discovery: np.ndarray
    confirmation: np.ndarray
    counts: pd.DataFrame
    clusters: dict[str, np.ndarray]
    kinds: tuple[str, ...]

    @property
    def left_out(self) -> int:
        """How many items are in neither half, because they have parts in both."""
        return int(self.counts.loc[self.counts["half"] == "left out", "items"].sum())


def split(items: Contrasts, seed: int = 0, least: int = 20) -> Split:
    """Divide items into discovery and confirmation, disjoint in their groups.

    Args:
        items: The contrasts. Of minimal pairs the columns `template`, `lexeme`,
            `counterpart_lexeme` and `verbs` (separated by ";") are used, as far as they are there;
            of other items those named in `groups`. Without any of them each item is a part of its
            own.
        seed: Seed.
        least: How many items each class needs in each half.

    Returns:
        The halves.

    Raises:
        ValueError: If a half has too few items of a class.
    """
    table = items.table
    if items.prefixes:
        kinds: tuple[str, ...] = ("template", "lexeme", "verb")
        lexemes = lexeme_clusters(table)
        parts = _parts(table, lexemes)
        templates = table["template"].astype(str).to_numpy() if "template" in table else lexemes
        clusters = {"template": templates, "lexeme": lexemes}
    else:
        kinds = items.groups
        clusters = {name: table[name].astype(str).to_numpy(object) for name in kinds}
        parts = [
            [f"{number} {label}" for number, label in enumerate(labels)]
            for labels in zip(*clusters.values(), strict=True)
        ]
    halves = _dealt(parts, len(table), np.random.default_rng(seed))
    discovery, confirmation = np.flatnonzero(halves == 0), np.flatnonzero(halves == 1)
    named = kinds if items.prefixes else tuple(map(str, range(len(kinds))))
    counts = _counts(dict(zip(named, kinds, strict=True)), parts, halves)
    for name, rows in (("discovery", discovery), ("confirmation", confirmation)):
        _check(items, name, rows, int((halves < 0).sum()), least)
    return Split(discovery, confirmation, counts, clusters, kinds)


def lexeme_clusters(table: pd.DataFrame) -> np.ndarray:
    """Return for each row the name of its lexeme, one for all lexemes linked as counterparts."""
    if "lexeme" not in table:
        return np.arange(len(table)).astype(str).astype(object)
    own = table["lexeme"].astype(str)
    other = table["counterpart_lexeme"].astype(str) if "counterpart_lexeme" in table else own
    parent: dict[str, str] = {}

    def root(word: str) -> str:
        parent.setdefault(word, word)
        while parent[word] != word:
            parent[word] = parent[parent[word]]
            word = parent[word]
        return word

    for a, b in zip(own, other, strict=True):
        first, second = sorted((root(a), root(b) if b else root(a)))
        parent[second] = first
    return np.array([root(word) for word in own], dtype=object)


def _parts(table: pd.DataFrame, lexemes: np.ndarray) -> list[list[str]]:
    """Return each row's parts, named by their kind."""
    rows: list[list[str]] = [[] for _ in range(len(table))]
    if "template" in table:
        for row, name in zip(rows, table["template"].astype(str), strict=True):
            row.append(f"template {name}")
    if "lexeme" in table:
        for row, name in zip(rows, lexemes, strict=True):
            if name.lower() not in _PRONOUNS:
                row.append(f"lexeme {name}")
    if "verbs" in table:
        for row, names in zip(rows, table["verbs"].fillna("").astype(str), strict=True):
            row.extend(f"verb {name}" for name in sorted(set(names.split(";"))) if name)
    for number, row in enumerate(rows):
        if not row:
            row.append(f"item {number}")
    return rows


def _dealt(parts: list[list[str]], count: int, random: np.random.Generator) -> np.ndarray:
    """Return each row's half, 0 or 1, and -1 for rows that are mixed."""
    names = sorted({name for row in parts for name in row})
    number = {name: i for i, name in enumerate(names)}
    members: list[list[int]] = [[] for _ in names]
    size = np.array([len(row) for row in parts])
    for i, row in enumerate(parts):
        for name in row:
            members[number[name]].append(i)
    rows_of = [np.array(rows) for rows in members]
    kinds = np.array([name.split(" ")[0] for name in names])
    side = np.zeros(len(names), np.int64)
    for kind in sorted(set(kinds)):
        places = np.flatnonzero(kinds == kind)
        side[random.permutation(places)[: len(places) // 2]] = 1
    ones = np.zeros(count, np.int64)
    for i in np.flatnonzero(side).tolist():
        ones[rows_of[i]] += 1

    def kept(counts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        return np.array([(counts == 0).sum(), (counts == sizes).sum()])

    total = kept(ones, size)
    for _ in range(_PASSES):
        moved = False
        for i in random.permutation(len(names)).tolist():
            rows = rows_of[i]
            step = int(1 - 2 * side[i])
            after = total - kept(ones[rows], size[rows]) + kept(ones[rows] + step, size[rows])
            if _worth(after) > _worth(total):
                side[i] += step
                ones[rows] += step
                total, moved = after, True
        if not moved:
            break
    halves = np.full(count, -1)
    halves[ones == 0] = 0
    halves[ones == size] = 1
    return halves


def _worth(kept: np.ndarray) -> int:
    # The smaller half counts most.
    return int(4 * kept.min() + kept.max())


def _counts(kinds: dict[str, str], parts: list[list[str]], halves: np.ndarray) -> pd.DataFrame:
    """Return how many items and parts each half has, by the parts' first word and its kind."""
    rows: list[dict[str, Any]] = []
    for name, half in (("discovery", 0), ("confirmation", 1), ("left out", -1)):
        chosen = np.flatnonzero(halves == half)
        present = {part for i in chosen for part in parts[i]}
        rows.append(
            {
                "half": name,
                "items": len(chosen),
                **{
                    f"{kind}s": sum(part.startswith(f"{first} ") for part in present)
                    for first, kind in kinds.items()
                },
            }
        )
    return pd.DataFrame(rows)


def _check(items: Contrasts, name: str, rows: np.ndarray, mixed: int, least: int) -> None:
    classes = items.table["good_class"].astype(str)
    groups = "templates, lexemes and verbs" if items.prefixes else " and ".join(items.groups)
    for label in sorted(set(classes)):
        there = int((classes.iloc[rows] == label).sum())
        if there < least:
            left_out = [f"{mixed} for parts in both halves"] if mixed else []
            left_out += [f"{count} for {why}" for why, count in items.dropped.items()]
            without = f" (left out: {', '.join(left_out)})" if left_out else ""
            raise ValueError(
                f"the {name} half needs at least {least} items of each class, disjoint from the "
                f"other half in {groups}; give more pairs. "
                f"Received: {len(items)} pairs{without}, of which {there} {label!r} are left for "
                f"{name}"
            )
