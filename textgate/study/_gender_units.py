"""The units that hold gender in a trained model, and pairs to test them on: where studies begin.

Whoever asks what a gate is for needs units whose memory matters, and has to choose them on other
sentences than those that are measured, or the choice would be part of the result. Here they are
chosen on pairs of the validation split, and the test pairs come with them, she against he, so that
guessing gives one half.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from textgate.datasets import minimal_pairs
from textgate.interchange import Runner, Units, contrasts, runner_for
from textgate.models import LanguageModel, load_language_model
from textgate.study._pairs import first_pairs
from textgate.tracing import find_sites, one_site

_CHOSEN_ON = 300  # pairs


@dataclasses.dataclass(frozen=True)
class GenderUnits:
    """Units that hold gender.

    Attributes:
        lm: The language model.
        layer: The recurrent layer.
        units: Its units that hold gender, the most effective first.
        test: The test pairs.
        flip_rate: The share of the answers on these that flip when the units take the other
            gender's values (of the answers that are right both ways).
    """

    lm: LanguageModel
    layer: str
    units: list[int]
    test: pd.DataFrame
    flip_rate: float


def gender_units(
    run: str | Path, kind: str, layer: str | None = None, size: int = 1200
) -> GenderUnits:
    """Load a model, and choose the units that hold gender on pairs other than the test pairs.

    Args:
        run: What `textgate.load` takes.
        kind: `"lstm"` or `"gru"`: what the study is of.
        layer: The recurrent layer; the first if it is left out.
        size: How many items of pronoun agreement to draw, of all classes; those of she against he
            are used.

    Raises:
        ValueError: If the model has no such layer, or the layer is of another kind.
    """
    lm = load_language_model(run)
    sites, _ = find_sites(lm)
    site = one_site(lm, layer or (sites[0].path if sites else None)).site
    if site.spec.cell.kind != kind:
        raise ValueError(
            f"the study is of a layer of the kind {kind!r}; give the run of such a model. "
            f"Received: {run}, whose layer {site.path!r} is of the kind {site.spec.cell.kind!r}"
        )
    chosen_on, test = (
        first_pairs(minimal_pairs("pronoun_agreement", split, size=size), most)
        for split, most in (("validation", _CHOSEN_ON), ("test", size))
    )
    units = holding_units(lm, chosen_on, site.path)
    return GenderUnits(lm, site.path, units, test, flip_rate(lm, test, units, site.path))


def holding_units(
    lm: LanguageModel,
    pairs: pd.DataFrame,
    layer: str | None = None,
    *,
    flips: float = 0.9,
    most: int = 16,
) -> list[int]:
    """Return a short list of units that carry a feature, by interchange.

    Each unit by itself takes the values that it has in the sentence of the other gender; units are
    ranked by how much of the model's choice moves over. Returned are the first so many that
    together flip the share `flips` of the choices.

    This is a quick choice for looking at units, not evidence that these and no others hold the
    feature; that is what `textgate units` is for. Measure on other pairs than these.

    Args:
        lm: A language model.
        pairs: Minimal pairs with `counterpart_prefix`.
        layer: The recurrent layer; it may be left out where there is only one.
        flips: The share of items to be flipped, of those that the model gets right both ways.
        most: How many units to return at most, if that share isn't reached.

    Returns:
        The units, the most effective first.

    Raises:
        ValueError: If no item is right both ways, or the pairs lack their counterparts.
    """
    runner, right = _interchange(lm, pairs, layer)
    clean = runner.clean()[right]
    alone = runner.run(np.eye(runner.units, dtype=bool), "interchange")[:, right]
    ranked = np.argsort(-(clean - alone).mean(axis=1), kind="stable")
    most = min(most, runner.units)
    sets = np.zeros((most, runner.units), dtype=bool)
    for count in range(most):
        sets[count, ranked[: count + 1]] = True
    share = (runner.run(sets, "interchange")[:, right] < 0).mean(axis=1)
    enough = np.flatnonzero(share >= flips)
    return [int(unit) for unit in ranked[: (enough[0] + 1 if enough.size else most)]]


def flip_rate(
    lm: LanguageModel, pairs: pd.DataFrame, units: Sequence[int], layer: str | None = None
) -> float:
    """Return the share of choices that flip when units take the other gender's values.

    Args:
        lm: A language model.
        pairs: Minimal pairs with `counterpart_prefix`.
        units: The units.
        layer: The recurrent layer; it may be left out where there is only one.

    Returns:
        The share of the items that the model gets right both ways.

    Raises:
        ValueError: As `holding_units` does.
    """
    runner, right = _interchange(lm, pairs, layer)
    chosen = Units(units).mask(runner.units)
    return float((runner.run(chosen[None], "interchange")[0, right] < 0).mean())


def _interchange(
    lm: LanguageModel, pairs: pd.DataFrame, layer: str | None
) -> tuple[Runner, np.ndarray]:
    """Return a runner of the layer's memory, and which items the model gets right both ways."""
    site = one_site(lm, layer).site
    runner = runner_for(lm, contrasts(lm, pairs), site.path, site.spec.cell.memory)
    right = (runner.clean() > 0) & (runner.source() < 0)
    if not right.any():
        raise ValueError(
            "The model must get some items right both ways before one can ask which units do it. "
            f"Received: {len(right)} items, none right"
        )
    return runner, right


def life_in_words(life: float) -> str:
    """Return the half-life of a memory in words; many units outlive the texts.

    Args:
        life: As `textgate.mechanics.half_life` gives it, `inf` where it is longer than the texts.

    Example:

    >>> life_in_words(3.0), life_in_words(float("inf"))
    ('3 words', 'more words than the texts have')
    """
    return f"{life:g} words" if np.isfinite(life) else "more words than the texts have"
