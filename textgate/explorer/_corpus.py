"""Where else a signal does what it does here, as `page/engine/corpus.js` has it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_SCORES = {
    "highest": lambda values: values,
    "lowest": lambda values: -values,
    "jump": lambda values: np.abs(np.diff(values, axis=1, prepend=np.nan)),
}


def highest(
    values: np.ndarray, tokens: Sequence[Sequence[str]], units: Any, mode: str, k: int
) -> list[dict[str, Any]]:
    """Return the places where a signal of some units is highest, lowest or jumps, one a text.

    Args:
        values: The signal, (texts, steps, units), NaN where there is nothing.
        tokens: What stands at each step of each text.
        units: Numbers of units; `None` for all.
        mode: `"highest"`, `"lowest"` or `"jump"`.
        k: How many places.
    """
    if mode not in _SCORES:
        raise ValueError(f"`mode` must be one of {list(_SCORES)}. Received: mode={mode!r}")
    chosen = _units(units, values.shape[-1])
    scores = _SCORES[mode](values[..., chosen])[:, 1:]  # the beginning is the same everywhere
    scores = np.where(np.isnan(scores), -np.inf, scores).reshape(len(values), -1)
    best = scores.argmax(axis=1) if scores.size else np.zeros(0, int)
    places = []
    for text in np.argsort(-scores[np.arange(len(best)), best], kind="stable"):
        step, at = divmod(int(best[text]), len(chosen))
        if np.isfinite(scores[text, best[text]]):
            places.append(_place(values, tokens, int(text), step + 1, chosen[at]))
    return _distinct(places, k)


def matches(
    values: np.ndarray,
    tokens: Sequence[Sequence[str]],
    units: Any,
    pattern: Any,
    threshold: float,
    k: int,
) -> list[dict[str, Any]]:
    """Return where a pattern comes again: some units, on or off over some steps, one place a text.

    Args:
        values: As for `highest`.
        tokens: Likewise.
        units: Numbers of units.
        pattern: For each unit whether it is on at each step; `None` for either.
        threshold: From where on a unit is on.
        k: How many places.
    """
    chosen = _units(units, values.shape[-1])
    rows = [list(row) for row in pattern] if isinstance(pattern, list) else []
    length = len(rows[0]) if rows else 0
    if len(rows) != len(chosen) or not length or any(len(row) != length for row in rows):
        raise ValueError(
            "`pattern` must have a row for each unit, all of the same number of steps. "
            f"Received: {str(pattern)[:80]}"
        )
    if length >= values.shape[1]:
        return []
    wanted = np.array([[0 if on is None else 1 if on else -1 for on in row] for row in rows]).T
    windows = np.lib.stride_tricks.sliding_window_view(values[:, 1:, chosen], length, axis=1)
    above = np.moveaxis(windows, -1, 2) - threshold  # (texts, places, length, units)
    agreeing = (((above >= 0) == (wanted > 0)) & (wanted != 0)).sum(axis=(2, 3))
    margin = np.arctan((above * wanted).sum(axis=(2, 3))) / 4  # decides between equals
    scores = np.where(np.isnan(margin), -np.inf, agreeing + margin)
    best = scores.argmax(axis=1)
    places = []
    for text in np.argsort(-scores[np.arange(len(best)), best], kind="stable"):
        at = int(best[text])
        if np.isfinite(scores[text, at]):
            share = agreeing[text, at] / max(1, int((wanted != 0).sum()))
            place = _place(values, tokens, int(text), at + 1, chosen[0])
            places.append({**place, "length": length, "agreement": float(share)})
    return _distinct(places, k)


def _units(units: Any, count: int) -> list[int]:
    if units is None:
        return list(range(count))
    if not isinstance(units, list) or not all(
        isinstance(unit, int) and 0 <= unit < count for unit in units
    ):
        raise ValueError(f"`units` must be numbers from 0 to {count - 1}. Received: {units!r}")
    return units


def _place(
    values: np.ndarray, tokens: Sequence[Sequence[str]], text: int, step: int, unit: int
) -> dict[str, Any]:
    own = values[text, : len(tokens[text]), unit]
    return {
        "text": text,
        "tokens": list(tokens[text]),
        "step": step,
        "unit": unit,
        "value": float(own[step]),
        "values": [float(value) for value in np.nan_to_num(own)],
    }


def _distinct(places: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    """Return the first places that don't have the same words up to the place as one before."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for place in places:
        found.setdefault(tuple(place["tokens"][: place["step"] + 1]), place)
    return list(found.values())[:k]
