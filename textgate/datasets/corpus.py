"""Plain text as a stream of sentences: from files, or from TensorFlow Datasets.

A `Corpus` names its sources and reads them anew each time it is gone through, a block at a time,
so memory doesn't grow with the text. The order is always the same: the sources as given, the files
of a glob by name, the lines as they stand.

Example:
    corpus = Corpus("novels/*.txt.gz")              # or a list of paths, or "tfds:lm1b"
    tokenizer = WordTokenizer.train(corpus, size=20_000)
    text = EncodedText.encode(corpus, tokenizer)    # for SentenceBatches and WindowBatches
"""

import glob
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from textgate._reading import read_parts
from textgate.datasets._sentences import split_sentences

_TFDS = "tfds:"
_ENDINGS = (".txt", ".txt.gz")
# A line longer than this many characters is handed on in parts, cut at a blank; a stretch without
# a blank that is longer than `_LONGEST` is no text.
_BLOCK = _LONGEST = 1 << 20
# Features of TFDS data sets that hold their text, the first found taken.
_FEATURES = ("text", "book_text", "sentence", "article", "document", "content")

Source = str | os.PathLike[str]


class Corpus:
    r"""The sentences of text files or of a TFDS data set.

    Iterating gives sentences, from the beginning each time. A line is taken for a paragraph, and no
    sentence reaches across lines, unless `wrapped`.

    Args:
        sources: A path, a glob (`*`, `?`, `[…]`, `**`), the name of a TFDS data set with `tfds:`
            before it (`"tfds:lm1b"`, `"tfds:pg19"`, with configuration and version as TFDS has
            them), or several of these. Files are UTF-8 and end in `.txt` or `.txt.gz`.
        split: For TFDS, which split, in TFDS's own words (`"train[:10%]"`).
        wrapped: The files' lines are broken at a fixed width, and blank lines stand between
            paragraphs, as in Project Gutenberg's.
        feature: For TFDS, the feature with the text. `None` looks for one.
        data_dir: For TFDS, where data sets lie; `None` for TFDS's own place. What isn't there yet
            is downloaded and prepared.

    Raises:
        FileNotFoundError: If a path or glob matches no file.
        ValueError: If a file doesn't end as it should, or TFDS has no such data set, split or
            feature; and, while it is read, if a file is empty, binary, not UTF-8 or a damaged
            gzip file.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "dogs.txt")
        >>> _ = path.write_text("Mr. Smith has a dog. It barks!\n", encoding="utf-8")
        >>> list(Corpus(path))
        ['Mr. Smith has a dog.', 'It barks!']
    """

    def __init__(
        self,
        sources: Source | Sequence[Source],
        split: str = "train",
        wrapped: bool = False,
        feature: str | None = None,
        data_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        if isinstance(sources, str | os.PathLike):
            sources = [sources]
        if not sources:
            raise ValueError("A corpus needs a path, a glob or a TFDS name. Received: none")
        self.sources = [os.fspath(source) for source in sources]
        self.split, self.wrapped, self.feature, self.data_dir = split, wrapped, feature, data_dir
        self._parts: list[pathlib.Path | _TfdsText] = []
        for source in self.sources:
            if source.startswith(_TFDS):
                name = source.removeprefix(_TFDS)
                self._parts.append(_TfdsText(name, split, feature, data_dir))
            else:
                self._parts.extend(find_files(source))

    def __repr__(self) -> str:
        return f"Corpus({self.sources!r})"

    def __iter__(self) -> Iterator[str]:
        for paragraph in self.paragraphs():
            yield from split_sentences(paragraph)

    @property
    def files(self) -> list[pathlib.Path]:
        """The text files, in the order in which they are read."""
        return [part for part in self._parts if isinstance(part, pathlib.Path)]

    def sentences(self) -> Iterator[str]:
        """Yield the sentences, as iterating over the corpus does."""
        return iter(self)

    def lines(self) -> Iterator[str]:
        """Yield the lines as they stand, empty ones too, as pretokenised text is to be read."""
        for part in self._parts:
            for line in part.lines() if isinstance(part, _TfdsText) else read_lines(part):
                yield line.removesuffix("\n")

    def paragraphs(self) -> Iterator[str]:
        """Yield the paragraphs that are not empty, without the blanks around them."""
        for part in self._parts:
            lines = part.lines() if isinstance(part, _TfdsText) else read_lines(part)
            if self.wrapped:
                lines = _unwrapped(lines)
            found = False
            for line in lines:
                line = line.strip()
                if line:
                    found = True
                    yield line
            if not found:
                raise ValueError(f"There is no text in it; leave it out. Received: {str(part)!r}")


def find_files(source: str) -> list[pathlib.Path]:
    """Return the text files of a path or glob, by name.

    Raises:
        FileNotFoundError: If there are none.
        ValueError: If a file is named whose name doesn't end in .txt or .txt.gz.
    """
    path = pathlib.Path(source).expanduser()
    if os.path.isfile(path):
        paths = [path]
    else:
        names = sorted(glob.glob(str(path), recursive=True))
        paths = [pathlib.Path(name) for name in names if os.path.isfile(name)]
        if os.path.isdir(path) or (paths and not _matches(paths)):
            raise ValueError(
                "A corpus is made of files that end in .txt or .txt.gz; give the files or a glob, "
                f"such as {os.path.join(source, '*.txt')!r}. Received: {source!r}"
            )
        paths = _matches(paths)
    if not paths:
        raise FileNotFoundError(f"No file matches. Received: {source!r}")
    if not _matches(paths):
        raise ValueError(f"A text file must end in .txt or .txt.gz. Received: {source!r}")
    return paths


def _matches(paths: Iterable[pathlib.Path]) -> list[pathlib.Path]:
    return [path for path in paths if path.name.endswith(_ENDINGS)]


def read_lines(path: pathlib.Path) -> Iterator[str]:
    """Yield the lines of a text file, very long ones in parts.

    Raises:
        ValueError: If the file is binary, not UTF-8 or a damaged gzip file, or a word in it is
            longer than any that is one.
    """
    rest = ""
    for line in read_parts(path, _BLOCK):
        if line.endswith("\n") or len(line) < _BLOCK:
            yield rest + line
            rest = ""
            continue
        # A part of a long line: what stands after its last blank waits for the next part.
        part, blank, after = (rest + line).rpartition(" ")
        if len(after) > _LONGEST and len(after.split()) == 1:
            raise ValueError(
                f"The file has a word of more than {_LONGEST:,} characters, which is no text; "
                f"leave it out, or put blanks into it. Received: {str(path)!r}, {after[:20]!r}…"
            )
        if blank or len(after) > _BLOCK:
            yield part + blank or after
        rest = after if blank or len(after) <= _BLOCK else ""
    if rest:
        yield rest


def _unwrapped(lines: Iterable[str]) -> Iterator[str]:
    """Join the lines of each paragraph; blank lines stand between paragraphs."""
    paragraph: list[str] = []
    length = 0
    for line in lines:
        line = line.strip()
        if line:
            paragraph.append(line)
            length += len(line)
        if paragraph and (not line or length > _BLOCK):
            yield " ".join(paragraph)
            paragraph, length = [], 0
    if paragraph:
        yield " ".join(paragraph)


class _TfdsText:
    """The text of a TFDS data set, prepared if it isn't yet."""

    def __init__(
        self,
        name: str,
        split: str,
        feature: str | None,
        data_dir: str | os.PathLike[str] | None,
    ) -> None:
        import tensorflow_datasets as tfds

        self._name = name
        try:
            self._builder = tfds.builder(name, data_dir=data_dir and os.fspath(data_dir))
        except (tfds.core.DatasetNotFoundError, ValueError, AttributeError, ImportError) as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(
                "TensorFlow Datasets has no such data set; see tfds.list_builders(). "
                f"({reason[0]}) Received: {_TFDS + name!r}"
            ) from None
        self._split, self._feature = split, self._find_feature(feature)

    def __str__(self) -> str:
        return f"{_TFDS}{self._name}, split {self._split}"

    def _find_feature(self, feature: str | None) -> str:
        features = self._builder.info.features
        texts = [
            name
            for name, kind in (features or {}).items()
            if kind.shape == () and str(kind.dtype) in ("object", "string", "<dtype: 'string'>")
        ]
        if feature is None:
            known = [name for name in _FEATURES if name in texts]
            if not known and len(texts) != 1:
                raise ValueError(
                    f"Which feature of the data set is its text? Name it with feature=, one of "
                    f"{texts}. Received: {_TFDS + self._name!r}"
                )
            return known[0] if known else texts[0]
        if feature not in texts:
            raise ValueError(
                f"The data set {self._name!r} has no such text feature, but {texts}. "
                f"Received: feature={feature!r}"
            )
        return feature

    def lines(self) -> Iterator[str]:
        """Yield the lines of the texts, in the data set's own order."""
        import tensorflow as tf
        import tensorflow_datasets as tfds

        try:
            self._builder.download_and_prepare()
        except (OSError, ImportError, ValueError) as error:
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(
                f"The data set could not be downloaded and prepared ({reason[0]}); prepare it with "
                f"`tfds build {self._name}` and give its data_dir. Received: {self}"
            ) from error
        splits: Any = self._builder.info.splits
        try:
            splits[self._split]
        except (KeyError, ValueError):
            raise ValueError(
                f"The data set {self._name!r} has no such split, but {sorted(splits)}. "
                f"Received: split={self._split!r}"
            ) from None
        data = self._builder.as_dataset(
            split=self._split,
            shuffle_files=False,
            read_config=tfds.ReadConfig(interleave_cycle_length=1),
        )
        data = data.map(lambda row: row[self._feature]).prefetch(tf.data.AUTOTUNE)
        for number, text in enumerate(data.as_numpy_iterator()):
            try:
                yield from text.decode().splitlines()
            except UnicodeDecodeError:
                raise ValueError(
                    f"The data set's text is not UTF-8. Received: {self}, example {number}"
                ) from None
