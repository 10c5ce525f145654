"""The protocol: which units of a language model hold a feature, with evidence a reviewer accepts.

    found = tg.find_units(lm, feature="gender")
    print(found.summary())

**The question.** A prefix ("The actress lost") decides between two words (*her*, *his*). Some
units' values carry that decision from the antecedent to the pronoun. A probe shows what can be read
from a unit; here units are ranked by what *intervening* on them does, and what is claimed of them
is claimed of interventions on sentences that had no part in choosing them.

**Two claims, told apart.** A set is *sufficient* if exchanging its values for those of the
counterpart ("The actor lost") flips the answer, in both directions. It is *necessary* if the model
falls near chance without it, in whichever of three ways it is taken out. Where a feature is stored
twice, half of it may suffice while nothing small is necessary. So both sets are looked for, the
complement is put to the same test, and further disjoint sets are listed.

**A statistician's reading.**

*What is sampled.* Items are made of templates, lexemes and verbs, and the claim is about others
than these: so templates and lexemes are the units of resampling, not items. Intervals come from the
pigeonhole bootstrap over both. The model is one model; a claim about LSTMs needs several seeds
(`find_units_over_runs`), and those are another level of sampling.

*What is exchangeable under the null.* That an intervention does nothing on average means that a
cluster's effect is as likely as its opposite: signs of clusters are flipped, and flips of templates
and of lexemes are added up, which errs towards finding nothing (see `inference`). The test over all
units takes the largest statistic (max-T). A set that was fixed on the discovery half is one test on
the other half, and needs no correction for the thousands of sets that were looked through; the two
claims share the 5 % between them. Goals alone would not do: under the null an ablation that helps
half of the clusters as much as it harms the others leaves an accuracy of one half, which is what a
necessary unit leaves.

*Where selection could leak.* (1) By items: the halves have no template, lexeme or verb in common;
an item with parts in both is left out. The division looks at how sentences are built and never at
what the model does. (2) By choices: layer, candidates, sets, their sizes, the direction and the
reference values of ablations all come from the discovery half. Nothing is tuned on the other; a set
that fails there is reported as failed, and no second one is tried. (3) By the model: its training
sentences are other sentences, made of the same words; "held out" means held out from the choice of
units. (4) Pronouns, determiners, and the nouns of other referents do occur in both halves.

*What the controls are for.* Sets of other units, as many, at random: that any so many units would
do. Sets matched in activation norm: that any units as active would do. The same model with fresh
weights: that the architecture or the pairs would do. Another kind of agreement and ordinary
sentences: that the model is just broken. Directions apart: that the model has only come to say the
same word always. `lost` in the tables adds the directions up, and so is blind to such a shift.

*What is not shown.* Units of several layers or signals at once are not tried, and forward selection
need not find the smallest set there is, only a small one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from textgate.datasets.features import FEATURES, Feature, feature_of
from textgate.interchange import contrasts
from textgate.interchange.effects import INTERCHANGE, Half, one_hot
from textgate.unit_search import _axes as axes
from textgate.unit_search import _confirmation as confirmation
from textgate.unit_search import _selection as select
from textgate.unit_search import _side_effects as side_effects
from textgate.unit_search import _verdict as verdict
from textgate.unit_search._assembling import Made, clean_rows, joined, settings_of
from textgate.unit_search._codes import codes
from textgate.unit_search._finding import UnitFinding
from textgate.unit_search._halves import LEAST, halves
from textgate.unit_search._selection import Found, Goals
from textgate.unit_search._stages import stages
from textgate.unit_search._untrained import untrained

_MOST_ALTERNATIVES = 3
_LEAST_CONTROLS = 19


def find_units(
    lm: Any,
    pairs: pd.DataFrame | None = None,
    feature: str | Feature = "gender",
    layer: str | None = None,
    signal: str | None = None,
    seed: int = 0,
    *,
    goals: Goals | None = None,
    items: int = 320,
    controls: int = 100,
    side_tasks: Mapping[str, pd.DataFrame] | None = None,
    texts: Sequence[str] | None = None,
    progress: bool | None = None,
) -> UnitFinding:
    """Find the units that hold a feature, and confirm them on other sentences.

    Args:
        lm: A `textgate.models.LanguageModel`.
        pairs: Minimal pairs with counterparts: the columns `good`, `bad`, `target`,
            `counterpart_prefix`, `good_class`, `bad_class`, and by choice `template`, `lexeme`,
            `counterpart_lexeme` and `verbs`, in which the halves are to be disjoint. By default
            those of the feature.
        feature: What the pairs are about: a name of `textgate.datasets.FEATURES`, a `Feature`, or
            any other name for pairs of one's own; `"gender"` takes feminine against masculine.
        layer: Name of the recurrent layer; `None` for the one in which the smallest set was
            discovered.
        signal: The signal; `None` for what the cell remembers with, an LSTM's cell state or a
            GRU's hidden state.
        seed: Seed of everything: the halves, the controls, the intervals.
        goals: What counts as doing the job; by default 90 % flipped in each direction by at most 8
            units, and 60 % balanced accuracy at most without at most 16.
        items: The most items that each half uses.
        controls: How many random sets each set is compared with, and half as many matched in norm.
        side_tasks: Other minimal pairs, by name, on which the ablations should cost nothing; `None`
            for generated ones, `{}` for none.
        texts: Sentences for the perplexity; `None` for generated ones, `[]` for none.
        progress: Whether to show progress on stderr; `None` for: if it is a terminal.

    Returns:
        The finding.

    Raises:
        TypeError: If `lm` is not a language model of textgate.
        ValueError: If a number is too small, the layer lacks the signal, the pairs don't align or
            are of one class only, a half gets too few items, or `pairs` is needed and not given.

    Example:

    >>> from textgate.models import LanguageModel
    >>> from textgate.tokenizers import WordTokenizer
    >>> people = [f"{sex}{i}" for i in range(50) for sex in ("woman", "man")]
    >>> lm = LanguageModel(WordTokenizer([*people, "lost", "her", "his"]), units=8, seed=0)
    >>> pairs = pd.DataFrame([
    ...     {"good": f"{own}{i} lost {right}", "bad": f"{own}{i} lost {wrong}", "target": 2,
    ...      "good_class": label, "bad_class": other, "counterpart_prefix": f"{twin}{i} lost"}
    ...     for i in range(50)
    ...     for own, twin, right, wrong, label, other in (
    ...         ("woman", "man", "her", "his", "feminine", "masculine"),
    ...         ("man", "woman", "his", "her", "masculine", "feminine"),
    ...     )
    ... ])
    >>> find_units(lm, pairs).verdict[:46]  # it isn't trained
    "The model doesn't agree in gender well enough "
    """
    goals = goals or Goals()
    if not hasattr(lm, "recurrent_layers"):
        raise TypeError(
            "`lm` must be a textgate.models.LanguageModel, as textgate.load returns it. "
            f"Received: {type(lm).__name__}"
        )
    _check_numbers(items, controls)
    signal = signal or lm.memory
    names = [layer] if layer else [each.name for each in lm.recurrent_layers]
    feature = feature_of(feature)
    pairs = _pairs(pairs, feature)
    with stages(progress) as stage:
        stage("reading the pairs", 1)
        parts = halves(contrasts(lm, pairs, feature), items, seed)
        runners = {name: parts.runners(lm, name, signal) for name in names}
        made = Made(lm, parts, goals, signal, seed, settings_of(parts, items, controls))
        if not all(half.knows for both in runners.values() for half in both):
            return made.unknowing(names[0], runners[names[0]][1])

        stage("looking for sufficient units", 4)
        layers, chosen, ranking, enough = select.best_layer(runners, goals)
        discovery, confirming = runners[chosen]
        stage("looking for necessary units", 6)
        needed = select.necessary(discovery, ranking, goals)
        tasks = side_effects.tasks_beside(lm, feature, side_tasks, chosen, signal, seed)
        spared = _sparing(discovery, ranking, goals, needed, tasks)
        stage("looking for further sets", 3)
        alternatives, further = _further(discovery, confirming, ranking, enough, goals, seed)

        stage("confirming", 12)
        norms = discovery.norms
        sets = {"sufficient": enough.tried, "necessary": needed.tried}
        sets |= {"specific": spared.tried} if spared else {}
        sets = {name: units for name, units in sets.items() if units}
        confirmed = _confirmed(confirming, sets, norms, goals, controls, seed)
        stage("confirming each unit", 3)
        each = confirmation.each_unit(confirming, ranking, norms, seed)
        stage("trying a direction", 2)
        direction, rank = axes.axis_test(
            lm, discovery, confirming, chosen, signal, goals, controls, seed
        )

        stage("controls: other tasks", 3)
        masks = {name: one_hot(units, len(norms)) for name, units in sets.items()}
        beside = side_effects.side_tasks(tasks, masks, seed)
        stage("controls: ordinary sentences", 4)
        reading = side_effects.on_texts(
            texts, feature, lm, chosen, signal, masks, parts.reference, seed
        )
        stage("controls: fresh weights", 3)
        fresh = untrained(lm, parts, chosen, signal, sets, goals, seed)
        members = sorted({unit for units in sets.values() for unit in units})
        code = codes(lm, pairs, chosen, signal, members, seed)

    facts = verdict.Facts(
        feature=feature.name,
        place=f"{chosen}'s {signal.replace('_', ' ')}",
        accuracy=float(confirming.accuracy(confirming.clean).mean()),
        sufficient=_kept(confirmed, "sufficient", enough),
        necessary=_kept(confirmed, "necessary", needed),
        specific=_kept(confirmed, "specific", spared) if spared else (),
        sufficient_is_necessary=_also(confirmed, "sufficient", enough, "necessary"),
        necessary_is_sufficient=_also(confirmed, "necessary", needed, "sufficient"),
        tried=(enough.tried, needed.tried),
        found=(bool(enough.units), bool(needed.units)),
        limits=goals.limits(len(norms)),
        alternatives=alternatives,
        axis=rank,
        spread=float(direction["spread"].iloc[0]) if len(direction) else float("nan"),
    )
    tables = {
        "interventions": joined([clean_rows(confirming, seed), *_each(confirmed, "interventions")]),
        "codes": code,
        "controls": joined(_each(confirmed, "controls")),
        "tests": joined(_each(confirmed, "tests")),
        "side_tasks": beside,
        "perplexity": reading,
        "untrained": fresh,
        "further": further,
        "direction": direction,
        "selection": joined(
            [
                found.steps.assign(set=name)
                for name, found in (
                    ("sufficient", enough),
                    ("necessary", needed),
                    ("specific", spared),
                )
                if found
            ]
        ),
        "layers": layers,
        "split": parts.counts,
        "units": each,
    }
    return made.finding(chosen, facts, tables)


def _pairs(pairs: pd.DataFrame | None, feature: Feature) -> pd.DataFrame:
    if pairs is not None:
        return pairs
    from textgate.datasets import minimal_pairs

    if feature.pairs is None:
        names = [name for name, each in FEATURES.items() if each.pairs is not None]
        raise ValueError(
            f"pairs can be generated for {', '.join(names[:-1])} and {names[-1]}; give your own as "
            f"`pairs`. Received: feature={feature.name!r}, pairs=None"
        )
    return minimal_pairs(feature.pairs, split="test")


def _check_numbers(items: int, controls: int) -> None:
    if items < 2 * LEAST:
        raise ValueError(f"`items` must be at least {2 * LEAST}. Received: items={items}")
    if controls < _LEAST_CONTROLS:
        raise ValueError(
            f"`controls` must be at least {_LEAST_CONTROLS}: fewer can't show that a set is beyond "
            f"all of them by chance in only 5 %. Received: controls={controls}"
        )


def _sparing(
    half: Half,
    ranking: pd.DataFrame,
    goals: Goals,
    needed: Found,
    tasks: Sequence[side_effects.Beside],
) -> Found | None:
    """Look for a necessary set that spares the other tasks, if the smallest one doesn't."""

    def cost(sets: np.ndarray) -> np.ndarray:
        return np.max([task.cost(sets) for task in tasks], axis=0)

    able = bool(tasks) and any(task.chooser is not None for task in tasks)
    if not able or not needed.units:
        return None
    if cost(one_hot(needed.units, len(ranking))[None])[0] <= goals.spared:
        return None
    return select.necessary(half, ranking, goals, cost)


