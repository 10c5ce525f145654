"""Contrasts from minimal pairs, for a language model.

A pair says which of two words is right after a prefix: "The actress lost" wants *her*, not *his*.
To ask what *carries* that knowledge, one also needs the prefix that wants the other word and is
otherwise the same, word for word: "The actor lost". The first is called the *base*, the second the
*source*. An interchange intervention reads the base while some units hold the values that they
have in the source; where the model changes over to the source's word, the units carry the feature.

Both prefixes have to be equally long, so that each step of the one has its step in the other, and
the words in which they differ have to be known to the model: two unknown words are the same word.

A decision is between two next tokens. A model of word pieces decides between two words if these are
one piece each, or begin with the same pieces and differ in one; then these pieces are read, too.
Pairs of other words are left out, counted and named.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate._received import check_table
from textgate._special_tokens import padded
from textgate.datasets.features import (
    Feature,
    feature_of,
    features_of,
    has_counterpart,
    of_classes,
)
from textgate.interchange._items import Contrasts
from textgate.tokenizers import beginning, shared_length, target_pieces

_NAMED = 8  # words that a message names
# Why pairs are left out.
UNKNOWN, PIECES = "unknown words", "words of several pieces"
SAME, LENGTH = "counterpart the same", "counterpart of another length"
NOTHING = "nothing before the target"

_Row = tuple[list[int], list[int], int, int]


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
    rows: list[_Row] = []
    places: list[int] = []
    unknown: Counter[str] = Counter()
    taken_apart: Counter[str] = Counter()
    counterparts = kept["counterpart_prefix"] if with_source else [None] * len(kept)
    columns = zip(kept["good"], kept["bad"], kept["target"], counterparts, strict=True)
    for place, (good, bad, target, counterpart) in enumerate(columns):
        reason, words, row = reader.row(good, bad, int(target), counterpart)
        if reason is None:
            rows.append(row)
            places.append(place)
            continue
        dropped[reason] = dropped.get(reason, 0) + 1
        (taken_apart if reason == PIECES else unknown).update(sorted(words))
    lost = dropped.get(UNKNOWN, 0) + dropped.get(PIECES, 0)
    if UNKNOWN in dropped:  # the last to be told
        dropped[UNKNOWN] = dropped.pop(UNKNOWN)
    told = _told(dropped, unknown, taken_apart)
    if not rows:
        raise ValueError(
            "no pair is left to intervene on; give pairs in words that the model knows, with a "
            f"counterpart each. Received: {len(pairs)} rows, left out {told}"
        )
    table = kept.iloc[places].reset_index(drop=True)
    if lost:
        _check_classes(table, feature.name, f", left out {told}")
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
        taken_apart=dict(taken_apart.most_common()),
    )


class _Reader:
    """Splits sentences, each once, and turns pairs into ids."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.first = beginning(tokenizer)
        self.memory: dict[str, tuple[list[str], list[int]]] = {}

    def __call__(self, text: str) -> tuple[list[str], list[int]]:
        if text not in self.memory:
            words = self.tokenizer.split(text)
            self.memory[text] = words, [int(i) for i in self.tokenizer.tokens_to_ids(words)]
        return self.memory[text]

    def row(
        self, good: str, bad: str, target: int, counterpart: str | None
    ) -> tuple[str | None, set[str], _Row]:
        """Return why a pair is left out, if it is, with the words that are why; and the row.

        The row is base, source, good and bad as ids.
        """
        words, ids = self(good)
        others, other_ids = self(bad)
        mine = theirs = range(target, target + 1)
        if target >= 0:
            mine, theirs = target_pieces(self.tokenizer, good, bad, target)
        if target < 0 or mine.stop > len(words) or theirs.stop > len(others):
            raise ValueError(
                "a target must be the index of the word in which the two sentences differ. "
                f"Received: target={target} for {good!r} against {bad!r}"
            )
        start = mine.start
        if words[:start] != others[:start] or words[start:] == others[start:]:
            raise _unlike(good, bad, target)
        right, wrong = (
            of[span.start : span.stop] for of, span in ((ids, mine), (other_ids, theirs))
        )
        shared = shared_length(right, wrong)
        if not self.tokenizer.pieces and words[start] == others[start]:
            raise _unlike(good, bad, target)
        unknown = self._unknown(words, ids, mine) | self._unknown(others, other_ids, theirs)
        base, source = ids[:start], ids[:start]
        if counterpart is not None:
            swapped, source = self(counterpart)
            if len(swapped) != start:
                if self.tokenizer.pieces:
                    return LENGTH, set(), ([], [], 0, 0)
                raise ValueError(
                    "a counterpart must have as many words as the prefix that it stands in for, "
                    f"so that the steps align ({start} words before the target). "
                    f"Received: {counterpart!r} for {' '.join(words[:start])!r}"
                )
            for step, (one, other) in enumerate(zip(words, swapped, strict=False)):
                if one != other:
                    at = range(step, step + 1)
                    unknown |= self._unknown(words, ids, at) | self._unknown(swapped, source, at)
        if unknown:
            return UNKNOWN, unknown, ([], [], 0, 0)
        if len(right) - shared != 1 or len(wrong) - shared != 1:
            write = self.tokenizer.detokenize
            spans = ((words, mine), (others, theirs))
            both = {write(of[span.start : span.stop]).strip() for of, span in spans}
            return PIECES, both, ([], [], 0, 0)
        base = [*self.first, *base, *right[:shared]]
        source = [*self.first, *source, *right[:shared]]
        reason = SAME if counterpart is not None and base == source else None
        return reason if base else NOTHING, set(), (base, source, right[shared], wrong[shared])

    def _unknown(self, words: list[str], ids: list[int], places: range) -> set[str]:
        return {words[place] for place in places if ids[place] == self.tokenizer.unknown_id}


def _unlike(good: str, bad: str, target: int) -> ValueError:
    return ValueError(
        "the two sentences of a pair must be alike up to the target and differ there. "
        f"Received: {good!r} against {bad!r} with target={target}"
    )


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


def _told(dropped: Mapping[str, int], unknown: Counter[str], taken_apart: Counter[str]) -> str:
    parts = [f"{count} ({reason})" for reason, count in dropped.items()]
    for what, words in (("unknown are", unknown), ("several pieces are", taken_apart)):
        named: Sequence[str] = [repr(word) for word, _ in words.most_common(_NAMED)]
        if named:
            more = len(words) - len(named)
            parts.append(f"{what} {', '.join(named)}" + (f" and {more} more" if more else ""))
    return "; ".join(parts) or "none"
