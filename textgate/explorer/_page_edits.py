"""Edits as the page writes them, as interventions: their JSON, with texts in place of traces.

Only textgate's own kinds are taken, and no path: what comes over a socket opens no file.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from textgate.interventions import (
    Affine,
    Clamp,
    Intervention,
    MeanAblation,
    Patch,
    ResampleAblation,
    Steer,
    ZeroAblation,
    from_json,
)

MOST_EDITS, MOST_TEXTS = 50, 60
_PLAIN = {kind.__name__ for kind in (ZeroAblation, Clamp, Steer, Affine)}
_SOURCES = {"Patch": "source", "MeanAblation": "reference", "ResampleAblation": "reference"}


def interventions_of(
    edits: Any, trace: Callable[[Sequence[str]], xr.DataTree], twins: Sequence[str] | None
) -> list[Intervention]:
    """Return edits as interventions.

    Args:
        edits: A list, one edit, the JSON text of it, or `None`.
        trace: Traces texts.
        twins: The texts that `{"twin": true}` means, one an example.

    Raises:
        ValueError: If they aren't edits, or there are too many.
    """
    if isinstance(edits, str):
        edits = json.loads(edits)
    listed = [] if edits is None else edits if isinstance(edits, list) else [edits]
    if len(listed) > MOST_EDITS:
        raise ValueError(f"there may be {MOST_EDITS} edits at once. Received: {len(listed)}")
    return [_intervention(edit, trace, twins) for edit in listed]


def _intervention(
    edit: Any, trace: Callable[[Sequence[str]], xr.DataTree], twins: Sequence[str] | None
) -> Intervention:
    kind = edit.get("intervention") if isinstance(edit, dict) else None
    if kind in _PLAIN:
        return _read(edit)
    if kind not in _SOURCES:
        raise ValueError(
            f"an edit is an object whose `intervention` is one of {sorted({*_PLAIN, *_SOURCES})}. "
            f"Received: {str(edit)[:80]}"
        )
    argument = _SOURCES[kind]
    where = {
        k: v for k, v in edit.items() if k in ("layer", "signal", "units", "steps", "subspace")
    }
    source = edit.get(argument)
    if isinstance(source, dict) and "values" in source and kind == "Patch":
        return _read({"intervention": "Clamp", **where, "value": [source["values"]]})
    # Read as an ablation, so that units, steps and subspace are checked as everywhere.
    place = _read({"intervention": "ZeroAblation", **where})
    arguments = {"units": place.units, "steps": place.steps, "subspace": place.subspace}
    run = trace(_texts(source, twins, kind))
    if kind == "Patch":
        return Patch(place.layer, place.signal, source=run, **arguments)
    if kind == "MeanAblation":
        by_position = bool(edit.get("by_position", False))
        return MeanAblation(
            place.layer, place.signal, reference=run, by_position=by_position, **arguments
        )
    seed = edit.get("seed", 0)
    return ResampleAblation(place.layer, place.signal, reference=run, seed=seed, **arguments)


def _read(edit: dict[str, Any]) -> Intervention:
    found = from_json(json.dumps(_entries(edit)))
    assert isinstance(found, Intervention)
    return found


def _entries(edit: dict[str, Any]) -> dict[str, Any]:
    """Return an edit without entries that say nothing."""
    return {name: value for name, value in edit.items() if value is not None}


def _texts(source: Any, twins: Sequence[str] | None, kind: str) -> list[str]:
    texts: list[Any] = []
    if isinstance(source, dict):
        texts = list(source.get("texts") or ([source["text"]] if "text" in source else []))
        if source.get("twin"):
            if twins is None:
                raise ValueError(f"{kind}: it needs a twin. Received: a question without one")
            texts += twins
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(
            f"{kind}: what it takes values from is a text, texts, or the twin. "
            f"Received: {str(source)[:80]}"
        )
    if len(texts) > max(MOST_TEXTS, len(twins or ())):
        raise ValueError(f"{kind}: there may be {MOST_TEXTS} texts. Received: {len(texts)}")
    return texts


def as_rows(values: np.ndarray) -> list[list[float]]:
    """Return numbers of shape (steps, units) as JSON has them."""
    return [[float(number) for number in row] for row in values]