def _further(
    discovery: Half,
    confirming: Half,
    ranking: pd.DataFrame,
    enough: Found,
    goals: Goals,
    seed: int,
) -> tuple[tuple[tuple[int, ...], ...], pd.DataFrame]:
    """Return further sets that flip the answer on both halves, disjoint from the first."""
    used = list(enough.units)
    sets: list[tuple[int, ...]] = []
    rows: list[dict[str, Any]] = []
    while used and len(rows) < 3 * _MOST_ALTERNATIVES:
        other = select.sufficient(discovery, ranking, goals, without=used)
        if not other.units:
            break
        readings = confirming.run(one_hot(other.units, len(ranking))[None], INTERCHANGE)[0]
        confirmed = bool(confirming.flipped(readings).min() >= goals.flipped)
        label = {
            "set": f"further {len(rows) // 3 + 1}",
            "size": len(other.units),
            "units": " ".join(map(str, other.units)),
            "confirmed": confirmed,
            "intervention": INTERCHANGE,
        }
        rows += confirmation.describe(confirming, label, readings, seed)
        if confirmed:
            sets.append(other.units)
        used += other.units
    return tuple(sets), pd.DataFrame(rows)


def _confirmed(
    half: Half,
    sets: Mapping[str, tuple[int, ...]],
    norms: np.ndarray,
    goals: Goals,
    controls: int,
    seed: int,
) -> dict[str, confirmation.Confirmed]:
    """Put each set to the questions; sets of the same units share the answers."""
    done: dict[frozenset[int], confirmation.Confirmed] = {}
    result = {}
    for name, units in sets.items():
        key = frozenset(units)
        if key not in done:
            done[key] = confirmation.confirm(half, name, units, norms, goals, controls, seed)
        result[name] = done[key].renamed(name)
    return result


def _kept(
    confirmed: Mapping[str, confirmation.Confirmed], name: str, found: Found
) -> tuple[int, ...]:
    """Return a set if it was found and its claim confirmed, in rising order."""
    claim = "necessary" if name == "specific" else name
    return tuple(sorted(found.units)) if _also(confirmed, name, found, claim) else ()


def _also(
    confirmed: Mapping[str, confirmation.Confirmed], name: str, found: Found, claim: str
) -> bool:
    """Whether a set that was found and confirmed is confirmed for another claim as well."""
    if not found.units:
        return False
    each = confirmed[name]
    own = "necessary" if name == "specific" else name
    return bool(getattr(each, own) and getattr(each, claim))


def _each(confirmed: Mapping[str, confirmation.Confirmed], table: str) -> list[pd.DataFrame]:
    return [getattr(each, table) for each in confirmed.values()]
