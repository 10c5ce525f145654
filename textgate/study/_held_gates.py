"""What each gate is for: hold it still in a trained model, and see what breaks.

A gate that varies may vary for nothing. To see what its variation is needed for, the gate is held
at one value at every word, inside the step, and the model goes on with it: at 1 (always open), 0
(always shut), ½ (what a gate without weights gives), or at the unit's own mean, which keeps the
amount and takes away the choice. Two things are measured: agreement, at each distance between
antecedent and pronoun, and how well all *other* words are predicted. A hold that costs the first
and not the second has hit what carries the feature.

The same is done to all units and to a few only, such as those that hold the feature, and, as a
control, to as many others drawn at random.

What it cannot say: the model was trained with the gate free. That it fails with the gate held does
not show that a model trained so would fail; for that, train one (`textgate compare`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.evaluation import agreement, summary
from textgate.interventions import Clamp, Intervention, MeanAblation, intervene
from textgate.models import LanguageModel
from textgate.tracing import one_site, trace

AS_TRAINED = "as trained"


def hold_gates(
    lm: LanguageModel,
    pairs: pd.DataFrame,
    holds: Sequence[tuple[str, float | str]] | None = None,
    *,
    layer: str | None = None,
    units: Mapping[str, Sequence[int]] | None = None,
    controls: int = 0,
    reference: Any = None,
    by: Sequence[str] = ("distance",),
    resamples: int = 300,
    seed: int = 0,
) -> pd.DataFrame:
    """Hold gates of a trained language model still, and measure what breaks.

    Args:
        lm: A language model.
        pairs: Minimal pairs, as from `textgate.datasets.minimal_pairs`.
        holds: Pairs of a gate and what to hold it at: a number, or `"mean"` for each unit's own
            mean over the reference. By default the cell's own `holds`.
        layer: The recurrent layer; it may be left out where there is only one.
        units: Sets of units, by name, that are held besides "all".
        controls: For each of these sets, how many as large ones to draw from the layer's other
            units, called "random 1 (name)", "random 2 (name)", …; none where there aren't as many.
        reference: A trace of the gates over other sentences, for the means; by default one of the
            pairs' right sentences.
        by: Groupings of `textgate.evaluation.GROUPINGS` to report besides "all".
        resamples: Of the intervals' bootstrap.
        seed: Of the bootstrap and of the random sets.

    Returns:
        A row for each hold, set of units and group of items, the model as trained first:
        `units` (the set's name), `n_units`, `gate`, `held` ("as trained", "1", "½", "0", "mean"),
        `by`, `group`, `items`, `accuracy`, `low`, `high`, `margin` (as `evaluation.summary` has
        them), `other_bits` (mean −log₂ p of all words of the right sentences but the pronoun, over
        all items whatever the group), `other_bits_change` (against the model as trained), `seed`.

    Raises:
        ValueError: If the layer has no gates, or a gate or unit is unknown.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> tokenizer = WordTokenizer("she he lost her his way".split())
    >>> lm = LanguageModel(tokenizer, cell="gru", units=4, seed=0)
    >>> pairs = pd.DataFrame({"good": ["she lost her way"], "bad": ["she lost his way"],
    ...                       "target": [2]})
    >>> table = hold_gates(lm, pairs, [("reset_gate", 1.0)], units={"mine": [2]}, by=[])
    >>> table[["units", "held"]].values.tolist()
    [['none', 'as trained'], ['all', '1'], ['mine', '1']]
    """
    site = one_site(lm, layer).site
    cell = site.spec.cell
    if not cell.gates:
        raise ValueError(
            f"Only LSTM and GRU have gates to hold. Received: layer {site.path!r}, a {cell.kind}"
        )
    wanted = cell.holds if holds is None else tuple(holds)
    unknown = [gate for gate, _ in wanted if gate not in cell.gates]
    if unknown:
        raise ValueError(f"The {cell.kind} has the gates {[*cell.gates]}. Received: {unknown[0]!r}")
    sets = _sets(site.spec.units, units or {}, controls, seed)
    texts = list(dict.fromkeys(pairs["good"]))
    if reference is None and any(value == "mean" for _, value in wanted):
        needed = sorted({gate for gate, value in wanted if value == "mean"})
        reference = trace(lm, texts, layers=[site.path], signals=needed)
    words = {text: len(lm.tokenizer.split(text)) for text in texts}

    def measured(model: Any, name: str, count: int, gate: str, held: str) -> pd.DataFrame:
        items = agreement(model, pairs)
        table = summary(items, by, resamples, seed).drop(columns="unknown")
        hold = pd.DataFrame(
            {"units": name, "n_units": count, "gate": gate, "held": held}, index=table.index
        )
        return pd.concat([hold, table], axis=1).assign(other_bits=_other_bits(items, words))

    parts = [measured(lm, "none", 0, "none", AS_TRAINED)]
    for name, chosen in sets.items():
        count = site.spec.units if chosen is None else len(chosen)
        for gate, value in wanted:
            edited = intervene(lm, [_hold(site.path, gate, value, chosen, reference)])
            parts.append(measured(edited, name, count, gate, held_at(value)))
    result = pd.concat(parts, ignore_index=True)
    as_trained = result["other_bits"].iloc[0]
    return result.assign(other_bits_change=result["other_bits"] - as_trained, seed=seed)


def held_at(value: float | str) -> str:
    """Return a value that a gate is held at as it stands in the tables."""
    return str(value) if isinstance(value, str) else {0.5: "½"}.get(value, f"{value:g}")


def _hold(
    layer: str, gate: str, value: float | str, units: Sequence[int] | None, reference: Any
) -> Intervention:
    if value == "mean":
        return MeanAblation(layer, gate, units=units, reference=reference)
    if isinstance(value, str):
        raise ValueError(f"A gate is held at a number or at 'mean'. Received: {value!r}")
    return Clamp(layer, gate, units=units, value=value)


def _sets(
    size: int, units: Mapping[str, Sequence[int]], controls: int, seed: int
) -> dict[str, list[int] | None]:
    """Return all sets of units by name; `None` stands for all units."""
    random = np.random.default_rng(seed)
    sets: dict[str, list[int] | None] = {"all": None}
    for name, numbers in units.items():
        chosen = [int(unit) for unit in numbers]
        if not chosen or min(chosen) < 0 or max(chosen) >= size or name == "all":
            raise ValueError(
                f"`units` must map names (not 'all') to numbers from 0 to {size - 1}. "
                f"Received: {name!r}: {chosen}"
            )
        sets[name] = chosen
        others = np.setdiff1d(np.arange(size), chosen)
        for draw in range(controls if len(others) >= len(chosen) else 0):
            drawn = random.choice(others, len(chosen), replace=False)
            sets[f"random {draw + 1} ({name})"] = sorted(int(unit) for unit in drawn)
    return sets


def _other_bits(items: pd.DataFrame, words: Mapping[str, int]) -> float:
    """Return the mean −log₂ p of the words of the right sentences that aren't the target."""
    once = items.drop_duplicates("good")
    targets = once["target_logprob_good"]
    others = once["logprob_good"] - targets.fillna(0.0)
    count = sum(words[text] for text in once["good"]) - int(targets.notna().sum())
    return float(-others.sum() / (count * np.log(2.0))) if count else float("nan")
