"""The models that the repository ships say what today's code says of the same weights.

Each is loaded twice: as a SavedModel, whose graphs were made when it was exported, and as the
language model that it was made of, which today's code computes.
"""

from pathlib import Path

import keras
import numpy as np
import pytest

import textgate as tg

SHIPPED = Path(__file__).parents[2] / "saved_models"
TEXTS = [
    "She came out and played with",
    "The actress that the boys met yesterday hurt",
    "My brother, whom the girl didn't like, lost",
    "Every girl said that the company had sold",
    "",
    "Zorblax said: \u201cIt's the 3,000th time!\u201d",
]

pytestmark = pytest.mark.skipif(
    not SHIPPED.is_dir() or keras.backend.backend() != "tensorflow",
    reason="needs the shipped models, and TensorFlow",
)


MODELS = ["gru", "lstm", "novels"]


@pytest.fixture(scope="module", params=MODELS)
def both(request):
    import tensorflow as tf

    path = SHIPPED / request.param
    return tf.saved_model.load(str(path)), tg.export.restore(path)


def test_their_outputs_are_those_of_todays_code(both):
    import tensorflow as tf

    loaded, lm = both
    text = tf.constant(TEXTS)
    trace = tg.trace(lm, TEXTS)
    gates = loaded.signatures["gates"](text=text)
    nodes = {leaf.path.strip("/"): leaf.to_dataset() for leaf in trace.leaves}
    assert {name.partition("/")[0] for name in gates if "/" in name} == set(nodes)
    for path, node in nodes.items():
        for name in node:
            expected = np.nan_to_num(node[name].values)
            np.testing.assert_allclose(gates[f"{path}/{name}"], expected, rtol=0, atol=1e-5)
    score = loaded.signatures["score"](text=text)
    expected = np.nan_to_num(lm.token_logprobs(TEXTS))
    np.testing.assert_allclose(score["token_logprobs"], expected, rtol=1e-5, atol=1e-5)
    pronouns = loaded.signatures["pronouns"](text=text)
    forms = [form.decode() for form in pronouns["forms"].numpy()[0]]
    probabilities = np.exp(lm.next_logprobs(TEXTS))
    ids = [lm.tokenizer.vocabulary.index(form) for form in forms]
    np.testing.assert_allclose(pronouns["form_probabilities"], probabilities[:, ids], atol=1e-5)
    names = {name.decode() for name in pronouns["classes"].numpy()[0]}
    assert names == {"feminine", "masculine", "neuter", "they"}


def test_their_interventions_are_those_of_todays_code(both):
    import tensorflow as tf

    loaded, lm = both
    layer = lm.recurrent_layers[0].name
    found = loaded.signatures["edit"](
        text=tf.constant(TEXTS),
        layer=tf.constant(layer),
        signal=tf.constant("hidden_state"),
        units=tf.constant([3, 17]),
        value=tf.constant(0.5),
        steps=tf.constant([2, 64]),
    )
    clamp = tg.interventions.Clamp(
        layer, "hidden_state", units=[3, 17], value=0.5, steps=slice(2, 64)
    )
    forms = [form.decode() for form in found["forms"].numpy()[0]]
    ids = [lm.tokenizer.vocabulary.index(form) for form in forms]
    expected = np.exp(tg.intervene(lm, [clamp]).next_logprobs(TEXTS))[:, ids]
    np.testing.assert_allclose(found["form_probabilities"], expected, rtol=0, atol=1e-5)
    likeliest = tg.intervene(lm, [clamp]).next_words(TEXTS[0])
    np.testing.assert_allclose(found["probabilities"][0], likeliest["probability"], atol=1e-5)


def test_they_know_the_task(both):
    """Not a measurement, which is in the card: only that these are the trained models."""
    import tensorflow as tf

    prefixes = ["The actress lost", "My brother lost", "She hurt", "He hurt"]
    found = both[0].signatures["pronouns"](text=tf.constant(prefixes))
    she, he, *_ = found["class_probabilities"].numpy().T
    assert (she > he).tolist() == [True, False, True, False]


@pytest.mark.parametrize("name", MODELS)
def test_they_have_their_cards(name):
    card = (SHIPPED / name / "README.md").read_text(encoding="utf-8")
    assert "textgate train" in card
    assert "| test |" in card
