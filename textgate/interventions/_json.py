"""Interventions as JSON, to be kept beside the results they gave, and back."""

import json
import os
from collections.abc import Iterable
from typing import Any

from textgate._reading import parse_json
from textgate.interventions._base import KINDS, Intervention
from textgate.interventions._serialisation import arguments_of, described


def to_json(
    interventions: Intervention | Iterable[Intervention],
    traces: str | os.PathLike[str] | None = None,
) -> str:
    """Return interventions as JSON.

    Args:
        interventions: One intervention, or a list of them.
        traces: A directory, made if need be, to which traces that are only in memory are saved.

    Returns:
        A JSON object, or a list of them.

    Raises:
        ValueError: If a trace is only in memory and no directory is given.

    Example:

    >>> import textgate as tg
    >>> print(to_json(tg.ZeroAblation("lstm", "cell_state", units=[3, 17])))
    {"intervention": "ZeroAblation", "layer": "lstm", "signal": "cell_state", "units": [3, 17]}
    """
    if isinstance(interventions, Intervention):
        return interventions.to_json(traces)
    return json.dumps([described(one, traces) for one in interventions])


def from_json(
    text: str, traces: str | os.PathLike[str] | None = None
) -> Intervention | list[Intervention]:
    """Return the interventions that `to_json` described.

    Args:
        text: The JSON.
        traces: The directory where the traces are now, if they have been moved.

    Returns:
        An intervention, or a list of them, as it was described.

    Raises:
        ValueError: If it doesn't describe interventions, or a trace is not the one it was.
        FileNotFoundError: If a trace isn't there any more.

    Example:

    >>> import textgate as tg
    >>> clamp = tg.Clamp("gru", "update_gate", units=[0], value=1.0, steps=slice(2, 5))
    >>> from_json(clamp.to_json())
    Clamp('gru', 'update_gate', units=[0], steps=slice(2, 5), value=1.0)
    """
    try:
        content = parse_json(text)
    except (TypeError, ValueError) as error:
        raise ValueError(f"This is not JSON: {error}. Received: {str(text)[:80]!r}") from None
    if isinstance(content, list):
        return [_intervention(entries, traces) for entries in content]
    return _intervention(content, traces)


def _intervention(entries: Any, traces: Any) -> Intervention:
    if not isinstance(entries, dict) or str(entries.get("intervention")) not in KINDS:
        raise ValueError(
            f"An intervention is described by an object whose `intervention` is one of "
            f"{list(KINDS)}. Received: {str(entries)[:80]}"
        )
    kind = KINDS[entries["intervention"]]
    arguments = arguments_of(entries, kind, traces)
    try:
        return kind(**arguments)
    except TypeError as error:  # well-formed, and of the wrong kind all the same
        raise ValueError(str(error)) from None
    except OverflowError as error:
        raise ValueError(
            f"A number is too large ({error}). Received: {str(entries)[:80]}"
        ) from None
