"""What a tokenizer is: all that the rooms of textgate rely on, whatever its tokens are.

A model of textgate reads ids. **Id 0 is padding**, in every tokenizer: it is masked, no text has
it, and it has no probability worth the name. So the words of a vocabulary have the ids from 1 on,
and where weights come without a row for padding, row r belongs to id r + 1.

The ids of the beginning and the end of a text and of unknown words are the tokenizer's to say, and
each may be `None`. A model in the tradition of PyTorch's has no `<bos>`: a text begins after the
`<eos>` of the text before. Then `begin_id` is `end_id`. With `begin_id=None` nothing stands before
a text, and its first token is given, not predicted.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable


@runtime_checkable
class Tokenizer(Protocol):
    """Text to ids of tokens and back.

    Attributes:
        kind: The name under which `textgate.tokenizers.register` knows the class, so that a saved
            model finds it again.
        pieces: Whether a word may be several tokens, as word pieces and characters are.
        unknown_id: The id of unknown tokens; `None` if there is none, so that text with an unknown
            token raises a `ValueError`.
        begin_id: The id that is read before a text; `None` for none.
        end_id: The id that is predicted after a text; `None` for none.
    """

    kind: ClassVar[str]
    pieces: ClassVar[bool]

    @property
    def unknown_id(self) -> int | None: ...

    @property
    def begin_id(self) -> int | None: ...

    @property
    def end_id(self) -> int | None: ...

    @property
    def vocabulary(self) -> Sequence[str]:
        """All tokens in the order of their ids: padding first."""

    def __len__(self) -> int:
        """Return how many ids there are, padding among them."""

    def split(self, text: str) -> list[str]:
        """Return the tokens of a text, as they stand in it, without beginning and end."""

    def encode(self, text: str) -> list[int]:
        """Return their ids."""

    def tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of tokens."""

    def ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens of the vocabulary that have these ids."""

    def detokenize(self, tokens: Iterable[str]) -> str:
        """Write tokens as text; padding, beginning and end are left out."""

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs, ready for JSON."""


def beginning(tokenizer: Any) -> list[int]:
    """Return the ids that stand before each text: one, or none."""
    return [] if tokenizer.begin_id is None else [tokenizer.begin_id]
