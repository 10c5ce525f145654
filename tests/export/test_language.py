"""What a served language model says is what it says in Python."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

import textgate as tg
from tests import reference
from tests.export.conftest import TEXTS, exported
from textgate.export._language import pronoun_forms

TEXT = tf.constant(TEXTS)
EVERYWHERE = tf.constant([], tf.int32)


def words(tensor):
    return [[word.decode() for word in row] for row in tensor.numpy().tolist()]


def call(model, name, **arguments):
    """Call a signature, whose arguments and outputs have names."""
    return model.loaded.signatures[name](**arguments)


def test_gates_are_those_of_a_trace(model):
    found = call(model, "gates", text=TEXT)
    trace = tg.trace(model.lm, TEXTS)
    nodes = {leaf.path.strip("/"): leaf.to_dataset() for leaf in trace.leaves}
    expected = {f"{path}/{name}": node[name] for path, node in nodes.items() for name in node}
    assert set(found) == {"tokens", "lengths", "unknown", *expected}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], np.nan_to_num(values), rtol=0, atol=1e-5)
    assert np.ptp(found["lengths"]) > 0  # there is padding, which the trace has as NaN
    node = next(iter(nodes.values()))
    assert words(found["tokens"]) == node["token"].values.tolist()
    assert found["lengths"].numpy().tolist() == node["mask"].values.sum(1).tolist()
    assert found["unknown"].numpy().tolist() == [0, 0, 1, 3, 0]


def test_score_is_token_logprobs(model):
    found = call(model, "score", text=TEXT)
    expected = model.lm.token_logprobs(TEXTS)
    np.testing.assert_allclose(found["token_logprobs"], np.nan_to_num(expected), atol=1e-5)
    np.testing.assert_allclose(found["sentence_logprobs"], np.nansum(expected, axis=1), atol=1e-5)
    assert words(found["tokens"]) == model.lm.tokens(TEXTS).tolist()
    assert found["unknown"].numpy().tolist() == [0, 0, 1, 3, 0]


def test_score_in_several_parts(lstm, rng):
    vocabulary = lstm.lm.tokenizer.vocabulary[4:]
    texts = [" ".join(rng.choice(vocabulary, size)) for size in (700, 4, 611)]
    found = call(lstm, "score", text=tf.constant(texts))["token_logprobs"]
    np.testing.assert_allclose(found, np.nan_to_num(lstm.lm.token_logprobs(texts)), atol=1e-5)


def test_serve_gives_the_likeliest_words(model):
    expected = np.exp(model.lm.next_logprobs(TEXTS))
    for k in (1, 3, len(model.lm.tokenizer)):
        found = call(model, "serve", text=TEXT, k=tf.constant(k))
        order = np.argsort(-expected, axis=1, kind="stable")[:, :k]
        np.testing.assert_allclose(
            found["probabilities"], np.take_along_axis(expected, order, 1), atol=1e-5
        )
        assert words(found["words"]) == [model.lm.tokenizer.ids_to_tokens(row) for row in order]
    best = call(model, "serving_default", text=TEXT)
    assert words(best["words"]) == [row[:10] for row in words(found["words"])]


def test_pronouns_are_sums_over_the_next_word(model):
    found = call(model, "pronouns", text=TEXT)
    vocabulary = model.lm.tokenizer.vocabulary
    probabilities = np.exp(model.lm.next_logprobs(TEXTS).astype("float64"))
    forms, of_form = words(found["forms"]), words(found["form_classes"])
    assert all(row == forms[0] for row in forms)
    assert {"she", "hers"} & set(forms[0]) == {"hers"}  # only what the vocabulary has
    assert forms[0][:4] == ["her", "herself", "hers", "She"]
    ids = [vocabulary.index(form) for form in forms[0]]
    np.testing.assert_allclose(found["form_probabilities"], probabilities[:, ids], atol=1e-5)
    for column, name in enumerate(words(found["classes"])[0]):
        members = [at for at, of in zip(ids, of_form[0], strict=True) if of == name]
        np.testing.assert_allclose(
            found["class_probabilities"][:, column], probabilities[:, members].sum(1), atol=1e-5
        )
    assert words(found["classes"])[0] == ["feminine", "masculine", "neuter", "they"]


def test_a_class_without_a_known_form_is_not_there():
    assert pronoun_forms(("<unk>", "dog", "hers")) == [("hers", "feminine")]
    assert pronoun_forms(("<unk>",)) == []


def edited_reference(lm, text, layer, signal, units, value, steps):
    """Next words' probabilities under a clamp, in float64 NumPy."""
    ids = np.array(lm.encode([text]))

    def edit(path):
        def change(name, values, example, step):
            values = np.array(values)
            inside = not len(steps) or steps[0] <= step < steps[1]
            if inside and (path, name) == (layer, signal):
                values[units] = value
            return values

        return change

    x = np.asarray(lm.get_layer("embedding").embeddings)[ids]
    for recurrent in lm.recurrent_layers:
        kernel, recurrent_kernel, bias = recurrent.get_weights()
        kind = lm.cell
        signals, _ = reference.run(
            kind, x, kernel, recurrent_kernel, bias, edit=edit(recurrent.name)
        )
        x = signals["hidden_state"]
    if lm.tied:
        (projection,) = lm.get_layer("projection").get_weights()
        logits = x[0, -1] @ projection @ np.asarray(lm.get_layer("embedding").embeddings).T
    else:
        kernel, bias = lm.get_layer("output").get_weights()
        logits = x[0, -1] @ kernel + bias
    probabilities = np.exp(logits - logits.max())
    return probabilities / probabilities.sum()


