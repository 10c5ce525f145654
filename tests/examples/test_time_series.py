"""An example: a stateful network that reads numbers, and the units that are its switch.

A pulse turns a machine on (+1) or off (−1), and it stays so until the next one: a flip-flop
(Sussillo & Barak 2013). The network reads a noisy recording and says at each step whether the
machine is on.
"""

import keras
import numpy as np
import pandas as pd
import pytest

import textgate as tg

pytestmark = pytest.mark.tensorflow_only
layers = keras.layers


def recordings(count=320, time=20, seed=0):
    """Recordings with pulses, the same with the last pulse the other way, and the state by step."""
    random = np.random.default_rng(seed)
    pulses = random.choice([-1.0, 1.0], (count, time)) * (random.random((count, time)) < 0.2)
    pulses[:, 0] = random.choice([-1.0, 1.0], count)
    since = np.maximum.accumulate(np.where(pulses, np.arange(time), 0), axis=1)
    state = np.take_along_axis(pulses, since, axis=1)
    noise = random.normal(0, 0.1, (count, time))
    other = pulses.copy()
    other[np.arange(count), since[:, -1]] *= -1
    x, other, state = (part[..., None].astype("float32") for part in (pulses, other, state))
    return x + noise[..., None], other + noise[..., None], state


def test_the_units_that_are_the_switch():
    keras.utils.set_random_seed(0)
    x, other, state = recordings()
    table = pd.DataFrame({"recording": np.arange(len(x))})

    # What a user writes.
    model = keras.Sequential([
        keras.Input(batch_shape=(32, 20, 1)),
        layers.GRU(16, stateful=True, return_sequences=True, name="gru"),
        layers.Dense(1),
    ])  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "mse")
    model.fit(x, state, batch_size=32, epochs=20, verbose=0)
    is_on = (state[:, -1, 0] > 0).astype(int)
    items = tg.contrasts(
        model, base=x, source=other, readout=lambda outputs: outputs[:, -1, 0],
        good=is_on, bad=1 - is_on, table=table, groups="recording", feature="being on",
    )  # fmt: skip
    finding = tg.find_units(model, items, items=160, controls=19, data=(x, state))
    print(finding.summary())

    # Training decides in which units it comes to lie: few of them, or a direction over many.
    assert finding.sufficient or finding.direction_rank == 1
    added = finding.tables["loss"].set_index(["set", "intervention"])["added"]
    assert added["sufficient", "mean"] > added["random, as many as sufficient", "mean"] > 0
