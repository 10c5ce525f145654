"""Contrasts: minimal pairs made ready for intervention.

A pair says which of two words is right after a prefix: "The actress lost" wants *her*, not *his*.
To ask what *carries* that knowledge, one also needs the prefix that wants the other word and is
otherwise the same, word for word: "The actor lost". The first is called the *base*, the second the
*source*. An interchange intervention reads the base while some units hold the values that they
have in the source; where the model changes over to the source's word, the units carry the feature.

Both prefixes have to be equally long, so that each step of the one has its step in the other, and
the words in which they differ have to be known to the model: two unknown words are the same word.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from keras import tree

from textgate._special_tokens import BOS, UNK, padded
from textgate.datasets.features import Feature, feature_of, has_counterpart, of_classes

_NAMED = 8  # unknown words that a message names


@dataclass(frozen=True)
class Contrasts:
    """Items to intervene on: what a model reads, its counterpart, and what it has to decide.

    Attributes:
        table: The items' own columns, of shape `(n, …)`, numbered from 0.
        base: The model's inputs for `n` examples, in the structure that its `predict` takes. For
            minimal pairs: `<bos>` and the prefix, `int32` of shape `(n, time)`, right-padded with 0.
        source: The counterparts, of the same structure and shapes, alike step by step; `None` for
            items that are only ablated.
        good: The class (for minimal pairs, the word's id) that is right after the base, `(n,)`;
            unused where there is a `readout`.
        bad: The class that is right after the source, of the same shape.
        last: The step whose output decides, `(n,)`: for minimal pairs, that of the prefix's last
            word; `None` for an output without steps.
        feature: What the items are about.
        dropped: How many rows were left out, by reason.
        unknown: The unknown words for which rows were left out, with the number of rows.
        output: Which of the model's outputs decides, by name or number; `None` if it has one.
        readout: A function of the model's outputs on all items, in order, to one number an item,
            positive where the model decides for `good`; `None` for the difference of two logits.
        sign: What the number that `readout` gives is multiplied with, `(n,)`, 1 or −1.
        groups: Columns of the table that tell which items belong together.
        prefixes: Whether base and source are right-padded ids that nothing is read of after `last`,
            so that they may be cut there.
    """

    table: pd.DataFrame
    base: Any
    source: Any
    good: np.ndarray
    bad: np.ndarray
    last: np.ndarray | None
    feature: str = "gender"
    dropped: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    output: str | int | None = None
    readout: Callable[[Any], Any] | None = None
    sign: np.ndarray | None = None
    groups: tuple[str, ...] = ("template", "lexeme")
    prefixes: bool = True

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        steps = f", {self.base.shape[1]} steps" if self.prefixes else ""
        return f"Contrasts({len(self)} items, {self.feature!r}{steps})"

    @property
    def mask(self) -> np.ndarray:
        """Which steps belong to the prefix of a minimal pair, booleans of shape `(n, time)`."""
        assert self.last is not None
        return np.arange(self.base.shape[1]) <= self.last[:, None]

    def select(self, rows: Any) -> "Contrasts":
        """Return some of the items.

        Args:
            rows: Booleans of shape `(n,)`, or positions.

        Raises:
            ValueError: If no item is left.
        """
        chosen = np.asarray(rows)
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        if not len(places):
            raise ValueError("a selection must leave at least one item. Received: none")
        width = slice(None)
        if self.prefixes and self.last is not None:
            width = slice(int(self.last[places].max()) + 1)

        def chosen_rows(inputs: Any) -> Any:
            if self.prefixes:
                return inputs[places, width]
            return tree.map_structure(lambda array: np.asarray(array)[places], inputs)

        return replace(
            self,
            table=self.table.iloc[places].reset_index(drop=True),
            base=chosen_rows(self.base),
            source=None if self.source is None else chosen_rows(self.source),
            good=self.good[places],
            bad=self.bad[places],
            last=None if self.last is None else self.last[places],
            sign=None if self.sign is None else self.sign[places],
        )


def contrasts(
    lm: Any, pairs: pd.DataFrame, feature: str | Feature = "gender", with_source: bool = True
) -> Contrasts:
    """Make minimal pairs ready for intervention.

    Args:
        lm: A `textgate.models.LanguageModel`, or anything with its `tokenizer`.
        pairs: One row a pair, as from `textgate.datasets.minimal_pairs`, with the columns `good`,
            `bad` (sentences), `target` (index of the word in which they differ) and
            `counterpart_prefix` (the words before the target, such that `bad`'s word is right
            after them).
        feature: What the pairs are about: a name of `textgate.datasets.FEATURES` or a `Feature`,
            of which the rows with its two classes in `good_class` and `bad_class` are taken
            (for `"gender"`, feminine against masculine); or any other name for pairs of one's own.
        with_source: Whether the counterparts are needed; without, `source` is `None`.

    Returns:
        The contrasts. Left out and counted (`dropped`) are rows of other classes, rows without a
        counterpart, and rows whose target or whose contrasting words are unknown to the model
        (named in `unknown`).

    Raises:
        ValueError: If a column is missing, a target lies outside its sentence, the two sentences
            differ before the target, a counterpart has not as many words as its prefix, all rows
            are of one class, or no row is left.

    Example:

    >>> import pandas as pd
    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> lm = LanguageModel(WordTokenizer("the actress actor lost her his way".split()), units=4)
    >>> pairs = pd.DataFrame({
    ...     "good": ["the actress lost her way", "the actor lost his way"],
    ...     "bad": ["the actress lost his way", "the actor lost her way"],
    ...     "target": 3,
    ...     "good_class": ["feminine", "masculine"], "bad_class": ["masculine", "feminine"],
    ...     "counterpart_prefix": ["the actor lost", "the actress lost"],
    ... })
    >>> found = contrasts(lm, pairs)
    >>> found
    Contrasts(2 items, 'gender', 4 steps)
    >>> lm.tokenizer.ids_to_tokens(found.source[0])
    ['<bos>', 'the', 'actor', 'lost']
    """
    _check_columns(pairs, with_source)
    feature = feature_of(feature)
    dropped: dict[str, int] = {}
    kept = _of_the_feature(pairs, feature, with_source, dropped)
    _check_classes(kept, feature.name)
    reader = _Reader(lm.tokenizer)
    rows: list[tuple[list[int], list[int], int, int]] = []
    places: list[int] = []
    unknown: Counter[str] = Counter()
    counterparts = kept["counterpart_prefix"] if with_source else [None] * len(kept)
    columns = zip(kept["good"], kept["bad"], kept["target"], counterparts, strict=True)
    for place, (good, bad, target, counterpart) in enumerate(columns):
        words, row = reader.row(good, bad, int(target), counterpart)
        if words:
            unknown.update(sorted(words))
        elif counterpart is not None and row[0] == row[1]:
            dropped["counterpart the same"] = dropped.get("counterpart the same", 0) + 1
        else:
            rows.append(row)
            places.append(place)
    lost = len(kept) - len(rows) - dropped.get("counterpart the same", 0)
    if lost:
        dropped["unknown words"] = lost
    if not rows:
        raise ValueError(
            "no pair is left to intervene on; give pairs in words that the model knows, with a "
            f"counterpart each. Received: {len(pairs)} rows, left out {_told(dropped, unknown)}"
        )
    table = kept.iloc[places].reset_index(drop=True)
    if lost:
        _check_classes(table, feature.name, f", left out {_told(dropped, unknown)}")
    last = np.array([len(base) - 1 for base, *_ in rows], np.int32)
    return Contrasts(
        table=table,
        base=padded([base for base, *_ in rows]),
        source=padded([source for _, source, *_ in rows]) if with_source else None,
        good=np.array([good for *_, good, _ in rows], np.int32),
        bad=np.array([bad for *_, bad in rows], np.int32),
        last=last,
        feature=feature.name,
        dropped=dropped,
        unknown=dict(unknown.most_common()),
    )


class _Reader:
    """Splits sentences, each once, and turns pairs into ids."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.memory: dict[str, tuple[list[str], list[int]]] = {}

    def __call__(self, text: str) -> tuple[list[str], list[int]]:
        if text not in self.memory:
            words = self.tokenizer.split(text)
            self.memory[text] = words, [int(i) for i in self.tokenizer.tokens_to_ids(words)]
        return self.memory[text]

    def row(
        self, good: str, bad: str, target: int, counterpart: str | None
    ) -> tuple[set[str], tuple[list[int], list[int], int, int]]:
        """Return the unknown words that matter, and base, source, good and bad as ids."""
        words, ids = self(good)
        others, other_ids = self(bad)
        if not 0 <= target < min(len(words), len(others)):
            raise ValueError(
                "a target must be the index of the word in which the two sentences differ. "
                f"Received: target={target} for {good!r} against {bad!r}"
            )
        if words[:target] != others[:target] or words[target] == others[target]:
            raise ValueError(
                "the two sentences of a pair must be alike up to the target and differ there. "
                f"Received: {good!r} against {bad!r} with target={target}"
            )
        unknown = {
            word
            for word, index in ((words[target], ids[target]), (others[target], other_ids[target]))
            if index == UNK
        }
        base, source = ids[:target], ids[:target]
        if counterpart is not None:
            swapped, source = self(counterpart)
            if len(swapped) != target:
                raise ValueError(
                    "a counterpart must have as many words as the prefix that it stands in for, "
                    f"so that the steps align ({target} words before the target). "
                    f"Received: {counterpart!r} for {' '.join(words[:target])!r}"
                )
            for mine, theirs, i, j in zip(words, swapped, base, source, strict=False):
                if mine != theirs:
                    unknown |= {w for w, k in ((mine, i), (theirs, j)) if k == UNK}
        row = [BOS, *base], [BOS, *source], ids[target], other_ids[target]
        return unknown, row


def _check_columns(pairs: pd.DataFrame, with_source: bool) -> None:
    needed = ["good", "bad", "target", *(["counterpart_prefix"] if with_source else [])]
    missing = [name for name in needed if name not in pairs]
    if missing:
        raise ValueError(
            f"pairs to intervene on need the columns {', '.join(needed)}; {missing[0]!r} is "
            f"missing. Received: columns {list(pairs.columns)}"
        )
    if not len(pairs):
        raise ValueError("there are no pairs to intervene on. Received: an empty table")


def _of_the_feature(
    pairs: pd.DataFrame, feature: Feature, with_source: bool, dropped: dict[str, int]
) -> pd.DataFrame:
    rows = pairs[of_classes(pairs, feature)]
    if feature.classes is not None and not len(rows):
        raise ValueError(
            f"{feature.name} sets {' against '.join(feature.classes)}, and no pair does; give such "
            "pairs, or the pairs' own feature. "
            f"Received: classes {sorted(set(pairs['good_class']))}"
        )
    if len(rows) < len(pairs):
        dropped["other classes"] = len(pairs) - len(rows)
    if with_source:
        # A target that begins its sentence has no prefix, and nothing to exchange.
        there = has_counterpart(rows)
        if not there.all():
            dropped["no counterpart"] = int((~there).sum())
            rows = rows[there]
    return rows


def _check_classes(kept: pd.DataFrame, feature: str, also: str = "") -> None:
    if "good_class" in kept and len(kept):
        classes = sorted(set(kept["good_class"].astype(str)))
        if len(classes) == 1:
            raise ValueError(
                f"a contrast of {feature} needs pairs of both classes, so that a model that always "
                "says the same word is seen through; add pairs of the other class. "
                f"Received: {len(kept)} pairs, all {classes[0]!r}{also}"
            )


def _told(dropped: Mapping[str, int], unknown: Counter[str]) -> str:
    parts = [f"{count} ({reason})" for reason, count in dropped.items()]
    named: Sequence[str] = [repr(word) for word, _ in unknown.most_common(_NAMED)]
    if named:
        more = len(unknown) - len(named)
        parts.append(f"unknown are {', '.join(named)}" + (f" and {more} more" if more else ""))
    return "; ".join(parts) or "none"