@pytest.mark.parametrize("steps", [[], [1, 3], [2, 1000]])
def test_edit_holds_units_of_any_signal(model, steps):
    vocabulary = model.lm.tokenizer.vocabulary
    plain = call(model, "pronouns", text=TEXT)["form_probabilities"].numpy()
    for layer in model.lm.recurrent_layers:
        for signal in layer.spec.cell.signals:
            arguments = {"layer": layer.name, "signal": signal, "units": [0, 3], "value": 0.75}
            found = call(
                model,
                "edit",
                text=TEXT,
                steps=tf.constant(steps, tf.int32),
                **{name: tf.constant(given) for name, given in arguments.items()},
            )
            ids = [vocabulary.index(form) for form in words(found["forms"])[0]]
            expected = np.array(
                [edited_reference(model.lm, text, steps=steps, **arguments)[ids] for text in TEXTS]
            )
            np.testing.assert_allclose(found["form_probabilities"], expected, rtol=0, atol=1e-5)
            assert np.abs(expected - plain).max() > 1e-3  # it does something


@pytest.mark.parametrize("signal", ["hidden_state", "retention", "writing"])
def test_an_intervention_survives_export(model, signal):
    layer = model.lm.recurrent_layers[-1].name
    clamp = tg.interventions.Clamp(layer, signal, units=[1, 2], value=0.25, steps=slice(1, 4))
    edited = tg.intervene(model.lm, [clamp])
    found = model.loaded.edit(TEXT, layer, signal, [1, 2], 0.25, [1, 4])
    vocabulary = model.lm.tokenizer.vocabulary
    ids = [vocabulary.index(form) for form in words(found["forms"])[0]]
    expected = np.exp(edited.next_logprobs(TEXTS))[:, ids]
    np.testing.assert_allclose(found["form_probabilities"], expected, rtol=0, atol=1e-5)


def test_several_edits_at_once_and_the_next_words(model):
    first, last = model.lm.recurrent_layers[0].name, model.lm.recurrent_layers[-1].name
    clamps = [
        tg.Clamp(first, "hidden_state", units=[0, 3], value=0.7, steps=slice(1, 3)),
        tg.Clamp(last, "candidate", units=[2], value=-0.5),
        tg.Clamp(last, "retention", units=[1], value=0.25, steps=slice(2, None)),
        tg.Clamp(
            first, "hidden_state", units=[3], value=-0.2, steps=slice(2, 4)
        ),  # of two the last
    ]
    found = model.loaded.edit(
        TEXT,
        layer=[first, last, last, first],
        signal=["hidden_state", "candidate", "retention", "hidden_state"],
        units=[[0, 3], [2, -1], [-1, 1], [3, 3]],
        value=[0.7, -0.5, 0.25, -0.2],
        steps=[[1, 3], [0, 99], [2, 99], [2, 4]],
    )
    expected = np.exp(tg.intervene(model.lm, clamps).next_logprobs(TEXTS))
    assert np.abs(expected - np.exp(model.lm.next_logprobs(TEXTS))).max() > 1e-3
    vocabulary = model.lm.tokenizer.vocabulary
    ids = [vocabulary.index(form) for form in words(found["forms"])[0]]
    np.testing.assert_allclose(found["form_probabilities"], expected[:, ids], atol=1e-5)
    np.testing.assert_allclose(found["probabilities"], -np.sort(-expected, 1)[:, :10], atol=1e-5)
    for row, line in enumerate(words(found["words"])):
        of_words = expected[row, [vocabulary.index(word) for word in line]]
        np.testing.assert_allclose(of_words, found["probabilities"][row], atol=1e-5)


