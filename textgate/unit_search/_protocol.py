"""The protocol, from pairs to a verdict. `textgate.unit_search` says how to read what it gives."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from textgate._progress import stages
from textgate.datasets.features import FEATURES, Feature, feature_of, features_of
from textgate.interchange import Contrasts, Units
from textgate.interchange.effects import Sample
from textgate.interchange.targets import likelihoods
from textgate.unit_search._codes import codes
from textgate.unit_search._confirmation import confirm, confirm_each_unit, without_excess
from textgate.unit_search._experiment import Experiment
from textgate.unit_search._facts import Facts
from textgate.unit_search._finding import UnitFinding
from textgate.unit_search._fresh_weights import with_fresh_weights
from textgate.unit_search._goals import Goals
from textgate.unit_search._halves import LEAST, divide
from textgate.unit_search._losses import losses
from textgate.unit_search._members import members
from textgate.unit_search._selection import (
    Selections,
    further_sufficient,
    layer_table,
    search_layer,
    smallest,
    smallest_necessary,
)
from textgate.unit_search._sentences import perplexities
from textgate.unit_search._side_tasks import Task, ablate_in_tasks, side_tasks_of, smallest_specific
from textgate.unit_search._subject import Place, Subject
from textgate.unit_search._subspaces import exchange_subspaces
from textgate.unit_search._verdict import few_clusters

_LEAST_CONTROLS = 19
_WEIGHTS = 41  # of all stages together


def find_units(
    model: Any,
    pairs: pd.DataFrame | Contrasts | None = None,
    feature: str | Feature | None = None,
    layer: str | None = None,
    signal: str | None = None,
    seed: int = 0,
    *,
    goals: Goals | None = None,
    items: int = 320,
    controls: int = 100,
    side_tasks: Mapping[str, Task] | None = None,
    texts: Sequence[str] | None = None,
    data: tuple[Any, Any] | None = None,
    progress: bool | None = None,
) -> UnitFinding:
    """Find the units that hold a feature, and confirm them on other items.

    Args:
        model: A `textgate.models.LanguageModel`, or any Keras model that `textgate.trace` takes.
        pairs: Items, as `textgate.contrasts` makes them. For a language model also minimal pairs
            with counterparts: the columns `good`, `bad`, `target`, `counterpart_prefix`,
            `good_class`, `bad_class`, and by choice `template`, `lexeme`, `counterpart_lexeme` and
            `verbs`, in which the halves are to be disjoint; by default those of the feature.
        feature: What minimal pairs are about: a name of `textgate.datasets.FEATURES`, a `Feature`,
            or any other name for pairs of one's own; `"gender"`, the default, takes feminine
            against masculine. Items say so themselves.
        layer: The recurrent layer, as `textgate.trace` names it, or a container of several
            (`bidirectional`), whose units are then numbered through; `None` for the one in which
            the smallest set was discovered.
        signal: The signal; `None` for what the cell remembers with, an LSTM's cell state or a
            GRU's hidden state.
        seed: Seed of everything: the halves, the controls, the intervals.
        goals: What counts as doing the job; by default 90 % flipped in each direction by at most 8
            units, and 60 % balanced accuracy at most without at most 16.
        items: The most items that each half uses.
        controls: How many random sets each set is compared with, and half as many matched in norm.
        side_tasks: Other tasks, by name, on which the ablations should cost nothing: minimal pairs,
            items, or inputs and classes `(x, y)`, of which the accuracy is asked. `None` for
            generated pairs if the model is a language model, `{}` for none.
        texts: Sentences for a language model's perplexity; `None` for generated ones, `[]` for
            none.
        data: Inputs and targets `(x, y)` for the loss of a compiled model.
        progress: Whether to show progress on stderr; `None` for: if it is a terminal.

    Returns:
        The finding.

    Raises:
        TypeError: If `model` is no Keras model, or minimal pairs are given for one that isn't a
            language model of textgate.
        ValueError: If a number is too small, the layer lacks the signal, the pairs don't align, are
            of one class only or about another feature, a half gets too few items or all of one
            group, or `pairs` is needed and not given.

    Warns:
        UserWarning: If the half that confirms has too few groups for the test, whatever the units
            do.

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
    goals, subject, feature = goals or Goals(), Subject(model), _feature(feature, pairs)
    _check_numbers(items, controls)
    if data is not None:
        likelihoods(subject.model, *data)  # what is wrong with them is said before the work
    pairs = _generated_pairs(feature) if pairs is None else pairs
    with stages(progress, _WEIGHTS) as stage:
        stage("reading the pairs", 1)
        halves = divide(_contrasts(subject, pairs, feature), items, seed)
        if not halves.power.suffices:
            warnings.warn(
                f"no unit can be confirmed on these items. {few_clusters(halves.power)}",
                UserWarning,
                stacklevel=2,
            )
        tables = {"split": halves.counts}
        experiment = Experiment(subject, halves, goals, items, controls, seed)
        samples = {place: halves.samples(subject, place) for place in subject.places(layer, signal)}
        for place, both in samples.items():
            if not both.have_feature:
                return experiment.absent(place, both.confirmation)

        stage("looking for sufficient units", 4)
        searches = [search_layer(place, both, goals) for place, both in samples.items()]
        place, (discovery, confirmation), ranking, sufficient = smallest(searches)
        stage("looking for necessary units", 6)
        necessary = smallest_necessary(discovery, ranking, goals)
        tasks = side_tasks_of(subject, place, feature, side_tasks, seed)
        specific = smallest_specific(discovery, ranking, goals, necessary, tasks)
        stage("looking for further sets", 3)
        further = further_sufficient(discovery, ranking, goals, sufficient)
        selections = Selections(sufficient, necessary, specific, further)
        tables |= {"layers": layer_table(searches), "selection": selections.table()}

        stage("confirming", 12)
        confirmed = confirm(confirmation, selections, discovery.norms, goals, controls, seed)
        selections, confirmed = without_excess(selections, confirmed)
        stage("confirming each unit", 3)
        tables["units"] = confirm_each_unit(confirmation, ranking, discovery.norms, seed)
        stage("trying a direction", 2)
        subspace = exchange_subspaces(discovery, confirmation, goals, controls, seed)

        sets = selections.sets()
        stage("controls: other tasks", 3)
        tables["side_tasks"] = ablate_in_tasks(tasks, sets, seed)
        stage("controls: ordinary sentences", 4)
        tables |= _reading(subject, place, feature, texts, data, discovery, sets, seed)
        stage("controls: fresh weights", 3)
        tables["untrained"] = with_fresh_weights(subject, place, halves, sets, goals, seed)
        tables["codes"] = codes(subject, place, pairs, selections.members(), seed)

    tables |= {"direction": subspace.table, **confirmed.tables()}
    facts = Facts.of(
        feature.name, place, confirmation, goals, selections, confirmed, subspace, halves.power
    )
    tables["members"] = members(confirmation, facts.claimed, tables["units"], goals)
    return experiment.finding(place, discovery.units, facts, tables)


