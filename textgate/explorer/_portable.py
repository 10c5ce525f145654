"""Interventions with their numbers in them, so that their JSON needs no trace beside it.

`to_json` leaves in a trace what a patch or an ablation takes from it, and a page has no traces. A
patch from another run, though, is nothing but a clamp at the values of that run, and an ablation by
the mean is one at the means. `portable` says it so.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np

from textgate.interventions import (
    Affine,
    Clamp,
    Contribution,
    Intervention,
    Steer,
    Target,
    ZeroAblation,
)
from textgate.tracing import checked_sites, fingerprint, resolve

_PLAIN = (ZeroAblation, Clamp, Steer, Affine)  # they hold their own numbers


def portable(
    model: Any, interventions: Intervention | Iterable[Intervention]
) -> list[Intervention]:
    """Return interventions that do the same to one text and hold their own numbers.

    Args:
        model: The model that they are meant for.
        interventions: The interventions.

    Returns:
        Those that need no trace as they are; for each other, and for those of classes of a user's,
        clamps and affine maps. What has values for each example has those of the first.

    Raises:
        ValueError: If one of them doesn't fit the model.

    Example:

    >>> import keras, numpy as np, textgate as tg
    >>> model = keras.Sequential([keras.Input((None, 3)), keras.layers.GRU(4, name="gru")])
    >>> other = tg.trace(model, np.ones((1, 5, 3)))
    >>> [clamp] = portable(model, tg.Patch("gru", "update_gate", units=[2], source=other))
    >>> type(clamp).__name__, clamp.value.shape
    ('Clamp', (1, 5, 1))
    """
    if isinstance(interventions, Intervention):
        interventions = [interventions]
    return [part for own in interventions for part in _portable(model, own)]


def _portable(model: Any, intervention: Intervention) -> list[Intervention]:
    if isinstance(intervention, _PLAIN):
        return [intervention]
    of_model = cache(lambda: fingerprint(model))
    parts: list[Intervention] = []
    for site, call in resolve(intervention.layer, checked_sites(model)):
        name, signal = type(intervention).__name__, intervention.signal
        target = Target(site, call, signal, intervention.units, of_model, name)
        for contribution in intervention.contributions(target):
            parts += _plain(intervention, target, contribution)
    return parts


def _plain(
    intervention: Intervention, target: Target, contribution: Contribution
) -> list[Intervention]:
    """Return what a contribution does as an intervention that holds its numbers."""
    steps = intervention.steps
    where: dict[str, Any] = {
        "units": [int(unit) for unit in target.numbers],
        "steps": steps[:1] if isinstance(steps, np.ndarray) else steps,
        "subspace": intervention.subspace,
    }
    place = (target.site.path, intervention.signal)
    if contribution.function is not None:
        raise ValueError(
            "a function can't be written down as numbers; run it in Python. "
            f"Received: {intervention!r}"
        )
    if contribution.rows is not None:
        values = contribution.rows(0, 1)[0][:, target.numbers]
    else:
        assert contribution.values is not None
        values = contribution.values[..., target.numbers]
    if contribution.add:
        if values.ndim > 1:
            raise ValueError(
                "what is added to a signal must be the same at all steps, to be written down "
                f"without a trace. Received: {intervention!r}"
            )
        matrix = contribution.matrix
        if matrix is not None:
            matrix = matrix[np.ix_(target.numbers, target.numbers)]
        return [Affine(*place, matrix=matrix, offset=values, **where)]
    if values.ndim > 1:
        present = np.isfinite(values).all(axis=-1)  # by step; a source may end in padding
        values = values[: int(np.flatnonzero(present).max(initial=-1)) + 1][None]
    return [Clamp(*place, value=values, **where)]