def test_one_pair_of_steps_is_for_all_edits(lstm):
    def edit(steps):
        layer, signal = ["lstm", "lstm_1"], ["cell_state", "cell_state"]
        return lstm.loaded.edit(TEXT, layer, signal, [[0], [1]], [0.5, 0.6], steps)["probabilities"]

    np.testing.assert_array_equal(edit([1, 3]), edit([[1, 3], [1, 3]]))
    np.testing.assert_array_equal(edit(EVERYWHERE), edit([0, 99]))


def test_derived_signals_are_edited_by_what_they_follow_from(gru):
    def edit(signal, value):
        return gru.loaded.edit(
            TEXT, "gru", signal, tf.constant([1]), tf.constant(value), EVERYWHERE
        )["form_probabilities"]

    np.testing.assert_allclose(edit("writing", 0.2), edit("update_gate", 0.8), atol=1e-6)
    np.testing.assert_allclose(edit("retention", 0.3), edit("update_gate", 0.3), atol=1e-6)


@pytest.mark.parametrize("texts", [[], [""], ["", ""]])
def test_nothing_is_something_to_read(model, texts):
    text = tf.constant(texts, tf.string, (len(texts),))
    shape = (len(texts), 1)
    gates = call(model, "gates", text=text)
    assert gates["tokens"].shape == shape
    assert all(v.shape[:2] == shape for name, v in gates.items() if "/" in name)
    score = call(model, "score", text=text)
    assert score["token_logprobs"].shape == shape
    assert not np.any(score["sentence_logprobs"])
    assert call(model, "serve", text=text, k=tf.constant(2))["words"].shape == (len(texts), 2)
    layer = model.lm.recurrent_layers[0].name
    edit = model.loaded.edit(text, layer, "hidden_state", [0], 0.0, EVERYWHERE)
    pronouns = call(model, "pronouns", text=text)
    for found in (edit, pronouns):
        assert {v.shape[0] for v in found.values()} == {len(texts)}
    expected = np.exp(model.lm.next_logprobs(texts))
    default = call(model, "serving_default", text=text)["probabilities"]
    np.testing.assert_allclose(default, -np.sort(-expected, 1)[:, :10], atol=1e-5)


def test_padding_and_neighbours_change_nothing(model):
    together = call(model, "gates", text=TEXT)
    for row, text in enumerate(TEXTS):
        alone = call(model, "gates", text=tf.constant([text]))
        for name, values in alone.items():
            if "/" in name:
                np.testing.assert_allclose(
                    together[name][row, : values.shape[1]], values[0], atol=1e-6
                )


@pytest.mark.parametrize("name", ["serve", "score", "pronouns", "gates", "edit"])
def test_a_text_without_a_known_word_has_no_answer_and_leaves_the_others_theirs(lstm, name):
    given = EDIT if name == "edit" else {"k": 3} if name == "serve" else {}
    kinds = {"k": tf.int32, "units": tf.int32, "steps": tf.int32, "value": tf.float32}
    tensors = {key: tf.constant(value, kinds.get(key, tf.string)) for key, value in given.items()}
    found = call(lstm, name, text=tf.constant(["She came", "Zorblax Q", ""]), **tensors)
    without = call(lstm, name, text=tf.constant(["She came", "She came", ""]), **tensors)
    assert found["unknown"][1] == 2
    for key, values in found.items():
        if values.dtype == tf.float32:
            assert np.isnan(values[1]).all(), key
            for row in (0, 2):
                np.testing.assert_allclose(values[row], without[key][row], atol=1e-6, err_msg=key)
    if name == "serve":
        assert found["words"].numpy()[1].tolist() == [b""] * 3


MEGABYTES = "She came out . " * 140_000
EDIT = {"layer": "lstm", "signal": "forget_gate", "units": [1], "value": 1.0, "steps": [0, 2]}

