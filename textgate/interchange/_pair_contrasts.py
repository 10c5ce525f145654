"""Contrasts from minimal pairs, for a language model.

A pair says which of two words is right after a prefix: "The actress lost" wants *her*, not *his*.
To ask what *carries* that knowledge, one also needs the prefix that wants the other word and is
otherwise the same, word for word: "The actor lost". The first is called the *base*, the second the
*source*. An interchange intervention reads the base while some units hold the values that they
have in the source; where the model changes over to the source's word, the units carry the feature.

Both prefixes have to be equally long, so that each step of the one has its step in the other, and
the words in which they differ have to be known to the model: two unknown words are the same word.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate._received import check_table
from textgate._special_tokens import BOS, UNK, padded
from textgate.datasets.features import (
    Feature,
    feature_of,
    features_of,
    has_counterpart,
    of_classes,
)
from textgate.interchange._items import Contrasts

_NAMED = 8  # unknown words that a message names


def pair_contrasts(
    lm: Any, pairs: pd.DataFrame, feature: str | Feature = "gender", with_source: bool = True
) -> Contrasts:
    """Make minimal pairs ready for intervention; see `textgate.contrasts`."""
    check_table("pairs", pairs)
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
        about = " and ".join(features_of(pairs))
        raise ValueError(
            f"{feature.name} sets {' against '.join(feature.classes)}, and no pair does; give such "
            f"pairs, or the pairs' own feature{f': they are about {about}' if about else ''}. "
            f"Received: feature={feature.name!r}, classes {sorted(set(pairs['good_class']))}"
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
