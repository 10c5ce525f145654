"""Text as numbers: every sentence of a corpus, encoded once, in one compact array of int32.

A corpus is read and tokenized once, and each epoch of training then only picks from the array. With
`path=` the array is written to disk while the text goes by and mapped into memory, so that neither
encoding nor training needs more memory for a longer text than 8 bytes or so a sentence.
"""

import array
import hashlib
import json
import os
import pathlib
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np

from textgate._files import beside
from textgate._reading import read_json
from textgate._special_tokens import BOS, EOS, UNK

# How many numbers are gathered before they are written.
_CHUNK = 1 << 20


class Tokenizer(Protocol):
    """What is needed of a tokenizer."""

    @property
    def vocabulary(self) -> Sequence[str]:
        """All tokens in the order of their ids, padding first."""

    @property
    def unknown_id(self) -> int | None: ...

    @property
    def begin_id(self) -> int | None: ...

    @property
    def end_id(self) -> int | None: ...

    def encode(self, text: str) -> list[int]:
        """Return the ids of the words of a text."""


class SpecialIds(NamedTuple):
    """The ids of a vocabulary that are no ordinary words, each `None` if there is none.

    Attributes:
        unknown: Of unknown words.
        begin: What is read before a text.
        end: What is predicted after it.
    """

    unknown: int | None = UNK
    begin: int | None = BOS
    end: int | None = EOS


class EncodedText:
    """The words of many sentences as ids.

    Make it with `encode`, or with `load` from what `encode` wrote to disk.

    Args:
        ids: The words of all sentences, one sentence after another, int32 of shape `(words,)`.
        offsets: Where each sentence begins in `ids`, and where the last one ends; int64 of shape
            `(sentences + 1,)`.
        counts: How often each id occurs, int64 of shape `(vocabulary,)`.
        special: The ids of unknown words, beginning and end.

    Raises:
        ValueError: If there are no words, or only one, over and over: no text to learn from.
    """

    def __init__(
        self,
        ids: np.ndarray,
        offsets: np.ndarray,
        counts: np.ndarray,
        special: SpecialIds = SpecialIds(),  # noqa: B008 (it can't be changed)
    ) -> None:
        if not len(ids):
            raise ValueError("The text has no words. Received: 0 words")
        if np.count_nonzero(counts) < 2:
            raise ValueError(
                "The text has only one different word that the vocabulary knows (or only unknown "
                "ones), so there is nothing to learn; give more text, or a vocabulary made of it. "
                f"Received: {len(ids)} words, all with the id {int(ids[0])}"
            )
        self.ids, self.offsets, self.counts, self.special = ids, offsets, counts, special

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __repr__(self) -> str:
        return f"EncodedText(<{len(self)} sentences, {len(self.ids)} words>)"

    @property
    def words(self) -> int:
        """The number of words."""
        return len(self.ids)

    @property
    def unknown(self) -> float:
        """The share of words that are `<unk>`."""
        return self.unknown_words / len(self.ids)

    @property
    def unknown_words(self) -> int:
        """The number of words that are `<unk>`."""
        unknown = self.special.unknown
        return 0 if unknown is None else int(self.counts[unknown])

    @property
    def ends(self) -> int:
        """How many ends are predicted after each sentence: one, or none."""
        return int(self.special.end is not None)

    @property
    def target_counts(self) -> np.ndarray:
        """How often each id is predicted: as `counts`, with the end after each sentence."""
        counts = np.array(self.counts)
        if self.special.end is not None:
            counts[self.special.end] += len(self)
        return counts

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the ids of one sentence."""
        index = range(len(self))[index]
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    @classmethod
    def encode(
        cls,
        texts: Iterable[str],
        tokenizer: Tokenizer,
        path: str | os.PathLike[str] | None = None,
        keep_empty: bool = False,
    ) -> "EncodedText":
        """Encode texts (sentences, or paragraphs), each of which becomes one sentence.

        Args:
            texts: Strings, read once.
            tokenizer: A `textgate.tokenizers.Tokenizer`.
            path: A directory to write to, for text that is too large for memory. `None` keeps the
                ids in memory (4 bytes a word).
            keep_empty: Whether texts without words are sentences, too, of which only the end is
                predicted, as empty lines are in counts of pretokenised corpora. Otherwise they are
                left out.

        Raises:
            FileExistsError: If `path` exists.
            CannotWriteError: If the disk is full.
            ValueError: As the class.
        """
        size = len(tokenizer.vocabulary)
        if path is None:
            ids, lengths, counts = _gather(texts, tokenizer, size, keep_empty)
            offsets = _offsets(np.concatenate(lengths))
            return cls(np.concatenate(ids), offsets, counts, _special_of(tokenizer))
        path = pathlib.Path(path)
        if path.exists():
            raise FileExistsError(
                "There is something already where the encoded text should go; remove it, or load "
                f"it with EncodedText.load. Received: path={str(path)!r}"
            )
        with beside(path, "the encoded text", replaces=False) as partial:
            partial.mkdir()
            with (partial / "ids.int32").open("wb") as file:
                _, lengths, counts = _gather(texts, tokenizer, size, keep_empty, file)
            _offsets(np.concatenate(lengths)).tofile(partial / "offsets.int64")
            counts.tofile(partial / "counts.int64")
            about = {
                "format": 2,
                "vocabulary": fingerprint(tokenizer.vocabulary),
                "checksums": _checksums(partial),
            }
            (partial / "about.json").write_text(json.dumps(about), encoding="utf-8")
            _read(partial, tokenizer)  # raises if there is nothing to learn from
        return _read(path, tokenizer)

    @classmethod
    def load(cls, path: str | os.PathLike[str], tokenizer: Tokenizer) -> "EncodedText":
        """Map what `encode(..., path=path)` wrote into memory.

        Raises:
            FileNotFoundError: If there is nothing.
            ValueError: If it is no encoded text, or was encoded with another vocabulary.
        """
        path = pathlib.Path(path)
        if not path.is_dir():
            raise FileNotFoundError(f"There is no encoded text. Received: path={str(path)!r}")
        try:
            about = read_json(path / "about.json")
            vocabulary, form = about["vocabulary"], about["format"]
        except (FileNotFoundError, ValueError, KeyError):
            vocabulary, form = None, None
        if form not in (1, 2):  # 1 had no checksums
            raise ValueError(
                "The directory is not one that EncodedText.encode wrote. "
                f"Received: path={str(path)!r}"
            )
        if vocabulary != fingerprint(tokenizer.vocabulary):
            raise ValueError(
                "The text was encoded with another vocabulary than this tokenizer's; encode it "
                f"again, to another path. Received: path={str(path)!r}"
            )
        if not _is_whole(path, about, len(tokenizer.vocabulary)):
            raise ValueError(
                "The encoded text is damaged; remove it and encode it again. "
                f"Received: path={str(path)!r}"
            )
        return _read(path, tokenizer)


def _gather(
    texts: Iterable[str],
    tokenizer: Tokenizer,
    size: int,
    keep_empty: bool,
    file: BinaryIO | None = None,
) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Encode texts into arrays of ids (written to `file` if there is one), lengths and counts."""
    if isinstance(texts, str | bytes):
        raise TypeError(
            f"Texts must be several strings, not one; wrap it in a list. Received: {texts[:40]!r}"
        )
    counts = np.zeros(size, np.int64)
    all_ids: list[np.ndarray] = [np.zeros(0, np.int32)]
    all_lengths: list[np.ndarray] = [np.zeros(0, np.int32)]
    ids, lengths = array.array("i"), array.array("i")
    encode = tokenizer.encode

    def flush() -> None:
        done = np.array(ids, np.int32)
        np.add(counts, np.bincount(done, minlength=size), out=counts)
        all_lengths.append(np.array(lengths, np.int32))
        if file is None:
            all_ids.append(done)
        else:
            file.write(done.tobytes())
        del ids[:], lengths[:]

    for text in texts:
        words = encode(text)
        if words or keep_empty:
            ids.extend(words)
            lengths.append(len(words))
            if len(ids) >= _CHUNK:
                flush()
    flush()
    return all_ids, all_lengths, counts


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def _special_of(tokenizer: Tokenizer) -> SpecialIds:
    return SpecialIds(tokenizer.unknown_id, tokenizer.begin_id, tokenizer.end_id)


