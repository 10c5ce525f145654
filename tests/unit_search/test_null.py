"""Law 6 under the null: where the sign of the effect is chance for each cluster, nothing is found.

Two models of it: readings that add up over units, as in a linear model with many units, and a
planted LSTM whose effects are turned round cluster by cluster.
"""

import numpy as np
import pandas as pd
import pytest

from tests.unit_search.planted import pairs, planted
from textgate.interchange import Contrasts, contrasts
from textgate.interchange.effects import INTERCHANGE, Half
from textgate.unit_search import Goals
from textgate.unit_search import _confirmation as confirmation
from textgate.unit_search import _selection as selection
from textgate.unit_search._halves import halves

TRIALS = 100


class SignFlipped:
    """A runner whose effects have a sign drawn for each cluster."""

    def __init__(self, runner, clusters, random):
        codes = pd.factorize(clusters)[0]
        self.runner, self.signs = runner, random.choice([-1.0, 1.0], codes.max() + 1)[codes]
        self.clean, self.source, self.activity = runner.clean, runner.source, runner.activity

    def run(self, sets, kind, reference=None, seed=0):
        clean = self.clean()
        readings = self.runner.run(sets, kind, reference=reference, seed=seed)
        return clean + self.signs * (readings - clean)


class Additive:
    """A model whose units each move the reading by so much, whatever else is done."""

    def __init__(self, effects, clean):
        self.effects, self._clean = effects, clean  # (units, n), (n,)

    def clean(self):
        return self._clean

    def source(self):
        return -self._clean

    def activity(self):
        return np.ones(len(self.effects))

    def run(self, sets, kind, reference=None, seed=0):
        scale = 1.0 if kind == INTERCHANGE else 0.5
        return self._clean - scale * (sets @ self.effects)


def additive_half(random, strong, items=80, units=32, templates=20, lexemes=30):
    sides = np.arange(items) % 2
    clean = 2 + 0.3 * random.normal(size=items)
    effects = 0.05 * random.normal(size=(units, items))
    effects[strong] += 2 * clean
    table = pd.DataFrame({"good_class": np.where(sides, "masculine", "feminine")})
    ids = np.zeros((items, 1), np.int32)
    items_ = Contrasts(table, ids, ids, ids[:, 0], ids[:, 0], ids[:, 0])
    labels = random.integers(templates, size=items), random.integers(lexemes, size=items)
    return items_, Additive(effects, clean), labels


def finds(discovery, confirming, seed):
    """Whether the protocol's decisions come to a set, sufficient or necessary."""
    goals = Goals()
    norms = discovery.norms
    ranking = selection.rank(discovery, len(norms))
    enough = selection.sufficient(discovery, ranking, goals)
    needed = selection.necessary(discovery, ranking, goals)
    answers = []
    for claim, found in (("sufficient", enough), ("necessary", needed)):
        if found.units:
            confirmed = confirmation.confirm(
                confirming, claim, found.units, norms, goals, 19, seed, draws=99, resamples=10
            )
            answers.append(getattr(confirmed, claim))
    return any(answers)


@pytest.mark.law(6)
@pytest.mark.parametrize("flipped", [True, False])
def test_additive_units(flipped, rng):
    found = 0
    trials = TRIALS if flipped else 5
    for trial in range(trials):
        sides = []
        for _ in range(2):
            items, runner, labels = additive_half(rng, strong=[7])
            if flipped:
                runner = SignFlipped(runner, labels[trial % 2], rng)
            sides.append(Half(items, runner, *labels, ("feminine", "masculine")))
        found += finds(*sides, seed=trial)
    assert found <= 10 if flipped else found == trials


@pytest.mark.law(6)
@pytest.mark.tensorflow_only
def test_a_planted_unit_with_its_effects_turned_round(rng):
    lm = planted("lstm", 12, {3: 1.0})
    parts = halves(contrasts(lm, pairs()), 80, seed=0)
    real = parts.runners(lm, "lstm", "cell_state")
    assert finds(*real, seed=0)
    found = 0
    for trial in range(20):
        turned = []
        for half in real:
            runner = SignFlipped(half.runner, half.clusters[trial % 2], rng)
            turned.append(Half(half.items, runner, *half.clusters, half.classes, half.reference))
        found += finds(*turned, seed=trial)
    assert found <= 2


def test_the_layer_with_the_smallest_set_is_taken(rng):
    halves_of = {}
    for name, strong in (("lower", [3, 4, 5]), ("upper", [8])):
        items, runner, labels = additive_half(rng, strong=[])
        runner.effects[strong] += 2 * runner.clean() / len(strong)
        half = Half(items, runner, *labels, ("feminine", "masculine"))
        halves_of[name] = half, half
    table, best, ranking, found = selection.best_layer(halves_of, Goals())
    assert best == "upper"
    assert found.units == (8,)
    assert ranking.set_index("unit").loc[8, "rank"] == 1
    assert table.set_index("layer")["size"].to_dict() == {"lower": 2, "upper": 1}


def test_units_that_came_in_early_and_turn_out_superfluous_are_taken_out(rng):
    # Unit 1 moves most, but only on some items; 2 and 3 have one half of the items each.
    items, runner, labels = additive_half(rng, strong=[], units=16)
    clean, place = runner.clean(), np.arange(80)
    runner.effects[1] += np.where(place % 10 < 4, 4 * clean, 0)
    runner.effects[2] += np.where(place % 4 < 2, 1.5 * clean, 0)
    runner.effects[3] += np.where(place % 4 < 2, 0, 1.5 * clean)
    half = Half(items, runner, *labels, ("feminine", "masculine"))
    found = selection.sufficient(half, selection.rank(half, 16), Goals())
    assert set(found.units) == {2, 3}
    assert (found.steps["step"] == "drop").any()
    readings = half.run(np.stack([np.isin(np.arange(16), found.units)]), INTERCHANGE)
    assert half.flipped(readings).min() >= 0.95


def test_a_necessary_set_is_found_that_costs_nothing_elsewhere(rng):
    items, runner, labels = additive_half(rng, strong=[], units=16)
    runner.effects[1] += 2.4 * runner.clean()
    runner.effects[[4, 9]] += 1.3 * runner.clean()
    half = Half(items, runner, *labels, ("feminine", "masculine"))
    ranking = selection.rank(half, 16)
    assert selection.necessary(half, ranking, Goals()).units == (1,)
    spared = selection.necessary(half, ranking, Goals(), lambda sets: 5.0 * sets[:, 1])
    assert set(spared.units) == {4, 9}
    nothing = selection.necessary(half, ranking, Goals(), lambda sets: np.full(len(sets), 5.0))
    assert nothing.units == nothing.tried == ()
