"""Plain text is read whole, in order, in bounded memory; and what is no text is refused."""

import gzip
import itertools
import tracemalloc

import numpy as np
import pytest
import tensorflow_datasets as tfds
from hypothesis import given, settings
from hypothesis import strategies as st

from textgate.datasets import Corpus, EncodedText, SentenceBatches
from textgate.datasets import _encoded as encoded
from textgate.datasets import corpus as corpus_module
from textgate.datasets._sentences import split_sentences
from textgate.tokenizers import WordTokenizer


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.name.endswith(".gz") else data)
    return path


def test_files_globs_and_their_order(tmp_path, monkeypatch):
    # Whatever order the file system has them in.
    found = corpus_module.glob.glob
    monkeypatch.setattr(
        corpus_module.glob, "glob", lambda *a, **k: sorted(found(*a, **k), reverse=True)
    )
    for name in ["b.txt", "a.txt.gz", "c.txt"]:
        write(tmp_path / name, f"Here is {name[0]}. It ends.\n\nAnd more.\n")
    (tmp_path / "c.csv").write_text("no text")
    expected = {k: [f"Here is {k}.", "It ends.", "And more."] for k in "abc"}
    assert list(Corpus(str(tmp_path / "*"))) == expected["a"] + expected["b"] + expected["c"]
    corpus = Corpus([tmp_path / "c.txt", str(tmp_path / "[ab].t*")])
    assert list(corpus) == expected["c"] + expected["a"] + expected["b"]
    assert list(corpus) == list(corpus.sentences())
    assert list(corpus.paragraphs())[:2] == ["Here is c. It ends.", "And more."]
    assert [path.name for path in corpus.files] == ["c.txt", "a.txt.gz", "b.txt"]


def test_line_ends_byte_order_mark_and_wrapped_lines(tmp_path):
    path = write(tmp_path / "x.txt", "\ufeffOne two\r\nthree. Four\r\n\r\n \t\r\nfive.\rSix")
    assert list(Corpus(path).paragraphs()) == ["One two", "three. Four", "five.", "Six"]
    assert list(Corpus(path, wrapped=True)) == ["One two three.", "Four", "five.", "Six"]


@settings(max_examples=100, deadline=None)
@given(st.text("ab. é\n", max_size=80), st.integers(1, 9))
def test_long_lines_are_cut_at_blanks_only(tmp_path_factory, text, block):
    path = write(tmp_path_factory.mktemp("lines") / "x.txt", text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus_module, "_BLOCK", block)
        parts = list(corpus_module.read_lines(path))
    assert "".join(parts) == text
    for part, following in itertools.pairwise(parts):
        assert part[-1] in " \n" or len(part) + len(following) > block


def test_sentences_of_english():
    text = (
        'Mr. and Mrs. J. Smith came at 5 p.m. "Why?" she asked. "Stop!" He did... Then, e.g. '
        "Anna, St. John and the U.S. Navy left! (They ran.) 20 dogs barked. I did, as did I. “Oh.” "
        "'Tis over? It cost 3.50. no capital."
    )
    assert list(split_sentences(text)) == [
        "Mr. and Mrs. J. Smith came at 5 p.m.",
        '"Why?" she asked.',
        '"Stop!"',
        "He did...",
        "Then, e.g. Anna, St. John and the U.S. Navy left!",
        "(They ran.)",
        "20 dogs barked.",
        "I did, as did I.",
        "“Oh.”",
        "'Tis over?",
        "It cost 3.50. no capital.",
    ]


@settings(max_examples=200, deadline=None)
@given(st.text("aBC.!? \"'(”IMré\n", max_size=60))
def test_sentences_keep_every_character_but_blanks(text):
    joined = "".join(split_sentences(text))
    assert "".join(joined.split()) == "".join(text.split())


def test_sentence_of_one_word_is_a_sentence(tmp_path):
    corpus = Corpus(write(tmp_path / "x.txt", "Go\nstop\n"))
    text = EncodedText.encode(corpus, WordTokenizer.train(corpus))
    (batch,) = SentenceBatches(text, 2, shuffle=False).epoch(0)
    assert batch.inputs.tolist() == [[2, 4], [2, 5]]
    assert batch.targets.tolist() == [[4, 3], [5, 3]]


