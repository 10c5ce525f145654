"""A kind of intervention of one's own is a class with one method; all else follows from that."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import textgate as tg
from tests.interventions import models
from textgate.interventions import Contribution, Intervention, from_json, to_json

X = models.inputs()


class Halve(Intervention):
    """Halves a signal."""

    def contributions(self, target):
        return [Contribution(matrix=target.block(0.5 * np.eye(len(target.numbers))))]


@dataclass(frozen=True, eq=False, repr=False)
class Replace(Intervention):
    """Sets a signal to values of each example and step."""

    values: Any = field(kw_only=True)

    def contributions(self, target):
        def rows(start, size):
            return np.asarray(self.values)[start : start + size]

        return [Contribution(rows=rows, examples=len(self.values))]


def test_it_acts_as_it_says():
    model = models.model_of("lstm")
    halved = tg.intervene(model, [Halve("low", "cell_state", [0, 2], steps=slice(1, None))])
    same = tg.Affine("low", "cell_state", [0, 2], matrix=np.eye(2) / 2, steps=slice(1, None))
    np.testing.assert_array_equal(halved.predict(X), tg.intervene(model, [same]).predict(X))
    assert tg.trace(halved, X).attrs["interventions"] == (
        "Halve('low', 'cell_state', units=[0, 2], steps=slice(1, None))"
    )
    values = np.nan_to_num(tg.trace(halved, X)["low"]["cell_state"].values)
    replaced = tg.intervene(model, [Replace("low", "cell_state", values=values)])
    np.testing.assert_allclose(replaced.predict(X, batch_size=4), halved.predict(X), atol=1e-6)
    with pytest.raises(ValueError, match=r"Replace of 'low'.*6 examples for 4"):
        replaced.predict(X[:4])


def test_it_reads_compares_and_is_kept_like_the_others():
    one = Halve("low", "cell_state", [0, 2], subspace=[[1.0], [0.0]])
    assert repr(one) == (
        "Halve('low', 'cell_state', units=[0, 2], subspace=<2 × 1 numbers of norm 1>)"
    )
    again = from_json(one.to_json())
    assert again == one
    assert again != Halve("low", "cell_state", [0, 1], subspace=[[1.0], [0.0]])
    many = [one, Replace("low", "candidate", values=[[[1.0, 2.0]]])]
    assert from_json(to_json(many)) == many
    assert dataclasses.replace(one, units=[1, 2]).units == (1, 2)


def test_mistakes_are_named():
    class Idle(Intervention):
        pass

    with pytest.raises(NotImplementedError, match="Idle must say what it does"):
        tg.intervene(models.model_of("lstm"), [Idle("low", "candidate")])
    with pytest.raises(ValueError, match=r"Clamp in textgate.*Received: tests"):

        class Clamp(Intervention):
            pass

    assert from_json(tg.Clamp("low", "candidate", value=1.0).to_json()).value == 1
    with pytest.raises(ValueError, match=r"`matrix`. Received: Contribution"):
        Contribution()
