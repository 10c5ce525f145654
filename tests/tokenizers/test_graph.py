"""The tokenizer in TensorFlow gives what it gives in Python, for all of Unicode, anywhere."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from textgate.tokenizers import WordTokenizer
from textgate.tokenizers._split import split_piece
from textgate.tokenizers._table import LOWER, RULES

TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("'nNtTsdmlrevRLVE’‘“”``\".-—…,0123 \n\t\x00\u200d\u0301\u00adÉİß<>unkabAB"),
    ),
    max_size=40,
)
# From a configuration, which may have words that no text gives, as those of before may.
VOCABULARY = [
    *["a", "b", "A", "n't", "'s", "'ve", '"', "—", "...", "é", "1", "<", "aa", "ab", "\x00"],
    *sorted({chr(small) for small in LOWER.values()} - set("abé")),
]
TOKENIZER = WordTokenizer.from_config({"vocabulary": VOCABULARY, "rules": 1})


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def graph(texts):
    words = TOKENIZER.split_graph(texts)
    return words, TOKENIZER(texts)


def run(texts):
    words, ids = graph(tf.constant(texts, tf.string, shape=[len(texts)]))
    return [[word.decode() for word in row] for row in words.to_list()], ids.to_list()


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXT, max_size=6))
def test_graph_gives_the_same_words_and_ids(texts):
    words, ids = run(texts)
    assert words == [TOKENIZER.split(text) for text in texts]
    assert ids == [TOKENIZER.encode(text) for text in texts]


def test_graph_and_python_agree_on_every_character():
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = [
        "\n".join(f"a{c}b\n{c}" for c in characters[first : first + 512])
        for first in range(0, len(characters), 512)
    ]
    words = TOKENIZER.split_graph(tf.constant(texts))
    expected = [list(split_piece(text)) for text in texts]
    flat = b" ".join(words.flat_values.numpy().tolist()).decode()
    assert flat == " ".join(word for row in expected for word in row)
    assert words.row_lengths().numpy().tolist() == [len(row) for row in expected]
    tokens = tf.constant(characters)
    assert TOKENIZER.graph.tokens_to_ids(tokens).numpy().tolist() == TOKENIZER.tokens_to_ids(
        characters
    )


def test_rules_ask_neither_engine_what_a_letter_is():
    for pattern, _ in RULES:
        assert not any(
            sign in pattern for sign in ["\\w", "\\s", "\\d", "\\b", "(?=", "(?!", "(?<"]
        )


def test_shapes_and_types():
    ids = TOKENIZER(["a b", "", "a"])
    assert ids.dtype == tf.int32
    assert ids.shape.as_list() == [3, None]
    assert ids.to_list() == [[4, 5], [], [4]]
    assert TOKENIZER(tf.constant([], tf.string)).shape.as_list() == [0, None]
    assert TOKENIZER.graph.ids_to_tokens([[1, 4]]).numpy().tolist() == [[b"<unk>", b"a"]]


def test_a_single_text_must_be_in_a_list():
    with pytest.raises(ValueError, match=r"of shape \(batch,\).*Received: shape \(\)"):
        TOKENIZER(tf.constant("a b"))


@pytest.mark.parametrize(
    "text", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"caf\xe9 au"]
)
def test_invalid_utf8_is_an_error_with_our_message(text):
    with pytest.raises(tf.errors.InvalidArgumentError, match="not valid UTF-8; decode it"):
        graph(tf.constant(["fine", text]))
    with pytest.raises(UnicodeDecodeError):
        text.decode()


def test_first_call_may_be_inside_a_graph():
    tokenizer = WordTokenizer(["a", "b"])
    data = tf.data.Dataset.from_tensor_slices(["a b", "b c"]).batch(2).map(tokenizer)
    assert next(iter(data)).to_list() == [[4, 5], [5, 1]]
    assert tokenizer(["b"]).to_list() == [[5]]


@keras.saving.register_keras_serializable("textgate_tests")
class Bag(keras.Model):
    """Counts the words of texts: a model with a tokenizer of its own."""

    def __init__(self, tokenizer, **kwargs):
        super().__init__(**kwargs)
        if isinstance(tokenizer, dict):
            tokenizer = WordTokenizer.from_config(tokenizer)
        self.tokenizer = tokenizer
        self.tokenizer_graph = tokenizer.graph
        self.dense = keras.layers.Dense(2)

    def call(self, texts):
        ids = self.tokenizer(texts).to_tensor()
        counts = tf.reduce_sum(tf.one_hot(ids, len(self.tokenizer)), 1)
        return self.dense(counts)

    def build(self, input_shape=None):
        if not self.dense.built:
            self.dense.build((None, len(self.tokenizer)))

    def build_from_config(self, config):
        self.build()

    def get_config(self):
        return {**super().get_config(), "tokenizer": self.tokenizer.get_config()}


CLIENT = """
import sys, tensorflow as tf
assert not any(name.startswith("textgate") for name in sys.modules)
model = tf.saved_model.load(sys.argv[1])
print(model.serve(tf.constant(["a b, can't", "", "É A"])).numpy().round(4).tolist())
"""


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's
def test_in_a_keras_file_and_in_a_saved_model(tmp_path):
    texts = tf.constant(["a b, can't", "", "É A"])
    model = Bag(TOKENIZER)
    expected = model(texts).numpy()
    model.save(tmp_path / "bag.keras")
    again = keras.saving.load_model(tmp_path / "bag.keras")
    np.testing.assert_array_equal(again(texts), expected)
    archive = keras.export.ExportArchive()
    archive.track(again)
    archive.add_endpoint("serve", again.call, [tf.TensorSpec([None], tf.string)])
    archive.write_out(str(tmp_path / "bag"), verbose=False)
    client = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", CLIENT, str(tmp_path / "bag")],
        capture_output=True,
        text=True,
    )
    assert client.returncode == 0, client.stderr
    np.testing.assert_allclose(eval(client.stdout), expected, atol=1e-4)