TWO = {
    "layer": ["lstm", "lstm_1"],
    "signal": ["forget_gate", "cell_state"],
    "units": [[1], [2]],
    "value": [1.0, 0.5],
    "steps": [0, 2],
}


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("gates", {"text": [MEGABYTES]}, r"at most 65536 bytes; cut it.*Received:.*2100000"),
        ("score", {"text": ["She " * 8000] * 150}, r"at most 4194304 bytes in all.*Received:"),
        ("gates", {"text": ["a " * 30_000, *[""] * 200]}, r"too many, or too long.*Received:"),
        ("pronouns", {"text": ["She", b"caf\xe9"]}, r"not valid UTF-8; decode it.*Received:"),
        ("pronouns", {"text": ["She", "Zorblax, Q"]}, None),
        ("pronouns", {"text": ["Zorblax", "Zorblax Q"]}, r"knows no word of a text.*write <unk>"),
        ("gates", {"text": ["Zorblax Q"]}, r"knows no word of a text.*Received:.*Zorblax Q"),
        ("serve", {"k": 0}, r"`k` must be from 1 to 30.*Received:.*0"),
        ("serve", {"k": 31}, r"`k` must be from 1 to 30.*Received:.*31"),
        ("edit", {**EDIT, "layer": "lstm_2"}, r"no such recurrent layer.*lstm, lstm_1.*lstm_2"),
        ("edit", {**EDIT, "signal": "update_gate"}, r"no such signal.*forget_gate.*update_gate"),
        ("edit", {**EDIT, "units": [0, 5]}, r"number of a unit of the layer.*\[0 5\].*\[4\]"),
        ("edit", {**EDIT, "layer": "lstm_1", "units": [4]}, r"a unit of the layer.*\[3\]"),
        ("edit", {**EDIT, "units": [-1]}, r"number of a unit of the layer.*Received:.*-1"),
        ("edit", {**EDIT, "units": []}, r"at least one number of a unit"),
        ("edit", {**EDIT, "value": np.nan}, r"finite number.*nan"),
        ("edit", {**EDIT, "steps": [1]}, r"must be \[begin, end\]"),
        ("edit", {**EDIT, "steps": [1, 2, 3]}, r"must be \[begin, end\]"),
        ("edit", {**EDIT, "steps": [2, 2]}, r"0 <= begin < end"),
        ("edit", {**EDIT, "steps": [-1, 2]}, r"0 <= begin < end"),
        ("edit", {**EDIT, "steps": [2, 9]}, r"begin within the longest text.*\[2\]"),
        ("edit", {**EDIT, "value": [1.0, 2.0]}, r"one of each, or as many.*\[1 1 2\]"),
        ("edit", {**TWO, "layer": ["lstm", "gru"]}, r"no such recurrent layer.*gru"),
        ("edit", {**TWO, "units": [1, 2]}, r"must have a row for each"),
        ("edit", {**TWO, "units": [[1], [4]]}, r"a unit of the layer.*\[4 3\]"),
        ("edit", {**TWO, "units": [[1], [-1]]}, r"at least one number of a unit"),
        ("edit", {**TWO, "steps": [[0, 1], [1, 2], [0, 1]]}, r"must be \[begin, end\]"),
    ],
)
def test_mistakes_are_errors_with_our_message(lstm, name, given, said):
    kinds = {"k": tf.int32, "units": tf.int32, "steps": tf.int32, "value": tf.float32}
    given = {"text": ["She"], **given}
    tensors = {key: tf.constant(value, kinds.get(key, tf.string)) for key, value in given.items()}
    if said is None:  # a known mark of punctuation is a known word
        call(lstm, name, **tensors)
        return
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"(?s){said}"):
        call(lstm, name, **tensors)
    # Nothing is left over from a failed call.
    assert call(lstm, "pronouns", text=tf.constant(["She"]))["classes"].shape == (1, 4)


def test_concurrent_calls_give_the_same(lstm):
    rng = np.random.default_rng(0)
    batches = [
        tf.constant([TEXTS[at] for at in rng.integers(0, len(TEXTS), size)])
        for size in rng.integers(1, 9, 40)
    ]

    def everything(text):
        edit = lstm.loaded.edit(text, "lstm_1", "cell_state", [1, 2], 0.5, EVERYWHERE)
        return [
            *(values.numpy() for _, values in sorted(call(lstm, "gates", text=text).items())),
            call(lstm, "score", text=text)["token_logprobs"].numpy(),
            edit["class_probabilities"].numpy(),
        ]

    alone = [everything(text) for text in batches]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(everything, batches))
    for one, other in zip(alone, together, strict=True):
        for a, b in zip(one, other, strict=True):
            if a.dtype == object:
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


def test_a_model_without_gates_has_the_other_endpoints(directory):
    average = exported(directory, "average", (5,))
    names = {"serving_default", "serve", "score", "pronouns", "describe"}
    assert set(average.loaded.signatures) == names
    found = call(average, "score", text=TEXT)["token_logprobs"]
    np.testing.assert_allclose(found, np.nan_to_num(average.lm.token_logprobs(TEXTS)), atol=1e-5)
    assert "no recurrent layers" in call(average, "describe")["description"].numpy().decode()


def test_it_describes_itself(model):
    told = call(model, "describe")["description"].numpy().decode()
    for part in ("serve(text, k)", "edit(text, layer, signal, units, value, steps)", "65536"):
        assert part in told
    for layer in model.lm.recurrent_layers:
        assert f"{layer.name}: {model.lm.cell}, {layer.units} units" in told
    assert tg.tracing.fingerprint(model.lm) in told
    assert max(map(len, told.splitlines())) <= 100


def test_gradients_are_those_of_the_operations(lstm):
    """No custom gradient is left in the graph: it would be a warning at every load."""
    graph = lstm.loaded.signatures["gates"].graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    assert not any("_gradient_op_type" in node.attr for node in nodes)