def _read(path: pathlib.Path, tokenizer: Tokenizer) -> EncodedText:
    counts = np.fromfile(path / "counts.int64", np.int64)
    if not counts.sum():  # an empty file cannot be mapped
        return EncodedText(np.zeros(0, np.int32), np.zeros(1, np.int64), counts)
    ids = np.memmap(path / "ids.int32", np.int32, "r")
    offsets = np.memmap(path / "offsets.int64", np.int64, "r")
    return EncodedText(ids, offsets, counts, _special_of(tokenizer))


def _is_whole(path: pathlib.Path, about: dict[str, Any], size: int) -> bool:
    """Whether the files are as they were written; those of earlier versions, as far as can be."""
    try:
        if about["format"] == 2:
            return bool(about.get("checksums") == _checksums(path))
        counts = np.fromfile(path / "counts.int64", np.int64)
        words = (path / "ids.int32").stat().st_size // 4
        offsets = np.memmap(path / "offsets.int64", np.int64, "r")
    except (OSError, ValueError):  # a file is missing, empty or cut short
        return False
    return len(counts) == size and counts.sum() == words == offsets[-1]


def _checksums(path: pathlib.Path) -> dict[str, int]:
    sums = {}
    for name in ("ids.int32", "offsets.int64", "counts.int64"):
        sums[name] = 0
        with (path / name).open("rb") as file:
            while part := file.read(_CHUNK):
                sums[name] = zlib.crc32(part, sums[name])
    return sums


def fingerprint(vocabulary: Iterable[str]) -> str:
    """Return a short name for a vocabulary: equal for equal ones, and for no others in practice."""
    return hashlib.sha256("\n".join(vocabulary).encode()).hexdigest()[:32]


def check_whole(name: str, value: Any, least: int) -> None:
    """Raise `TypeError` or `ValueError` unless `value` is a whole number, at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be a whole number. Received: {name}={value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}. Received: {name}={value}")
