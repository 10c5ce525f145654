"""The units that hold gender in a trained model, and pairs to test them on: where studies begin.

Whoever asks what a gate is for needs units whose memory matters, and has to choose them on other
sentences than those that are measured, or the choice would be part of the result. Here they are
chosen on pairs of the validation split, and the test pairs come with them, she against he, so that
guessing gives one half.
"""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textgate.datasets import minimal_pairs
from textgate.mechanics.calls import one_site
from textgate.models import load_language_model
from textgate.study._gates import holding_units, turned
from textgate.study._measures import gender_items
from textgate.tracing import find_sites

_CHOSEN_ON = 300


@dataclasses.dataclass(frozen=True)
class Holders:
    """Units that hold gender.

    Attributes:
        lm: The language model.
        layer: The recurrent layer.
        units: Its units that hold gender, the most effective first.
        test: The test pairs.
        turned: The share of the answers on these that the units turn by taking the other gender's
            values (of the answers that are right both ways).
    """

    lm: Any
    layer: str
    units: list[int]
    test: pd.DataFrame
    turned: float


def holders(run: str | Path, kind: str, layer: str | None = None, size: int = 1200) -> Holders:
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
    site, _ = one_site(lm, layer or (sites[0].path if sites else None))
    if site.spec.cell.kind != kind:
        raise ValueError(
            f"the study is of a layer of the kind {kind!r}; give the run of such a model. "
            f"Received: {run}, whose layer {site.path!r} is of the kind {site.spec.cell.kind!r}"
        )
    chosen_on, test = (
        gender_items(minimal_pairs("pronoun_agreement", split, size=size), most)
        for split, most in (("validation", _CHOSEN_ON), ("test", size))
    )
    units = holding_units(lm, chosen_on, site.path)
    return Holders(lm, site.path, units, test, turned(lm, test, units, site.path))


def life_in_words(life: float) -> str:
    """Return the half-life of a memory in words; many units outlive the texts.

    Args:
        life: As `textgate.mechanics.half_life` gives it, `inf` where it is longer than the texts.

    Example:

    >>> life_in_words(3.0), life_in_words(float("inf"))
    ('3 words', 'more words than the texts have')
    """
    return f"{life:g} words" if np.isfinite(life) else "more words than the texts have"
