"""The special tokens, which have the same ids in every vocabulary, and ids in one array."""

from collections.abc import Sequence

import numpy as np

# Padding, any unknown word, the beginning and the end of a text.
PAD, UNK, BOS, EOS = range(4)
# As they are spelled in a vocabulary, in the order of their ids.
TOKENS = ("<pad>", "<unk>", "<bos>", "<eos>")


def padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Return rows of ids as `int32` of shape `(rows, longest)`, padded on the right."""
    ids = np.full((len(rows), max(map(len, rows), default=1)), PAD, np.int32)
    for line, row in zip(ids, rows, strict=True):
        line[: len(row)] = row
    return ids
