"""What taking a unit out costs: the planted unit costs its own class, others cost nothing."""

import keras
import numpy as np
import pytest

import textgate as tg
from tests.unit_search.planted_models import classifier, texts

layers = keras.layers


def test_the_planted_unit_costs_its_class_and_no_other_unit_costs_anything():
    model = classifier("lstm", [11])
    base, source, table = texts(count=60)
    # Texts that say nothing have no right answer but the bias's.
    plain = base.copy()
    plain[:, 1] = 45
    model.layers[-1].bias.assign([1.0])
    x = np.concatenate([base, source, plain])
    y = np.repeat([1, 0, 1], 60)
    by = np.repeat(["yes", "no", "nothing"], 60)
    table = tg.ablation_effects(model, x, y, "rnn", by=by, kind="zero")
    assert list(dict.fromkeys(table["by"])) == ["all", "no", "nothing", "yes"]
    costs = table.set_index(["by", "units"])
    assert costs.loc[("no", "11"), "accuracy_lost"] == 1
    assert costs.loc[("no", "11"), "p_adjusted"] < 0.01
    assert costs.loc[("no", "11"), "low"] > 1
    assert abs(costs.loc[("nothing", "11"), "loss_added"]) < 0.2
    others = table[table["units"] != "11"]
    assert others["loss_added"].abs().max() < 1e-6
    assert (others["accuracy_lost"] == 0).all()


def test_losses_are_those_of_keras_step_by_step_and_padding_does_not_count():
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    x = layers.GRU(3, return_sequences=True, name="gru")(x)
    model = keras.Model(inputs, layers.Dense(5, activation="softmax")(x))
    random = np.random.default_rng(0)
    ids = random.integers(1, 9, (10, 6))
    ids[::2, 4:] = 0
    y = random.integers(0, 5, ids.shape)
    by = np.where(ids < 5, "low", "high")
    table = tg.ablation_effects(model, ids, y, "gru", by=by, sets=[[0, 2]])
    p = model.predict(ids, verbose=0).astype(np.float64)
    loss = -np.log(np.take_along_axis(p, y[..., None], axis=-1))[..., 0]
    for name, where in (("all", ids > 0), ("low", (ids > 0) & (ids < 5)), ("high", ids >= 5)):
        row = table[table["by"] == name].iloc[0]
        assert row["n"] == where.sum()
        assert row["loss"] == pytest.approx(loss[where].mean(), abs=1e-5)
        assert row["accuracy"] == pytest.approx((p.argmax(-1) == y)[where].mean())
    assert table["units"].unique().tolist() == ["0 2"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.ones(4)}, "`y` must be classes, whole numbers"),
        ({"y": np.full(4, 2)}, "from 0 to 1. Received: 2 to 2"),
        ({"y": np.ones((4, 2), int)}, r"here shape \(4,\). Received: shape \(4, 2\)"),
        ({"by": ["a"] * 3}, r"`by` must have a label for each of them, shape \(4,\)"),
        ({"groups": [1, 2]}, "`groups` must have a label for each of them"),
        ({"layer": "lstm"}, "no such recurrent layer"),
    ],
)
def test_what_a_user_can_get_wrong(change, message):
    model = classifier("gru", [1], size=4)
    arguments = {"x": np.ones((4, 3), int), "y": np.ones(4, int), "layer": "rnn", **change}
    with pytest.raises(ValueError, match=message):
        tg.ablation_effects(model, **arguments)
