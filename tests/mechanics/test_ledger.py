"""Parts and ledger: exact sums on random weights, both cells, gaps, initial states, directions.

The reference follows the entries word by word, in the order of reading, from the signals that the
float64 NumPy recurrence gives; nothing of it is shared with textgate.
"""

import functools

import keras
import numpy as np
import pytest

import textgate as tg
from tests.tracing.kinds import kind_of
from textgate import mechanics

pytestmark = pytest.mark.tensorflow_only

# (kind of model, node, which state is the memory, whether it reads backwards)
NODES = [
    ("bidirectional_concat", "both/forward_lstm", "cell_state", False),
    ("bidirectional_concat", "both/backward_lstm", "cell_state", True),
    ("bidirectional_concat", "top", "hidden_state", False),  # a GRU, with gaps
    ("several_inputs", "decoder", "cell_state", False),  # initial states
    ("initial_states", "gru", "hidden_state", False),  # initial states and gaps
    ("initial_states", "simple", "hidden_state", True),
]


@functools.cache
def traced(kind):
    found = kind_of(kind)
    return tg.trace(found.model, found.inputs), found.expected(found.inputs)


def node_and_reference(kind, path):
    trace, expected = traced(kind)
    return trace[path].to_dataset(), expected[path]


def entries_word_by_word(reference, memory, backwards, example, unit):
    """{step: ({source: entry}, the initial state's share)}, by going along."""
    number = len(reference["initial"]) - 1  # the LSTM's cell state is its second state
    share = reference["initial"][number][example, unit]
    candidate = reference.get("candidate", reference[memory])
    entries, found = {}, {}
    length = candidate.shape[1]
    for t in reversed(range(length)) if backwards else range(length):
        if np.isfinite(reference[memory][example, t, unit]):
            kept = reference["retention"][example, t, unit]
            entries = {source: kept * amount for source, amount in entries.items()}
            share = kept * share
            written = reference["writing"][example, t, unit] * candidate[example, t, unit]
            entries[t] = written
        found[t] = (dict(entries), share)
    return found


@pytest.mark.parametrize(("kind", "path", "memory", "backwards"), NODES)
def test_the_parts_sum_to_the_state(kind, path, memory, backwards):
    node, reference = node_and_reference(kind, path)
    parts = mechanics.retained_and_written(node)
    total = parts["retained"] + parts["written"]
    np.testing.assert_allclose(total.values, node[memory].values, atol=1e-5)
    candidate = reference.get("candidate", reference[memory])
    np.testing.assert_allclose(parts["written"], reference["writing"] * candidate, atol=1e-5)
    assert np.array_equal(np.isnan(parts["retained"].values[..., 0]), ~node["mask"].values)


@pytest.mark.parametrize(("kind", "path", "memory", "backwards"), NODES)
def test_every_entry_and_the_sum_at_every_step(kind, path, memory, backwards):
    node, reference = node_and_reference(kind, path)
    examples, length, units = node[memory].shape
    for step in range(length):
        found = mechanics.ledger(node, step)
        np.testing.assert_allclose(
            found.entry.sum("source") + found.initial, found.state, atol=1e-5
        )
        read = node["mask"].values[:, step]
        np.testing.assert_allclose(found.state.values[read], node[memory].values[read, step])
        for example in range(examples):
            for unit in range(units):
                walked = entries_word_by_word(reference, memory, backwards, example, unit)
                entries, share = walked[step]
                expected = np.zeros(length)
                expected[[*entries]] = [*entries.values()]
                np.testing.assert_allclose(found.entry[example, :, unit], expected, atol=1e-5)
                np.testing.assert_allclose(found.initial[example, unit], share, atol=1e-5)
            assert set(np.flatnonzero(found.mask[example])) == set(entries)


def test_kept_is_the_product_of_the_gates_since():
    node, _ = node_and_reference("several_inputs", "decoder")
    gate = node["forget_gate"].values.astype("float64")
    found = mechanics.ledger(node, 3, units=[2, 0])
    assert found.unit.values.tolist() == [2, 0]
    np.testing.assert_allclose(found.kept[:, 1], gate[:, 2:4, [2, 0]].prod(axis=1))
    np.testing.assert_array_equal(found.kept[:, 3], 1)


