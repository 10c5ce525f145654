"""Which sets and which of their members are said to carry the feature."""

import numpy as np
import pandas as pd
import pytest

from tests.unit_search.test_null import Additive, additive, sample_of
from textgate.interchange import Units
from textgate.interchange.effects import INTERCHANGE
from textgate.unit_search import Goals
from textgate.unit_search._confirmation import (
    Confirmation,
    Confirmations,
    Judgement,
    confirm_each_unit,
    without_excess,
)
from textgate.unit_search._members import carriers, members
from textgate.unit_search._selection import Selection, Selections, rank_units

HOLDS, FAILS = Judgement(True, 0.001, 0.01), Judgement(False, 0.001, 0.01)


class OnlyTogether(Additive):
    """A model in which units 1 and 2 move the decision, but neither does without the other."""

    def run(self, sets, kind, reference=None, seed=0):
        together = (sets[:, 1] & sets[:, 2])[:, None]
        scale = 2.0 if kind == INTERCHANGE else 1.0
        return super().run(sets, kind) - scale * together * self._clean


def members_of(runner, labels, **sets):
    sample = sample_of(runner, labels)
    units = confirm_each_unit(sample, rank_units(sample), np.ones(runner.units))
    return members(sample, {name: Units(each) for name, each in sets.items()}, units, Goals())


@pytest.mark.law(6)
def test_a_unit_that_does_nothing_is_no_carrier(rng):
    runner, labels = additive(rng, strong=[7], units=16)
    table = members_of(runner, labels, sufficient=[7], necessary=[3, 7])
    assert carriers(table) == (7,)
    idle = table.set_index(["set", "unit"]).loc[("necessary", 3)]
    assert idle["p_adjusted"] > 0.05
    assert not idle["needed"]
    assert abs(idle["effect"]) < 0.05


@pytest.mark.law(6)
def test_units_that_only_work_together_carry_it_together(rng):
    runner, labels = additive(rng, strong=[], units=16)
    both = OnlyTogether(runner.items, runner.effects, runner.clean())
    table = members_of(both, labels, sufficient=[1, 2], necessary=[1, 2, 5])
    assert (table.loc[table["unit"] != 5, "p_adjusted"] > 0.05).all()
    assert carriers(table) == (1, 2)


def selected(*units, reached=True):
    return Selection(Units(units), reached, pd.DataFrame({"unit": units}))


def confirmation(sufficient, necessary, *units):
    table = pd.DataFrame({"units": [str(Units(units))]})
    judgements = {"sufficient": sufficient, "necessary": necessary}
    return Confirmation(table, table, table, judgements)


@pytest.mark.parametrize(
    ("first", "necessary", "expected"),
    [
        ((HOLDS, HOLDS), selected(3, 5, 8), (3, 5)),
        ((HOLDS, HOLDS), selected(1, 4, 6, 8, reached=False), (3, 5)),
        ((HOLDS, HOLDS), selected(5), (5,)),
        ((HOLDS, HOLDS), selected(5, 3), (5, 3)),
        ((HOLDS, FAILS), selected(3, 5, 8), (3, 5, 8)),
        ((FAILS, HOLDS), selected(3, 5, 8), (3, 5, 8)),
    ],
)
def test_a_set_that_is_both_leaves_no_larger_necessary_one(first, necessary, expected):
    selections = Selections(selected(3, 5), necessary, None, ())
    sets = {
        "sufficient": confirmation(*first, 3, 5),
        "necessary": confirmation(HOLDS, HOLDS, *necessary.units),
    }
    nothing = pd.DataFrame()
    chosen, confirmed = without_excess(selections, Confirmations(sets, (), nothing, nothing))
    assert chosen.necessary.units == expected
    assert chosen.necessary.reached
    rows = confirmed.sets["necessary"].interventions
    assert rows["units"].tolist() == [str(Units(expected))]
