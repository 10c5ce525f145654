"""`Apply`: a function of a signal, inside the step."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import ops

import textgate as tg
from tests.interventions import models
from textgate.interventions import Contribution, Intervention, from_json, to_json

X = models.inputs()
CHOSEN = [2, 0]
KINDS = ["lstm", "gru"]


def squash(signal):
    """Return a function that mixes units, so that their order shows."""
    return 0.5 * ops.tanh(signal) - 0.25 * ops.flip(signal, axis=1)


def squashed(values):
    return 0.5 * np.tanh(values) - 0.25 * values[::-1]


@pytest.mark.parametrize("steps", [None, slice(1, 4, 2), "array"])
@pytest.mark.parametrize("layer", models.LAYERS)
@pytest.mark.parametrize("kind", KINDS)
def test_against_float64(kind, layer, steps):
    model = models.model_of(kind)
    signal = models.SIGNALS[kind][models.LAYERS.index(layer) % len(models.SIGNALS[kind])]
    if steps == "array":
        steps = np.random.default_rng(7).random((models.EXAMPLES, models.STEPS)) < 0.5
    where = models.chosen_steps(steps)

    def edit(name, found, n, t):
        if name == signal and where[n, t]:
            found = np.array(found)
            found[CHOSEN] = squashed(found[CHOSEN])
        return found

    signals, outputs = models.expected(model, X, {layer: edit})
    edited = tg.intervene(model, [tg.Apply(layer, signal, squash, units=CHOSEN, steps=steps)])
    trace = tg.trace(edited, X)
    for path in models.LAYERS:
        for name, values in signals[path].items():
            np.testing.assert_allclose(trace[path][name].values, values, atol=2e-6)
    np.testing.assert_allclose(edited.predict(X, batch_size=4), outputs, atol=2e-6)


@pytest.mark.law(4)
@pytest.mark.parametrize("kind", KINDS)
def test_the_identity_is_the_identity_and_zero_an_ablation(kind):
    model, state = models.model_of(kind), models.STATES[kind][0]
    predicted = tg.intervene(model, []).predict(X)
    same = tg.Apply("low", state, lambda s: s, steps=slice(1, None))
    np.testing.assert_allclose(tg.intervene(model, [same]).predict(X), predicted, atol=1e-6)
    zero = tg.Apply("both", state, ops.zeros_like, units=[1])
    ablated = tg.ZeroAblation("both", state, units=[1])
    np.testing.assert_array_equal(
        tg.intervene(model, [zero]).predict(X), tg.intervene(model, [ablated]).predict(X)
    )
    none = tg.Apply("low", state, squash, units=[])
    np.testing.assert_allclose(tg.intervene(model, [none]).predict(X), predicted, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_goes_along_with_the_others_in_order(kind):
    model = models.model_of(kind)
    halve = tg.Apply("low", "candidate", lambda s: s / 2)
    push = tg.Steer("low", "candidate", direction=np.ones(4))
    one, other = ([halve, push], [push, halve])
    same = tg.Affine("low", "candidate", matrix=np.eye(4) / 2, offset=1.0)
    expected = tg.intervene(model, [same]).predict(X)
    np.testing.assert_allclose(tg.intervene(model, one).predict(X), expected, atol=1e-6)
    assert not np.allclose(tg.intervene(model, other).predict(X), expected, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_subspace_and_a_derived_signal(kind):
    model = models.model_of(kind)
    direction = np.array([[0.6], [-0.8]])
    options = {"units": [0, 2], "subspace": direction}
    applied = tg.Apply("low", "writing", lambda s: 0.5 * s + 0.1, **options)
    mapped = tg.Affine("low", "writing", matrix=np.eye(2) / 2, offset=0.1, **options)
    np.testing.assert_allclose(
        tg.intervene(model, [applied]).predict(X),
        tg.intervene(model, [mapped]).predict(X),
        atol=1e-6,
    )


def test_compiled_and_within_a_compiled_function():
    model = models.built("lstm", eagerly=False, name="compiled")
    one = tg.intervene(model, [tg.Apply("low", "cell_state", squash, units=CHOSEN)])
    expected = tg.intervene(
        models.model_of("lstm"), [tg.Apply("low", "cell_state", squash, units=CHOSEN)]
    ).predict(X)
    np.testing.assert_allclose(one.predict(X, batch_size=2), expected, atol=1e-6)
    np.testing.assert_allclose(one.predict(X[:, :4], batch_size=2)[0], one(X[:1, :4])[0], atol=1e-6)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        np.testing.assert_allclose(tf.function(one)(X), expected, atol=1e-6)
    else:
        import jax

        np.testing.assert_allclose(jax.jit(one)(X), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda s: np.tanh(s), r"keras\.ops.*raises"),
        (lambda s: s if float(s[0, 0]) > 0 else -s, r"keras\.ops.*raises"),
        (lambda s: s[:, :1], r"shape \(batch, 2\).*Received: float32 of shape \(batch, 1\)"),
        (lambda s: ops.mean(s, axis=0, keepdims=True), r"float32 of shape \(1, 2\)"),
        (lambda s: ops.cast(s, "int32"), r"Received: int32 of shape \(batch, 2\)"),
        (lambda s: s > 0, "Received: bool"),
        (lambda s: 0.0, "full_like.*Received: float"),
        (lambda s: None, "Received: NoneType"),
        (lambda: 0.0, "raises TypeError"),
    ],
)
def test_a_function_that_does_not_fit(function, said):
    with pytest.raises(ValueError, match=rf"^Apply of 'low'.*{said}") as raised:
        tg.intervene(
            models.model_of("lstm"), [tg.Apply("low", "candidate", function, units=[0, 1])]
        )
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("function", [None, 0.5, "tanh", keras.layers.Dense])
def test_what_is_no_function(function):
    with pytest.raises(TypeError, match=r"`function` must take a signal.*Received: function="):
        tg.Apply("low", "candidate", function)


@keras.saving.register_keras_serializable("textgate_tests")
def halve(signal):
    return signal / 2


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Scale(Intervention):
    """Multiplies a signal."""

    factor: float = dataclasses.field(default=1.0, kw_only=True)

    def contributions(self, target):
        return [Contribution(function=lambda s: s * self.factor)]


def test_it_is_kept_if_it_is_registered_and_read_as_the_others():
    one = tg.Apply("low", "cell_state", halve, units=[1], steps=slice(0, 2))
    assert repr(one) == (
        "Apply('low', 'cell_state', units=[1], steps=slice(0, 2), function=<function halve>)"
    )
    assert json.loads(one.to_json())["function"] == {"registered": "textgate_tests>halve"}
    assert from_json(one.to_json()) == one
    with pytest.raises(ValueError, match=r"register_keras_serializable.*Received: Apply"):
        to_json([tg.Apply("low", "cell_state", lambda s: s)])
    with pytest.raises(ValueError, match=r"import the module.*'nobody>knows'"):
        from_json(one.to_json().replace("textgate_tests>halve", "nobody>knows"))
    scale = Scale("low", "cell_state", factor=0.5)
    assert from_json(scale.to_json()) == scale
    model = models.model_of("gru")
    with pytest.raises(ValueError, match="cell_state"):
        tg.intervene(model, [scale])
    np.testing.assert_allclose(
        tg.intervene(model, [dataclasses.replace(scale, signal="candidate")]).predict(X),
        tg.intervene(model, [dataclasses.replace(one, signal="candidate", units=None, steps=None)])
        .predict(X),
    )  # fmt: skip