def _feature(feature: str | Feature | None, pairs: pd.DataFrame | Contrasts | None) -> Feature:
    """Return what the items are about, which no claim is made beyond."""
    if not isinstance(pairs, Contrasts):
        asked = feature_of("gender" if feature is None else feature)
        # Pairs of other classes than the feature's are refused where they are read.
        about = features_of(pairs) if pairs is not None and asked.classes is None else []
        if about:
            raise ValueError(
                f"no claim can be made about {asked.name!r}: the pairs are about "
                f"{' and '.join(about)}; pass that as the feature, or a `Feature` with its own "
                f"`classes`. Received: feature={asked.name!r}"
            )
        return asked
    if feature is not None and feature_of(feature).name != pairs.feature:
        raise ValueError(
            f"the items are about {pairs.feature!r}, and no claim can be made about anything else; "
            f"leave `feature` out. Received: feature={feature_of(feature).name!r}"
        )
    return feature_of(pairs.feature)


def _contrasts(subject: Subject, pairs: pd.DataFrame | Contrasts, feature: Feature) -> Contrasts:
    return pairs if isinstance(pairs, Contrasts) else subject.contrasts(pairs, feature)


def _reading(
    subject: Subject,
    place: Place,
    feature: Feature,
    texts: Sequence[str] | None,
    data: tuple[Any, Any] | None,
    discovery: Sample,
    sets: Mapping[str, Units],
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Return what the sets cost where the model reads other things: sentences, or data."""
    tables, lm = {}, subject.language_model
    if lm is not None and discovery.runner.items.prefixes:
        tables["perplexity"] = perplexities(lm, feature, texts, discovery.runner, sets, seed)
    if data is not None:
        tables["loss"] = losses(subject, place, data, sets, seed)
    return tables


def _generated_pairs(feature: Feature) -> pd.DataFrame:
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