@pytest.mark.parametrize("name", ["x.txt", "x.txt.gz"])
def test_memory_does_not_grow_with_the_corpus(tmp_path, name):
    line = " ".join(f"word{number}" for number in range(200)) + ". And so on.\n"
    path = write(tmp_path / name, line)
    tokenizer = WordTokenizer.train(Corpus(path))

    def peak(lines):
        write(path, line * lines)
        corpus = Corpus(path)
        tracemalloc.start()
        WordTokenizer.train(corpus)
        EncodedText.encode(corpus, tokenizer, path=tmp_path / f"text{lines}")
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return memory

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoded, "_CHUNK", 1 << 12)
        peak(20)
        small, large = peak(200), peak(2000)
    assert (2000 - 200) * len(line) > 2_000_000
    assert large < small + 400_000


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.txt", b"", "no text in it"),
        ("x.txt", b" \n\n\t\n", "no text in it"),
        ("x.txt", b"caf\xe9 au lait\n", "not UTF-8.*0xe9 after line 0"),
        ("x.txt", b"one\ntwo\n\x00\x01\x02", "binary.*line 3"),
        ("x.txt", bytes(range(256)), "binary|not UTF-8"),
        ("x.txt.gz", b"plain text", "gzip file is damaged"),
        ("x.txt.gz", gzip.compress(b"some text " * 99, mtime=0)[:-12], "gzip file is damaged"),
    ],
)
def test_files_that_are_no_text(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{message}.*") as error:
        WordTokenizer.train(Corpus(path))
    assert "Received: " in str(error.value)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_sources_that_are_not_there(tmp_path):
    write(tmp_path / "x.txt", "a")
    (tmp_path / "x.csv").write_text("a")
    for source in ["y.txt", "*.txt.gz", "sub/*.txt"]:
        with pytest.raises(FileNotFoundError, match=r"No file matches. Received"):
            Corpus([tmp_path / "x.txt", str(tmp_path / source)])
    for source in ["x.csv", "*.csv", ""]:
        with pytest.raises(ValueError, match=r"\.txt or \.txt\.gz.*Received"):
            Corpus(str(tmp_path / source))
    with pytest.raises(ValueError, match="Received: none"):
        Corpus([])


def test_name_with_the_signs_of_a_glob(tmp_path):
    assert list(Corpus(write(tmp_path / "x [1].txt", "a b"))) == ["a b"]


class TinyText(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """A data set of a few texts."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"text": tfds.features.Text(), "title": tfds.features.Text(), "n": np.int64}
        return tfds.core.DatasetInfo(
            builder=self, description="Texts.", features=tfds.features.FeaturesDict(features)
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(9), "test": self._generate_examples(2)}

    def _generate_examples(self, count):
        for n in range(count):
            yield n, {"text": f"Text {n}. It’s so.\nA line.", "title": f"T{n}", "n": n}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("tfds")
    TinyText(data_dir=path).download_and_prepare()
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestTfds:
    def test_text_is_read_in_the_same_order_each_time(self, data_dir):
        corpus = Corpus("tfds:tiny_text", data_dir=data_dir)
        sentences = list(corpus)
        assert sorted(sentences)[9:] == sorted(["It’s so."] * 9 + [f"Text {n}." for n in range(9)])
        assert sentences[1:3] == ["It’s so.", "A line."]
        assert list(corpus) == sentences

    def test_splits_and_features(self, data_dir):
        titles = Corpus("tfds:tiny_text:1.0.0", "train[:4]", feature="title", data_dir=data_dir)
        assert len(list(titles)) == 4
        assert all(title.startswith("T") for title in titles)
        assert len(list(Corpus("tfds:tiny_text", "test", data_dir=data_dir))) == 6

    def test_beside_files(self, data_dir, tmp_path):
        path = write(tmp_path / "x.txt", "A file.")
        corpus = Corpus([path, "tfds:tiny_text"], "test", data_dir=data_dir)
        assert next(iter(corpus)) == "A file."
        assert len(list(corpus)) == 7

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"sources": "tfds:no_such_text"}, "no such data set.*Received: 'tfds:no_such_text'"),
            ({"sources": "tfds:"}, "no such data set.*Received: 'tfds:'"),
            ({"sources": "tfds:tiny_text", "split": "dev"}, "no such split, but.*test.*'dev'"),
            ({"sources": "tfds:tiny_text", "feature": "n"}, "no such text feature.*'n'"),
        ],
    )
    def test_what_is_not_there(self, data_dir, arguments, message):
        with pytest.raises(ValueError, match=message):
            list(Corpus(**arguments, data_dir=data_dir))

    def test_what_cannot_be_downloaded(self, data_dir, monkeypatch):
        def fail(_):
            raise ConnectionError("no way out\nat all")

        corpus = Corpus("tfds:tiny_text", data_dir=data_dir)
        builder = type(corpus._parts[0]._builder)
        monkeypatch.setattr(builder, "download_and_prepare", fail)
        with pytest.raises(ValueError, match=r"downloaded and prepared \(no way out\).*Received"):
            list(corpus)


class TestEncodedText:
    texts = ("the dog slept .", "", "she fed the cat .", "Go")

    def test_in_memory_and_on_disk(self, tmp_path):
        tokenizer = WordTokenizer.train(self.texts[:1])
        memory = EncodedText.encode(self.texts, tokenizer)
        disk = EncodedText.encode(iter(self.texts), tokenizer, path=tmp_path / "a" / "text")
        loaded = EncodedText.load(tmp_path / "a" / "text", tokenizer)
        assert isinstance(loaded.ids, np.memmap)
        for text in (memory, disk, loaded):
            assert len(text) == 3
            assert text.words == 10
            assert text.unknown == 0.4
            assert text.ids.dtype == np.int32
            assert [list(s) for s in text] == [tokenizer.encode(t) for t in self.texts if t]
            np.testing.assert_array_equal(text.counts, np.bincount(text.ids))
        assert [p.name for p in (tmp_path / "a").iterdir()] == ["text"]

    def test_interrupted_it_leaves_nothing(self, tmp_path):
        def texts():
            yield "the dog"
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            EncodedText.encode(texts(), WordTokenizer(["the"]), path=tmp_path / "text")
        assert not list(tmp_path.iterdir())

    def test_nothing_is_overwritten(self, tmp_path):
        with pytest.raises(FileExistsError, match="Received"):
            EncodedText.encode(self.texts, WordTokenizer(["the"]), path=tmp_path)

    @pytest.mark.parametrize("path", [None, "text"])
    @pytest.mark.parametrize(
        ("texts", "message"),
        [([], "no words"), (["", " "], "no words"), (["dog"], "one different word"),
         (["dog dog", "dog"], "one different word"), (["x y"], "only unknown")],
    )  # fmt: skip
    def test_too_little_text(self, texts, message, path, tmp_path):
        with pytest.raises(ValueError, match=f"{message}.*Received"):
            EncodedText.encode(texts, WordTokenizer(["dog"]), path=path and tmp_path / path)
        assert not list(tmp_path.iterdir())

    def test_other_vocabulary_or_no_text(self, tmp_path):
        EncodedText.encode(self.texts, WordTokenizer(["the"]), path=tmp_path / "text")
        with pytest.raises(ValueError, match=r"another vocabulary.*Received"):
            EncodedText.load(tmp_path / "text", WordTokenizer(["dog"]))
        with pytest.raises(ValueError, match=r"not one that.*Received"):
            EncodedText.load(tmp_path, WordTokenizer(["the"]))
        with pytest.raises(FileNotFoundError, match="Received"):
            EncodedText.load(tmp_path / "none", WordTokenizer(["the"]))
        with pytest.raises(TypeError, match="wrap it in a list"):
            EncodedText.encode("the dog", WordTokenizer(["the"]))