@pytest.mark.parametrize(("kind", "path", "memory", "backwards"), NODES[:2])
def test_the_last_step_read_is_the_default(kind, path, memory, backwards):
    node, _ = node_and_reference(kind, path)
    found = mechanics.ledger(node)
    for example, mask in enumerate(node["mask"].values):
        if mask.any():
            steps = np.flatnonzero(mask)
            assert int(found.step[example]) == (steps[0] if backwards else steps[-1])
            assert found.mask.values[example].sum() == mask.sum()
        else:  # nothing read: the initial state, whole
            np.testing.assert_array_equal(found.initial[example], found.state[example])
            assert not found.entry.values[example].any()


@pytest.mark.parametrize(("kind", "path", "memory", "backwards"), NODES[:3])
def test_the_running_ledger_has_the_same_rows(kind, path, memory, backwards):
    node, _ = node_and_reference(kind, path)
    running = mechanics.running_ledger(node, unit=1, example=4)
    for row, step in enumerate(running.step.values):
        one = mechanics.ledger(node.isel(example=4), int(step), units=1)
        expected = one.entry.sel(source=running.source.values).values[0, :, 0]
        np.testing.assert_allclose(running.entry[row], expected, atol=1e-12)
        np.testing.assert_allclose(running.initial[row], one.initial[0, 0], atol=1e-12)


@pytest.fixture(scope="module")
def small():
    """One sentence of five words with a gap, in both directions, by hand-set words."""
    layer = keras.layers.LSTM(3, return_sequences=True, name="lstm")
    model = keras.Sequential([keras.Input((None, 2)), keras.layers.Masking(), layer])
    x = np.random.default_rng(0).normal(size=(2, 5, 2))
    x[0, 2] = 0
    words = [["she", "saw", "", "her", "dog"], ["Her", "dog", "saw", "her", "again"]]
    return tg.trace(model, x, tokens=words)["lstm"].to_dataset()


def test_the_table_and_the_sentences_say_which_word(small):
    found = mechanics.ledger(small, word="HER", units=[1])
    assert found.step.values.tolist() == [3, 3]
    table = mechanics.ledger_table(found)
    first = table[table.example == 0]
    assert set(first.source_word) == {"she", "saw", "her", "(initial state)"}
    assert (first.entry.abs().diff().dropna() <= 0).all()
    np.testing.assert_allclose(first.entry.sum(), first.state, atol=1e-5)
    sentence = mechanics.ledger_sentences(found, top=1).sentence[0]
    largest = first.iloc[0]
    number = f"{largest.entry:.2f}".replace("-", "−")
    assert sentence.startswith(f"unit 1 at *her*: {number} from *{largest.source_word}*, ")
    assert f"in all {first.state.iloc[0]:.2f}".replace("-", "−") in sentence


def test_one_example_alone_is_the_same(small):
    alone = mechanics.ledger(small.isel(example=1), 4)
    together = mechanics.ledger(small.isel(example=[1]), 4)
    np.testing.assert_array_equal(alone.entry, together.entry)


def test_length_one_and_batch_one():
    model = keras.Sequential([keras.Input((1, 2)), keras.layers.GRU(2, name="gru")])
    node = tg.trace(model, np.ones((1, 1, 2)))["gru"].to_dataset()
    found = mechanics.ledger(node)
    np.testing.assert_allclose(found.entry[0, 0], node.hidden_state[0, 0], atol=1e-6)
    assert mechanics.ledger_sentences(found).sentence[0].startswith("unit 0 at *0*: ")
    np.testing.assert_allclose(mechanics.retained_and_written(node).retained, 0)


def test_mistakes(small):
    with pytest.raises(ValueError, match=r"0 to 4.*Received: step=5"):
        mechanics.ledger(small, 5)
    with pytest.raises(ValueError, match=r"example 0.*Received: word='again'"):
        mechanics.ledger(small, word="again")
    with pytest.raises(ValueError, match=r"from 0 to 2. Received: \[7\]"):
        mechanics.ledger(small, units=[7])
    with pytest.raises(TypeError, match=r"Received: step='she'"):
        mechanics.ledger(small, "she")
    with pytest.raises(TypeError, match=r"trace\['lstm'\].*Received: int"):
        mechanics.ledger(3)
    with pytest.raises(ValueError, match="without `steps`"):
        mechanics.ledger(small.isel(time=[1, 2]))
    with pytest.raises(ValueError, match="candidate"):
        mechanics.ledger(small.drop_vars("candidate"))
    edited = small.assign(cell_state=small.cell_state + 0.1)
    with pytest.raises(ValueError, match="edited"):
        mechanics.retained_and_written(edited)
