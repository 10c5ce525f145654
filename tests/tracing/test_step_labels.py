"""Labels of steps land on their steps, in memory and on disk, or are refused."""

import keras
import numpy as np
import pytest
import xarray as xr

import textgate as tg
from tests.tracing import kinds
from textgate.models import LanguageModel
from textgate.tokenizers import WordTokenizer


def labels_of(examples, time, random):
    codes = random.integers(0, 3, (examples, time))
    return {
        "quoted": codes == 1,
        "depth": codes,
        "tag": np.array(["N", "V", "the longest"])[codes],
        "column": random.normal(size=(examples, time)),
        "rare": np.where(codes == 2, None, codes),  # classes, where there are any
    }


@pytest.fixture(scope="module")
def model():
    return kinds.kind_of("functional_masked").model


def assert_there(node, given, steps=slice(None)):
    for name, values in given.items():
        found = node[name]
        assert found.dims == ("example", "time")
        if name == "rare":
            there = np.array([[v is not None for v in row] for row in values])
            np.testing.assert_array_equal(np.isnan(found.values), ~there[:, steps])
            values = np.where(there, values, np.nan).astype(float)
        np.testing.assert_array_equal(found.values, values[:, steps])
    kinds_of_labels = {name: node[name].attrs["label"] for name in given}
    assert kinds_of_labels == {
        "quoted": "bool", "depth": "int", "tag": "str", "column": "float", "rare": "int"
    }  # fmt: skip


@pytest.mark.parametrize("steps", [None, slice(1, 5, 2), [0, 3, 4]])
def test_every_node_has_them_in_memory_and_on_disk(model, rng, tmp_path, steps):
    ids = kinds.ids_with_gaps()
    given = labels_of(*ids.shape, rng)
    options = {"step_labels": given, "steps": steps, "labels": {"n": range(7)}}
    memory = tg.trace(model, ids, batch_size=3, **options)
    stored = tg.trace(model, ids, batch_size=2, to=tmp_path / "a.zarr", **options)
    saved = tg.tracing.save(memory, tmp_path / "b.zarr")
    for leaf in memory.leaves:
        for trace in (memory, stored, saved, tg.tracing.open(tmp_path / "b.zarr")):
            assert_there(trace[leaf.path], given, slice(None) if steps is None else steps)
            xr.testing.assert_identical(
                trace[leaf.path].to_dataset().coords.to_dataset().load(),
                leaf.to_dataset().coords.to_dataset(),
            )
    part = tg.tracing.save(memory.isel(example=[4, 1]), tmp_path / "part.zarr")
    np.testing.assert_array_equal(part["gru"]["tag"].values, memory["gru"]["tag"].values[[4, 1]])


@pytest.mark.tensorflow_only
def test_a_dataset_whose_batches_are_of_different_lengths(model, rng):
    import tensorflow as tf

    ids = kinds.ids_with_gaps()
    ids[:4, 4:] = 0
    given = labels_of(*ids.shape, rng)
    parts = [ids[:4, :4], ids[4:]]
    batches = tf.data.Dataset.from_generator(
        lambda: iter(parts), output_signature=tf.TensorSpec((None, None), tf.int32)
    )
    assert_there(tg.trace(model, batches, step_labels=given)["lstm"], given)
    for wrong in ((7, 5), (6, 6)):
        with pytest.raises(ValueError, match=rf"'depth'.*Received: shape \({wrong[0]}, {wrong[1]}"):
            tg.trace(model, batches, step_labels={"depth": np.ones(wrong, int)})


@pytest.mark.tensorflow_only
def test_labels_of_words_land_on_their_words(tmp_path):
    lm = LanguageModel(WordTokenizer(["she", "lost", "her", "way", "he"]), units=4, seed=0)
    texts = ["she lost her way", "he", "she lost nothing"]
    tags = [[word.upper() for word in text.split()] for text in texts]
    marked = [[word == "lost" for word in text.split()] for text in texts]
    square = [row + ["?"] * (4 - len(row)) for row in tags]  # padded as words are
    options = {"step_labels": {"tag": tags, "lost": marked, "square": square}, "batch_size": 2}
    for trace in (
        tg.trace(lm, texts, **options),
        tg.trace(lm, texts, to=tmp_path / "a.zarr", **options),
    ):
        node = trace["lstm"]
        words = node.token.values
        special = np.isin(words, ["<bos>", ""])
        expected = np.where(special, "", np.char.upper(words))
        np.testing.assert_array_equal(node.tag.values, expected)
        np.testing.assert_array_equal(node.square.values, expected)
        np.testing.assert_array_equal(node.lost.values, np.where(special, np.nan, words == "lost"))
        assert node.lost.attrs == {"label": "bool"}
    # As `token` is, a value for each step, is as good.
    whole = tg.trace(lm, texts, step_labels={"tag": expected})["lstm"]
    np.testing.assert_array_equal(whole.tag.values, expected)
    with pytest.raises(ValueError, match=r"'tag'.*text 2 has 3 words\. Received: 2 values"):
        tg.trace(lm, texts, step_labels={"tag": [["a"] * 4, ["a"], ["a"] * 2]})
    for wrong in (tags[:2], ["a", "b", "c"], 5):
        with pytest.raises(ValueError, match=r"'tag'.*the 3 texts\. Received: shape"):
            tg.trace(lm, texts, step_labels={"tag": wrong})


def two_lengths(source=5, target=3):
    a, b = keras.Input((source, 2), name="source"), keras.Input((target, 2), name="target")
    h = keras.layers.LSTM(3, name="encoder")(a)
    y = keras.layers.LSTM(3, return_sequences=True, name="decoder")(b, initial_state=[h, h])
    inputs = [np.ones((4, source, 2)), np.ones((4, target, 2))]
    return keras.Model([a, b], y), inputs


def test_each_layer_has_the_labels_of_its_own_steps(rng):
    model, inputs = two_lengths()
    long, short = rng.integers(0, 2, (4, 5)), rng.integers(0, 2, (4, 3))
    trace = tg.trace(model, inputs, step_labels={"word": long, "tag": short})
    np.testing.assert_array_equal(trace["encoder"].word.values, long)
    np.testing.assert_array_equal(trace["decoder"].tag.values, short)
    assert "tag" not in trace["encoder"].coords
    assert "word" not in trace["decoder"].coords
    by_layer = {"tag": {"encoder": long, "decoder": short}}
    trace = tg.trace(model, inputs, step_labels=by_layer)
    np.testing.assert_array_equal(trace["encoder"].tag.values, long)
    np.testing.assert_array_equal(trace["decoder"].tag.values, short)
    with pytest.raises(ValueError, match=r"'tag'.*\(4, 3\) or \(4, 5\)\. Received: shape \(4, 4\)"):
        tg.trace(model, inputs, step_labels={"tag": np.ones((4, 4), int)})
    with pytest.raises(ValueError, match=r"layer 'encoder': \(4, 5\)\. Received: shape \(4, 3\)"):
        tg.trace(model, inputs, step_labels={"tag": {"encoder": short}})


def test_labels_that_fit_two_inputs_are_not_guessed(rng):
    model, inputs = two_lengths(4, 4)
    tags = rng.integers(0, 2, (4, 4))
    with pytest.raises(ValueError, match=r"several inputs.*\{'tag': \{'encoder'.*Received: shape"):
        tg.trace(model, inputs, step_labels={"tag": tags})
    trace = tg.trace(model, inputs, step_labels={"tag": {"decoder": tags}})
    np.testing.assert_array_equal(trace["decoder"].tag.values, tags)
    assert "tag" not in trace["encoder"].coords


def test_both_directions_have_the_order_of_the_input(rng):
    kind = kinds.kind_of("bidirectional_concat")
    given = labels_of(*kind.inputs.shape, rng)
    trace = tg.trace(kind.model, kind.inputs, step_labels=given)
    for leaf in trace.leaves:
        assert_there(leaf, given)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.ones((7, 5), int), r"\(7, 6\)\. Received: shape \(7, 5\)"),
        (np.ones((6, 6), int), r"\(7, time\)\. Received: shape \(6, 6\)"),
        (np.ones(7), r"\(example, time\)\. Received: shape \(7,\)"),
        (np.ones((7, 6, 1)), r"\(example, time\)\. Received: shape \(7, 6, 1\)"),
        (3, r"Received: shape \(\)"),
        ([[1] * 6] * 6 + [[1] * 2], "padded where the inputs are. Received: rows of 2 to 6 values"),
        ([[1] * 5 + ["a"]] * 7, r"all of one kind. Received: \['int', 'str'\]"),
        ([[True] * 5 + [1]] * 7, r"Received: \['bool', 'int'\]"),
        (np.full((7, 6), 1j), r"Received: \['complex128'\]"),
        (np.full((7, 6), np.inf), "Received: 42 infinite"),
        ({"nothing": np.ones((7, 6))}, "Received: 'nothing'"),
    ],
)
def test_says_what_is_wrong(model, values, said):
    with pytest.raises(ValueError, match=f"{said}") as caught:
        tg.trace(model, kinds.ids_with_gaps(), step_labels={"tag": values})
    assert "\n" not in str(caught.value)
    if "nothing" not in said:
        assert "'tag'" in str(caught.value)


def test_names_and_kinds_of_arguments(model):
    ids = kinds.ids_with_gaps()
    for name in ("mask", "cell_state", "a/b", 3, "sex"):
        with pytest.raises(ValueError, match=r"name of its own.*Received"):
            tg.trace(model, ids, labels={"sex": [0] * 7}, step_labels={name: np.ones(ids.shape)})
    with pytest.raises(TypeError, match="Received: ndarray"):
        tg.trace(model, ids, step_labels=np.ones(ids.shape))


def test_nothing_is_left_where_a_label_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match="'tag'"):
        tg.trace(
            model,
            kinds.ids_with_gaps(),
            to=tmp_path / "a.zarr",
            step_labels={"tag": np.ones((7, 2))},
        )
    assert not list(tmp_path.iterdir())
